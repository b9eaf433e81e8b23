"""The icons, drawn from the shipped SVG files in the colours of a theme, when they are first needed."""

from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QIcon, QImageReader, QPixmap

from texswarm_desktop.services.resources import resource
from texswarm_desktop.ui.theme_tokens import Tokens

SIZE_PX: Final = 16


class IconSet:
    """Icons of one theme. An icon that cannot be read is an empty one: a broken picture stops nobody from writing."""

    def __init__(self, tokens: Tokens, scale: float = 1.0) -> None:
        """Draw for a screen with `scale` pixels to the unit: the finest one there is."""
        self._tokens = tokens
        self._scale = scale
        self._icons: dict[tuple[str, str, int], QIcon] = {}

    def icon(self, name: str, color: str = "", size_px: int = SIZE_PX) -> QIcon:
        """Return an icon in a colour (`#rrggbb`), muted by default."""
        key = (name, color or self._tokens.muted, size_px)
        if key not in self._icons:
            self._icons[key] = self._drawn(*key)
        return self._icons[key]

    def pixmap(self, name: str, color: str = "", size_px: int = SIZE_PX) -> QPixmap:
        """Return one picture."""
        return _picture(_svg(name, color or self._tokens.muted), size_px, self._scale)

    def _drawn(self, name: str, color: str, size_px: int) -> QIcon:
        return QIcon(_picture(_svg(name, color), size_px, self._scale))


def _svg(name: str, color: str) -> bytes:
    path = resource(f"icons/{name}.svg")
    return path.read_bytes().replace(b"currentColor", color.encode()) if path.is_file() else b""


def _picture(svg: bytes, size_px: int, scale: float) -> QPixmap:
    buffer = QBuffer()
    buffer.setData(QByteArray(svg))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"svg"))
    reader.setScaledSize(QSize(round(size_px * scale), round(size_px * scale)))
    picture = QPixmap.fromImage(reader.read())
    picture.setDevicePixelRatio(scale)
    return picture
