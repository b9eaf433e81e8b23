"""How the usual firewalls are told to let others through to a server's port. Pure; shared by both doctors."""

from typing import Final

_COMMANDS: Final = {
    "ufw": "ufw allow {port}/tcp",
    "firewalld": "firewall-cmd --permanent --add-port={port}/tcp && firewall-cmd --reload",
    "windows": "netsh advfirewall firewall add rule name=TeXSwarm dir=in action=allow protocol=TCP localport={port}",
    "macos": "System Settings, Network, Firewall, Options: allow incoming connections for Python",
}


def opening_command(firewall: str, port: int) -> str:
    """Return what to type, or where to click; raises KeyError for a firewall that nobody here knows."""
    return _COMMANDS[firewall].format(port=port)
