"""A cassette never sees a secret.

rules.py: what counts as one, as a table · redact.py: messages in, messages without secrets out · placeholders.py: what
stands in a secret's place · scan.py: the proof, over the bytes of the finished file.
"""
