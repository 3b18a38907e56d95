"""Why something was left where it is, and what is risky about a cleanup: keys of `cleanup.left` and
`cleanup.risk` in the phrases."""

from __future__ import annotations

from enum import StrEnum


class Left(StrEnum):
    """Why an entry was not touched."""

    IN_USE = "in_use"
    """a process holds it open, mapped, as its program or as its working directory"""
    PROTECTED = "protected"
    """one that must never be disturbed does, or works in the directory"""
    USE_UNKNOWN = "use_unknown"
    """whether it is in use could not be seen"""
    GONE = "gone"
    """it is no longer there"""
    CHANGED = "changed"
    """it is another file, or was written to, since it was listed"""
    AFTER_BACKUP = "after_backup"
    """it, or a directory that it is in, changed after the backup was taken that it would have to be in"""
    PLACE_CHANGED = "place_changed"
    """a directory on the way to it has become something else"""
    OTHER_FILE_SYSTEM = "other_file_system"
    """a mount begins there"""
    NOT_ALLOWED = "not_allowed"
    """the rights are missing"""
    UNREADABLE = "unreadable"
    """the file system would not tell"""
    TOO_DEEP = "too_deep"
    """more directories in one another than are walked"""
    OCCUPIED = "occupied"
    """undo: something else has come to its place since"""
    PLACE_GONE = "place_gone"
    """undo: its directory is no longer there"""
    ODD = "odd"
    """what is in quarantine is not what the record says"""


class Risk(StrEnum):
    """What somebody who approves should know."""

    PROTECTED_ACTIVE = "protected_active"
    """editors, sessions or the like are at work: the cleanup is partial"""
    SESSIONS = "sessions"
    """people are logged in"""
    SERVING = "serving"
    """programs of this machine have connections to others"""
    MEMORY_LOW = "memory_low"
    DISK_LOW = "disk_low"
    """the space comes free at the purge only, not before"""
    USE_UNKNOWN = "use_unknown"
    """of some processes it cannot be seen which files they hold"""
    HARD_LINKS = "hard_links"
    """some files have further names: their space stays taken"""
    UNREADABLE = "unreadable"
    """some directories could not be looked into"""
    NO_UNDO = "no_undo"
    """caches cannot be put back; they fill again by use"""
    RESTART = "restart"
    """a supervisor will be asked to restart a program"""
