"""What has changed in an API between two recordings of it, and nothing else.

Two sides, *before* and *after*, are read as `Exchange`s and paired by canonical request key (`pairing`); each body
is read by its media type into one form (`documents`); what was seen of an endpoint is one `Shape` a side, a union over
all its recordings (`shape`), and two answers to the same request are compared value by value (`values`). What varies
by itself is learnt and set aside (`noise`), the rest are `Finding`s with a severity for the reader of the API
(`severity`). `live` makes the after side by asking the service again, `fidelity` asks our own emulator, `report`
renders.

Words: a *finding* is one difference of one endpoint at one path; a *suppression* is one that was set aside, with the
reason; an *endpoint* is an operation of a known service, or a method with a path in which ids are blanked.
"""
