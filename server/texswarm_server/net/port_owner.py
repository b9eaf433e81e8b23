"""Who has a port, and which one is free: for the one line that says why a server could not start."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_LISTENING: Final = "0A"
_TRIES: Final = 50


def port_owner(port: int, proc: Path = _PROC) -> str | None:
    """Return the name and process number of the program that listens on `port`, where the system tells."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening_inodes(proc / "net" / table, port)}
    if not inodes:
        return None
    for process in proc.glob("[0-9]*"):
        if _has_socket(process, inodes):
            with suppress(OSError):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
    return None


def free_port(host: str, after: int) -> int | None:
    """Return the next port above `after` that can be listened on."""
    for port in range(after + 1, min(after + _TRIES, 65536)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return port
    return None


def _listening_inodes(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [
        row[9] for row in rows if len(row) > 9 and row[3] == _LISTENING and int(row[1].rpartition(":")[2], 16) == port
    ]


def _has_socket(process: Path, inodes: set[str]) -> bool:
    wanted = {f"socket:[{inode}]" for inode in inodes}
    try:
        return any(_target(link) in wanted for link in (process / "fd").iterdir())
    except OSError:
        return False


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""
