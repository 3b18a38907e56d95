"""Python with what a Slack bot needs imported, doing nothing."""

from __future__ import annotations

import sqlite3
import time

import aiohttp
import slack_bolt.async_app

__all__ = ["aiohttp", "slack_bolt", "sqlite3"]

if __name__ == "__main__":
    time.sleep(24 * 3600)
