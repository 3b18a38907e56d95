"""The garbage collector of a process that loads much and stays."""

from __future__ import annotations

import gc


def spare_what_is_loaded() -> None:
    """Have the garbage collector leave alone all that is there now, and look at the rest less often.

    What is imported stays for good. Looked through now and then, it would hold up everything,
    acknowledgements included, for a tenth of a second each time; and while more is imported, for as long all
    told.
    """
    gc.freeze()
    # What is made afterwards is small; looked through at every 700 new objects, thousands of alerts at once
    # would take a third longer.
    gc.set_threshold(20_000, 20, 20)
