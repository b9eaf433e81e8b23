import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.project_files import (
    MAX_TEXT_BYTES,
    TextFormat,
    decode_text,
    encode_text,
    is_obeyed,
    is_project_figure,
    is_project_folder,
    is_project_text,
    is_untold,
    is_usual,
)


@pytest.mark.parametrize(
    "path",
    [
        "main.tex",
        "a/b/refs.bib",
        "thesis.cls",
        "Kapitel 1/Übersicht.TEX",
        "README",
        "notes.md",
        "data/x.csv",
        "x.y.tex",
    ],
)
def test_sources_are_project_text(path: str) -> None:
    assert is_project_text(path)


@pytest.mark.parametrize(
    "path",
    [
        "main.pdf", "main.tex~", "#main.tex#", ".#main.tex",
        ".hidden.tex", ".git/notes.txt", "a/.git/hooks/x.txt", ".texswarm/x.tex", "_minted-main/x.tex",
        "latexmkrc", ".latexmkrc", "Makefile", "run.sh", "evil.desktop", "texmf.cnf", ".tex", "figure.png",
        "../out.tex", "/etc/x.tex", "a//b.tex", "a/./b.tex", "", "C:x.tex", "a\\b.tex",
        "\u200c.git/x.txt", "\ufeff.x.tex", "\udcff.tex",
    ],
)  # fmt: skip
def test_nothing_else_is(path: str) -> None:
    assert not is_project_text(path)


@pytest.mark.parametrize("path", ["run.py", "data.raw", "a/main.aux", "main.synctex.gz", "notes.x", "a.m"])
def test_files_of_other_kinds_may_be_shared_and_are_not_by_themselves(path: str) -> None:
    assert is_project_text(path)
    assert not is_usual(path)


@pytest.mark.parametrize("path", ["plot.gp", "data.xyz", "code/main.c", "a.R", "figure.pdf_tex", "talk.pptx"])
def test_listings_and_data_are_usual(path: str) -> None:
    assert is_usual(path)
    assert is_project_text(path) or is_project_figure(path)


@pytest.mark.parametrize(
    "name",
    [
        "Makefile", "makefile.win", "latexmkrc", "LatexMkRC", ".latexmkrc", "HEAD", "config", "nul", "a/b/Makefile",
        "run.sh", "x.BAT", "x.bat.", "x.bat ", "x.ba\u200dt", "x.\uff42at", "desktop.ini", "araraconfig.yaml",
        "\u017fetup.py", ".tex", "~x.tex", "Tectonic.toml",
    ],
)  # fmt: skip
def test_what_a_program_may_obey_is_nobodys_however_it_is_spelled(name: str) -> None:
    *_, last = name.split("/")
    assert is_obeyed(last)
    assert not is_project_text(name)
    assert not is_project_figure(name)


@pytest.mark.parametrize(
    ("name", "nobody"),
    [
        (".gitignore", True),
        (".DS_Store", True),
        (".#a.tex", True),
        ("a.bbl", True),
        (".latexmkrc", False),
        ("a.py", False),
    ],
)
def test_clutter_is_told_to_nobody(name: str, nobody: bool) -> None:
    assert is_untold(name) is nobody


@pytest.mark.parametrize(("name", "is_one"), [("chapters", True), (".git", False), ("__pycache__", False)])
def test_folders_of_programs_are_not_looked_into(name: str, is_one: bool) -> None:
    assert is_project_folder(name) is is_one


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


def test_a_character_that_latin_1_lacks_turns_the_file_into_utf_8() -> None:
    assert encode_text("é€\n", TextFormat("latin-1")) == "é€\n".encode()
