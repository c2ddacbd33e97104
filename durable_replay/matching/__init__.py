"""Two requests are the same when what counts of them is the same.

==========  ==========================================================================================================
pattern     the algebra: which parts count (Significance), which requests a rule is for (Condition)
defaults    what counts when nobody says otherwise
rules       a Significance made ready for quick use
canonical   a request → what counts of it, and its key
bodies      the same for bodies, by kind; `xml`, `multipart` and `encodings` are its parts that load or work alone
paths       `$.a.b` into a parsed body
miss        no recording matches: the nearest, what differs, the next step
==========  ==========================================================================================================

No socket, no SQL; values in, values out.
"""
