"""Where hosts were seen last, by what they are recognised by: a host that moved is found again under its identity."""

from collections.abc import Iterable
from typing import Final

from texswarm_desktop.client.timing import is_near
from texswarm_server.protocol.certificates import same_fingerprint
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress

_MOST_HOSTS: Final = 256


class AddressBook:
    """Addresses by fingerprint, the hosts seen last kept. Written to by whoever listens to announcements."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[ServerAddress, ...]] = {}

    def learn(self, fingerprint: str, addresses: Iterable[ServerAddress]) -> None:
        """A host was seen at these addresses, the best one first."""
        name = same_fingerprint(fingerprint)
        self._seen.pop(name, None)
        self._seen[name] = tuple(addresses)
        while len(self._seen) > _MOST_HOSTS:
            del self._seen[next(iter(self._seen))]

    def addresses_of(self, fingerprint: str | None) -> tuple[ServerAddress, ...]:
        """Return where a host was seen last, nothing for one that never was."""
        return self._seen.get(same_fingerprint(fingerprint), ()) if fingerprint else ()


def lasting_key(link: InviteLink) -> str | None:
    """Return by what a server is the same one at every address, or None where its address is what lasts.

    Nearby, addresses change hands, and hosts keep their key. Far away the name is the server's own, and with the next
    certificate the fingerprint is another.
    """
    return link.fingerprint if is_near(link.address) else None
