"""What has happened in a session, and what is therefore true.

resource    kinds, keys, overlap
ledger      THE truth rule: is a recording still true in this session?
tape        the recordings with their footprints: what was read, written and shown, and after what
indexing    computes those footprints, once a cassette
session     one isolated history over a tape: its ledger, clock, ids
state       what the tape taught and what the session wrote: the store behind it (the one seam) and the scope on it
"""
