import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.text_bytes import (
    MAX_TEXT_BYTES,
    DecodedText,
    decode_text,
    encode_text,
    explains,
    format_for,
)
from texswarm_server.document.text_format import PLAIN, TextFormat

LATIN = TextFormat("latin-1")
DOS = TextFormat(newline="\r\n")
MAC = TextFormat("latin-1", newline="\r")
SPELLINGS = [PLAIN, LATIN, DOS, MAC, TextFormat(has_bom=True), TextFormat("utf-16-le", has_bom=True)]


@given(
    st.binary(max_size=200)
    | st.text(alphabet="aé\r\n😀", max_size=60).map(str.encode)
    | st.text(alphabet="aé\r\n😀", max_size=60).map(lambda text: text.encode("utf-16"))
    | st.binary(max_size=9).map(lambda data: b"\xfe\xff" + data)
)
def test_bytes_are_given_back_exactly(data: bytes) -> None:
    decoded = decode_text(data)
    if decoded is None:
        assert b"\0" in data or data[:2] in {b"\xff\xfe", b"\xfe\xff"}
    else:
        assert encode_text(decoded.text, decoded.format) == data


@pytest.mark.parametrize(
    ("data", "text", "spelled"),
    [
        (b"", "", TextFormat()),
        ("é\n".encode(), "é\n", TextFormat()),
        (b"\xef\xbb\xbfa\n", "a\n", TextFormat(has_bom=True)),
        (b"\xe9\n", "é\n", TextFormat("latin-1")),
        (b"a\r\nb\r\n", "a\nb\n", TextFormat(newline="\r\n")),
        (b"a\rb\r", "a\nb\n", TextFormat(newline="\r")),
        (b"a\r\nb\n", "a\r\nb\n", TextFormat()),
        (b"\xe9\r\n", "é\n", TextFormat("latin-1", newline="\r\n")),
        (b"\xff\xfea\0\n\0", "a\n", TextFormat("utf-16-le", has_bom=True)),
        (b"\xfe\xff\xd8\x3d\xde\x00\0\r\0\n", "😀\n", TextFormat("utf-16-be", has_bom=True, newline="\r\n")),
        (b"\xff\xfe", "", TextFormat("utf-16-le", has_bom=True)),
        (b"\xff\xfe9", "ÿþ9", TextFormat("latin-1")),
    ],
)
def test_the_spelling_of_a_file_is_found(data: bytes, text: str, spelled: TextFormat) -> None:
    decoded = decode_text(data)
    assert decoded is not None
    assert (decoded.text, decoded.format) == (text, spelled)


def test_what_is_no_text_is_not_taken_for_one() -> None:
    assert decode_text(b"\x7fELF\0\0") is None
    assert decode_text("text".encode("utf-32")) is None
    assert decode_text("text".encode("utf-16-le")) is None
    assert decode_text(b"\xfe\xff\0") is None
    assert decode_text(b"a" * (MAX_TEXT_BYTES + 1)) is None


@pytest.mark.parametrize(
    ("text", "wanted", "comes_to"),
    [
        ("é\n", LATIN, LATIN),
        ("é€\n", LATIN, PLAIN),
        ("Ã©\n", LATIN, PLAIN),  # in Latin-1 it would be read as UTF-8
        ("ÿþabc\n", LATIN, PLAIN),  # and this as UTF-16
        ("a\n", LATIN, LATIN),
        ("a\rb\n", DOS, PLAIN),
        ("é€\n", TextFormat("latin-1", newline="\r\n"), DOS),
    ],
)
def test_a_text_is_spelled_as_wished_as_far_as_it_can_be_read_again(
    text: str, wanted: TextFormat, comes_to: TextFormat
) -> None:
    assert format_for(text, wanted) == comes_to
    decoded = decode_text(encode_text(text, wanted))
    assert decoded is not None
    assert decoded.text == text
    assert explains(comes_to, decoded)


@given(st.text(alphabet="aé€Ã©ÿþ\n", max_size=30), st.sampled_from(SPELLINGS))
def test_every_text_survives_every_spelling(text: str, wanted: TextFormat) -> None:
    decoded = decode_text(encode_text(text, wanted))
    assert decoded is not None
    assert decoded.text == text
    assert explains(format_for(text, wanted), decoded)


@pytest.mark.parametrize(
    ("data", "spelled", "is_so"),
    [
        (b"a", LATIN, True),
        (b"a", DOS, True),
        (b"a\n", DOS, False),
        (b"", TextFormat(has_bom=True), False),
        (b"a\r\n", LATIN, False),
        (b"\xe9\n", LATIN, True),
        (b"\xc3\xa9\n", LATIN, False),
    ],
)
def test_a_file_may_be_spelled_in_several_ways(data: bytes, spelled: TextFormat, is_so: bool) -> None:
    decoded = decode_text(data)
    assert decoded is not None
    assert explains(spelled, decoded) is is_so


def test_what_was_read_is_explained_by_how_it_was_read() -> None:
    assert explains(DOS, DecodedText("a\n", DOS))
