"""Address, port, firewall: can the server listen, and who can reach it?"""

import errno
import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import Final

from texswarm_server.active_firewall import active_firewall
from texswarm_server.cli.diagnosis.finding import Finding, fine, note, problem, warning
from texswarm_server.cli.probe import ask_server
from texswarm_server.config import ServerConfig
from texswarm_server.net.client_address import ClientAddresses
from texswarm_server.net.port_owner import free_port, port_owner
from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.firewall import opening_command
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.network_place import is_loopback
from texswarm_server.protocol.version import DEFAULT_PORT

_ADDRESS: Final = "address"
_PORT: Final = "port"
_MDNS_PORT: Final = 5353
_ROOT: Final = Path("/")


def check_network(config: ServerConfig, root: Path = _ROOT) -> list[Finding]:
    """Return what is to be said of where the server listens. `root`: where the system's own files lie."""
    unusable = _check_address(config)
    if unusable is not None:
        return [unusable]
    return [
        *_check_reach(config),
        *_check_interfaces(config),
        _check_port(config),
        *_check_proxies(config),
        *_check_firewall(config, root),
        *_check_discovery(config),
    ]


def _check_address(config: ServerConfig) -> Finding | None:
    try:
        found = socket.getaddrinfo(config.host or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        return problem(
            _ADDRESS,
            f"{config.host} is not known: {getattr(error, 'strerror', None) or error}",
            "give an address of this machine as host",
        )
    family, _, _, _, address = found[0]
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.bind(address)
    except OSError as error:
        says = f"{config.host} is no address of this machine: {error.strerror}"
        return problem(_ADDRESS, says, "give one of this machine's as host, or 0.0.0.0 for every one")
    return None


def _check_reach(config: ServerConfig) -> list[Finding]:
    if is_loopback(config.host):
        says = f"{config.host}: only programs on this machine can connect"
        remedy = 'right behind a proxy; for others: host = "0.0.0.0"'
        return [note(_ADDRESS, says, remedy)]
    findings = []
    if config.tls_cert is None:
        says = f"{config.host}: tokens and text travel without encryption"
        remedy = "set tls_cert and tls_key, or listen on 127.0.0.1 behind a proxy that speaks TLS"
        findings.append((note if _is_private(config.host) else warning)(_ADDRESS, says, remedy))
    else:
        findings.append(fine(_ADDRESS, f"{config.host}, with TLS"))
    if config.open:
        says = "open: whoever can reach the address sees and edits every document"
        findings.append(
            warning(_ADDRESS, says, "use it in a trusted network only; else remove open and send invitations")
        )
    return findings


def _check_interfaces(config: ServerConfig) -> list[Finding]:
    """Under which of this machine's addresses others find it."""
    from texswarm_server.discovery import addresses_of, announced_addresses, interfaces_of  # noqa: PLC0415 - seldom

    if is_loopback(config.host):
        return []
    here = interfaces_of(announced_addresses(config.host, addresses_of(config.host)()))
    if not here:
        remedy = "plug a cable in or join a Wi-Fi; it is found there without a restart"
        return [warning("network", "this machine is in none: nobody else can connect", remedy)]
    return [fine("network", f"reached under {', '.join(f'{address} ({name})' for name, address, _ in here)}")]


def _check_discovery(config: ServerConfig) -> list[Finding]:
    """Whether it can be announced: multicast DNS shares its port with other programs that speak it, if they do."""
    if config.advertise is None:
        return []
    if is_loopback(config.host):
        says = f"announced to nobody: on {config.host} only programs on this machine can connect"
        return [warning("discovery", says, 'host = "0.0.0.0"')]
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if hasattr(socket, "SO_REUSEPORT"):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            probe.bind(("", _MDNS_PORT))
    except OSError as error:
        says = f"it cannot be announced: UDP port {_MDNS_PORT} is taken by a program that shares it with nobody"
        remedy = (
            "with Avahi: disallow-other-stacks=no in avahi-daemon.conf; links, and codes with an address, do without"
        )
        if error.errno != errno.EADDRINUSE:
            says, remedy = f"it cannot be announced: {error.strerror}", "links, and codes with an address, work"
        return [warning("discovery", says, remedy)]
    remedy = f"others hear it where UDP {_MDNS_PORT} gets through firewalls, and the network passes multicast on"
    return [note("discovery", f"announced as {config.advertise or 'this machine'}", remedy)]


def _check_port(config: ServerConfig) -> Finding:
    if config.port == 0:
        return note(_PORT, "any free one, another at each start", f"port = {DEFAULT_PORT}, so that links stay right")
    answer = ask_server(ServerAddress(config.host, config.port, tls=config.tls_cert is not None))
    if answer is not None and answer.is_ready:
        return fine(_PORT, f"{config.port}: a server of version {answer.version} answers and is ready")
    if answer is not None:
        says = f"{config.port}: a server of version {answer.version} answers and takes nobody in"
        return problem(_PORT, says, "look into its log: it cannot store, or it is ending")
    return _check_free_port(config)


def _check_free_port(config: ServerConfig) -> Finding:
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((config.host, config.port))
            probe.listen()
    except OSError as error:
        return _no_port(config, error)
    return fine(_PORT, f"{config.port} is free")


def _no_port(config: ServerConfig, error: OSError) -> Finding:
    if error.errno == errno.EACCES:
        says = f"{config.port} needs a privilege that this user does not have"
        remedy = f"port = {DEFAULT_PORT} behind a proxy, or AmbientCapabilities=CAP_NET_BIND_SERVICE in the unit"
        return problem(_PORT, says, remedy)
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(config.port) or "another program"
        other = free_port(config.host, config.port)
        remedy = f"stop it, or take the free port {other}: port = {other}" if other else "stop it, or take another port"
        return problem(_PORT, f"{config.port} is taken by {owner}", remedy)
    return problem(_PORT, f"{config.port} cannot be had: {error.strerror}", "take another port")


def _check_proxies(config: ServerConfig) -> list[Finding]:
    try:
        ClientAddresses(config.trusted_proxies)
    except SettingsError as error:
        return [problem("proxies", str(error), 'write addresses or networks: trusted_proxies = ["127.0.0.1"]')]
    if is_loopback(config.host) and not config.trusted_proxies:
        says = "none is trusted: behind one, everybody seems to come from one address"
        return [note("proxies", says, 'behind a proxy on this machine: trusted_proxies = ["127.0.0.1"]')]
    return []


# ── firewall ────────────────────────────────────────────────────────────────────────────────────────────


def _check_firewall(config: ServerConfig, root: Path) -> list[Finding]:
    if is_loopback(config.host) or not config.port:
        return []
    firewall = active_firewall(root)
    if firewall is None:
        return [
            note("firewall", "none of the usual ones is active here", f"elsewhere on the way open TCP {config.port}")
        ]
    remedy = opening_command(firewall, config.port, sys.executable)
    return [note("firewall", "one is active; others connect only if it lets them", remedy)]


def _is_private(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_private and not address.is_unspecified
