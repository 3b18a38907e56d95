"""HTTP mode: signed requests to an app's own addresses, on this machine only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

import aiohttp

from bot.workspace.book import Book
from bot.workspace.delivery import DeliveryError, Envelope, EnvelopeKind
from bot.workspace.ids import now
from bot.workspace.journal import as_json
from bot.workspace.model import App, JsonObject
from bot.workspace.settings import Timings
from bot.workspace.texts import parse_json

_MOST_ANSWER = 1024 * 1024


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The `X-Slack-Signature` of a body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def is_loopback_url(url: str) -> bool:
    """Whether an address is on this machine, so that payloads can't leave it."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class HttpTransport:
    """Sends payloads to request URLs; the first event waits for the URL's verification."""

    def __init__(self, book: Book, timings: Timings) -> None:
        self._book = book
        self._timings = timings
        self._session: aiohttp.ClientSession | None = None
        self._verified: set[str] = set()

    async def send(self, app: App, envelope: Envelope) -> JsonObject | None:
        """Post it and return what came back. Raises DeliveryError."""
        url = envelope.url
        if url is None or not is_loopback_url(url):
            raise DeliveryError("no_request_url", retry=False)
        if envelope.kind is EnvelopeKind.EVENT:
            if url not in self._verified:
                await self._verify(app, url)
                self._verified.add(url)
            body, kind = as_json(envelope.payload).encode(), "application/json"
        elif envelope.kind is EnvelopeKind.COMMAND:
            body, kind = urlencode(envelope.payload).encode(), "application/x-www-form-urlencoded"
        else:
            form = urlencode({"payload": as_json(envelope.payload)})
            body, kind = form.encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind}
        if envelope.attempt:
            headers["X-Slack-Retry-Num"] = str(envelope.attempt)
            headers["X-Slack-Retry-Reason"] = envelope.reason
        answer = await self._post(app, url, body, headers)
        return _read_answer(answer)

    async def _verify(self, app: App, url: str) -> None:
        challenge = secrets.token_hex(20)
        payload: JsonObject = {
            "token": "verification-token-is-deprecated",
            "challenge": challenge,
            "type": "url_verification",
        }
        headers = {"Content-Type": "application/json"}
        answer = await self._post(app, url, as_json(payload).encode(), headers)
        told = _read_answer(answer) or {}
        if challenge not in (answer.strip(), told.get("challenge")):
            raise DeliveryError("challenge_failed")

    async def _post(self, app: App, url: str, body: bytes, headers: dict[str, str]) -> str:
        timestamp = str(int(now()))
        secret = self._book.credentials[app.id].signing_secret
        signed = {
            **headers,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(secret, timestamp, body),
        }
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=self._timings.acknowledgement)
        try:
            async with self._session.post(
                url, data=body, headers=signed, timeout=limit, allow_redirects=False
            ) as response:
                answer = await response.content.read(_MOST_ANSWER)
                if response.status != 200:
                    retry = response.headers.get("X-Slack-No-Retry") != "1"
                    raise DeliveryError("http_error", retry=retry)
                return answer.decode("utf-8", "replace")
        except TimeoutError as error:
            raise DeliveryError("http_timeout", timed_out=True) from error
        except aiohttp.ClientError as error:
            raise DeliveryError("connection_failed") from error

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()


def _read_answer(answer: str) -> JsonObject | None:
    if not answer.strip():
        return None
    try:
        told = parse_json(answer)
    except (ValueError, RecursionError):
        return {"text": answer}
    return told if isinstance(told, dict) else {"text": answer}
