"""A message bus of the test's own, and the parts of a system that are played on it. Needs `dbus-daemon`."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

_CONFIG = """<busconfig><type>{kind}</type><listen>unix:path={socket}</listen>
<policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow receive_sender="*"/><allow eavesdrop="true"/>
<allow own="*"/><allow user="*"/>
</policy>
</busconfig>"""
_LIMIT_S = 20.0


def bus_config(folder: Path, socket: Path, kind: str = "session") -> Path:
    """Write the configuration of a bus that allows everything and starts nothing by itself."""
    path = folder / "bus.conf"
    path.write_text(_CONFIG.format(kind=kind, socket=socket), encoding="utf-8")
    return path


@contextmanager
def message_bus(folder: Path) -> Iterator[str]:
    """Yield the address of a bus that runs; skips the test where there is none to be had."""
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("needs dbus-daemon")
    config = bus_config(folder, folder / "bus")
    with subprocess.Popen(
        [program, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    ) as daemon:
        assert daemon.stdout is not None
        yield daemon.stdout.readline().strip()
        daemon.terminate()
        daemon.wait(_LIMIT_S)


class Logind:
    """Says when the system goes to sleep and when it woke."""

    NAME = "org.freedesktop.login1"

    def __init__(self, bus: str) -> None:
        self._connection = connected(bus, self.NAME)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._connection.close()

    def prepare_for_sleep(self, *, is_going: bool) -> None:
        """Tell everybody."""
        from jeepney import DBusAddress, new_signal

        manager = DBusAddress("/org/freedesktop/login1", interface="org.freedesktop.login1.Manager")
        self._connection.send(new_signal(manager, "PrepareForSleep", "b", (is_going,)))


class Service:
    """Answers calls on a bus. `asked`: what it was asked for, in order; `answers`: by member, signature and body."""

    NAME = ""

    def __init__(self, bus: str, answers: dict[str, tuple[str, tuple[Any, ...]]]) -> None:
        self.asked: list[tuple[str, tuple[Any, ...]]] = []
        self.answers = answers
        self._connection = connected(bus, self.NAME)
        self._is_over = False
        self._thread = threading.Thread(target=self._serve, name=self.NAME)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._thread.join(_LIMIT_S)
        self._connection.close()

    def _serve(self) -> None:
        from jeepney import HeaderFields, MessageType, new_method_return

        while not self._is_over:
            with suppress(TimeoutError):
                call = self._connection.receive(timeout=0.05)
                if call.header.message_type is MessageType.method_call:
                    what = call.header.fields[HeaderFields.member]
                    self.asked.append((what, call.body))
                    self._connection.send(new_method_return(call, *self.answers.get(what, ())))


class PowerManager(Service):
    """Keeps the system awake for who asks."""

    NAME = "org.freedesktop.PowerManagement"
    _COOKIE = 7

    def __init__(self, bus: str) -> None:
        super().__init__(bus, {"Inhibit": ("u", (self._COOKIE,))})


class ProxyPortal(Service):
    """Says which proxies the desktop's settings name: `named`."""

    NAME = "org.freedesktop.portal.Desktop"

    def __init__(self, bus: str, *named: str) -> None:
        super().__init__(bus, {"Lookup": ("as", (list(named),))})


def connected(bus: str, name: str) -> Any:
    """Return a connection to a bus that has a name there."""
    from jeepney import message_bus as the_bus
    from jeepney.io.blocking import Proxy, open_dbus_connection

    connection = open_dbus_connection(bus=bus)
    assert Proxy(the_bus, connection).RequestName(name) == (1,)
    return connection
