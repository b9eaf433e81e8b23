"""Small widgets that several parts of a window are made of."""

from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from texswarm_desktop.client.status import Tone
from texswarm_desktop.qtx.viewports import viewport_of
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.ui.theme_tokens import Tokens, readable_on
from texswarm_desktop.viewmodels.people import Person

_DOT_PX: Final = 14
_LEAST_LINES: Final = 6
#: On the left also for names that are written from the right: a list of people has one edge.
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter


def label(text: str = "", name: str = "", *, wraps: bool = False) -> QLabel:
    """Return a label; `name` is its role in the style sheet. What strangers sent is never read as markup."""
    made = QLabel(text)
    made.setObjectName(name)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wraps)
    return made


def button(text: str, name: str = "", *, tooltip: str = "") -> QPushButton:
    """Return a button; `name` is its role in the style sheet."""
    made = QPushButton(text)
    made.setObjectName(name)
    made.setToolTip(tooltip)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made


def side_button(text: str, name: str = "", *, tooltip: str = "") -> QPushButton:
    """Return a button that stands beside the text: pressed with the mouse, it leaves the keyboard there."""
    made = button(text, name, tooltip=tooltip)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return made


class LargeButton(QPushButton):
    """A button that is filled with other widgets, by a layout; it is as large as they are."""

    def sizeHint(self) -> QSize:
        """Room for what is inside."""
        inside = self.layout()
        return inside.sizeHint() if inside is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Narrow, if need be."""
        inside = self.layout()
        return inside.minimumSize() if inside is not None else super().minimumSizeHint()


def row(*widgets: QWidget | int | None, margins: tuple[int, int, int, int] = (0, 0, 0, 0), gap: int = 8) -> QHBoxLayout:
    """Return widgets beside each other; a number is that much space, None all that is left."""
    made = QHBoxLayout()
    _fill(made, widgets, margins, gap)
    return made


def column(
    *widgets: QWidget | int | None, margins: tuple[int, int, int, int] = (0, 0, 0, 0), gap: int = 0
) -> QVBoxLayout:
    """Return widgets below each other; a number is that much space, None all that is left."""
    made = QVBoxLayout()
    _fill(made, widgets, margins, gap)
    return made


def _fill(
    box: QHBoxLayout | QVBoxLayout,
    widgets: tuple[QWidget | int | None, ...],
    margins: tuple[int, int, int, int],
    gap: int,
) -> None:
    box.setContentsMargins(*margins)
    box.setSpacing(gap)
    for widget in widgets:
        if widget is None:
            box.addStretch(1)
        elif isinstance(widget, int):
            box.addSpacing(widget)
        else:
            box.addWidget(widget)


def scrolling(inside: QWidget) -> QScrollArea:
    """Return an area without a ground of its own in which `inside` scrolls up and down."""
    made = QScrollArea()
    _make_plain(made, inside)
    return made


def _make_plain(area: QScrollArea, inside: QWidget) -> None:
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inside)
    viewport_of(area).setAutoFillBackground(False)
    inside.setAutoFillBackground(False)


class RoomyArea(QScrollArea):
    """As high as what is inside it where the screen has room for that; where not, the rest is scrolled to."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self._inside = inside
        _make_plain(self, inside)

    def look_inside(self) -> None:
        """Take in what changed inside: an area does not hear of it by itself."""
        show_new(self._inside)
        layout = self._inside.layout()
        if layout is not None:
            layout.activate()
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Room for all that is inside, at the width it has now."""
        inside, layout = self._inside, self._inside.layout()
        hint = inside.sizeHint()
        if layout is not None and layout.hasHeightForWidth():
            hint.setHeight(layout.totalHeightForWidth(max(self.viewport().width(), inside.minimumSizeHint().width())))
        return hint

    def minimumSizeHint(self) -> QSize:
        """As wide as what is inside must be, beside a scroll bar, and a few lines."""
        width = self._inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width()
        return QSize(width, _LEAST_LINES * self.fontMetrics().lineSpacing())


def show_new(inside: QWidget) -> None:
    """Show what was just put into something that is seen: Qt does so a turn later, and lays it out as nothing now."""
    if inside.isVisible():
        for child in inside.findChildren(QWidget):
            if child.isHidden() and not child.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide):
                child.show()


def empty(box: QBoxLayout) -> None:
    """Take every widget out of a layout, and let go of it."""
    while (item := box.takeAt(0)) is not None:
        gone = item.widget()
        if gone is not None:
            gone.hide()
            gone.deleteLater()


def restyle(widget: QWidget) -> None:
    """Have the style sheet look again at a widget whose properties changed."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class IconButton(QToolButton):
    """A small button with an icon, which keeps up with the theme."""

    def __init__(self, theme: Theme, icon: str, tooltip: str, *, size_px: int = 16) -> None:
        super().__init__()
        self._theme = theme
        self._icon = icon
        self._size_px = size_px
        self.setToolTip(tooltip)
        self.setAccessibleName(tooltip)
        self.setIconSize(QSize(size_px, size_px))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._is_drawn = False
        theme.changed.connect(self._wear)

    def _wear(self, tokens: Tokens) -> None:
        if self._is_drawn:
            color = tokens.text if self.isChecked() else tokens.muted
            self.setIcon(self._theme.icons.icon(self._icon, color, self._size_px))

    def showEvent(self, event: QShowEvent) -> None:
        """Draw the icon when it is first seen: many buttons of a window never are."""
        if not self._is_drawn:
            self._is_drawn = True
            self._wear(self._theme.tokens)
        super().showEvent(event)


