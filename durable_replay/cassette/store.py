"""The tape in its file: `Cassette` reads it (reader.py), `CassetteWriter` appends to it (writer.py).

# Rule: the only SQL of the tape is in those two, and importing them needs no more than the standard library and zstd.
"""

from durable_replay.cassette.reader import Cassette, Summary, Tape
from durable_replay.cassette.writer import CassetteWriter

__all__ = ["Cassette", "CassetteWriter", "Summary", "Tape"]
