"""How the usual firewalls are told to let others through to a server's port. Pure; shared by both doctors."""

from typing import Final

MACOS_FIREWALL: Final = "/usr/libexec/ApplicationFirewall/socketfilterfw"
_SOME_PYTHON: Final = '"$(which python3)"'
_COMMANDS: Final = {
    "ufw": "ufw allow {port}/tcp",
    "firewalld": "firewall-cmd --permanent --add-port={port}/tcp && firewall-cmd --reload",
    "windows": "netsh advfirewall firewall add rule name=TeXSwarm dir=in action=allow protocol=TCP localport={port}",
    "macos": (
        f"sudo {MACOS_FIREWALL} --unblockapp {{program}}\n"
        "  (or System Settings, Network, Firewall, Options: allow incoming connections for Python)"
    ),
}


def opening_command(firewall: str, port: int, program: str = "") -> str:
    """Return what to type; raises KeyError for a firewall that nobody here knows.

    `program`: the one that listens, for a firewall that goes by programs; without, whichever Python is in use there.
    """
    return _COMMANDS[firewall].format(port=port, program=f'"{program}"' if program else _SOME_PYTHON)
