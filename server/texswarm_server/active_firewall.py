"""Which of the usual firewalls is active on this machine, by its files and, where they do not tell, by its own word."""

import re
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from texswarm_server.protocol.firewall import MACOS_FIREWALL
from texswarm_server.system_answers import printed_by

_ROOT: Final = Path("/")
#: What the firewall of macOS says of itself when it is switched off.
_OFF: Final = ("State = 0", "disabled")
#: Where Windows keeps the switches of its firewall: those of the operator of many computers, and its own.
_POLICIES: Final = (
    r"HKLM\SOFTWARE\Policies\Microsoft\WindowsFirewall",
    r"HKLM\SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy",
)
_SWITCHES: Final = ("/s", "/v", "EnableFirewall")
_SWITCH: Final = re.compile(r"EnableFirewall\s+REG_DWORD\s+(0x[0-9a-fA-F]+)")


def active_firewall(root: Path = _ROOT) -> str | None:
    """Return its name as in `protocol.firewall`, None where none that is known is active; blocks for a moment.

    `root`: where the system's own files lie.
    """
    if sys.platform == "win32":
        switches = "".join(printed_by("reg", "query", key, *_SWITCHES) for key in _POLICIES)
        return None if windows_is_off(switches) else "windows"
    with suppress(OSError):
        if "ENABLED=yes" in (root / "etc/ufw/ufw.conf").read_text("utf-8", errors="replace"):
            return "ufw"
    if (root / "run/firewalld").exists():
        return "firewalld"
    program = root / MACOS_FIREWALL.lstrip("/")
    return "macos" if program.exists() and not _says_it_is_off(program) else None


def windows_is_off(registry: str) -> bool:
    """Return whether Windows has its firewall switched off for every kind of network. Pure.

    `registry`: what `reg query` prints; it is the same in every language, other than what `netsh` does.
    """
    switches = _SWITCH.findall(registry)
    return bool(switches) and not any(int(switch, 16) for switch in switches)


def _says_it_is_off(program: Path) -> bool:
    """A firewall that does not answer is taken for one that is on: then its remedy is named, and does no harm."""
    return any(word in printed_by(str(program), "--getglobalstate") for word in _OFF)
