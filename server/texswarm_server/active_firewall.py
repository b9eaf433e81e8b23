"""Which of the usual firewalls is active on this machine, by its files and, where they do not tell, by its own word."""

import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from texswarm_server.protocol.firewall import MACOS_FIREWALL

_ROOT: Final = Path("/")
_PATIENCE_S: Final = 2.0
#: What the firewall of macOS says of itself when it is switched off.
_OFF: Final = ("State = 0", "disabled")


def active_firewall(root: Path = _ROOT) -> str | None:
    """Return its name as in `protocol.firewall`, None where none that is known is active; blocks for a moment.

    `root`: where the system's own files lie.
    """
    if sys.platform == "win32":
        return "windows"
    with suppress(OSError):
        if "ENABLED=yes" in (root / "etc/ufw/ufw.conf").read_text("utf-8", errors="replace"):
            return "ufw"
    if (root / "run/firewalld").exists():
        return "firewalld"
    program = root / MACOS_FIREWALL.lstrip("/")
    return "macos" if program.exists() and not _says_it_is_off(program) else None


def _says_it_is_off(program: Path) -> bool:
    """A firewall that does not answer is taken for one that is on: then its remedy is named, and does no harm."""
    try:
        answer = subprocess.run(  # noqa: S603 - a program of the system, with fixed words
            [program, "--getglobalstate"],
            check=False, capture_output=True, text=True, timeout=_PATIENCE_S, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return False
    return any(word in answer.stdout for word in _OFF)
