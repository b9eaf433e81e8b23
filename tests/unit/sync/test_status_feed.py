"""What the status feed says of figures that travel, and when."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.helpers.run_async import runs_async
from texswarm_desktop.core.figure_travel import Progress
from texswarm_desktop.sync import status_feed
from texswarm_desktop.sync.status_feed import StatusFeed
from texswarm_desktop.viewmodels.figure_view import TransferFacts

if TYPE_CHECKING:
    from texswarm_desktop.services.project import Project
    from texswarm_desktop.sync.reporter import Reporter


class Said:
    """A reporter that writes down what it is told of figures."""

    def __init__(self) -> None:
        self.transfers: list[TransferFacts | None] = []

    def transfer(self, facts: TransferFacts | None) -> None:
        self.transfers.append(facts)

    def status(self, *_told: object) -> None:
        """Nothing is looked at here."""


def sending(blobs: SimpleNamespace, done: int | None, since: float = 0.0) -> None:
    blobs.sending = None if done is None else Progress(done, 100, 1, since)


@runs_async
async def test_it_is_told_once_a_second_and_when_it_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    said, blobs = Said(), SimpleNamespace(sending=None, fetching=None, unsent=0)
    project: Any = SimpleNamespace(blobs=blobs, read_only=None, refusal=None, file_problems={})
    project.unacknowledged, project.subscribe = (lambda: 0), (lambda _listener: lambda: None)
    feed = StatusFeed(cast("Reporter", said), lambda: None, lambda _: None)
    feed.follow_project(cast("Project", project))
    told = []
    for now, done in ((0.5, 1), (1.1, 2), (1.3, 3), (1.9, 4), (2.2, 5), (2.4, None), (2.6, None), (3.0, None)):
        monkeypatch.setattr(status_feed, "time", SimpleNamespace(monotonic=lambda now=now: now))
        sending(blobs, done)
        feed.transfers_changed()
        told.append(len(said.transfers))
    feed.close()
    assert told == [0, 1, 1, 1, 2, 3, 3, 3]
    assert said.transfers[-1] is None
