"""The templates as cards beside each other: a small drawn page, a name, and what it is for."""

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QSizePolicy, QWidget

from texswarm_desktop.core.templates import Template
from texswarm_desktop.ui.parts import column, label
from texswarm_desktop.ui.theme import Theme
from texswarm_desktop.ui.theme_tokens import Tokens

_COLUMNS: Final = 4
_STEPS: Final = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -_COLUMNS, Qt.Key.Key_Down: _COLUMNS}
_WORDS: Final = {
    Template.ARTICLE: ("Article", "A paper with abstract, sections and references"),
    Template.REPORT: ("Report", "Chapters, a table of contents, findings"),
    Template.BOOK: ("Book", "Parts, chapters, an index, two-sided"),
    Template.THESIS: ("Thesis", "Chapters and appendices in folders"),
    Template.BEAMER: ("Slides", "A talk, with the beamer class"),
    Template.LETTER: ("Letter", "One page with addresses and signature"),
    Template.BLANK: ("Blank", "A title, and nothing else"),
}

Bar = tuple[float, float, float, float, str]
"""A bar on a page whose width is 40: left, top, width, height, and the token of its colour."""


def _lines(top: float, *widths: float, left: float = 6, gap: float = 3.4) -> tuple[Bar, ...]:
    return tuple((left, top + number * gap, width, 1.4, "border_strong") for number, width in enumerate(widths))


_PAGES: Final[dict[Template, tuple[Bar, ...]]] = {
    Template.ARTICLE: (
        (9, 6, 22, 2.4, "accent_text"),
        (15, 10.5, 10, 1.4, "muted"),
        *_lines(15.5, 20, 20, left=10),
        (6, 24, 11, 1.8, "muted"),
        *_lines(28.5, 28, 28, 26, 28, 17),
    ),
    Template.REPORT: (
        (6, 8, 16, 3, "accent_text"),
        *_lines(16, 28, 28, 20),
        (6, 28, 12, 1.8, "muted"),
        (6, 33, 5, 12, "accent_soft"),
        (13, 37, 5, 8, "border_strong"),
        (20, 30.5, 5, 14.5, "accent_text"),
        (27, 35, 5, 10, "accent_soft"),
    ),
    Template.BOOK: (
        (19.4, 2, 1.2, 48, "border_strong"),
        (4, 12, 12, 2.4, "accent_text"),
        *_lines(19, 12, 12, 9, left=4),
        *_lines(8, 12, 12, 12, 12, 10, 12, 12, 12, 12, 7, left=24),
    ),
    Template.THESIS: (
        (7, 9, 26, 2.6, "accent_text"),
        (11, 13.5, 18, 2.6, "accent_text"),
        (14, 20, 12, 1.6, "muted"),
        (17, 28, 6, 6, "accent_soft"),
        (11, 38.5, 18, 1.4, "border_strong"),
        (14, 42, 12, 1.4, "border_strong"),
    ),
    Template.BEAMER: (
        (0, 0, 40, 5.5, "accent_text"),
        (5, 10, 2, 1.6, "accent_text"),
        (9, 10, 22, 1.6, "muted"),
        (5, 14, 2, 1.6, "accent_text"),
        (9, 14, 18, 1.6, "muted"),
        (5, 18, 2, 1.6, "accent_text"),
        (9, 18, 20, 1.6, "muted"),
    ),
    Template.LETTER: (
        *_lines(7, 11, 9, 10, left=23),
        *_lines(17, 12, 10, left=6),
        (6, 27, 9, 1.6, "muted"),
        *_lines(32, 28, 28, 21),
        (6, 44, 13, 2, "accent_text"),
    ),
    Template.BLANK: ((11, 8, 18, 2.4, "accent_text"), (16, 12.5, 8, 1.4, "muted")),
}
_PAPER: Final = QSize(40, 52)
_SLIDE: Final = QSize(40, 24)
_SCALE: Final = 1.35
_CARD_LINES: Final = 4


