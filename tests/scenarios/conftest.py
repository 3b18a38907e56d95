"""The stage that these tests play on."""

from tests.stages import idle, slack, stage

__all__ = ["idle", "slack", "stage"]
