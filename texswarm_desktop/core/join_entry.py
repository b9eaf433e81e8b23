"""What was typed into the one field of the Join dialog: a link, a code, an address, or an address and a code."""

from typing import Final

import msgspec

from texswarm_server.pairing.join_code import JoinCode, read_join_code
from texswarm_server.protocol.errors import SettingsError, TexSwarmError
from texswarm_server.protocol.invite_link import InviteLink, ServerAddress, parse_invite_link

_BETWEEN: Final = " ,;"


class CodeUnknownError(TexSwarmError):
    """No host nearby has a join code with this number."""


class CodeNeededError(TexSwarmError):
    """A host of the list lets in only who has the link or the code."""


class CodeMisspeltError(TexSwarmError):
    """A word that no join code has; `meant` is the nearest that one could have, or empty."""

    def __init__(self, word: str, meant: str) -> None:
        super().__init__(f"no code has the word {word!r}")
        self.word, self.meant = word, meant


class JoinEntry(msgspec.Struct, frozen=True):
    """What could be read. With a `code`, `link` is an address to try it at, or None to look on the network."""

    link: InviteLink | None = None
    code: JoinCode | None = None

    @property
    def address(self) -> ServerAddress | None:
        """Where to go, if that was said."""
        return self.link.address if self.link is not None else None

    @property
    def is_invitation(self) -> bool:
        """Whether it lets in by itself."""
        return self.link is not None and self.link.token is not None


def read_join_entry(text: str) -> JoinEntry | None:
    """Return what was meant, None for what is none of these."""
    text = text.strip()
    code = read_join_code(text)
    if code is not None:
        return JoinEntry(code=code)
    for where, rest in (text.partition(" ")[::2], text.rpartition(" ")[::-2]):  # in either order
        code = read_join_code(rest.strip(_BETWEEN))
        if code is not None:
            link = _link(where.strip(_BETWEEN))
            return JoinEntry(link, code) if link is not None else None
    link = _link(text)
    return JoinEntry(link) if link is not None else None


def _link(text: str) -> InviteLink | None:
    try:
        return parse_invite_link(text)
    except SettingsError:
        return None
