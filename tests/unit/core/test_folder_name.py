import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.folder_name import folder_name


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("On Swarms", "On Swarms"),
        ("  a   b\tc ", "a b c"),
        ("AC/DC: a study?", "AC DC a study"),
        ("../../etc/passwd", "etc passwd"),
        (".hidden", "hidden"),
        ("ends with dots...", "ends with dots"),
        ("", "Project"),
        ("///", "Project"),
        ("CON", "CON_"),
        ("aux.tex", "aux_.tex"),
        ("Console", "Console"),
        ("Größe", "Größe"),
        ("line\nbreak\0", "line break"),
        ("\u202eabc\u200b", "abc"),
    ],
)
def test_a_title_becomes_a_name_every_system_accepts(title: str, name: str) -> None:
    assert folder_name(title) == name


@given(st.text(max_size=300))
def test_any_title_gives_one_plain_name(title: str) -> None:
    name = folder_name(title)
    assert name
    assert len(name.encode()) <= 110
    assert not set(name) & set('<>:"/\\|?*\0')
    assert name[0] not in ". -"
    assert name[-1] not in ". "
    assert folder_name(name) == name


def test_a_taken_name_gets_a_number() -> None:
    assert folder_name("Paper", ["paper", "Paper 2", "other"]) == "Paper 3"
