"""The after side made by asking the service again: recorded requests that are safe, in the order of the tape.

`selecting` says what is asked and what is not, and `second` what is asked once more; `carrying` follows values from
live answers (`places`) into later requests (`replacing`); `auth` reads the credentials that a recording does not hold
(`sigv4` signs with those of AWS), and `preparing` puts them into a request; `pacing` keeps to what a host allows,
`asking` speaks HTTP, `verdicts` tells a host that refuses everything; `taking` runs it all into a cassette, which is
redacted like any recording and says itself (`keeping`) how far the run came.

Words: a *step* is one request that is asked; a step *carries* a value when an earlier answer named it; a *second look*
asks once more for what was not as recorded; a host *fails* when nothing more can be had of it.
"""
