"""`invite`: prints a link that lets somebody in, or a join code that leads to one on the local network."""

import argparse
import os
import socket
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from texswarm_server.app import FINGERPRINT, KEY_FINGERPRINT, LISTENING_URL
from texswarm_server.cli.arguments import Commands, add_command, add_data, count, data_folder, seconds
from texswarm_server.cli.output import say
from texswarm_server.protocol.errors import ErrorCode, RejectedError, SettingsError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link, recognised_by
from texswarm_server.sessions.code_tries import LIFE_S, MAX_USES
from texswarm_server.sessions.document_access import issue_invite
from texswarm_server.sessions.issued_codes import LONGEST_LIFE_S, issue_code
from texswarm_server.sessions.records import Records
from texswarm_server.storage.recovery import usable_database
from texswarm_server.storage.schema import open_database, prepare_folder
from texswarm_server.storage.sqlite_records import transaction

_EVERY_ADDRESS: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - recognised, not bound to


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "invite", _invite, "print a link that lets somebody in, also while the server runs")
    add_data(parser)
    option = parser.add_argument
    option("--document", metavar="ID", help="the document it lets in to; without it, the server")
    option("--role", choices=("owner", "editor", "viewer"), default="editor", help="default: %(default)s")
    option(
        "--ttl",
        type=seconds,
        metavar="TIME",
        help="how long it can be used: 30m, 12h, 7d … (default: for ever; a code: 10 minutes, a day at most)",
    )
    option(
        "--uses",
        type=count,
        metavar="N",
        help=f"how many people can use it (default: any number; a code: {MAX_USES}, and no more)",
    )
    option("--url", metavar="URL", help="address to put into the link (default: where the server last listened)")
    option(
        "--code",
        action="store_true",
        help="print a short code to be said aloud instead: with it people get the "
        "invitation from the running server, found on the local network or by its address",
    )


def _invite(options: argparse.Namespace) -> int:
    data = data_folder(options)
    if options.code:
        return _invite_by_code(options, data)
    prepare_folder(data)
    with closing(open_database(usable_database(data))) as database, transaction(database) as records:
        base = base_link(records, options.url)
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
    say(str(replace(base, token=issued.token, document_id=options.document)))
    return 0


def _invite_by_code(options: argparse.Namespace, data: Path) -> int:
    if options.url is not None:
        raise SettingsError("--url is for links: a code leads to where the server listens")
    ttl_s, uses = options.ttl or LIFE_S, options.uses or MAX_USES
    if ttl_s > LONGEST_LIFE_S or uses > MAX_USES:
        raise SettingsError(f"a code is short: it holds for a day and {MAX_USES} people at most; for more make a link")
    prepare_folder(data)
    with closing(open_database(usable_database(data))) as database, transaction(database) as records:
        try:
            code = issue_code(
                records,
                os.urandom,
                time.time(),
                role=options.role,
                document_id=options.document,
                ttl_s=ttl_s,
                uses=uses,
            )
        except RejectedError as error:
            raise SettingsError(_why_no_code(error)) from error
    say(str(code))
    return 0


def _why_no_code(error: RejectedError) -> str:
    if error.code == ErrorCode.DOCUMENT_NOT_FOUND:
        return f"no such document: {error.message}"
    return f"{error.message}; `texswarm-server invites list` shows them, `revoke` ends one"


def base_link(records: Records, url: str | None) -> InviteLink:
    """Return the address people are sent to: as given, else where the server last listened."""
    if url is not None:
        return parse_invite_link(url)
    listening = records.find_setting(LISTENING_URL)
    if listening is None:
        return InviteLink(ServerAddress("localhost"))
    address = parse_invite_link(listening).address if "://:" not in listening else ServerAddress("")
    if address.host in _EVERY_ADDRESS:
        address = ServerAddress(_outward_address(), address.port, address.tls, address.path)
    shown, key = records.find_setting(FINGERPRINT), records.find_setting(KEY_FINGERPRINT)
    return recognised_by(InviteLink(address), shown or None, key or None)


def _outward_address() -> str:
    """Return the address this machine has towards others; nothing is sent to find it."""
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])
    return "localhost"
