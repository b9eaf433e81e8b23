"""The list of hosts in a window: news from the finder's thread arrive on the window's loop, and none after the end."""

import threading
from collections.abc import Callable

from tests.helpers.run_async import settle, until
from texswarm_desktop.core.nearby import NearbyHost, Sighting, nearby_hosts
from texswarm_desktop.viewmodels.nearby_view import Hosts, NearbyView
from texswarm_server.protocol.announcement import Announcement


def hosts(*names: str) -> tuple[NearbyHost, ...]:
    return nearby_hosts(Sighting(Announcement(instance=f"id-of-{name}", name=name), ("10.0.0.2",), 1) for name in names)


class FakeFinder:
    """Tells from a thread of its own, as the real one does."""

    def __init__(self, tell: Callable[[Hosts], object]) -> None:
        self.tell = tell
        self.is_started = self.is_closed = False

    def start(self) -> None:
        self.is_started = True

    def close(self) -> None:
        self.is_closed = True

    async def wait_closed(self) -> None:
        assert self.is_closed

    def say(self, *names: str) -> None:
        thread = threading.Thread(target=self.tell, args=(hosts(*names),))
        thread.start()
        thread.join()


class Seat:
    """A view, its finder, and the lists that were shown with the thread they came on."""

    def __init__(self) -> None:
        self.finders: list[FakeFinder] = []
        self.shown: list[tuple[list[str], threading.Thread]] = []
        self.view = NearbyView(self._new_finder)
        self.view.hosts_changed.connect(
            lambda found: self.shown.append(([host.name for host in found], threading.current_thread()))
        )

    def _new_finder(self, tell: Callable[[Hosts], object]) -> FakeFinder:
        self.finders.append(FakeFinder(tell))
        return self.finders[-1]

    async def until_shows(self, *names: str) -> None:
        await until(lambda: [host.name for host in self.view.hosts] == list(names))


def test_news_come_on_the_windows_own_thread(run_in_qt) -> None:
    async def see() -> None:
        seat = Seat()
        seat.view.start()
        seat.finders[0].say("ada", "bob")
        await seat.until_shows("ada", "bob")
        assert seat.shown == [(["ada", "bob"], threading.current_thread())]
        await seat.view.close()
        assert (seat.view.hosts, seat.finders[0].is_closed) == ((), True)

    run_in_qt(see())


def test_the_same_news_twice_is_shown_once(run_in_qt) -> None:
    async def see() -> None:
        seat = Seat()
        seat.view.start()
        seat.finders[0].say("ada")
        seat.finders[0].say("ada")
        seat.finders[0].say("ada", "bob")
        await seat.until_shows("ada", "bob")
        assert [names for names, _ in seat.shown] == [["ada"], ["ada", "bob"]]
        await seat.view.close()

    run_in_qt(see())


def test_ones_own_server_is_not_for_oneself(run_in_qt) -> None:
    async def see() -> None:
        seat = Seat()
        seat.view.start()
        seat.finders[0].say("ada", "bob")
        await seat.until_shows("ada", "bob")
        seat.view.hide("id-of-ada")
        assert [host.name for host in seat.view.hosts] == ["bob"]
        seat.view.hide(None)
        assert [host.name for host in seat.view.hosts] == ["ada", "bob"]
        await seat.view.close()

    run_in_qt(see())


def test_what_was_on_its_way_when_it_ended_is_not_shown(run_in_qt) -> None:
    async def see() -> None:
        seat = Seat()
        seat.view.start()
        seat.finders[0].say("ada")
        await seat.view.close()
        await settle()
        assert seat.view.hosts == ()

    run_in_qt(see())


def test_without_a_finder_nothing_is_looked_for(run_in_qt) -> None:
    async def see() -> None:
        view = NearbyView()
        view.start()
        assert not view.is_looking
        await view.close()

    run_in_qt(see())
