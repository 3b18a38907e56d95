"""Decisions about backups: what is backed up where, when a backup counts as proven, what may be forgotten."""
