"""The command line of the server: `serve` and `invite`. One line on standard error says why something failed."""

import argparse
import errno
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from texswarm_server import __version__, serving
from texswarm_server.app import FINGERPRINT, LISTENING_URL, CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.net.port_owner import free_port, port_owner
from texswarm_server.protocol.errors import RejectedError, SettingsError, TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link
from texswarm_server.protocol.version import DEFAULT_PORT
from texswarm_server.sessions.document_access import issue_invite
from texswarm_server.storage.schema import open_database, prepare_folder
from texswarm_server.storage.sqlite_records import transaction
from texswarm_server.storage.store import database_path

PROGRAM: Final = "texswarm-server"
_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound to
_DEFAULT_DATA: Final = Path("texswarm-data")


def main(arguments: Sequence[str]) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except TexSwarmError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)  # noqa: T201 - this is what a command line says
        return 1


# ── serve ───────────────────────────────────────────────────────────────────────────────────────────────


def _serve(options: argparse.Namespace) -> int:
    logging.basicConfig(level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("websockets").setLevel(logging.ERROR)
    if (options.tls_cert is None) != (options.tls_key is None):
        raise SettingsError("--tls-cert and --tls-key belong together")
    config = ServerConfig(
        data=options.data,
        host=options.host,
        port=options.port,
        name=options.name,
        open=options.open,
        tls_cert=options.tls_cert,
        tls_key=options.tls_key,
        access_ttl_s=options.access_ttl,
        grace_s=options.grace,
    )
    try:
        serving.run(config, _announce)
    except OSError as error:
        raise SettingsError(_why_not_listening(config, error)) from error
    return 0


def _announce(server: CollabServer) -> None:
    print(f"listening {server.address.url}", flush=True)  # noqa: T201 - the one line that was promised


def _why_not_listening(config: ServerConfig, error: OSError) -> str:
    if error.errno != errno.EADDRINUSE:
        return f"cannot listen on {config.host}:{config.port}: {error.strerror or error}"
    owner = port_owner(config.port) or "another program"
    other = free_port(config.host, config.port)
    advice = f"; port {other} is free: --port {other}" if other else ""
    return f"port {config.port} is taken by {owner}{advice}"


# ── invite ──────────────────────────────────────────────────────────────────────────────────────────────


def _invite(options: argparse.Namespace) -> int:
    prepare_folder(options.data)
    with closing(open_database(database_path(options.data))) as database, transaction(database) as records:
        base = _base_link(options.url, records.find_setting(LISTENING_URL), records.find_setting(FINGERPRINT))
        try:
            issued = issue_invite(
                records,
                os.urandom,
                time.time(),
                role=options.role,
                document_id=options.document,
                ttl_s=options.ttl,
                uses=options.uses,
            )
        except RejectedError as error:
            raise SettingsError(f"no such document: {error.message}") from error
    print(InviteLink(base.address, issued.token, options.document, base.fingerprint))  # noqa: T201 - the link
    return 0


def _base_link(url: str | None, listening: str | None, fingerprint: str | None) -> InviteLink:
    """Return the address people are sent to: as given, else where the server last listened."""
    if url is not None:
        return parse_invite_link(url)
    if listening is None:
        return InviteLink(ServerAddress("localhost"))
    address = parse_invite_link(listening).address if "://:" not in listening else ServerAddress("")
    if address.host in _EVERY_ADDRESS:
        address = ServerAddress(_outward_address(), address.port, address.tls, address.path)
    return InviteLink(address, fingerprint=fingerprint or None)


def _outward_address() -> str:
    """Return the address this machine has towards others; nothing is sent to find it."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "localhost"


# ── options ─────────────────────────────────────────────────────────────────────────────────────────────


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="The session server of TeXSwarm.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_serve(commands.add_parser("serve", help="run the server until it is interrupted"))
    _add_invite(commands.add_parser("invite", help="print a link that lets somebody in, also while the server runs"))
    return parser


def _add_serve(parser: argparse.ArgumentParser) -> None:
    defaults = ServerConfig(data=_DEFAULT_DATA)
    add = parser.add_argument
    add("--host", default=defaults.host, help="address to listen on (default: %(default)s)")
    add("--port", type=_port, default=DEFAULT_PORT, help="port to listen on, 0 for any free one (default: %(default)s)")
    _add_data(parser)
    add("--open", action="store_true", help="let everybody in without an invite, to every document")
    add("--tls-cert", type=Path, metavar="FILE", help="certificate chain in PEM form")
    add("--tls-key", type=Path, metavar="FILE", help="its private key in PEM form")
    add("--name", default=socket.gethostname(), help="what people see as the server's name (default: this host's)")
    add("--access-ttl", type=_seconds, default=defaults.access_ttl_s, metavar="TIME", help="life of an access token")
    add("--grace", type=_seconds, default=defaults.grace_s, metavar="TIME", help="how long a dropped session is kept")
    add("--log-level", choices=("debug", "info", "warning", "error"), default="warning")
    parser.set_defaults(run=_serve)


def _add_invite(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _add_data(parser)
    add("--document", metavar="ID", help="the document it lets in to; without it, the server")
    add("--role", choices=("owner", "editor", "viewer"), default="editor", help="default: %(default)s")
    add("--ttl", type=_seconds, metavar="TIME", help="how long it can be used: 30m, 12h, 7d … (default: for ever)")
    add("--uses", type=_count, metavar="N", help="how many people can use it (default: any number)")
    add("--url", metavar="URL", help="address to put into the link (default: where the server last listened)")
    parser.set_defaults(run=_invite)


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        type=Path,
        default=_DEFAULT_DATA,
        metavar="DIR",
        help="where everything is kept (default: %(default)s)",
    )


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdw]?)", text.strip())
    if match is None or float(match[1]) <= 0:
        raise argparse.ArgumentTypeError(f"not a time: {text!r}; write 90, 30m, 12h or 7d")
    return float(match[1]) * _UNITS_S[match[2] or "s"]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"not a number of people: {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"not a port: {text!r}")
    return int(text)
