"""A TCP proxy that misbehaves on demand: the cable between a client and a server, in a test's hand."""

import asyncio
import contextlib
from types import TracebackType
from typing import Final, Self

_CHUNK_BYTES: Final = 64 * 1024


class TcpProxy:
    """Listens on a free port of this machine and passes bytes on to `target_port`, which may change.

    `cut` ends every connection as a reset does; `half_open` lets nothing through any more without a sign; `refuse` also
    turns newcomers away; `delay` keeps every chunk for a while; `restore` makes the cable whole again (connections
    that were half-open stay dead, as they would).
    """

    def __init__(self, target_port: int, target_host: str = "127.0.0.1") -> None:
        self.target_host, self.target_port = target_host, target_port
        self.port = 0
        self.connections = 0
        self._delay_s = 0.0
        self._refuses = self._stalls_new = False
        self._budget: int | None = None
        self._pipes: set[_Pipe] = set()
        self._server: asyncio.Server | None = None
        self._group: asyncio.TaskGroup | None = None

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Gate(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._group is not None
        self._server.close()
        self._refuses = True
        self.cut()
        await self._group.__aexit__(kind, error, trace)

    # ── faults ──────────────────────────────────────────────────────────────────────────────────────────

    def cut(self, *, after_bytes: int = 0) -> None:
        """Reset every connection, now or in the middle of what is passing: after so many bytes towards the server."""
        if after_bytes:
            self._budget = after_bytes
            return
        self._budget = None
        for pipe in tuple(self._pipes):
            pipe.abort()

    def half_open(self) -> None:
        """Let nothing through on the connections there are, and on new ones, until `restore`."""
        self._stalls_new = True
        for pipe in self._pipes:
            pipe.is_stalled = True

    def refuse(self) -> None:
        """Cut, and turn away whoever comes, until `restore`."""
        self._refuses = True
        self.cut()

    def delay(self, seconds: float) -> None:
        """Keep every chunk for so long before it is passed on; order is kept."""
        self._delay_s = seconds

    def restore(self) -> None:
        """End all faults for connections made from here on, and the delay for all."""
        self._refuses = self._stalls_new = False
        self._delay_s = 0.0

    # ── inside ──────────────────────────────────────────────────────────────────────────────────────────

    def _accepted(self, gate: "_Gate") -> None:
        self.connections += 1
        if self._refuses or self._group is None:
            gate.transport.abort()
            return
        pipe = _Pipe(self, gate)
        pipe.is_stalled = self._stalls_new
        self._pipes.add(pipe)
        self._group.create_task(pipe.run())

    def _spend(self, size: int) -> int | None:
        """Return how many of `size` bytes may still pass; None for all."""
        if self._budget is None:
            return None
        if size < self._budget:
            self._budget -= size
            return None
        allowed, self._budget = self._budget, None
        return allowed


class _Gate(asyncio.Protocol):
    """One end of a connection through the proxy."""

    transport: asyncio.Transport

    def __init__(self, proxy: TcpProxy | None = None) -> None:
        self._proxy = proxy
        self.incoming: asyncio.Queue[bytes] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._proxy is not None:
            self._proxy._accepted(self)

    def data_received(self, data: bytes) -> None:
        self.incoming.put_nowait(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.incoming.put_nowait(b"")


class _Pipe:
    """One connection through the proxy, both ways."""

    def __init__(self, proxy: TcpProxy, near: _Gate) -> None:
        self._proxy, self._near = proxy, near
        self._far: _Gate | None = None
        self._task: asyncio.Task[None] | None = None
        self.is_stalled = False

    async def run(self) -> None:
        self._task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        try:
            _, self._far = await loop.create_connection(_Gate, self._proxy.target_host, self._proxy.target_port)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass(self._near, self._far, is_upwards=True))
                group.create_task(self._pass(self._far, self._near, is_upwards=False))
        except OSError:
            pass
        finally:
            self._proxy._pipes.discard(self)
            for gate in (self._near, self._far):
                if gate is not None:
                    gate.transport.abort()

    def abort(self) -> None:
        """Reset both ends."""
        self._near.transport.abort()
        if self._far is not None:
            self._far.transport.abort()
        if self._task is not None:
            self._task.cancel()

    async def _pass(self, source: _Gate, target: _Gate, *, is_upwards: bool) -> None:
        while data := await source.incoming.get():
            if self.is_stalled:
                continue
            if self._proxy._delay_s:
                await asyncio.sleep(self._proxy._delay_s)
            allowed = self._proxy._spend(len(data)) if is_upwards else None
            if allowed is not None:
                target.transport.write(data[:allowed])
                self.abort()
                return
            target.transport.write(data)
        if not self.is_stalled:
            with contextlib.suppress(OSError):
                target.transport.close()
