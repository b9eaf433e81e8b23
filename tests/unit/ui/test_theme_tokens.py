"""Everything that must be read can be read, in both themes."""

import re

import pytest
from msgspec.structs import fields

from texswarm_desktop.core.latex_tokens import Kind
from texswarm_desktop.core.palette import PALETTE
from texswarm_desktop.ui.theme_tokens import DARK, LIGHT, Tokens, blended, contrast, legible, readable_on, syntax_colors

THEMES = pytest.mark.parametrize("tokens", [LIGHT, DARK], ids=["light", "dark"])
READABLE = 4.5
VISIBLE = 3.0


@THEMES
def test_every_token_is_a_colour(tokens: Tokens) -> None:
    for field in fields(tokens):
        if field.name != "is_dark":
            assert re.fullmatch("#[0-9a-f]{6}", getattr(tokens, field.name)), field.name


@THEMES
@pytest.mark.parametrize("ink", ["text", "muted", "accent_text", "quiet", "busy", "good", "bad"])
@pytest.mark.parametrize("ground", ["chrome", "panel", "editor", "raised"])
def test_words_can_be_read_on_every_ground(tokens: Tokens, ink: str, ground: str) -> None:
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= READABLE


@THEMES
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        ("on_accent", "accent"),
        ("on_accent", "accent_hover"),
        ("text", "hover"),
        ("text", "pressed"),
        ("text", "selection"),
        ("text", "accent_soft"),
        ("text", "busy_soft"),
        ("text", "bad_soft"),
        ("bad", "bad_soft"),
        ("busy", "busy_soft"),
        ("text", "match"),
        ("text", "match_current"),
        ("text", "bracket"),
        ("line_number", "editor"),
        ("line_number", "current_line"),
    ],
)
def test_words_can_be_read_on_special_grounds(tokens: Tokens, ink: str, ground: str) -> None:
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= READABLE


@THEMES
@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("ground", ["editor", "current_line"])
def test_colours_of_latex_can_be_read(tokens: Tokens, kind: Kind, ground: str) -> None:
    assert contrast(syntax_colors(tokens)[kind], getattr(tokens, ground)) >= READABLE


@THEMES
@pytest.mark.parametrize("color", [*PALETTE, "#ffffff", "#000000", "#ffff00"])
def test_a_persons_name_can_be_read_whatever_colour_they_chose(tokens: Tokens, color: str) -> None:
    assert contrast(readable_on(color), color) >= READABLE
    assert contrast(legible(color, tokens.panel), tokens.panel) >= READABLE


@THEMES
def test_a_persons_caret_can_be_seen(tokens: Tokens) -> None:
    for color in PALETTE:
        assert contrast(legible(color, tokens.editor, at_least=VISIBLE), tokens.editor) >= VISIBLE


@THEMES
def test_the_text_under_a_persons_selection_can_be_read(tokens: Tokens) -> None:
    for color in PALETTE:
        assert contrast(tokens.text, blended(color, tokens.editor, 0.22)) >= READABLE


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
