"""`documents`: what is kept, who is in it, and its former states."""

import argparse
from functools import partial
from typing import Final

from texswarm_server.cli import versions
from texswarm_server.cli.arguments import Command, Commands, Parser, add_group, add_listing, data_folder
from texswarm_server.cli.changed import add_invites, change_and_tell
from texswarm_server.cli.database import Change, one_id, reading
from texswarm_server.cli.output import Column, moment, say_listing, size
from texswarm_server.sessions.administration import change_role, remove_member, unban_member
from texswarm_server.sessions.audit import AuditEntry
from texswarm_server.storage.overview import DocumentLine, MemberLine

DOCUMENT_COLUMNS: Final = (
    Column("document"),
    Column("title", may_shrink=True),
    Column("made by", may_shrink=True),
    Column("members", is_number=True),
    Column("size", is_number=True),
    Column("last change"),
)
_MEMBER_COLUMNS: Final = (Column("user"), Column("name", may_shrink=True), Column("role"), Column("state"))


def add(commands: Commands) -> None:
    """Add the commands."""
    group = add_group(commands, "documents", "list documents, change who is in them, and bring former states back")
    add_listing(group, "list", _list, "list all documents, the latest change first")
    _add(group, "members", _members, "list who is in a document, and who was taken out of it")
    role = _add(group, "role", _role, "give a user a role in a document, also one who is not in it", who=True)
    role.add_argument("role", choices=("owner", "editor", "viewer"), help="owner, editor or viewer")
    _add_force(role)
    for name, run, text in (
        ("remove", _remove, "take a user out of a document; a new invite leads back"),
        ("ban", _ban, "take a user out of a document; no invite leads back"),
    ):
        parser = _add(group, name, run, text, who=True)
        _add_force(parser)
        add_invites(parser)
    _add(group, "unban", _unban, "forget that a user was removed or banned; an invite leads back then", who=True)
    versions.add_to(group)


def _add(group: Commands, name: str, run: Command, text: str, *, who: bool = False) -> Parser:
    parser = add_listing(group, name, run, text)
    parser.add_argument("document", metavar="DOCUMENT", help="id, or its beginning")
    if who:
        parser.add_argument("user", metavar="USER", help="id, or its beginning")
    return parser


def _add_force(parser: Parser) -> None:
    parser.add_argument("--force", action="store_true", help="also where the document is left without an owner")


# ── looking ─────────────────────────────────────────────────────────────────────────────────────────────


def document_row(document: DocumentLine) -> tuple[object, ...]:
    """Return a document as a row under DOCUMENT_COLUMNS."""
    return (
        document.document_id,
        document.title,
        document.owner_name or document.owner_id,
        document.members,
        size(document.size_bytes),
        moment(document.updated_at),
    )


def _list(options: argparse.Namespace) -> int:
    with reading(data_folder(options)) as overview:
        documents = overview.documents()
    say_listing(documents, DOCUMENT_COLUMNS, document_row, empty="No documents yet.", as_json=options.json)
    return 0


def _members(options: argparse.Namespace) -> int:
    with reading(data_folder(options)) as overview:
        members = overview.members(one_id(overview, "document", options.document))
    say_listing(members, _MEMBER_COLUMNS, _member_row, empty="Nobody is in it.", as_json=options.json)
    return 0


def _member_row(member: MemberLine) -> tuple[object, ...]:
    return member.user_id, member.display_name, member.role or "-", member.state


# ── changing ────────────────────────────────────────────────────────────────────────────────────────────


def _ids(change: Change, options: argparse.Namespace) -> dict[str, str]:
    overview = change.overview
    return {
        "actor": change.actor,
        "document_id": one_id(overview, "document", options.document),
        "user_id": one_id(overview, "user", options.user),
    }


def _role(options: argparse.Namespace) -> int:
    def change(to: Change) -> list[AuditEntry]:
        ids = _ids(to, options)
        return change_role(to.records, **ids, role=options.role, now=to.now, is_forced=options.force)

    return change_and_tell(options, change)


def _take_out(options: argparse.Namespace, *, ban: bool) -> int:
    def change(to: Change) -> list[AuditEntry]:
        return remove_member(
            to.records,
            **_ids(to, options),
            now=to.now,
            ban=ban,
            is_forced=options.force,
            revoke_invites=not options.keep_invites,
            with_shared=options.shared_invites,
        )

    return change_and_tell(options, change)


_remove: Final = partial(_take_out, ban=False)
_ban: Final = partial(_take_out, ban=True)


def _unban(options: argparse.Namespace) -> int:
    return change_and_tell(options, lambda to: unban_member(to.records, **_ids(to, options), now=to.now))
