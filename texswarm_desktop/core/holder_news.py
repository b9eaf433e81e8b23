"""What the program that has a folder open tells others on this computer about it: one JSON object a line. Pure."""

import msgspec

from texswarm_server.protocol.errors import SettingsError
from texswarm_server.protocol.invite_link import InviteLink, parse_invite_link


class Knock(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of whoever comes. `word`: what only this user can read; `asks_rest`: wants to be told of rest."""

    word: str
    asks_rest: bool = False


class Travel(msgspec.Struct, frozen=True, array_like=True):
    """How far figures are that travel in one direction; bytes."""

    done: int
    total: int
    files: int


class HolderNews(msgspec.Struct, frozen=True, omit_defaults=True):
    """How things stand. `state`, `text` and `waiting`: as `texswarm sync` tells them with `--json`.

    `code`: why it does not go on without the user. `server`: its link without any secret, empty for a project that is
    local. `missing`: files whose figure nobody has. `is_at_rest`: after it was asked for, folder and server were found
    to be the same, and everything durably stored. `files`: by path, what keeps a file from being the same here and
    there; `notes`: why one is not shared, as it should be; `problem`: what is wrong with the disk. `sending` and
    `fetching`: None where nothing travels for longer than a moment.
    """

    state: str = "idle"
    text: str = ""
    waiting: int = 0
    code: str = ""
    server: str = ""
    missing: tuple[str, ...] = ()
    is_at_rest: bool = False
    files: dict[str, str] = {}
    notes: dict[str, str] = {}
    problem: str = ""
    sending: Travel | None = None
    fetching: Travel | None = None


def keeps_with(news: HolderNews, link: InviteLink | None) -> bool:
    """Say whether the folder is kept the same as what `link` leads to, a document or a server; None: as anything."""
    try:
        there = parse_invite_link(news.server) if news.server else None
    except SettingsError:
        there = None
    if there is None or link is None:
        return there is not None
    return there.address == link.address and link.document_id in {None, there.document_id}
