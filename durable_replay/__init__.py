"""A request is matched against the tape; if the tape is silent or no longer true, the service's emulator answers.

    front → engine → matching, cassette, timeline, service → http, errors

`docs/decisions/` holds the reasons; `timeline/ledger.py` holds the one rule everything else serves.
"""

__version__ = "0.1.0"
