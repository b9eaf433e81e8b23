"""How a file spells its text, as a document says it: the bytes are the same wherever the file is written.

The text itself is in the document, with `\\n` at the end of each line, and knows nothing of it.
"""

from dataclasses import dataclass
from typing import Any, Final, Literal, Self, get_args

Newline = Literal["\n", "\r\n", "\r"]
Encoding = Literal["utf-8", "latin-1", "utf-16-le", "utf-16-be"]

_NEWLINES: Final[dict[str, Newline]] = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_ENCODINGS: Final[dict[str, Encoding]] = {name: name for name in get_args(Encoding)}


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How a file spells its text. Text in memory has `\\n` wherever the file has `newline`.

    UTF-16 is told from binary data by its byte order mark, and always has it; Latin-1 never has one.
    """

    encoding: Encoding = "utf-8"
    has_bom: bool = False
    newline: Newline = "\n"

    @classmethod
    def from_map(cls, value: object) -> Self | None:
        """Read what stands in a document, None for anything that is not of this form: strangers may have written it."""
        if not isinstance(value, dict):
            return None
        encoding = _ENCODINGS.get(_word(value.get("encoding", "utf-8")))
        newline = _NEWLINES.get(_word(value.get("newline", "lf")))
        has_bom = value.get("bom", False)
        if encoding is None or newline is None or not isinstance(has_bom, bool):
            return None
        return cls(encoding, encoding.startswith("utf-16") or (has_bom and encoding == "utf-8"), newline)

    def to_map(self) -> dict[str, Any]:
        """Return what stands in a document: one value, so that its parts never come from two people."""
        said: dict[str, Any] = {}
        if self.encoding != "utf-8":
            said["encoding"] = self.encoding
        elif self.has_bom:
            said["bom"] = True
        if self.newline != "\n":
            said["newline"] = next(name for name, newline in _NEWLINES.items() if newline == self.newline)
        return said


#: UTF-8 with `\n`: as a file is written of which nothing is said.
PLAIN: Final = TextFormat()


def _word(value: object) -> str:
    return value if isinstance(value, str) else ""
