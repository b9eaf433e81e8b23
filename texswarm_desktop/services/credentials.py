"""Who this installation is, and what proves it at each server.

The user's id belongs to the installation and is made once. Access tokens stay in memory; the refresh token goes to
the secret store, which may block, so that it is read and written in an executor, never on the loop.
"""

import asyncio
import getpass
import json
import logging
from collections import deque
from collections.abc import Callable, Container
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import msgspec
from msgspec.structs import replace

from texswarm_desktop.services.atomic_file import PRIVATE_MODE, write_atomically
from texswarm_desktop.services.secret_store import SecretStore
from texswarm_server.process_lock import ProcessLock
from texswarm_server.protocol.certificates import same_fingerprint
from texswarm_server.protocol.errors import ErrorCode, NotWritableError
from texswarm_server.protocol.ids import is_uuid
from texswarm_server.protocol.invite_link import ServerAddress
from texswarm_server.protocol.messages import AuthenticationResult, TokenRenewed

_log: Final = logging.getLogger(__name__)
_IDENTITY_FILE: Final = "identity.json"
_LOCK_FILE: Final = "sign-ins.lock"
_FORGET_S: Final = 5.0


class CredentialStore:
    """Makes the credentials of each server; used on the loop."""

    def __init__(self, profile: Path, secrets: SecretStore, executor: Executor) -> None:
        self._profile = profile
        self._secrets = secrets
        self._executor = executor
        self._shared_places: dict[str, SecretPlace] = {}
        self.user_id = self._installation_id()

    @property
    def default_name(self) -> str:
        """What others see until the user says something else: the name of the account here."""
        try:
            return getpass.getuser()
        except (OSError, KeyError, ImportError):
            return "Somebody"

    async def for_server(
        self,
        address: ServerAddress,
        *,
        invite: str | None = None,
        key: str | None = None,
        fingerprint: str | None = None,
    ) -> "ServerCredentials":
        """Return what there is for the server at `address`, with an invite if one was given.

        A server with a `fingerprint` is known by it, wherever it is: a host that moved meets the same person again,
        and another one at its old address is shown nothing.

        An invite is kept until it was used, so that a restart before that loses nothing; with a `key` it is not:
        `key` is what the server is known by, for one whose address changes and that makes an invite for each start.
        """
        name = key or _name_of(address, fingerprint)
        lock = self._profile / _LOCK_FILE
        place = SecretPlace(self._secrets, name, self._executor, asyncio.get_running_loop(), lock=lock)
        kept = await place.read()
        credentials = ServerCredentials(
            user_id=kept.user_id or self.user_id,
            refresh_token=kept.refresh_token,
            invite=invite or kept.invite,
            place=place,
        )
        if invite is not None and key is None and invite != kept.invite:
            credentials.keep_invite()
        return credentials

    async def forget(self, address: ServerAddress, fingerprint: str | None = None) -> None:
        """Keep nothing any more that lets this installation in at a server; returns when that is durable.

        By which id it was known there is kept, and asked for the next time: who was banned comes back as nobody new.
        """
        lock, loop = self._profile / _LOCK_FILE, asyncio.get_running_loop()
        place = SecretPlace(self._secrets, _name_of(address, fingerprint), self._executor, loop, lock=lock)
        await self._changed(place, lambda kept: Kept(user_id=kept.user_id))

    async def kept_link(self, document_id: str) -> tuple[str, str] | None:
        """Return id and secret of the invite that was passed on last for a project shared from here.

        The secret is empty where the sharing is over and the invite may still let somebody in.
        """
        kept = await self._shared(document_id).read()
        return (kept.invite_id, kept.invite or "") if kept.invite_id else None

    def keep_link(self, document_id: str, invite_id: str, secret: str) -> None:
        """Keep the invite that is passed on for a project shared from here; from a running loop."""
        place = self._shared(document_id)
        place.change(lambda _kept: Kept(invite=secret, invite_id=invite_id), lambda _kept: None)

    async def keep_that_link_is_over(self, document_id: str, invite_id: str) -> None:
        """Keep that an invite is to be withdrawn when the project is shared again; returns when that is durable."""
        await self._changed(self._shared(document_id), lambda _kept: Kept(invite_id=invite_id))

    async def _changed(self, place: "SecretPlace", change: "Change") -> None:
        """Change what is kept and wait for it, for a while; a store that refuses has said so in the log."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def on_kept(_kept: Kept) -> None:
            if not done.done():
                done.set_result(None)

        place.change(change, on_kept)
        with suppress(TimeoutError):
            async with asyncio.timeout(_FORGET_S):
                await done

    def _shared(self, document_id: str) -> "SecretPlace":
        """One for each project, so that its changes are made in order."""
        if document_id not in self._shared_places:
            lock, loop = self._profile / _LOCK_FILE, asyncio.get_running_loop()
            place = SecretPlace(self._secrets, f"shared {document_id}", self._executor, loop, lock=lock)
            self._shared_places[document_id] = place
        return self._shared_places[document_id]

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


def _name_of(address: ServerAddress, fingerprint: str | None) -> str:
    if fingerprint:
        return f"key {same_fingerprint(fingerprint)}{address.prefix}"
    return f"{address.host}:{address.port}{address.prefix}"


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What outlives the program, for one server, or (with `invite_id`) for one project that is shared from here."""

    refresh_token: str | None = None
    user_id: str | None = None
    invite: str | None = None
    invite_id: str | None = None