class ElidedLabel(QLabel):
    """A label on one line that shows what fits, and all of it in its tooltip."""

    def __init__(self, text: str = "", name: str = "", *, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight) -> None:
        super().__init__()
        self._whole, self._mode = "", mode
        self._tooltip = ""
        self.setObjectName(name)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(_LEFT)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.set_whole(text)

    @property
    def whole(self) -> str:
        """All of the text."""
        return self._whole

    def set_whole(self, text: str, tooltip: str = "") -> None:
        """Show as much of `text` as fits."""
        if (text, tooltip) == (self._whole, self._tooltip):
            return
        self._whole, self._tooltip = text, tooltip
        self.setAccessibleName(text)
        self.updateGeometry()
        self._elide()

    def _elide(self) -> None:
        shown = self.fontMetrics().elidedText(self._whole, self._mode, max(0, self.width()))
        self.setText(shown)
        self.setToolTip(self._tooltip or (self._whole if shown != self._whole else ""))

    def minimumSizeHint(self) -> QSize:
        """So small that only a few letters show."""
        return QSize(self.fontMetrics().horizontalAdvance("Mm…"), super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        """Room for all of the text."""
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 2, super().sizeHint().height())

    def resizeEvent(self, event: object) -> None:
        """Show what fits now."""
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._elide()


class Dot(QWidget):
    """The sign of a status: its shape says the same as its colour."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._tone = Tone.QUIET
        self.setFixedSize(_DOT_PX, _DOT_PX)
        theme.changed.connect(self._on_theme_changed)

    def set_tone(self, tone: Tone) -> None:
        """Show another status."""
        if tone is not self._tone:
            self._tone = tone
            self.update()

    def _on_theme_changed(self) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Good: a full disc. Busy: half a disc in a ring. Quiet: a ring. Bad: a triangle."""
        color = QColor(getattr(self._theme.tokens, self._tone.value))
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(color, 1.6))
        disc = QRectF(3, 3, 8, 8)
        if self._tone is Tone.BAD:
            painter.setBrush(color)
            painter.drawPolygon([QPointF(7, 2.5), QPointF(12, 11), QPointF(2, 11)])
        else:
            painter.setBrush(color if self._tone is Tone.GOOD else Qt.BrushStyle.NoBrush)
            painter.drawEllipse(disc)
            if self._tone is Tone.BUSY:
                painter.setBrush(color)
                painter.drawPie(disc, 90 * 16, 180 * 16)
        painter.end()


class Disc(QWidget):
    """A person: initials on their colour. Who is away is only an outline."""

    SIZE_PX: Final = 24

    def __init__(self, theme: Theme, person: Person, *, size_px: int = SIZE_PX, is_here: bool = True) -> None:
        super().__init__()
        self._theme = theme
        self._person = person
        self._is_here = is_here
        self.setFixedSize(size_px, size_px)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the disc and the initials."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        color = QColor(self._person.color)
        if self._is_here:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            ink = QColor(readable_on(self._person.color))
        else:
            painter.setPen(QPen(color, 1.5, Qt.PenStyle.DotLine))
            ink = QColor(self._theme.tokens.muted)
        painter.drawEllipse(area)
        font = QFont(self.font())
        font.setPixelSize(round(self.height() * 0.42))
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, self._person.initials)
        painter.end()
