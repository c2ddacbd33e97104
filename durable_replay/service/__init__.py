"""THE plug-in API: what a service says of itself, and what it may ask.

api         Service, Operation, Call, Reply, Fault, Sighting, Scope: the words a service is written in
address     a row's address: how requests find their operation
verbs       show, index, create, merge, remove: operations that need no code
codecs      JSON, XML and XML-RPC on the wire
registry    which services there are, and whose host is whose
contract    the tests that every service gets for free
"""
