"""The after side made by asking the service again: recorded requests that are safe, in the order of the tape.

`selecting` says what is asked and what is not, `carrying` follows values from live answers into later requests,
`auth` brings the credentials that a recording does not hold, `pacing` keeps to what a host allows, `asking` speaks
HTTP, and `taking` runs it all into a cassette, which is redacted like any recording.

Words: a *step* is one request that is asked; a step *carries* a value when an earlier answer named it; a host *fails*
when nothing more can be had of it.
"""