Change = Callable[[Kept], Kept]
"""What becomes of what is kept; made on what is there at that moment, because another window may have written."""


class Place(Protocol):
    """Where the proofs for one server are kept."""

    async def read(self) -> Kept:
        """Return what is kept; empty when nothing is, or it cannot be read."""

    @property
    def is_shut(self) -> bool:
        """Whether the last `read` could not look."""

    def change(self, change: Change, on_kept: Callable[[Kept], None]) -> None:
        """Change what is kept, and call `on_kept` with what is durable then; a change that fails goes with the next."""


class SecretPlace:
    """A name in the secret store. Changes are made in order, although an executor's workers need not be."""

    def __init__(
        self,
        secrets: SecretStore,
        name: str,
        executor: Executor,
        loop: asyncio.AbstractEventLoop | None,
        *,
        lock: Path,
    ) -> None:
        """`lock`: a file that all windows know; only one at a time reads and then writes what is kept."""
        self._secrets, self._name, self._executor, self._loop = secrets, name, executor, loop
        self._lock = lock
        self._changes: deque[Change] = deque()

    async def read(self) -> Kept:
        """Return what is kept."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._read)

    @property
    def is_shut(self) -> bool:
        """Whether the last `read` could not look."""
        return self._secrets.is_shut(self._name)

    def change(self, change: Change, on_kept: Callable[[Kept], None]) -> None:
        """Change what is kept, later."""
        self._changes.append(change)
        self._executor.submit(self._save, on_kept)

    def _read(self) -> Kept:
        with suppress(msgspec.DecodeError, UnicodeError):
            return msgspec.json.decode(self._secrets.get(self._name) or "{}", type=Kept)
        return Kept()

    def _save(self, on_kept: Callable[[Kept], None]) -> None:
        """In the executor."""
        try:
            self._lock.parent.mkdir(parents=True, exist_ok=True)
            with ProcessLock(self._lock, waits=True):
                kept = self._make_changes()
        except (NotWritableError, OSError) as error:
            _log.warning("the sign-in could not be kept: %s", error)
            return
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and nobody waits to hear it
                self._loop.call_soon_threadsafe(on_kept, kept)

    def _make_changes(self) -> Kept:
        kept, count = self._read(), len(self._changes)
        for change in islice(self._changes, count):
            kept = change(kept)
        is_something = any((kept.refresh_token, kept.user_id, kept.invite, kept.invite_id))
        self._secrets.set(self._name, msgspec.json.encode(kept).decode() if is_something else None)
        for _ in range(count):
            self._changes.popleft()
        return kept


class ServerCredentials:
    """The proofs for one server, as the client's `Credentials`. An invite is dropped once a refresh token exists.

    A refresh token is spent when its successor is first used, and using a spent one ends the sign-in. So a successor
    is not shown before it is durable: a crash in between starts again with the old one, which is still good. Several
    windows share one sign-in: what another one has kept is taken over before a refresh token is shown (`catch_up`), and
    of two successors of one token the first that is kept is everybody's.
    """

    def __init__(self, *, user_id: str, refresh_token: str | None, invite: str | None, place: Place) -> None:
        self._place = place
        self._successor: str | None = None
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

    @property
    def is_shut(self) -> bool:
        """Whether there may be a refresh token, but where it is kept cannot be looked into."""
        return self.refresh_token is None and self._place.is_shut

    def keep_invite(self) -> None:
        """Keep an invite that is still to be used."""
        self._place.change(partial(replace, invite=self.invite), self._on_kept)

    async def catch_up(self) -> None:
        """Take over the refresh token that another window has kept since, or that could not be read before."""
        kept = await self._place.read()
        if self.refresh_token is None and self.access_token is None:
            self.user_id = kept.user_id or self.user_id
        self.refresh_token = kept.refresh_token or self.refresh_token

    def signed_in(self, result: AuthenticationResult) -> None:
        """Keep what a successful sign-in brought."""
        self.user_id, self.session_id = result.user_id, result.session_id
        self.access_token, self.access_expires_at = result.access_token, result.expires_at
        if self.invite is not None:
            self.invite = None
            self._place.change(partial(replace, invite=None), self._on_kept)
        if result.refresh_token is not None:
            before = {self.refresh_token, self._successor} if self.refresh_token is not None else None
            self._successor = result.refresh_token
            self.refresh_token = self.refresh_token or result.refresh_token
            change = partial(_rotated, before=before, token=result.refresh_token, user_id=result.user_id)
            self._place.change(change, self._on_kept)

    def renewed(self, message: TokenRenewed) -> None:
        """Keep a fresh access token."""
        self.access_token, self.access_expires_at = message.access_token, message.expires_at

    def refused(self, kind: str, code: str) -> None:
        """Forget a credential that the server turned down for good; `kind`: `access`, `refresh` or `invite`.

        A server that does not know a refresh token may have been begun anew, and its backup be put back later: it is
        kept until there is another.
        """
        _log.info("the server refused the %s: %s", kind, code)
        if kind == "refresh" and code == ErrorCode.TOKEN_INVALID:
            return
        if kind == "access":
            self.access_token = self.access_expires_at = None
            return
        name = "refresh_token" if kind == "refresh" else "invite"
        refused = {getattr(self, name)} | ({self._successor} if kind == "refresh" else set())
        setattr(self, name, None)
        if kind == "refresh":
            self._successor = None
        self._place.change(partial(_without, name=name, values=refused), self._on_kept)

    def _on_kept(self, kept: Kept) -> None:
        """What is durable counts: our successor, or what another window has kept in its place."""
        if self._successor is not None and kept.refresh_token is not None:
            if kept.refresh_token != self.refresh_token:
                self._successor = None
            self.refresh_token = kept.refresh_token


def _rotated(kept: Kept, *, before: Container[str | None] | None, token: str, user_id: str | None) -> Kept:
    """Keep a successor of `before` (None: a new sign-in), unless another window has kept one already."""
    if before is not None and kept.refresh_token is not None and kept.refresh_token not in before:
        return kept
    return replace(kept, refresh_token=token, user_id=user_id)


def _without(kept: Kept, *, name: str, values: Container[str | None]) -> Kept:
    """Forget a value, unless another one has taken its place."""
    return replace(kept, **{name: None}) if getattr(kept, name) in values else kept
