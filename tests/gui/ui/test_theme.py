"""Both themes dress everything, and can be changed while the window is open."""

import re
from collections.abc import Callable

import pytest
from msgspec.structs import astuple
from PySide6.QtGui import QPalette

from tests.helpers.desk import Desk
from texswarm_desktop.services.resources import resource
from texswarm_desktop.ui.theme import Theme, ThemeMode, palette, style_sheet
from texswarm_desktop.ui.theme_tokens import DARK, LIGHT, Tokens

NewDesk = Callable[..., Desk]


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_the_style_sheet_uses_only_tokens(qapp: object, tokens: Tokens) -> None:
    sheet = style_sheet(tokens, 13)
    assert "@" not in sheet
    allowed = {value for value in astuple(tokens) if isinstance(value, str)}
    assert set(re.findall("#[0-9a-f]{6}", sheet)) <= allowed


@pytest.mark.parametrize("tokens", [LIGHT, DARK])
def test_the_palette_can_be_read(qapp: object, tokens: Tokens) -> None:
    made = palette(tokens)
    assert made.color(QPalette.ColorRole.Text).name() == tokens.text
    assert made.color(QPalette.ColorRole.Base).name() == tokens.editor


def test_every_icon_that_is_named_is_drawn(theme: Theme) -> None:
    names = [path.stem for path in resource("icons").glob("*.svg")]
    assert names
    for name in names:
        assert not theme.icons.icon(name).pixmap(16).toImage().isNull(), name


def test_a_theme_is_changed_in_an_open_window(new_desk: NewDesk, theme: Theme) -> None:
    desk = new_desk({"main.tex": r"\emph{a} % b"})
    desk.editor.grab()
    theme.set_mode(ThemeMode.DARK)
    assert desk.editor.palette().color(QPalette.ColorRole.Base).name() == DARK.editor
    ground = desk.editor.viewport().grab().toImage().pixelColor(400, 200).name()
    assert ground == DARK.editor
    theme.set_mode(ThemeMode.LIGHT)


def test_choosing_a_theme_in_the_menu_is_told(new_desk: NewDesk, theme: Theme) -> None:
    desk = new_desk()
    told: list[str] = []
    desk.window.theme_chosen.connect(told.append)
    desk.window._on_theme_chosen(ThemeMode.DARK)
    assert told == ["dark"]
    assert theme.tokens is DARK
    theme.set_mode(ThemeMode.LIGHT)
