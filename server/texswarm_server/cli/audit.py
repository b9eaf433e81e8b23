"""`audit`: who came in, who was refused, and every change of access."""

import argparse
from typing import Final

from texswarm_server.cli.arguments import Commands, add_listing, count, data_folder
from texswarm_server.cli.database import one_id, reading
from texswarm_server.cli.output import Column, say_listing, second
from texswarm_server.cli.told import sentence
from texswarm_server.sessions.audit import AuditAction, AuditEntry

_COLUMNS: Final = (Column("time"), Column("what happened", may_shrink=True), Column("by"), Column("from"))
_MOST: Final = 50
_ACTIONS: Final = tuple(action.value for action in AuditAction)
_KINDS: Final = f"of this kind only, may be repeated: {', '.join(_ACTIONS)}"


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_listing(commands, "audit", _audit, "show who came in, who was refused, and every change of access")
    option = parser.add_argument
    option("--limit", type=count, default=_MOST, metavar="N", help="how many, the latest ones (default: %(default)s)")
    option("--user", metavar="USER", help="about this user only: id, or its beginning")
    option("--document", metavar="DOCUMENT", help="about this document only: id, or its beginning")
    option("--action", action="append", default=[], choices=_ACTIONS, metavar="ACTION", help=_KINDS)


def _audit(options: argparse.Namespace) -> int:
    with reading(data_folder(options)) as overview:
        entries = overview.audit(
            options.limit,
            user_id=one_id(overview, "user", options.user) if options.user else None,
            document_id=one_id(overview, "document", options.document) if options.document else None,
            actions=[AuditAction(action) for action in options.action],
        )
        names = overview.names()
    say_listing(
        entries, _COLUMNS, lambda entry: _row(entry, names), empty="Nothing happened yet.", as_json=options.json
    )
    return 0


def _row(entry: AuditEntry, names: dict[str, str]) -> tuple[object, ...]:
    actor = names.get(entry.actor, entry.actor) if entry.actor != entry.user_id else "-"
    return second(entry.at), sentence(entry, names), actor or "-", entry.address or "-"
