"""A figure in the place of an editor: the image where it is one, its name and size, and the way to another program."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices, QImage, QImageReader, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QWidget

from texswarm_desktop.ui.parts import ElidedLabel, button, column, label, row
from texswarm_desktop.ui.sizes import size_words
from texswarm_desktop.viewmodels.figure_view import FigureFacts

#: Larger images are made smaller while they are read: no screen shows more, and nobody waits for it.
_MOST_PX: Final = 2400
_NOT_HERE: Final = "This figure has not arrived yet. It appears as soon as somebody who has it is connected."
_NO_IMAGE: Final = "There is no preview of this kind of file."


class FigurePage(QFrame):
    """Shows one binary file; `show_facts` again when something of it may be different."""

    def __init__(self, facts: FigureFacts) -> None:
        super().__init__()
        self.setObjectName("FigurePage")
        self._place = facts.place
        self._shown: object = None
        self._image = _Image()
        self._hint = label("", "Muted", wraps=True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._name = ElidedLabel(name="Small", mode=Qt.TextElideMode.ElideMiddle)
        self._size = label(name="Hint")
        self._open = button("Open outside", "Link", tooltip="Open this file in the program your system uses for it")
        self._open.clicked.connect(self._on_open_clicked)
        foot = QWidget()
        foot.setLayout(row(self._name, self._size, None, self._open, margins=(16, 8, 16, 8)))
        box = column(self._image, self._hint, foot)
        box.setStretchFactor(self._image, 1)
        box.setStretchFactor(self._hint, 1)
        self.setLayout(box)
        self.show_facts(facts)

    @property
    def words(self) -> str:
        """What is written on it, for tests."""
        shown = [self._name.whole, self._size.text(), "" if self._hint.isHidden() else self._hint.text()]
        return " ".join(filter(None, shown))

    @property
    def has_image(self) -> bool:
        """Whether an image is shown."""
        return not self._image.isHidden()

    def show_facts(self, facts: FigureFacts) -> None:
        """Show a file as it is now; reads it only when it is another one than before."""
        seen = (facts, _touched(facts.place))
        if seen == self._shown:
            return
        self._shown, self._place = seen, facts.place
        is_there = seen[1] is not None
        image, size = read_image(facts.place) if is_there else (None, None)
        self._image.set_image(image)
        self._image.setVisible(image is not None)
        self._hint.setVisible(image is None)
        self._hint.setText(_NO_IMAGE if is_there else _NOT_HERE)
        self._name.set_whole(facts.path)
        pixels = f" · {size.width()} × {size.height()}" if size is not None else ""
        self._size.setText(f"{size_words(facts.size_bytes)}{pixels}")
        self._open.setVisible(is_there)
        self.setAccessibleName(f"Figure {facts.path}")

    def _on_open_clicked(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._place)))


class _Image(QWidget):
    """An image in the middle, as large as fits and never larger than it is."""

    def __init__(self) -> None:
        super().__init__()
        self._image = QImage()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setMinimumSize(40, 40)

    def set_image(self, image: QImage | None) -> None:
        """Show another one."""
        self._image = image or QImage()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint on white: figures are made for paper."""
        super().paintEvent(event)
        if self._image.isNull():
            return
        room = QSize(max(self.width() - 48, 1), max(self.height() - 32, 1))
        size = self._image.size()
        if size.width() > room.width() or size.height() > room.height():
            size = size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        left, top = (self.width() - size.width()) / 2, (self.height() - size.height()) / 2
        place = QRectF(left, top, size.width(), size.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(place, Qt.GlobalColor.white)
        painter.drawImage(place, self._image)
        painter.end()


def read_image(place: Path) -> tuple[QImage | None, QSize | None]:
    """Return an image, no larger than a screen, and its true size; None for what is none that can be shown."""
    reader = QImageReader(str(place))
    reader.setAutoTransform(True)
    reader.setDecideFormatFromContent(True)
    size = reader.size()
    if not size.isValid() or bytes(reader.format().data()) == b"pdf":
        return None, None
    if max(size.width(), size.height()) > _MOST_PX:
        reader.setScaledSize(size.scaled(_MOST_PX, _MOST_PX, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return (None, None) if image.isNull() else (image, size)


def _touched(place: Path) -> tuple[int, int] | None:
    try:
        status = place.lstat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if place.is_file() and not place.is_symlink() else None
