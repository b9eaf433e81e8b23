"""The commands put together. One line on standard error says why something failed, and the status is not zero."""

import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from texswarm_server import __version__
from texswarm_server.cli import (
    audit,
    doctor,
    documents,
    health,
    invite,
    invites,
    serve,
    sessions,
    settings_shown,
    upkeep,
    users,
)
from texswarm_server.cli.arguments import Parser
from texswarm_server.cli.output import PROGRAM, complain
from texswarm_server.protocol.errors import TexSwarmError

_INTERRUPTED: Final = 130
_PIPE_CLOSED: Final = 141


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    _write_whatever_can_be_written()
    options = parser().parse(arguments)
    try:
        status = int(options.run(options))
        sys.stdout.flush()
    except TexSwarmError as error:
        complain(error)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:  # `… | head` has seen enough; the interpreter would complain when it flushes at its end
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _PIPE_CLOSED
    return status


def parser() -> Parser:
    """Return the reader of the command line."""
    reader = Parser(prog=PROGRAM, description="The session server of TeXSwarm.")
    reader.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = reader.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for group in (serve, invite, invites, users, documents, sessions, audit, upkeep, doctor, health, settings_shown):
        group.add(commands)
    return reader


def _write_whatever_can_be_written() -> None:
    """Let a terminal that knows few characters show the others in a way it can, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
