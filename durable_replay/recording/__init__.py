"""Real traffic becomes a cassette.

run.py: a recording from its start to its summary · refreshing.py: a tape taken anew beside its cassette ·
recorder.py: which mode writes where, and the proof at the end · writer.py: the thread that redacts and stores ·
take.py: one exchange while it passes. What mitmproxy sees is in the add-on, `durable_addons.record`.
"""
