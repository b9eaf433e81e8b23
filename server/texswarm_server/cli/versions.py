"""`documents versions` and `documents restore`: the former states of a document."""

import argparse
import os
import time
from typing import Final

from texswarm_server.cli.arguments import Commands, add_listing, count, data_folder
from texswarm_server.cli.database import one_id, reading
from texswarm_server.cli.output import Column, for_programs, moment, plain, say, say_json, say_listing, size
from texswarm_server.storage.history import Version
from texswarm_server.storage.versions import list_versions, restore_version

_COLUMNS: Final = (
    Column("version", is_number=True),
    Column("of"),
    Column("size", is_number=True),
    Column("stored", is_number=True),
)


def add_to(group: Commands) -> None:
    """Add the commands to those about documents."""
    versions = add_listing(group, "versions", _versions, "list the former states of a document, the oldest first")
    versions.add_argument("document", metavar="DOCUMENT", help="id, or its beginning")
    restore = add_listing(group, "restore", _restore, "make a former state a new document beside the present one")
    restore.add_argument("version", type=count, metavar="VERSION", help="number of the version, as `versions` lists it")
    restore.add_argument(
        "--title", metavar="TEXT", help="title of the new document (default: the old one and the time)"
    )


def _versions(options: argparse.Namespace) -> int:
    data = data_folder(options)
    with reading(data) as overview:
        document_id = one_id(overview, "document", options.document)
    versions = list_versions(data, document_id)
    say_listing(versions, _COLUMNS, _row, empty="No former states are kept yet.", as_json=options.json)
    return 0


def _row(version: Version) -> tuple[object, ...]:
    return version.version_id, moment(version.created_at), size(version.size_bytes), size(version.stored_bytes)


def _restore(options: argparse.Namespace) -> int:
    data = data_folder(options)
    with reading(data):
        pass  # there is a database, or this says where it was looked for
    made = restore_version(data, options.version, now=time.time(), random=os.urandom, title=options.title)
    if options.json:
        say_json(for_programs(made))
    else:
        say(f"Version {options.version} is document {made.document_id} now: {plain(made.title)}.")
    return 0
