"""What lets Bolt work on a request: our own token, without asking Slack about it first."""

from __future__ import annotations

from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext


class OwnToken(AsyncAuthorize):
    """Every request is for the one workspace that the token is for.

    Bolt's own way calls `auth.test` before the first request is acknowledged, and again until that has worked
    once: while Slack stumbles, a click would be lost without a word.
    """

    def __init__(self, token: str) -> None:
        self._token = token

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        actor_enterprise_id: str | None = None,
        actor_team_id: str | None = None,
        actor_user_id: str | None = None,
    ) -> AuthorizeResult:
        """The token, for whoever asks."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=self._token)
