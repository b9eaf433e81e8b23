"""Paints the others into a text: a caret in their colour, what they have selected, and a flag with their name.

A flag shows when its owner does something, stays for a moment and fades, so that it does not hide what is above it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QRegion
from PySide6.QtWidgets import QApplication

from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.editor.visible_lines import VisibleLines
from texswarm_desktop.ui.theme_tokens import Tokens, blended, legible, readable_on
from texswarm_desktop.viewmodels.presence_view import RemoteCaret

FLAG_SHOWN_S: Final = 2.5
FLAG_FADE_S: Final = 0.4
SELECTION_SHARE: Final = 0.22
_FRAME_S: Final = 0.033
_PADDING: Final = 5.0
_NAME_PX: Final = 11
_MAX_FLAG_PX: Final = 180.0
_CARET_PX: Final = 2.0
_WIDE_PX: Final = 1 << 14


def flag_opacity(age_s: float) -> float:
    """Return how visible a flag is, some time after its owner did something."""
    return min(1.0, max(0.0, 1.0 - (age_s - FLAG_SHOWN_S) / FLAG_FADE_S))


def next_frame(ages_s: list[float]) -> float | None:
    """Return in how many seconds a flag will look different; None when no flag shows."""
    waits = [max(_FRAME_S, FLAG_SHOWN_S - age_s) for age_s in ages_s if age_s < FLAG_SHOWN_S + FLAG_FADE_S]
    return min(waits, default=None)


class RemoteCarets(QObject):
    """The others in one editor. `repaint` is called with the region that looks different."""

    def __init__(
        self,
        repaint: Callable[[QRegion], None],
        lines: Callable[[], VisibleLines],
        tokens: Tokens,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._repaint = repaint
        self._lines = lines
        self._tokens = tokens
        self._carets: Mapping[int, RemoteCaret] = {}
        self._shown_at: dict[int, float] = {}
        self._region = QRegion()
        self._timer = SingleShot(self._on_timer, self)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to paint."""
        return not self._carets

    def set_tokens(self, tokens: Tokens) -> None:
        """Take in another theme."""
        self._tokens = tokens

    def set_carets(self, carets: Mapping[int, RemoteCaret]) -> None:
        """Take in where the others are; painted with the next `refresh`."""
        self._carets = carets

    def show_flag(self, client_id: int) -> None:
        """Show a name, because its owner did something."""
        self._shown_at[client_id] = time.monotonic()
        self._timer.start(_FRAME_S)

    def refresh(self) -> None:
        """Have repainted what is no longer true and what is new."""
        before, self._region = self._region, self._covered()
        self._repaint(before.united(self._region))

    def close(self) -> None:
        """Paint no more."""
        self._timer.stop()
        self._carets = {}

    # ── painting ────────────────────────────────────────────────────────────────────────────────────────

    def paint_selections(self, painter: QPainter, lines: VisibleLines) -> None:
        """Paint what the others have selected; under the text."""
        for caret in self._carets.values():
            start, end = sorted((caret.anchor_u16, caret.head_u16))
            if start == end:
                continue
            color = QColor(blended(caret.person.color, self._tokens.editor, SELECTION_SHARE))
            for rect in lines.rects(start, end):
                painter.fillRect(rect, color)

    def paint_carets(self, painter: QPainter, lines: VisibleLines) -> None:
        """Paint carets and names; over the text."""
        now = time.monotonic()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for client_id, caret in self._carets.items():
            rect = lines.caret(caret.head_u16)
            if rect is None:
                continue
            color = legible(caret.person.color, self._tokens.editor, at_least=3.0)
            painter.fillRect(rect, QColor(color))
            opacity = flag_opacity(now - self._shown_at.get(client_id, 0.0))
            if opacity > 0:
                self._paint_flag(
                    painter, _flag(rect, caret.person.name, lines.right), caret.person.name, color, opacity
                )
            else:
                painter.fillRect(QRectF(rect.left() - 1, rect.top(), _CARET_PX + 2, 4), QColor(color))

    def _paint_flag(self, painter: QPainter, flag: QRectF, name: str, color: str, opacity: float) -> None:
        font = _font()
        painter.save()
        painter.setOpacity(opacity)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color))
        painter.drawRoundedRect(flag, 4, 4)
        painter.setPen(QColor(readable_on(color)))
        painter.setFont(font)
        text = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideRight, flag.width() - 2 * _PADDING + 1)
        painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()

    # ── what has to be painted again ────────────────────────────────────────────────────────────────────

    def _covered(self) -> QRegion:
        region = QRegion()
        if self.is_empty:
            return region
        lines = self._lines()
        for caret in self._carets.values():
            start, end = sorted((caret.anchor_u16, caret.head_u16))
            band = lines.band(start, end) if start < end else None
            if band is not None:
                region += QRect(0, int(band[0]) - 1, _WIDE_PX, int(band[1] - band[0]) + 3)
            at = lines.caret(caret.head_u16)
            if at is not None:
                region += at.toAlignedRect().adjusted(-2, -1, 2, 1)
                region += _flag(at, caret.person.name, lines.right).toAlignedRect().adjusted(-1, -1, 1, 1)
        return region

    def _on_timer(self) -> None:
        self.refresh()
        now = time.monotonic()
        self._shown_at = {client: at for client, at in self._shown_at.items() if client in self._carets}
        delay_s = next_frame([now - at for at in self._shown_at.values()])
        if delay_s is not None:
            self._timer.start(delay_s)


def _font() -> QFont:
    font = QFont(QApplication.font().family())
    font.setPixelSize(_NAME_PX)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _flag(caret: QRectF, name: str, right: float) -> QRectF:
    """Return where a name is written: above the caret, in the first line below it; never beyond the right edge."""
    metrics = QFontMetricsF(_font())
    width = min(_MAX_FLAG_PX, metrics.horizontalAdvance(name) + 2 * _PADDING)
    height = metrics.height() + 2
    top = caret.top() - height if caret.top() >= height else caret.bottom()
    left = max(0.0, min(caret.left() - 1, right - width))
    return QRectF(QPointF(left, top), QPointF(left + width, top + height))
