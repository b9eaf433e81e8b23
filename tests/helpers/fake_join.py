"""A way in for windows of tests: hosts that a test names, words and known hosts without a file or a thread."""

from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

from texswarm_desktop.core.nearby import NearbyHost, Sighting, nearby_hosts
from texswarm_desktop.services.known_hosts import KnownHosts
from texswarm_desktop.viewmodels.joining import JoinView
from texswarm_desktop.viewmodels.nearby_view import NearbyView
from texswarm_server.protocol.announcement import Announcement, Entry


class AtOnce(Executor):
    """Does the work where it is asked for."""

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(work(*args, **kwargs))
        return done


def idle_join() -> JoinView:
    """A way in that looks for nobody and leads nowhere."""
    known = KnownHosts(Path("/nowhere/known-hosts.json"))

    def no_door(_fingerprint: str | None) -> Any:
        raise AssertionError("no door is opened here")

    return JoinView(nearby=NearbyView(), known=known, new_door=no_door, executor=AtOnce())


def host(name: str, project: str = "Paper", *, fingerprint: str | None = "ab" * 32, **facts: Any) -> NearbyHost:
    """A host as it is found on the network."""
    announcement = Announcement(
        instance=f"id-of-{name}"[:40].replace(" ", "_"),
        name=name,
        project=project,
        fingerprint=fingerprint,
        tls=fingerprint is not None,
        **({"entry": Entry.OPEN} | facts),
    )
    (found,) = nearby_hosts([Sighting(announcement, ("192.168.1.20",), 8091)])
    return found


def show(join: JoinView, *hosts: NearbyHost) -> None:
    """Let these hosts be found."""
    join.nearby._show(hosts)
