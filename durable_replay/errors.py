"""Everything that durable-replay raises.

::

    ReplayError                 the base of them all; its text says what to do next
    ├── CassetteError           the file is to blame
    │   ├── NotACassette        some other file
    │   ├── NewerCassette       written by a later version of durable-replay
    │   └── CorruptCassette     truncated or damaged
    ├── MatchError
    │   └── NoMatch             no recording answers this request, and policy refuses it
    ├── ServiceError
    │   ├── BadService          a plug-in that contradicts itself, found when it is loaded
    │   ├── NotEmulated         the service has this operation, our emulator does not
    │   └── Undeclared          an operation touched a key outside its declared footprint (our bug)
    ├── UsageError              the command line, a setting or a proxy user is wrong
    └── LimitExceeded           a peer sent more than we take
"""

__all__ = [
    "BadService",
    "CassetteError",
    "CorruptCassette",
    "LimitExceeded",
    "MatchError",
    "NewerCassette",
    "NoMatch",
    "NotACassette",
    "NotEmulated",
    "ReplayError",
    "ServiceError",
    "Undeclared",
    "UsageError",
]


class ReplayError(Exception):
    """Base of every error that durable-replay raises on purpose."""


class CassetteError(ReplayError):
    """A cassette file cannot be used; the file is left untouched."""


class NotACassette(CassetteError):
    """The file is something else."""


class NewerCassette(CassetteError):
    """The file was written by a later version of durable-replay."""


class CorruptCassette(CassetteError):
    """The file is truncated or damaged."""


class MatchError(ReplayError):
    """A request could not be matched."""


class NoMatch(MatchError):
    """No recording answers this request and policy refuses it."""


class ServiceError(ReplayError):
    """A service plug-in, or what was asked of it, is wrong."""


class BadService(ServiceError):
    """A plug-in contradicts itself; found when it is loaded, and named by its place."""


class NotEmulated(ServiceError):
    """The service has this operation, the emulator does not; it never guesses."""


class Undeclared(ServiceError):
    """An operation touched a key that its declaration does not name."""


class UsageError(ReplayError):
    """A command line, a setting or a session name is wrong; exit code 2."""


class LimitExceeded(ReplayError):
    """A peer sent more than the configured limit."""
