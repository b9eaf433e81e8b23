"""Dresses the application: palette, style sheet and fonts from one set of tokens, light or dark.

Follows the system unless a theme was chosen. Widgets that paint themselves ask `tokens` and listen to `changed`.
"""

import re
from enum import StrEnum
from typing import Final

from msgspec.structs import asdict
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QPalette
from PySide6.QtWidgets import QApplication

from texswarm_desktop.services.resources import resource
from texswarm_desktop.ui.icons import IconSet
from texswarm_desktop.ui.theme_tokens import DARK, LIGHT, Tokens

_MONOSPACE: Final = (
    "JetBrains Mono",
    "SF Mono",
    "Menlo",
    "Cascadia Code",
    "Consolas",
    "Source Code Pro",
    "IBM Plex Mono",
    "Ubuntu Mono",
    "Noto Sans Mono",
    "DejaVu Sans Mono",
    "Liberation Mono",
)
_LEAST_TEXT_PX: Final = 13
_TOKEN: Final = re.compile(r"@([a-z_]+)")


class ThemeMode(StrEnum):
    """What the user chose."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """The looks of the application; one for the whole program. Signal: `changed(Tokens)`."""

    changed = Signal(object)

    def __init__(self, application: QApplication, mode: ThemeMode = ThemeMode.SYSTEM) -> None:
        super().__init__(application)
        self._application = application
        self._mode = mode
        self._text_px = max(_LEAST_TEXT_PX, QFontInfo(application.font()).pixelSize())
        application.setStyle("Fusion")
        font = application.font()
        font.setPixelSize(self._text_px)
        application.setFont(font)
        self.tokens = self._wanted()
        self.icons = IconSet(self.tokens, application.devicePixelRatio())
        self._dress()
        application.styleHints().colorSchemeChanged.connect(self._on_system_scheme_changed)

    @property
    def mode(self) -> ThemeMode:
        """What was chosen."""
        return self._mode

    @property
    def text_px(self) -> int:
        """The size of ordinary text in device-independent pixels."""
        return self._text_px

    def set_mode(self, mode: ThemeMode) -> None:
        """Take in what the user chose."""
        self._mode = mode
        self._refresh()

    def editor_font(self, *, zoom: int = 0) -> QFont:
        """Return the font to write in, `zoom` pixels larger than usual."""
        font = QFont(editor_family())
        font.setStyleHint(QFont.StyleHint.Monospace)
        font.setPixelSize(max(6, self._text_px + 1 + zoom))
        return font

    def _wanted(self) -> Tokens:
        if self._mode is ThemeMode.SYSTEM:
            is_dark = self._application.styleHints().colorScheme() == Qt.ColorScheme.Dark
            return DARK if is_dark else LIGHT
        return DARK if self._mode is ThemeMode.DARK else LIGHT

    def _refresh(self) -> None:
        tokens = self._wanted()
        if tokens is not self.tokens:
            self.tokens = tokens
            self.icons = IconSet(tokens, self._application.devicePixelRatio())
            self._dress()
            self.changed.emit(tokens)

    def _dress(self) -> None:
        self._application.setPalette(palette(self.tokens))
        self._application.setStyleSheet(style_sheet(self.tokens, self._text_px))

    def _on_system_scheme_changed(self) -> None:
        self._refresh()


def editor_family() -> str:
    """Return the first good monospaced family that is installed."""
    installed = set(QFontDatabase.families())
    fallback = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    return next((family for family in _MONOSPACE if family in installed), fallback)


def palette(tokens: Tokens) -> QPalette:
    """Return the colours for what the style draws without the style sheet."""
    roles = {
        QPalette.ColorRole.Window: tokens.chrome,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.editor,
        QPalette.ColorRole.AlternateBase: tokens.panel,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.muted,
        QPalette.ColorRole.Button: tokens.raised,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.BrightText: tokens.bad,
        QPalette.ColorRole.ToolTipBase: tokens.raised,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Highlight: tokens.selection,
        QPalette.ColorRole.HighlightedText: tokens.text,
        QPalette.ColorRole.Link: tokens.accent_text,
        QPalette.ColorRole.LinkVisited: tokens.accent_text,
        QPalette.ColorRole.Accent: tokens.accent,
        QPalette.ColorRole.Light: tokens.raised,
        QPalette.ColorRole.Midlight: tokens.hover,
        QPalette.ColorRole.Mid: tokens.border_strong,
        QPalette.ColorRole.Dark: tokens.border_strong,
        QPalette.ColorRole.Shadow: tokens.border_strong,
    }
    made = QPalette()
    for role, color in roles.items():
        made.setColor(role, QColor(color))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.muted))
    return made


def style_sheet(tokens: Tokens, text_px: int) -> str:
    """Return the style sheet of a theme; raises KeyError when the template names an unknown token."""
    values = {name: str(value) for name, value in asdict(tokens).items()}
    values |= {
        "px": f"{text_px}px",
        "px_small": f"{text_px - 1}px",
        "px_large": f"{text_px + 2}px",
        "px_title": f"{text_px + 13}px",
        "icon_closed": _branch_icon("closed", tokens),
        "icon_open": _branch_icon("open", tokens),
        "icon_check": resource("themes/check.svg").as_posix(),
        "icon_radio": resource("themes/radio.svg").as_posix(),
    }
    template = resource("themes/window.qss").read_text(encoding="utf-8")
    return _TOKEN.sub(lambda match: values[match[1]], template)


def _branch_icon(name: str, tokens: Tokens) -> str:
    """Style sheets take pictures from files only, so these come in both colours."""
    return resource(f"themes/branch-{name}-{'dark' if tokens.is_dark else 'light'}.svg").as_posix()
