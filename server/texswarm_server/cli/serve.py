"""`serve`: runs the server until it is told to end."""

import argparse
import errno
from typing import Final

from texswarm_server import serving
from texswarm_server.app import CollabServer
from texswarm_server.cli.arguments import Commands, add_command, add_settings, server_config
from texswarm_server.cli.output import complain, say
from texswarm_server.cli.supervisor import tell_ready
from texswarm_server.config import ServerConfig
from texswarm_server.net.client_address import Networks
from texswarm_server.net.port_owner import free_port, port_owner
from texswarm_server.protocol.errors import SettingsError

#: EX_CONFIG of sysexits.h: what was configured is wrong, and trying again does not help.
MISCONFIGURED: Final = 78


def add(commands: Commands) -> None:
    """Add the command."""
    add_settings(add_command(commands, "serve", _serve, "run the server until it is interrupted"))


def _serve(options: argparse.Namespace) -> int:
    try:
        config = _configuration(options)
    except SettingsError as error:
        complain(error)
        return MISCONFIGURED
    try:
        serving.run(config, _announce)
    except OSError as error:
        raise SettingsError(why_not_listening(config, error)) from error
    return 0


def _configuration(options: argparse.Namespace) -> ServerConfig:
    """Return a configuration that can be used as far as it can be told without the machine; raises SettingsError."""
    config = server_config(options)
    Networks(config.trusted_proxies, "trusted_proxies")
    Networks(config.metrics_from, "metrics_from")
    return config


def _announce(server: CollabServer) -> None:
    say(f"listening {server.address.url}")
    tell_ready()


def why_not_listening(config: ServerConfig, error: OSError) -> str:
    """Return why the address cannot be had, and what can be done."""
    if error.errno != errno.EADDRINUSE:
        return f"cannot listen on {config.host}:{config.port}: {error.strerror or error}"
    owner = port_owner(config.port) or "another program"
    other = free_port(config.host, config.port)
    advice = f"; port {other} is free: --port {other}" if other else ""
    return f"port {config.port} is taken by {owner}{advice}"
