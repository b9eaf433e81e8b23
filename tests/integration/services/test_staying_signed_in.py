"""Kept sign-ins against the real server, whose refresh tokens change with each use: that signs nobody out."""

import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from tests.helpers.run_async import runs_async, until
from texswarm_desktop.client.connection import Connection
from texswarm_desktop.client.states import LinkState, Live, NeedsUser
from texswarm_desktop.client.timing import LAN
from texswarm_desktop.services.credentials import CredentialStore, ServerCredentials
from texswarm_desktop.services.secret_store import FileSecretStore
from texswarm_server.app import CollabServer
from texswarm_server.config import ServerConfig
from texswarm_server.protocol.invite_link import ServerAddress

HASTY = replace(LAN, backoff_s=(0.0, 0.02, 0.05), close_timeout_s=0.2, probe_timeout_s=0.3)
ROUNDS = 6


class CrashingExecutor(Executor):
    """Does what is asked for now, and never what is only submitted: a program that dies before it could write."""

    def __init__(self) -> None:
        self.is_dying = False

    def submit(self, job: Callable[..., Any], /, *values: Any, **named: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        if not self.is_dying or getattr(job, "__name__", "") != "_save":
            done.set_result(job(*values, **named))
        return done


class Window:
    """One window of an installation: credentials of its profile, and a connection."""

    def __init__(self, credentials: ServerCredentials, address: ServerAddress) -> None:
        self.credentials = credentials
        self.connection = Connection(address=address, credentials=credentials, profile=HASTY)
        self.needed: list[LinkState] = []
        self.connection.subscribe(self._on_state)

    async def live(self) -> None:
        self.connection.connect()
        await until(lambda: self.is_live, "a window is live")

    @property
    def is_live(self) -> bool:
        return isinstance(self.connection.state, Live)

    def forget_access(self) -> None:
        """As after an hour of sleep."""
        self.credentials.access_expires_at = time.time() - 1.0

    def _on_state(self, _old: LinkState, new: LinkState) -> None:
        if isinstance(new, NeedsUser):
            self.needed.append(new)


@asynccontextmanager
async def window(profile: Path, executor: Executor, address: ServerAddress, invite: str = "") -> AsyncIterator[Window]:
    store = CredentialStore(profile, FileSecretStore(profile / "secrets.json"), executor)
    made = Window(await store.for_server(address, invite=invite or None), address)
    async with made.connection:
        yield made


async def kept(path: Path) -> None:
    await until(lambda: path.exists() and b"refresh_token" in path.read_bytes(), "a refresh token is kept")


def server(root: Path, port: int = 0) -> CollabServer:
    return CollabServer(ServerConfig(data=root / "server", port=port))


@runs_async
async def test_two_windows_that_share_a_sign_in_never_sign_each_other_out(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as executor:
        async with AsyncExitStack() as stack:
            first = server(tmp_path)
            await first.start()
            address = first.address
            one = await stack.enter_async_context(
                window(tmp_path, executor, address, await first.create_invite("owner"))
            )
            await one.live()
            await kept(tmp_path / "secrets.json")
            other = await stack.enter_async_context(window(tmp_path, executor, address))
            await other.live()
            await first.stop()
            for turn in range(ROUNDS):
                one.forget_access()
                if turn % 2:
                    other.forget_access()
                again = server(tmp_path, address.port)
                await until(lambda: not one.is_live and not other.is_live)
                await again.start()
                await until(lambda: one.is_live and other.is_live, "both windows are live")
                await again.stop()
            assert one.needed == other.needed == []


@runs_async
async def test_a_crash_before_a_successor_is_kept_signs_nobody_out(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        executor = CrashingExecutor()
        async with window(tmp_path, executor, running.address, await running.create_invite("owner")) as first:
            await first.live()
        before = (tmp_path / "secrets.json").read_bytes()
        for _ in range(ROUNDS):
            executor.is_dying = False
            async with window(tmp_path, executor, running.address) as again:
                executor.is_dying = True
                await again.live()
                assert again.needed == []
        assert (tmp_path / "secrets.json").read_bytes() == before


@runs_async
async def test_many_starts_one_after_the_other_stay_signed_in(tmp_path: Path) -> None:
    async with server(tmp_path) as running:
        with ThreadPoolExecutor(2) as executor:
            invite = await running.create_invite("owner", uses=1)
            for turn in range(ROUNDS):
                async with window(tmp_path, executor, running.address, "" if turn else invite) as again:
                    await again.live()
                    await kept(tmp_path / "secrets.json")
                    assert again.needed == []
