"""The form for a rollback: service, environment, release."""

from __future__ import annotations

from messages.cards.deploy_modal import layout

__all__ = ["layout"]
