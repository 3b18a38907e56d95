"""Example facts about backups."""

from __future__ import annotations

from dataclasses import replace

from messages.backup_facts import BackupRepositoryFacts, BackupSourceFacts, BackupStatusFacts
from messages.facts import Facts

_AT = "2025-08-20T05:03:05+00:00"
_BEFORE = "2025-08-19T05:03:05+00:00"
_SHOP = BackupSourceFacts("shop", "database", "good", _AT, 1_234_567_890, _AT, None, 21, 3)
_ETC = BackupSourceFacts("etc", "configs", "good", _AT, 48_000, _AT, None, 7, None)
_CODE = BackupSourceFacts("code", "code", "not_synchronised", _AT, 9_000_000, _AT, None, 1, 2)
_UPLOADS = BackupSourceFacts(
    "uploads", "user_data", "good", _AT, 8_000_000_000, _AT, None, 120_000, None, 84.5
)
_LOCAL = BackupRepositoryFacts("local", "AES-256", 1, _BEFORE)
_OFFSITE = replace(_LOCAL, place="offsite")
_GOOD = BackupStatusFacts(
    "/guardian",
    True,
    (_SHOP, _ETC, _CODE, _UPLOADS),
    (_LOCAL, _OFFSITE),
    (),
    None,
    7_776_000.0,
    _AT,
    84.5,
    "uploads",
    None,
)

BACKUP: dict[str, dict[str, Facts]] = {
    "backup": {
        "verified": _GOOD,
        "trouble": replace(
            _GOOD,
            verified=False,
            sources=(
                replace(_SHOP, stands="failed", failed="dump_failed", proven_at=_BEFORE, figure=2),
                replace(_ETC, stands="damaged", damaged_in=("local",)),
                replace(_CODE, stands="late", proven_at=_BEFORE, newest_at=_BEFORE),
                replace(_UPLOADS, stands="unverified", proven_at=None),
            ),
            repositories=(_LOCAL, replace(_OFFSITE, encryption=None)),
            media="same_medium",
            drill_failed="damaged",
        ),
        "lost": replace(
            _GOOD,
            repositories=(
                replace(_LOCAL, trouble="medium_missing"),
                replace(_OFFSITE, trouble="storage_unavailable"),
            ),
        ),
        "proving": replace(
            _GOOD, verified=False, sources=(replace(_SHOP, stands="proving", proven_at=None),)
        ),
        "new": replace(
            _GOOD,
            verified=False,
            sources=(replace(_SHOP, stands="none", newest_at=None, size=None, proven_at=None, figure=0),),
            repositories=(),
            missing=("local", "offsite"),
            drill_at=None,
            drill_seconds=None,
            drill_source=None,
        ),
        "none": replace(_GOOD, verified=False, sources=()),
    }
}
"""Message name → state → facts."""
