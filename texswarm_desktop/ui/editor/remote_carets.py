"""Paints the others into a text: a caret in their colour, what they have selected, and a flag with their name.

A flag shows when its owner does something, stays for a moment and fades, so that it does not hide what is above it.
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace
from PySide6.QtCore import QObject, QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPixmap, QRegion
from PySide6.QtWidgets import QApplication

from texswarm_desktop.qtx.timers import SingleShot
from texswarm_desktop.ui.editor.visible_lines import VisibleLines
from texswarm_desktop.ui.theme_tokens import Tokens, blended, legible, readable_on
from texswarm_desktop.viewmodels.people import Person
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
_MOST_LOOKS: Final = 256


def flag_opacity(age_s: float) -> float:
    """Return how visible a flag is, some time after its owner did something."""
    return min(1.0, max(0.0, 1.0 - (age_s - FLAG_SHOWN_S) / FLAG_FADE_S))


def next_frame(ages_s: list[float]) -> float | None:
    """Return in how many seconds a flag will look different; None when no flag shows."""
    waits = [max(_FRAME_S, FLAG_SHOWN_S - age_s) for age_s in ages_s if age_s < FLAG_SHOWN_S + FLAG_FADE_S]
    return min(waits, default=None)


class _Look(msgspec.Struct, frozen=True):
    """How one person is painted. `size` is that of the flag with their name; `flags` are pictures of it, by scale."""

    name: str
    caret: QColor
    selection: QColor
    size: QSize
    flags: dict[float, QPixmap]

    def flag(self, ratio: float) -> QPixmap:
        """Return the flag for a screen with so many pixels in one."""
        if ratio not in self.flags:
            self.flags[ratio] = _flag_picture(self.name, self.caret.name(), self.size, ratio)
        return self.flags[ratio]


class _Place(msgspec.Struct, frozen=True):
    """Where somebody is in view, and how visible their name is. `top` and `bottom`: of the lines they selected."""

    caret: QRectF | None = None
    flag: QRect | None = None
    opacity: float = 0.0
    top: float = 0.0
    bottom: float = 0.0

    @property
    def region(self) -> QRegion:
        """What is painted there."""
        region = QRegion()
        if self.bottom > self.top:
            region += QRect(0, int(self.top) - 1, _WIDE_PX, int(self.bottom - self.top) + 3)
        if self.caret is not None:
            region += self.caret.toAlignedRect().adjusted(-2, -1, 2, 1)
        if self.flag is not None:
            region += self.flag
        return region

    def moved(self, dy: int) -> "_Place":
        """Return where that is when the view was scrolled."""
        caret = self.caret.translated(0, dy) if self.caret is not None else None
        flag = self.flag.translated(0, dy) if self.flag is not None else None
        return replace(self, caret=caret, flag=flag, top=self.top + dy, bottom=self.bottom + dy)


class RemoteCarets(QObject):
    """The others in one editor. `repaint` is called with the region that looks different.

    Only who moved is painted again, and of a name a picture is kept: with many people at work this is done all the
    time, between the key presses of the one who sits here.
    """

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
        self._places: dict[int, _Place] = {}
        self._elsewhere = QRegion()
        self._placed_in: VisibleLines | None = None
        self._looks: dict[Person, _Look] = {}
        self._timer = SingleShot(self._on_timer, self)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to paint."""
        return not self._carets

    def set_tokens(self, tokens: Tokens) -> None:
        """Take in another theme."""
        self._tokens = tokens
        self._looks.clear()

    def set_carets(self, carets: Mapping[int, RemoteCaret]) -> None:
        """Take in where the others are; painted with the next `refresh`."""
        self._carets, self._placed_in = carets, None

    def show_flag(self, client_id: int) -> None:
        """Show a name, because its owner did something."""
        self._shown_at[client_id] = time.monotonic()
        self._timer.start(_FRAME_S)

    def refresh(self) -> None:
        """Have repainted what is no longer true and what is new."""
        region, self._elsewhere = self._elsewhere, QRegion()
        before, self._places = self._places, self._now_placed()
        for client_id in before.keys() | self._places.keys():
            old, new = before.get(client_id, _NOWHERE), self._places.get(client_id, _NOWHERE)
            if old != new:
                region = region.united(old.region).united(new.region)
        if not region.isEmpty():
            self._repaint(region)

    def scrolled(self, dy: int) -> None:
        """Take in that all that was painted is further up or down now."""
        self._elsewhere.translate(0, dy)
        self._places = {client_id: place.moved(dy) for client_id, place in self._places.items()}

    def close(self) -> None:
        """Paint no more."""
        self._timer.stop()
        self._carets = {}
        self._places = {}

    # ── painting ────────────────────────────────────────────────────────────────────────────────────────

    def paint_selections(self, painter: QPainter, lines: VisibleLines) -> None:
        """Paint what the others have selected; under the text."""
        for caret in self._carets.values():
            start, end = sorted((caret.anchor_u16, caret.head_u16))
            if start == end:
                continue
            color = self._look(caret.person).selection
            for rect in lines.rects(start, end):
                painter.fillRect(rect, color)

    def paint_carets(self, painter: QPainter, lines: VisibleLines, region: QRegion) -> None:
        """Paint the carets and names that may be in `region`; over the text."""
        now, ratio = time.monotonic(), painter.device().devicePixelRatioF()
        for client_id, caret in self._carets.items():
            if not self._may_be_in(region, caret, lines):
                continue
            look, place = self._look(caret.person), self._places.get(client_id)
            if place is None or lines is not self._placed_in:
                seen, place = place, self._place(client_id, caret, lines, now, look)
                if place != seen:
                    self._elsewhere += place.region
                    self._timer.start(_FRAME_S)
            _paint(painter, place, look, ratio)

    def _may_be_in(self, region: QRegion, caret: RemoteCaret, lines: VisibleLines) -> bool:
        """Say whether one is near enough to a region to be looked at more closely."""
        band = lines.band(caret.head_u16, caret.head_u16)
        if band is None:
            return False
        flag_px = 2 * _NAME_PX
        top, bottom = int(band[0]) - flag_px, int(band[1]) + flag_px
        return region.intersects(QRect(0, top, _WIDE_PX, bottom - top))

    def _look(self, person: Person) -> _Look:
        look = self._looks.get(person)
        if look is None:
            if len(self._looks) >= _MOST_LOOKS:
                self._looks.clear()
            look = self._looks[person] = _new_look(person, self._tokens)
        return look

    # ── what has to be painted again ────────────────────────────────────────────────────────────────────

    def _now_placed(self) -> dict[int, _Place]:
        if self.is_empty:
            return {}
        lines = self._placed_in = self._lines()
        now = time.monotonic()
        return {
            client_id: self._place(client_id, caret, lines, now, self._look(caret.person))
            for client_id, caret in self._carets.items()
        }

    def _place(self, client_id: int, caret: RemoteCaret, lines: VisibleLines, now: float, look: _Look) -> _Place:
        start, end = sorted((caret.anchor_u16, caret.head_u16))
        top, bottom = (lines.band(start, end) if start < end else None) or (0.0, 0.0)
        at = lines.caret(caret.head_u16)
        if at is None:
            return _Place(top=top, bottom=bottom)
        opacity = flag_opacity(now - self._shown_at.get(client_id, 0.0))
        flag = _flag(at, look.size, lines.right) if opacity > 0 else None
        return _Place(at, flag, opacity, top, bottom)

    def _on_timer(self) -> None:
        self.refresh()
        now = time.monotonic()
        self._shown_at = {client: at for client, at in self._shown_at.items() if client in self._carets}
        delay_s = next_frame([now - at for at in self._shown_at.values()])
        if delay_s is not None:
            self._timer.start(delay_s)


