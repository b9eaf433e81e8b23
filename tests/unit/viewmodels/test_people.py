"""A stranger's name and colour are shown only as far as they are a name and a colour."""

import pytest

from texswarm_desktop.core.palette import color_of
from texswarm_desktop.viewmodels.people import clean_name, person


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ada Lovelace", "Ada Lovelace"),
        ("  Ada\n\tLovelace\x00 ", "Ada Lovelace"),
        ("\u202eadA", "adA"),
        ("x" * 500, "x" * 80),
        ("", ""),
        (None, ""),
        ({"a": 1}, ""),
    ],
)
def test_a_name_is_one_short_printable_line(name: object, shown: str) -> None:
    assert clean_name(name) == shown


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", None, 7, "#123456; border: 1px", ["#123456"]])
def test_a_colour_of_another_form_is_replaced(color: object) -> None:
    assert person("ada", "Ada", color).color == color_of("ada")


def test_a_colour_of_our_form_is_kept() -> None:
    assert person("ada", "Ada", "#ABCDEF").color == "#abcdef"


@pytest.mark.parametrize(
    ("name", "initials"),
    [
        ("Ada Lovelace", "AL"),
        ("ada", "A"),
        ("Ada King, Countess of Lovelace", "AL"),
        ("…", "?"),
        ("Émilie du Châtelet", "ÉC"),
    ],
)
def test_initials(name: str, initials: str) -> None:
    assert person("x", name, None).initials == initials


def test_nobody_is_nameless() -> None:
    assert person("x", None, None).name == "Somebody"
