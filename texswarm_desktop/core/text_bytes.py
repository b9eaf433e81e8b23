"""How the bytes of a file become text, and exactly these bytes again; and the same bytes everywhere.

What a document says of a file's spelling need not fit: a text may have a character that Latin-1 lacks. `format_for`
says what is written then; it follows from text and spelling alone, so that all folders come to the same.
"""

import codecs
from dataclasses import replace
from typing import Final

import msgspec

from texswarm_server.document.text_format import Encoding, Newline, TextFormat

MAX_TEXT_BYTES: Final = 16 * 1024 * 1024

_UTF_16: Final[tuple[tuple[bytes, Encoding], ...]] = (
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class DecodedText(msgspec.Struct, frozen=True):
    """A file's text and how to write it back."""

    text: str
    format: TextFormat


def decode_text(data: bytes) -> DecodedText | None:
    """Return the text in `data`, or None when it is no text. `encode_text` gives exactly these bytes again."""
    read = _read(data) if len(data) <= MAX_TEXT_BYTES else None
    if read is None:
        return None
    text, spelled = read
    newline = _newline_of(text)
    return DecodedText(text if newline == "\n" else text.replace(newline, "\n"), replace(spelled, newline=newline))


def _read(data: bytes) -> tuple[str, TextFormat] | None:
    for mark, encoding in _UTF_16:
        if data.startswith(mark):
            return _read_utf_16(data, mark, encoding)
    if b"\0" in data:
        return None
    has_bom = data.startswith(codecs.BOM_UTF8)
    try:
        text = data[len(codecs.BOM_UTF8) :].decode() if has_bom else data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1"), TextFormat("latin-1")
    return text, TextFormat(has_bom=has_bom)


def _read_utf_16(data: bytes, mark: bytes, encoding: Encoding) -> tuple[str, TextFormat] | None:
    """Two bytes like a mark may begin Latin-1 as well; with a null character it is no text in either."""
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        return None if b"\0" in data else (data.decode("latin-1"), TextFormat("latin-1"))
    return None if "\0" in text else (text, TextFormat(encoding, has_bom=True))


def encode_text(text: str, spelled: TextFormat) -> bytes:
    """Return the bytes of `text` in a file's own spelling, as far as it fits: see `format_for`."""
    return _bytes_of(text, format_for(text, spelled))


def format_for(text: str, spelled: TextFormat) -> TextFormat:
    """Return the spelling that `encode_text` comes to: one in which the text can be read again as it is."""
    if spelled.newline != "\n" and "\r" in text:
        spelled = replace(spelled, newline="\n")
    if spelled.encoding == "latin-1" and not _is_readable(text, spelled):
        spelled = replace(spelled, encoding="utf-8")
    return spelled


def explains(spelled: TextFormat, decoded: DecodedText) -> bool:
    """Say whether a file that was read so is spelled like this: a text of ASCII alone is so in several ways."""
    if decoded.format == spelled:
        return True
    text = decoded.text
    return format_for(text, spelled) == spelled and _bytes_of(text, spelled) == _bytes_of(text, decoded.format)


def _bytes_of(text: str, spelled: TextFormat) -> bytes:
    if spelled.newline != "\n":
        text = text.replace("\n", spelled.newline)
    for mark, name in _UTF_16:
        if spelled.encoding == name:
            return mark + text.encode(name)
    data = text.encode(spelled.encoding)
    return codecs.BOM_UTF8 + data if spelled.has_bom else data


def _is_readable(text: str, spelled: TextFormat) -> bool:
    """In Latin-1 that may be missing characters, and bytes that would be taken for UTF-8."""
    if text.isascii():
        return True
    try:
        decoded = decode_text(_bytes_of(text, spelled))
    except UnicodeEncodeError:
        return False
    return decoded is not None and decoded.format.encoding == "latin-1"


def _newline_of(text: str) -> Newline:
    """Lines that end in different ways are left as they are: every carriage return stays in the text."""
    returns = text.count("\r")
    if not returns:
        return "\n"
    pairs, feeds = text.count("\r\n"), text.count("\n")
    if returns == pairs == feeds:
        return "\r\n"
    return "\r" if not feeds else "\n"
