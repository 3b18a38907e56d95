"""Imports the libraries that the Guardian is made of, and ends."""

from __future__ import annotations

import sqlite3

import aiohttp.web
import aiosqlite
import apscheduler.schedulers.asyncio
import jinja2
import prometheus_client
import psutil
import pydantic
import slack_bolt.adapter.socket_mode.async_handler
import slack_bolt.async_app
import slackblocks
import sqlalchemy.ext.asyncio
import structlog
import typer
import yaml

__all__ = [
    "aiohttp",
    "aiosqlite",
    "apscheduler",
    "jinja2",
    "prometheus_client",
    "psutil",
    "pydantic",
    "slack_bolt",
    "slackblocks",
    "sqlalchemy",
    "sqlite3",
    "structlog",
    "typer",
    "yaml",
]
