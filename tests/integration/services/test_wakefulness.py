"""The system is asked not to sleep, once, by one thread, and may sleep afterwards."""

import asyncio
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.helpers.message_bus import PowerManager, connected, message_bus
from texswarm_desktop.services.wakefulness import Wakefulness


@dataclass(frozen=True)
class Answer:
    active: bool


class System:
    """Notes what it was asked for and from which thread."""

    def __init__(self, *, is_able: bool = True) -> None:
        self.is_able = is_able
        self.happened: list[tuple[str, str]] = []

    def keep_awake(self) -> AbstractContextManager[Answer]:
        return self._kept()

    @contextmanager
    def _kept(self) -> Iterator[Answer]:
        self.happened.append(("awake", threading.current_thread().name))
        yield Answer(self.is_able)
        self.happened.append(("free", threading.current_thread().name))

    @property
    def words(self) -> list[str]:
        return [what for what, _thread in self.happened]


def test_it_is_asked_once_for_all_guests_and_let_go_in_the_same_thread() -> None:
    system, told = System(), []
    wakefulness = Wakefulness(told.append, system.keep_awake)
    for is_wanted in (True, True, False, True):
        wakefulness.want(is_wanted=is_wanted)
    asyncio.run(wakefulness.close())
    assert (system.words, told) == (["awake", "free"] * 2, [True, True])
    assert len({thread for _what, thread in system.happened}) == 1
    assert not [thread for thread in threading.enumerate() if "wakefulness" in thread.name]


def test_a_system_that_cannot_is_told_as_such() -> None:
    told: list[bool] = []
    wakefulness = Wakefulness(told.append, System(is_able=False).keep_awake)
    wakefulness.want(is_wanted=True)
    asyncio.run(wakefulness.close())
    assert told == [False]


def test_a_system_that_nobody_asked_is_left_alone() -> None:
    system = System()
    asyncio.run(Wakefulness([].append, system.keep_awake).close())
    assert system.happened == []


def test_a_real_system_that_can_is_asked_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with message_bus(tmp_path) as bus, PowerManager(bus) as power:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
        assert answers() == [True]
    assert [what for what, _ in power.asked] == ["Inhibit", "UnInhibit"]
    who, why = power.asked[0][1]
    assert (who, "shared from here" in why) == ("TeXSwarm", True), "the user reads who keeps the system awake, and why"


def test_a_real_system_without_anybody_to_ask_is_told_as_one_that_cannot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'nowhere'}")
    assert answers() == [False]


def test_a_system_that_cannot_is_asked_again_for_the_next_guest_and_nothing_stays_connected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with message_bus(tmp_path) as bus:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
        before = peers(bus)
        wakefulness = Wakefulness([].append)
        for _ in range(3):
            wakefulness.want(is_wanted=True)
            wakefulness.want(is_wanted=False)
        asyncio.run(wakefulness.close())
        assert peers(bus) == before


def peers(bus: str) -> int:
    """Return how many are connected to a bus, this question included."""
    from jeepney import message_bus as the_bus
    from jeepney.io.blocking import Proxy

    connection = connected(bus, "org.example.Question")
    with closing(connection):
        (names,) = Proxy(the_bus, connection).ListNames()
    return sum(name.startswith(":") for name in names)


def answers() -> list[bool]:
    """Want it and want it no longer, and return what was told."""
    if sys.platform != "linux":
        pytest.skip("message buses are Linux's")
    told: list[bool] = []
    wakefulness = Wakefulness(told.append)
    wakefulness.want(is_wanted=True)
    asyncio.run(wakefulness.close())
    return told
