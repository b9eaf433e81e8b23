"""Who this installation is, and what proves it at each server.

The user's id belongs to the installation and is made once. Access tokens stay in memory; the refresh token goes to
the secret store, which may block, so that it is read and written in an executor, never on the loop.
"""

import asyncio
import getpass
import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from texswarm_desktop.services.atomic_file import PRIVATE_MODE, write_atomically
from texswarm_desktop.services.secret_store import SecretStore
from texswarm_server.protocol.errors import NotWritableError
from texswarm_server.protocol.ids import is_uuid
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult, TokenRenewed

_log: Final = logging.getLogger(__name__)
_IDENTITY_FILE: Final = "identity.json"


class CredentialStore:
    """Makes the credentials of each server; used on the loop."""

    def __init__(self, profile: Path, secrets: SecretStore, executor: Executor) -> None:
        self._profile = profile
        self._secrets = secrets
        self._executor = executor
        self._order = threading.Lock()
        self._wanted: dict[str, str | None] = {}
        self.user_id = self._installation_id()

    @property
    def default_name(self) -> str:
        """What others see until the user says something else: the name of the account here."""
        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):
            return "Somebody"

    async def for_server(
        self, address: ServerAddress, *, invite: str | None = None, key: str | None = None
    ) -> "ServerCredentials":
        """Return what there is for the server at `address`, with an invite if one was given.

        `key`: what the server is known by, for one whose address changes; its address unless given.
        """
        key = key or f"{address.host}:{address.port}"
        loop = asyncio.get_running_loop()
        kept = await loop.run_in_executor(self._executor, self._secrets.get, key)
        refresh_token, user_id = _read_kept(kept)
        return ServerCredentials(
            user_id=user_id or self.user_id,
            refresh_token=refresh_token,
            invite=invite,
            save=partial(self._save_later, key),
        )

    def _save_later(self, key: str, secret: str | None) -> None:
        self._wanted[key] = secret
        self._executor.submit(self._save, key)

    def _save(self, key: str) -> None:
        """Keep the latest word: an executor with several workers need not do its jobs in order."""
        try:
            with self._order:
                self._secrets.set(key, self._wanted[key])
        except (NotWritableError, OSError) as error:
            _log.warning("the sign-in could not be kept: %s", error)

    def _installation_id(self) -> str:
        path = self._profile / _IDENTITY_FILE
        with suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(path.read_bytes())["user_id"]
            if isinstance(known, str) and is_uuid(known):
                return known
        user_id = str(uuid4())
        with suppress(OSError, NotWritableError):
            self._profile.mkdir(parents=True, exist_ok=True)
            write_atomically(path, json.dumps({"user_id": user_id}).encode(), mode=PRIVATE_MODE)
        return user_id


class ServerCredentials:
    """The proofs for one server, as the client's `Credentials`. An invite is dropped once a refresh token exists."""

    def __init__(
        self, *, user_id: str, refresh_token: str | None, invite: str | None, save: Callable[[str | None], None]
    ) -> None:
        self._save = save
        self.user_id: str | None = user_id
        self.display_name = ""
        self.color = ""
        self.access_token: str | None = None
        self.access_expires_at: float | None = None
        self.refresh_token = refresh_token
        self.invite = invite
        self.session_id: str | None = None

    def describe(self, name: str, color: str) -> None:
        """Say how this user is to be shown."""
        self.display_name, self.color = name, color

    def signed_in(self, result: AuthenticationResult) -> None:
        """Keep what a successful sign-in brought."""
        self.user_id, self.session_id = result.user_id, result.session_id
        self.access_token, self.access_expires_at = result.access_token, result.expires_at
        if result.refresh_token is not None:
            self.refresh_token, self.invite = result.refresh_token, None
            self._keep()

    def renewed(self, message: TokenRenewed) -> None:
        """Keep a fresh access token."""
        self.access_token, self.access_expires_at = message.access_token, message.expires_at

    def refused(self, kind: str, code: str) -> None:
        """Forget a credential that the server turned down for good; `kind`: `access`, `refresh` or `invite`."""
        _log.info("the server refused the %s: %s", kind, code)
        if kind == "access":
            self.access_token = self.access_expires_at = None
        elif kind == "refresh":
            self.refresh_token = None
            self._save(None)
        else:
            self.invite = None

    def _keep(self) -> None:
        self._save(json.dumps({"refresh_token": self.refresh_token, "user_id": self.user_id}))


def _read_kept(kept: str | None) -> tuple[str | None, str | None]:
    """Return refresh token and user id from what the secret store kept."""
    with suppress(ValueError, TypeError, AttributeError):
        values = json.loads(kept or "{}")
        token, user_id = values.get("refresh_token"), values.get("user_id")
        return (token if isinstance(token, str) else None), (user_id if isinstance(user_id, str) else None)
    return None, None
