"""`invites list` and `revoke`: the invitations that were made, and how they end."""

import argparse
import time
from functools import partial
from typing import Final

from texswarm_server.cli.arguments import Commands, add_group, add_listing, data_folder
from texswarm_server.cli.changed import change_and_tell
from texswarm_server.cli.database import Change, change_each, one_id, reading
from texswarm_server.cli.output import Column, moment, say_listing
from texswarm_server.pairing.join_code import JoinCode, read_join_code
from texswarm_server.protocol.errors import ErrorCode, SettingsError
from texswarm_server.protocol.invite_link import parse_invite_link
from texswarm_server.sessions.administration import revoke_invite, revoke_tokens
from texswarm_server.sessions.audit import AuditEntry
from texswarm_server.sessions.credentials import TokenKind, hash_token, token_kind
from texswarm_server.sessions.records import INVITE_ID_CHARS, InviteWay, Records
from texswarm_server.sessions.usable_invites import obstacle
from texswarm_server.storage.overview import InviteLine

_COLUMNS: Final = (
    Column("invite"),
    Column("role"),
    Column("to", may_shrink=True),
    Column("by"),
    Column("used", is_number=True),
    Column("until"),
    Column("state"),
    Column("made by", may_shrink=True),
    Column("made"),
)
_SERVER: Final = "the server"
_WAYS: Final = {InviteWay.LINK: "link", InviteWay.NEARBY: "the list", InviteWay.CODE: "join code"}
_USABLE: Final = "usable"
_OBSTACLES: Final = {
    ErrorCode.INVITE_REVOKED: "revoked",
    ErrorCode.INVITE_EXPIRED: "expired",
    ErrorCode.INVITE_USED_UP: "used up",
}


def add(commands: Commands) -> None:
    """Add the commands."""
    group = add_group(commands, "invites", "list invitations")
    parser = add_listing(group, "list", _list, "list invitations that can be used, the latest first")
    parser.add_argument("--all", action="store_true", help="also those that cannot be used any more")
    parser.add_argument("--document", metavar="DOCUMENT", help="to this document only: id, or its beginning")
    revoke = add_listing(
        commands, "revoke", _revoke, "let nobody else in by an invitation, or sign a user out everywhere"
    )
    revoke.add_argument(
        "invites", nargs="*", metavar="INVITE", help="id, or its beginning, or the link or join code itself"
    )
    revoke.add_argument("--user", action="append", default=[], metavar="USER", help="revoke all tokens of this user")


def _list(options: argparse.Namespace) -> int:
    now = time.time()
    with reading(data_folder(options)) as overview:
        invites = overview.invites(one_id(overview, "document", options.document) if options.document else "")
        names = overview.names()
    shown = [invite for invite in invites if options.all or _state(invite, now) == _USABLE]
    empty = "No invitations." if options.all else "No invitation can be used; --all lists the others too."
    say_listing(shown, _COLUMNS, lambda invite: _row(invite, now, names), empty=empty, as_json=options.json)
    return 0


def _state(invite: InviteLine, now: float) -> str:
    code = obstacle(invite, now)
    return _USABLE if code is None else _OBSTACLES[code]


def _row(invite: InviteLine, now: float, names: dict[str, str]) -> tuple[object, ...]:
    place = _SERVER if invite.document_id is None else invite.title or invite.document_id
    if invite.for_user:
        place = f"{_SERVER}, as {names.get(invite.for_user, invite.for_user)}"
    role = "-" if invite.for_user else invite.role
    used = f"{invite.uses}" if invite.max_uses is None else f"{invite.uses} of {invite.max_uses}"
    maker = names.get(invite.issued_by, invite.issued_by) or "operator"
    made, until = moment(invite.issued_at), moment(invite.expires_at)
    way = _WAYS[InviteWay(invite.way)]
    return invite.invite_id, role, place, way, used, until, _state(invite, now), maker, made


def _revoke(options: argparse.Namespace) -> int:
    if not options.invites and not options.user:
        raise SettingsError("say what to revoke: an invitation (id, link or join code), or --user USER")

    def revoke(change: Change) -> list[AuditEntry]:
        of_invite = partial(revoke_invite, change.records, actor=change.actor, now=change.now)
        of_user = partial(revoke_tokens, change.records, actor=change.actor, now=change.now)
        ids = [_invite_id(change.records, text) for text in options.invites]
        return [
            *change_each(change, "invite", ids, lambda invite_id: of_invite(invite_id=invite_id)),
            *change_each(change, "user", options.user, lambda user_id: of_user(user_id=user_id)),
        ]

    return change_and_tell(options, revoke)


def _invite_id(records: Records, text: str) -> str:
    """Return what an invitation is called, given that, or its secret, or a link with the secret, or its join code."""
    code = read_join_code(text)
    if code is not None:
        return _invite_of(records, code)
    token = parse_invite_link(text).token if "://" in text else text
    if token is None:
        raise SettingsError("this link holds no invitation")
    return hash_token(token) if token_kind(token) is TokenKind.INVITE else token


def _invite_of(records: Records, code: JoinCode) -> str:
    stored = next((one for one in records.join_codes() if one.nameplate == code.nameplate), None)
    if stored is None or stored.words != " ".join(code.words):
        raise SettingsError(f"no join code {code} holds")
    return stored.token_hash[:INVITE_ID_CHARS]
