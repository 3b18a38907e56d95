"""What makes the database itself refuse changes to the audit log.

Entries are only added, behind the last one and knowing its hash. Whoever owns the database can drop these
triggers; the hashes are there for that (`bot.domain.audit`).
"""

from __future__ import annotations

from bot.domain.audit import GENESIS

REFUSAL = "the audit log is only added to"

# What is inserted is looked at too: SQLite's INSERT OR REPLACE deletes without asking the trigger on DELETE.
_NOT_BEHIND_THE_LAST = f"""\
NEW.number <> COALESCE((SELECT MAX(number) FROM audit), 0) + 1
OR NEW.previous <> COALESCE((SELECT hash FROM audit ORDER BY number DESC LIMIT 1), '{GENESIS}')"""  # noqa: S608 - a constant of our own

SQLITE = (
    f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_only_behind BEFORE INSERT ON audit WHEN {_NOT_BEHIND_THE_LAST} "
    f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
)
POSTGRESQL = (
    f"""\
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION USING MESSAGE = '{REFUSAL}', ERRCODE = 'restrict_violation';
END
$body$""",
    f"""\
CREATE FUNCTION audit_look() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF {_NOT_BEHIND_THE_LAST} THEN
        RAISE EXCEPTION USING MESSAGE = '{REFUSAL}', ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$body$""",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_only_behind BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION audit_look()",
)
