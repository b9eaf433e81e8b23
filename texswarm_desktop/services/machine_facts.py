"""What this machine says about itself to the join doctor: interfaces, firewall, neighbours, ports; blocks shortly."""

import socket
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from texswarm_desktop.core.doctor import Firewall, InterfaceFact
from texswarm_desktop.core.host_addresses import Reach
from texswarm_desktop.services.lan_addresses import host_addresses, prefixes_here
from texswarm_desktop.services.neighbours import is_neighbour_known
from texswarm_server.active_firewall import active_firewall

_ROOT: Final = Path("/")
_ALONE: Final = 32
#: Of netdevice(7): asks for the flags of an interface; IFF_UP and IFF_RUNNING.
_SIOCGIFFLAGS: Final = 0x8913
_CARRIED: Final = 0x1 | 0x40
_MOST_NAME_BYTES: Final = 15


class ThisMachine:
    """The machine that this program runs on. `root`: where the system's own files lie."""

    def __init__(self, root: Path = _ROOT) -> None:
        self._root = root

    def interfaces(self) -> tuple[InterfaceFact, ...]:
        """Return the addresses under which others may reach this machine."""
        prefixes = prefixes_here()
        return tuple(
            InterfaceFact(
                one.interface or "?",
                one.address,
                prefixes.get(one.address, _ALONE),
                is_vpn=one.reach is Reach.VPN,
                is_up=_is_up(one.interface),
            )
            for one in host_addresses()
        )

    def firewall(self) -> Firewall | None:
        """Return the firewall that is active here, None where none that is known is."""
        found = active_firewall(self._root)
        return None if found is None else Firewall(found)

    def is_neighbour_known(self, address: str) -> bool | None:
        """Return whether a machine in the same network said who it is; None where this system does not tell."""
        return is_neighbour_known(address)

    def is_port_free(self, port: int) -> bool:
        """Return whether a server could listen on a port here, on every interface."""
        try:
            with socket.create_server(("", port)):
                return True
        except OSError:
            return False


def _is_up(interface: str) -> bool:
    """Return whether an interface is switched on and something carries it; where this system does not tell, it is."""
    if sys.platform == "linux" and interface:
        import fcntl  # noqa: PLC0415 - Windows has none

        name = interface.encode()[:_MOST_NAME_BYTES]
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            told = fcntl.ioctl(asker, _SIOCGIFFLAGS, struct.pack("16sH14x", name, 0))
            flags: int = struct.unpack("16sH14x", told)[1]
            return flags & _CARRIED == _CARRIED
    return True
