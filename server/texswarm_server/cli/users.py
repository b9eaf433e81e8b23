"""`users`: the people a server knows."""

import argparse
import os
from dataclasses import replace
from functools import partial
from typing import Final

from texswarm_server.cli.arguments import Command, Commands, Parser, add_group, add_listing, data_folder, seconds
from texswarm_server.cli.changed import add_invites, change_and_tell
from texswarm_server.cli.database import Change, change_each, changing, one_id, reading
from texswarm_server.cli.documents import DOCUMENT_COLUMNS, document_row
from texswarm_server.cli.invite import base_link
from texswarm_server.cli.output import (
    Column,
    for_programs,
    instant,
    moment,
    say,
    say_details,
    say_json,
    say_listing,
    say_table,
    yes,
)
from texswarm_server.cli.sessions import SESSION_COLUMNS, session_row
from texswarm_server.sessions.administration import remove_user, restore_user, revoke_tokens
from texswarm_server.sessions.audit import AuditEntry
from texswarm_server.sessions.document_access import issue_return
from texswarm_server.storage.overview import UserLine

_RETURN_TTL_S: Final = 86400.0
_COLUMNS = (
    Column("user"),
    Column("name", may_shrink=True),
    Column("documents", is_number=True),
    Column("sessions", is_number=True),
    Column("last seen"),
    Column("note"),
)


def add(commands: Commands) -> None:
    """Add the commands."""
    group = add_group(commands, "users", "list, show, remove and restore the people the server knows")
    parser = add_listing(group, "list", _list, "list everybody, who was here last first")
    parser.add_argument("--removed", action="store_true", help="only those who were removed from the server")
    show = add_listing(group, "show", _show, "show one user with documents and sessions")
    show.add_argument("user", metavar="USER", help="id, or its beginning")
    remove = _add_change(group, "remove", _remove, "remove people from the server, and revoke the invites they know")
    add_invites(remove)
    _add_change(group, "restore", _restore, "let people in again who were removed")
    _add_change(group, "revoke", _revoke, "sign people out everywhere; `users invite` lets them sign in again")
    invite = add_listing(
        group, "invite", _invite, "print a link that signs one user in again, with the roles of before"
    )
    invite.add_argument("user", metavar="USER", help="id, or its beginning")
    lifetime = "how long it can be used: 30m, 12h, 7d … (default: 1d)"
    invite.add_argument("--ttl", type=seconds, default=_RETURN_TTL_S, metavar="TIME", help=lifetime)
    place = "address to put into the link (default: where the server last listened)"
    invite.add_argument("--url", metavar="URL", help=place)


def _add_change(group: Commands, name: str, run: Command, text: str) -> Parser:
    parser = add_listing(group, name, run, text)
    parser.add_argument("users", nargs="+", metavar="USER", help="id, or its beginning")
    return parser


def _list(options: argparse.Namespace) -> int:
    with reading(data_folder(options)) as overview:
        users = [user for user in overview.users() if user.is_removed or not options.removed]
    empty = "Nobody was removed." if options.removed else "Nobody yet; `texswarm-server invite` makes a way in."
    say_listing(users, _COLUMNS, _row, empty=empty, as_json=options.json)
    return 0


def _row(user: UserLine) -> tuple[object, ...]:
    remark = "removed" if user.is_removed else yes(user.can_create, "may create")
    return user.user_id, user.display_name, user.documents, user.sessions, moment(user.seen_at), remark


def _show(options: argparse.Namespace) -> int:
    with reading(data_folder(options)) as overview:
        user_id = one_id(overview, "user", options.user)
        (user,) = overview.users(user_id)
        sessions = overview.sessions(user_id)
        documents = overview.documents_of(user_id)
    if options.json:
        say_json(
            {
                "user": for_programs(user),
                "documents": [for_programs(each) for each in documents],
                "sessions": [for_programs(each) for each in sessions],
            }
        )
        return 0
    say_details(
        [
            ("user", user.user_id),
            ("name", user.display_name or "-"),
            ("last seen", moment(user.seen_at)),
            ("may", _rights(user)),
        ]
    )
    say("")
    say_table(DOCUMENT_COLUMNS, map(document_row, documents), empty="In no document.")
    say("")
    say_table(SESSION_COLUMNS, map(session_row, sessions), empty="No sessions.")
    return 0


def _rights(user: UserLine) -> str:
    if user.is_removed:
        return "not come in: removed from the server"
    return "use the documents below" + yes(user.can_create, ", create others and invite to the server")


def _remove(options: argparse.Namespace) -> int:
    def remove(change: Change) -> list[AuditEntry]:
        act = partial(remove_user, change.records, actor=change.actor, now=change.now)
        keeps, with_shared = options.keep_invites, options.shared_invites
        return change_each(
            change,
            "user",
            options.users,
            lambda user_id: act(user_id=user_id, revoke_invites=not keeps, with_shared=with_shared),
        )

    return change_and_tell(options, remove)


def _invite(options: argparse.Namespace) -> int:
    with changing(data_folder(options)) as to:
        user_id = one_id(to.overview, "user", options.user)
        ttl_s = options.ttl
        issued = issue_return(to.records, os.urandom, to.now, user_id=user_id, ttl_s=ttl_s, actor=to.actor)
        base = base_link(to.records, options.url)
    link = str(replace(base, token=issued.token, document_id=None))
    if options.json:
        say_json({"link": link, "user_id": user_id, "expires_at": instant(issued.invite.expires_at)})
    else:
        say(link)
    return 0


def _restore(options: argparse.Namespace) -> int:
    def restore(change: Change) -> list[AuditEntry]:
        act = partial(restore_user, change.records, actor=change.actor, now=change.now)
        return change_each(change, "user", options.users, lambda user_id: act(user_id=user_id))

    return change_and_tell(options, restore)


def _revoke(options: argparse.Namespace) -> int:
    def revoke(change: Change) -> list[AuditEntry]:
        act = partial(revoke_tokens, change.records, actor=change.actor, now=change.now)
        return change_each(change, "user", options.users, lambda user_id: act(user_id=user_id))

    return change_and_tell(options, revoke)
