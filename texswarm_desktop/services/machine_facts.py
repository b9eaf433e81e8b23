"""What this machine says about itself to the join doctor: interfaces, firewall, neighbours, ports; blocks shortly."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from texswarm_desktop.core.doctor import Firewall, InterfaceFact
from texswarm_desktop.core.host_addresses import Reach
from texswarm_desktop.services.lan_addresses import host_addresses, prefixes_here
from texswarm_server.active_firewall import active_firewall

_ROOT: Final = Path("/")
#: Of a line of /proc/net/arp: the address is known.
_ARP_COMPLETE: Final = 0x2
_ARP_TABLE: Final = "proc/thread-self/net/arp"
_ALONE: Final = 32


class ThisMachine:
    """The machine that this program runs on. `root`: where the system's own files lie."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root

    def interfaces(self) -> tuple[InterfaceFact, ...]:
        """Return the addresses under which others may reach this machine."""
        prefixes = prefixes_here()
        return tuple(
            InterfaceFact(one.interface or "?", one.address, prefixes.get(one.address, _ALONE), one.reach is Reach.VPN)
            for one in host_addresses()
        )

    def firewall(self) -> Firewall | None:
        """Return the firewall that is active here, None where none that is known is."""
        found = active_firewall(self._root)
        return None if found is None else Firewall(found)

    def is_neighbour_known(self, address: str) -> bool | None:
        """Return whether a machine in the same network said who it is (ARP); None where this system does not tell."""
        with suppress(OSError):
            for line in (self._root / _ARP_TABLE).read_text("utf-8").splitlines()[1:]:
                words = line.split()
                if words[0] == address:
                    return bool(int(words[2], 16) & _ARP_COMPLETE)
        return None

    def is_port_free(self, port: int) -> bool:
        """Return whether a server could listen on a port here, on every interface."""
        try:
            with socket.create_server(("", port)):
                return True
        except OSError:
            return False
