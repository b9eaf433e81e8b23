"""`sessions`: who is connected, or may come back to where they were."""

import argparse
from functools import partial
from typing import Final

from texswarm_server.cli.arguments import Commands, add_group, add_listing, data_folder
from texswarm_server.cli.changed import change_and_tell
from texswarm_server.cli.database import Change, change_each, one_id, reading
from texswarm_server.cli.output import Column, moment, say_listing
from texswarm_server.sessions.administration import close_session
from texswarm_server.sessions.audit import AuditEntry
from texswarm_server.storage.overview import SessionLine

SESSION_COLUMNS: Final = (
    Column("session"),
    Column("user", may_shrink=True),
    Column("address"),
    Column("program", may_shrink=True),
    Column("connected"),
    Column("lost"),
)


def add(commands: Commands) -> None:
    """Add the commands."""
    group = add_group(commands, "sessions", "list and close sessions")
    parser = add_listing(group, "list", _list, "list sessions, connected ones first")
    parser.add_argument("--user", metavar="USER", help="of this user only: id, or its beginning")
    close = add_listing(group, "close", _close, "close sessions; their users may come back in new ones")
    close.add_argument("sessions", nargs="+", metavar="SESSION", help="id, or its beginning")


def session_row(session: SessionLine) -> tuple[object, ...]:
    """Return a session as a row under SESSION_COLUMNS."""
    return (
        session.session_id,
        session.display_name or session.user_id,
        session.address or "-",
        session.client or "-",
        moment(session.attached_at),
        moment(session.detached_at),
    )


def _list(options: argparse.Namespace) -> int:
    with reading(data_folder(options)) as overview:
        sessions = overview.sessions(one_id(overview, "user", options.user) if options.user else "")
    say_listing(sessions, SESSION_COLUMNS, session_row, empty="No sessions.", as_json=options.json)
    return 0


def _close(options: argparse.Namespace) -> int:
    def close(change: Change) -> list[AuditEntry]:
        act = partial(close_session, change.records, actor=change.actor, now=change.now)
        return change_each(change, "session", options.sessions, lambda session_id: act(session_id=session_id))

    return change_and_tell(options, close)
