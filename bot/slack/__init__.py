"""Slack: listeners, commands, buttons, and the courier that carries letters."""
