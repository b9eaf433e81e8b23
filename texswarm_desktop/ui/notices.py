"""What needs the user, as bars inside the window: they wait, and stop nobody from writing."""

from collections.abc import Callable
from typing import Final

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from texswarm_desktop.client.status import Tone
from texswarm_desktop.ui.parts import Dot, IconButton, label, row, side_button
from texswarm_desktop.ui.theme import Theme

_MOST: Final = 3

Offer = tuple[str, Callable[[], None]]


class NoticeArea(QWidget):
    """Notices, each under a key: a new one under the same key takes the place of the old one."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: dict[str, QFrame] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)

    @property
    def keys(self) -> list[str]:
        """The keys of what is shown."""
        return list(self._shown)

    def text_of(self, key: str) -> str:
        """Return what a notice says; for tests and screen readers."""
        return self._shown[key].accessibleName()

    def show_notice(self, key: str, title: str, sentence: str, *offers: Offer, tone: Tone = Tone.BUSY) -> None:
        """Show a notice; an offer is a word and what it does. Doing it, or closing, ends the notice."""
        self.dismiss(key)
        if len(self._shown) == _MOST:
            self.dismiss(next(iter(self._shown)))
        bar = self._bar(key, title, sentence, offers, tone)
        self._shown[key] = bar
        self._box.addWidget(bar)

    def dismiss(self, key: str) -> None:
        """End a notice, if it is shown."""
        bar = self._shown.pop(key, None)
        if bar is not None:
            self._box.removeWidget(bar)
            bar.hide()
            bar.deleteLater()

    def _bar(self, key: str, title: str, sentence: str, offers: tuple[Offer, ...], tone: Tone) -> QFrame:
        bar = QFrame()
        bar.setObjectName("Notice")
        bar.setProperty("tone", tone.value)
        bar.setAccessibleName(f"{title}: {sentence}")
        dot = Dot(self._theme)
        dot.set_tone(tone)
        words = label(sentence, wraps=True)
        words.setMinimumWidth(120)
        close = IconButton(self._theme, "close", "Dismiss", size_px=14)
        close.clicked.connect(lambda: self.dismiss(key))
        buttons = [self._button(key, offer) for offer in offers]
        box = row(dot, label(title, "SectionTitle"), words, *buttons, close, margins=(14, 6, 8, 6))
        box.setStretchFactor(words, 1)
        bar.setLayout(box)
        return bar

    def _button(self, key: str, offer: Offer) -> QWidget:
        word, do = offer
        made = side_button(word)

        def on_clicked() -> None:
            self.dismiss(key)
            do()

        made.clicked.connect(on_clicked)
        return made
