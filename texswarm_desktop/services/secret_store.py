"""Where refresh tokens lie: the system's key ring, or a file that only its owner can read.

Every method blocks: key rings may ask their owner for a password.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

from texswarm_desktop.services.atomic_file import PRIVATE_MODE, write_atomically
from texswarm_desktop.services.disk_errors import not_writable
from texswarm_server.process_lock import ProcessLock

_log: Final = logging.getLogger(__name__)
_SERVICE: Final = "texswarm"
_PATIENCE_S: Final = 15.0
#: Stands in the file for what a key ring may still keep, and nobody is to find any more.
_FORGOTTEN: Final = ""
_KEYRING_ERRORS: Final = (
    ("keyring.errors", "KeyringError"),
    ("jeepney", "DBusErrorResponse"),
    ("secretstorage.exceptions", "SecretStorageException"),
)


class SecretStore(Protocol):
    """Secrets by name."""

    def get(self, name: str) -> str | None:
        """Return a secret, or None."""

    def set(self, name: str, secret: str | None) -> None:
        """Keep a secret; None forgets it. Raises NotWritableError when it cannot be kept."""

    def is_shut(self, name: str) -> bool:
        """Whether the last `get` found nothing because it could not be looked."""


class FileSecretStore:
    """Secrets in one file of the profile, readable by its owner only."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def get(self, name: str) -> str | None:
        """Return a secret, or None; a file that cannot be read holds none."""
        secret = self._read().get(name)
        return secret if isinstance(secret, str) else None

    def set(self, name: str, secret: str | None) -> None:
        """Keep or forget a secret, also while another process keeps another one; raises NotWritableError."""
        with self._alone():
            secrets = self._read()
            if secrets.get(name) == secret:
                return
            secrets[name] = secret
            kept = {key: value for key, value in secrets.items() if value is not None}
            write_atomically(self._path, json.dumps(kept, indent=1).encode(), mode=PRIVATE_MODE)

    def is_shut(self, _name: str) -> bool:
        """A file that cannot be read holds nothing."""
        return False

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Without this, of two windows that write at the same time one would put an older secret back."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            lock = ProcessLock(self._path.with_suffix(".lock"), waits=True)
        except OSError as error:
            raise not_writable(self._path, error) from error
        with lock:
            yield

    def _read(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            secrets = json.loads(self._path.read_bytes())
            if isinstance(secrets, dict):
                return secrets
        return {}


class KeyringSecretStore:
    """Secrets in the system's key ring; whatever the key ring cannot do, the file does.

    What is in the file counts: it is there only when the key ring did not take it, and may hold an older one. So a
    secret that a locked key ring did not give up is forgotten in the file, until the ring forgets it as well.
    """

    def __init__(
        self, fallback: SecretStore, *, load_keyring: Callable[[], Any] | None = None, patience_s: float = _PATIENCE_S
    ) -> None:
        """`patience_s`: how long a key ring may take, which may be asking its owner for a password."""
        self._fallback = fallback
        self._load = load_keyring or _load_keyring
        self._keyring: Any = None
        self._is_loaded = False
        self._patience_s = patience_s
        self._turn = threading.Lock()
        self._asked: Future[Any] = Future()
        self._asked.set_result(None)
        self._shut: set[str] = set()

    def get(self, name: str) -> str | None:
        """Return a secret from wherever it was kept, or None."""
        kept = self._fallback.get(name)
        self._shut.discard(name)
        if kept == _FORGOTTEN:
            self._forget(name)
            return None
        if kept is not None:
            return kept
        looked = self._try(lambda keyring: (keyring.get_password(_SERVICE, name),))
        if looked is None and (self._keyring is not None or not self._asked.done()):
            self._shut.add(name)
        return looked[0] if looked is not None and isinstance(looked[0], str) else None

    def is_shut(self, name: str) -> bool:
        """Whether the key ring did not say what it keeps; without one, the file is all there is."""
        return name in self._shut

    def set(self, name: str, secret: str | None) -> None:
        """Keep or forget a secret; raises NotWritableError when neither place takes it."""
        if secret is None:
            self._forget(name)
            return
        kept = self._try(lambda keyring: (keyring.set_password(_SERVICE, name, secret), True)[1])
        self._fallback.set(name, None if kept else secret)

    def _forget(self, name: str) -> None:
        """Keep a secret no more, nor what a key ring keeps that is locked, or is not there this time."""
        is_gone = self._try(partial(_is_deleted, name))
        self._fallback.set(name, None if is_gone else _FORGOTTEN)

    def _try(self, action: Callable[[Any], Any]) -> Any:
        """Run one action; a key ring's back ends raise whatever they like, and none of it may stop a sign-in."""
        with self._turn:
            if not self._asked.done():  # it has not answered what it was asked before
                return None
            asked = self._asked = Future()
            threading.Thread(target=self._ask, args=(action, asked), name="key ring", daemon=True).start()
            try:
                return asked.result(self._patience_s)
            except _keyring_errors() as error:
                _log.info("the key ring did not serve: %s", type(error).__name__)
                return None

    def _ask(self, action: Callable[[Any], Any], asked: "Future[Any]") -> None:
        """In a thread that nobody waits for at the end: a password may never be given."""
        try:
            if not self._is_loaded:
                self._keyring, self._is_loaded = self._load(), True
            asked.set_result(None if self._keyring is None else action(self._keyring))
        except _keyring_errors() as error:
            asked.set_exception(error)
        finally:
            if not asked.done():  # a mistake of ours, which the thread tells of
                asked.set_result(None)


def _is_deleted(name: str, keyring: Any) -> bool:
    """Delete a secret, and say whether it is gone; raises what the key ring does where it does not say."""
    with suppress(*_keyring_errors()):  # there may be none
        keyring.delete_password(_SERVICE, name)
    return keyring.get_password(_SERVICE, name) is None


def _load_keyring() -> Any:
    """Return the key ring module if it has a back end that keeps anything, else None."""
    try:
        import keyring  # noqa: PLC0415 - slow to import, and not installed with a server
    except ImportError:
        return None
    return keyring if getattr(keyring.get_keyring(), "priority", 0) >= 1 else None


def _keyring_errors() -> tuple[type[Exception], ...]:
    """Return what a key ring may raise for reasons of its own: its errors, and what its back ends let through.

    Those of the Linux desktops have no ancestor in common; they are looked up, because they need not be installed.
    """
    known: list[type[Exception]] = [OSError, RuntimeError, ValueError]
    for module, name in _KEYRING_ERRORS:
        with suppress(ImportError, AttributeError):
            known.append(getattr(import_module(module), name))
    return tuple(known)
