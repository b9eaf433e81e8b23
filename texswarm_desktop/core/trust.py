"""Whether a host is the one it was before, judged by its certificate. Pure.

Who came by a link or a join code knows the certificate from there. Who picked a host from the list, or typed an
address, compares four words with the host's screen, once; then it is remembered. Another certificate under a name that
is known is a warning that only the user can answer.
"""

from collections.abc import Mapping
from enum import Enum, auto

from texswarm_server.protocol.errors import TexSwarmError


class Trust(Enum):
    """What is known of the certificate a host shows."""

    PLAIN = auto()
    NEW = auto()
    KNOWN = auto()
    CHANGED = auto()


class UntrustedHostError(TexSwarmError):
    """The user has to say whether this is the right host: its certificate is new, or another than before."""

    def __init__(self, fingerprint: str, trust: Trust) -> None:
        super().__init__(f"a certificate that is {trust.name.lower()}: {fingerprint}")
        self.fingerprint = fingerprint
        self.trust = trust


def judge(known: Mapping[str, str], key: str, fingerprint: str | None, *, own: str | None = None) -> Trust:
    """Judge a host that is known by `key` and shows a certificate with this fingerprint; None: it has none.

    A host that showed a certificate before and has none now is as changed as one with another. `own`: the fingerprint
    under which this user hosts, who needs no warning of themself.
    """
    if fingerprint is not None and fingerprint == own:
        return Trust.KNOWN
    before = known.get(key)
    if before is None:
        return Trust.PLAIN if fingerprint is None else Trust.NEW
    return Trust.KNOWN if before == fingerprint else Trust.CHANGED
