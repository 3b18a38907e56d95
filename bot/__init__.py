"""The Guardian: an operations bot for Slack that watches, warns and remembers who kept watch."""

__version__ = "0.1.0"
