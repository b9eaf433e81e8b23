"""Commands that change something: each runs in one transaction, and tells what came of it."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from texswarm_server.cli.arguments import Parser, data_folder
from texswarm_server.cli.database import Change, changing
from texswarm_server.cli.output import for_programs, plain, say, say_json
from texswarm_server.cli.told import sentence
from texswarm_server.sessions.administration import invites_left
from texswarm_server.sessions.audit import LIVE_ACTIONS, AuditAction, AuditEntry
from texswarm_server.storage.folder_lock import last_followed

_PATIENCE_S: Final = 3.0
_PAUSE_S: Final = 0.01


def add_invites(parser: Parser) -> None:
    """Let a command that takes people out revoke more, or less, than the invites that are theirs alone."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--shared-invites", action="store_true", help="also revoke invites they know by which others came as well"
    )
    group.add_argument("--keep-invites", action="store_true", help="leave the invites they came by or made as they are")


def change_and_tell(options: argparse.Namespace, change: Callable[[Change], list[AuditEntry]]) -> int:
    """Make a change, wait until the server that runs on the data, if any, has acted on it, and say what it was.

    Raises SettingsError or StorageError, and then nothing was changed.
    """
    data = data_folder(options)
    with changing(data) as transaction:
        entries = change(transaction)
        number = transaction.records.last_audit_number()
        names = transaction.overview.names()
        remarks = [remark for entry in entries for remark in _left_open(transaction, entry)]
    is_followed = not any(entry.action in LIVE_ACTIONS for entry in entries) or _is_followed(data, number)
    if options.json:
        say_json([for_programs(entry) for entry in entries])
        return 0
    for entry in entries:
        say(f"{plain(sentence(entry, names))}.")
    for remark in remarks:
        say(remark)
    if not is_followed:
        say("The server that runs here is busy: it acts on this as soon as it can.")
    if not entries:
        say("Nothing to change: it is so already.")
    return 0


def _is_followed(data: Path, number: int) -> bool:
    """Wait until the server has acted on entry `number` of the audit log; False where it takes too long."""
    give_up_at = time.monotonic() + _PATIENCE_S
    while (followed := last_followed(data)) is not None and followed < number:
        if time.monotonic() >= give_up_at:
            return False
        time.sleep(_PAUSE_S)
    return True


def _left_open(change: Change, entry: AuditEntry) -> list[str]:
    """Say by which invites somebody who was taken out could still come as somebody else."""
    if entry.action not in {AuditAction.USER_REMOVED, AuditAction.MEMBER_BANNED, AuditAction.MEMBER_REMOVED}:
        return []
    known = invites_left(change.records, entry.user_id, entry.document_id or None, change.now)
    return [
        f"Invite {each.invite_id} stays. Whoever has it can come as somebody new, until"
        f" `texswarm-server revoke {each.invite_id}`."
        for each in known
    ]
