"""One running desktop per profile takes over the links that are opened later, through a local socket; and the one that
has a project open is called by whoever wants to open it too.

What comes in is one line of text from a program of the same user; it is shown to the user before anything is done. A
link may carry an invitation, so the socket lies in a folder in which nobody else can have made it before.
"""

import hashlib
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from texswarm_desktop.core.project_files import OWN_FOLDER

_WAIT_MS: Final = 500
_MAX_BYTES: Final = 8192
_TAKEN: Final = b"taken\n"


def socket_name(profile: Path) -> str:
    """Return the name of the socket of a profile, or its path: short, for systems allow it about a hundred bytes."""
    name = f"texswarm-{hashlib.sha256(str(profile).encode('utf-8', 'surrogateescape')).hexdigest()[:20]}"
    return name if os.name == "nt" else str(private_folder() / name)


def private_folder() -> Path:
    """Return a folder in which only this user makes anything: the session's own, else one beside the temporary files.

    Where somebody else took the latter's name, it is one that does not exist, in which nobody is found or waited for.
    """
    session = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    if session.is_absolute() and _is_private(session):
        return session
    folder = Path(tempfile.gettempdir()) / f"texswarm-{os.getuid()}"
    with suppress(OSError):
        folder.mkdir(mode=0o700)
    return folder if _is_private(folder) else folder / "of-somebody-else"


def _is_private(folder: Path) -> bool:
    with suppress(OSError):
        status = folder.lstat()
        return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077
    return False


def hand_over(name: str, link: str) -> bool:
    """Give a link to the desktop that is running, and tell whether it took it."""
    socket = QLocalSocket()
    socket.connectToServer(name)
    try:
        if not socket.waitForConnected(_WAIT_MS):
            return False
        socket.write(link.encode() + b"\n")
        socket.waitForBytesWritten(_WAIT_MS)
        has_answer = socket.bytesAvailable() > 0 or socket.waitForReadyRead(_WAIT_MS)
        return has_answer and bytes(socket.readAll().data()) == _TAKEN
    finally:
        socket.abort()


class LinkReceiver(QObject):
    """Takes links from later starts. The first desktop of a profile has it; for others nothing happens.

    Signal: `link_received(str)`.
    """

    link_received = Signal(str)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_server_connection)

    def start(self) -> bool:
        """Begin to take links; False where another desktop does. To listen would take the place of one that runs."""
        if _is_alive(self._name):
            return False
        QLocalServer.removeServer(self._name)  # of a desktop that was killed
        return bool(self._server.listen(self._name))

    def close(self) -> None:
        """Take no more links."""
        self._server.close()

    def _on_server_connection(self) -> None:
        while (socket := self._server.nextPendingConnection()) is not None:
            socket.readyRead.connect(lambda socket=socket: self._read(socket))
            socket.disconnected.connect(socket.deleteLater)

    def _read(self, socket: QLocalSocket) -> None:
        if socket.bytesAvailable() > _MAX_BYTES:
            socket.abort()
        elif socket.canReadLine():
            text = bytes(socket.readLine().data()).decode("utf-8", "replace").strip()
            socket.write(_TAKEN)
            socket.flush()
            self.link_received.emit(text)


class FolderCalls(QObject):
    """Hears those who want to open the folder that is open here. Signal: `called()`."""

    called = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._receiver: LinkReceiver | None = None

    def answer_for(self, folder: Path) -> None:
        """Answer for this folder from now on; only while holding its lock, so that nobody else does."""
        self.stop()
        self._receiver = LinkReceiver(_name_for(folder), self)
        self._receiver.link_received.connect(self.called)
        self._receiver.start()

    def stop(self) -> None:
        """Answer for none."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.close()
            receiver.deleteLater()


def call_window_of(folder: Path) -> bool:
    """Ask the window that has a folder open to come to the front, and tell whether there is one."""
    return hand_over(_name_for(folder), "")


def _name_for(folder: Path) -> str:
    return socket_name(folder.resolve() / OWN_FOLDER)


def _is_alive(name: str) -> bool:
    socket = QLocalSocket()
    socket.connectToServer(name)
    is_alive = bool(socket.waitForConnected(_WAIT_MS))
    socket.abort()
    return is_alive
