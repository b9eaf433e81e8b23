"""Desks for tests of the window."""

from collections.abc import Callable, Iterator

import pytest

from tests.helpers.desk import Desk
from texswarm_desktop.ui.theme import Theme

NewDesk = Callable[..., Desk]


@pytest.fixture
def new_desk(theme: Theme) -> Iterator[NewDesk]:
    """Make windows; all of them are closed at the end."""
    desks: list[Desk] = []

    def make(files: dict[str, str] | None = None, **options: object) -> Desk:
        desks.append(Desk(theme, files, **options))  # type: ignore[arg-type]
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()