class TemplatePicker(QWidget):
    """One template is always chosen, by mouse, Tab and arrow keys.

    Signals: `accepted()` on a double click; `turned_to(QWidget)` with the card that a key leads to.
    """

    accepted = Signal()
    turned_to = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Template")
        self._group = QButtonGroup(self)
        self._cards = {template: TemplateCard(theme, template) for template in Template}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(8)
        for number, card in enumerate(self._cards.values()):
            self._group.addButton(card)
            card.double_clicked.connect(self.accepted)
            card.moved.connect(self._on_card_moved)
            grid.addWidget(card, number // _COLUMNS, number % _COLUMNS)
        for at in range(_COLUMNS):
            grid.setColumnStretch(at, 1)
        self.choose(Template.ARTICLE)

    @property
    def template(self) -> Template:
        """What is chosen."""
        return next(template for template, card in self._cards.items() if card.isChecked())

    def choose(self, template: Template) -> None:
        """Choose another one."""
        self._cards[template].setChecked(True)

    def _on_card_moved(self, step: int) -> None:
        templates = list(self._cards)
        at = templates.index(self.template) + step
        if 0 <= at < len(templates):
            self.choose(templates[at])
            card = self.card(templates[at])
            card.setFocus(Qt.FocusReason.TabFocusReason)
            self.turned_to.emit(card)

    def card(self, template: Template) -> "TemplateCard":
        """Return the card of a template."""
        return self._cards[template]


class TemplateCard(QPushButton):
    """One template. Signals: `double_clicked()`; `moved(int)` with how many cards further an arrow key leads."""

    double_clicked = Signal()
    moved = Signal(int)

    def __init__(self, theme: Theme, template: Template) -> None:
        super().__init__()
        name, hint = _WORDS[template]
        self.setObjectName("Template")
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setAccessibleName(name)
        self.setAccessibleDescription(hint)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        page = _Page(theme, template)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(page.height() + 34 + _CARD_LINES * self.fontMetrics().lineSpacing())
        title, about = label(name, "SectionTitle"), label(hint, "Hint", wraps=True)
        for words in (title, about):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        box = column(page, 8, title, 2, about, margins=(8, 12, 8, 10))
        box.setAlignment(page, Qt.AlignmentFlag.AlignHCenter)
        box.addStretch(1)
        self.setLayout(box)
        for child in (page, title, about):
            child.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys choose; Tab stops only at the one that is chosen."""
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None:
            super().keyPressEvent(event)
        else:
            self.moved.emit(step)

    def mouseDoubleClickEvent(self, _event: object) -> None:
        """Choose and accept."""
        self.setChecked(True)
        self.double_clicked.emit()


class _Page(QWidget):
    """The first page of a template, seen from far away."""

    def __init__(self, theme: Theme, template: Template) -> None:
        super().__init__()
        self._theme, self._template = theme, template
        self.setFixedSize(round(_PAPER.width() * _SCALE) + 2, round(_PAPER.height() * _SCALE) + 2)
        theme.changed.connect(self._wear)

    def _wear(self, _tokens: Tokens) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the paper and the bars on it."""
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(1, 1)
        painter.scale(_SCALE, _SCALE)
        size = _SLIDE if self._template is Template.BEAMER else _PAPER
        painter.translate(0, (_PAPER.height() - size.height()) / 2)
        painter.setPen(QPen(QColor(tokens.border_strong), 1 / _SCALE))
        painter.setBrush(QColor(tokens.editor))
        painter.drawRect(QRectF(0, 0, size.width(), size.height()))
        painter.setPen(Qt.PenStyle.NoPen)
        for left, top, width, height, token in _PAGES[self._template]:
            painter.setBrush(QColor(getattr(tokens, token)))
            painter.drawRect(QRectF(left, top, width, height))
        painter.end()
