"""`health`: whether the server here is ready, for containers and scripts; it says so by its exit status."""

import argparse

from texswarm_server.cli.arguments import Commands, add_command, add_settings, server_config
from texswarm_server.cli.output import say
from texswarm_server.cli.probe import ask_server
from texswarm_server.protocol.errors import LinkRefusedError
from texswarm_server.protocol.invite_link import ServerAddress


def add(commands: Commands) -> None:
    """Add the command."""
    text = "ask the server that runs here with these settings whether it is ready"
    add_settings(add_command(commands, "health", _health, text))


def _health(options: argparse.Namespace) -> int:
    config = server_config(options)
    address = ServerAddress(config.host, config.port, tls=config.tls_cert is not None)
    answer = ask_server(address)
    if answer is None:
        raise LinkRefusedError(f"no server answers at {address}")
    if not answer.is_ready:
        raise LinkRefusedError(f"the server at {address} takes nobody in: it ends, or it cannot store")
    say(f"ready at {address}, version {answer.version}")
    return 0