_NOWHERE: Final = _Place()


def _paint(painter: QPainter, place: _Place, look: _Look, ratio: float) -> None:
    caret = place.caret
    if caret is None:
        return
    painter.fillRect(caret, look.caret)
    if place.flag is None:
        painter.fillRect(QRectF(caret.left() - 1, caret.top(), _CARET_PX + 2, 4), look.caret)
        return
    painter.setOpacity(place.opacity)
    painter.drawPixmap(place.flag.topLeft(), look.flag(ratio))
    painter.setOpacity(1.0)


def _new_look(person: Person, tokens: Tokens) -> _Look:
    color = QColor(legible(person.color, tokens.editor, at_least=3.0))
    metrics = QFontMetricsF(_font())
    width = min(_MAX_FLAG_PX, metrics.horizontalAdvance(person.name) + 2 * _PADDING)
    size = QSize(math.ceil(width), math.ceil(metrics.height() + 2))
    selection = QColor(blended(person.color, tokens.editor, SELECTION_SHARE))
    return _Look(person.name, color, selection, size, {})


def _flag_picture(name: str, color: str, size: QSize, ratio: float) -> QPixmap:
    picture = QPixmap(size * ratio)
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    flag, font = QRectF(QPointF(0, 0), size), _font()
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawRoundedRect(flag, 4, 4)
    painter.setPen(QColor(readable_on(color)))
    painter.setFont(font)
    text = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideRight, flag.width() - 2 * _PADDING + 1)
    painter.drawText(flag, Qt.AlignmentFlag.AlignCenter, text)
    painter.end()
    return picture


def _font() -> QFont:
    font = QFont(QApplication.font().family())
    font.setPixelSize(_NAME_PX)
    font.setWeight(QFont.Weight.DemiBold)
    return font


def _flag(caret: QRectF, size: QSize, right: float) -> QRect:
    """Return where a name is written: above the caret, in the first line below it; never beyond the right edge."""
    top = caret.top() - size.height() if caret.top() >= size.height() else caret.bottom()
    left = max(0.0, min(caret.left() - 1, right - size.width()))
    return QRect(QPoint(round(left), round(top)), size)
