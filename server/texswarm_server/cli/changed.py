"""Commands that change something: each runs in one transaction, and tells what came of it."""

import argparse
from collections.abc import Callable

from texswarm_server.cli.arguments import data_folder
from texswarm_server.cli.database import Change, changing
from texswarm_server.cli.output import for_programs, plain, say, say_json
from texswarm_server.cli.told import sentence
from texswarm_server.sessions.audit import AuditEntry


def change_and_tell(options: argparse.Namespace, change: Callable[[Change], list[AuditEntry]]) -> int:
    """Make a change and say what it was; a server that runs on the data acts on it within a moment.

    Raises SettingsError or StorageError, and then nothing was changed.
    """
    with changing(data_folder(options)) as transaction:
        entries = change(transaction)
        names = transaction.overview.names()
    if options.json:
        say_json([for_programs(entry) for entry in entries])
        return 0
    for entry in entries:
        say(f"{plain(sentence(entry, names))}.")
    if not entries:
        say("Nothing to change: it is so already.")
    return 0
