from texswarm_desktop.services.project_listener import ProjectListener
from texswarm_desktop.services.project_news import ProjectNews
from texswarm_server.protocol.errors import NotReadableError, NotWritableError, TexSwarmError

DISK, SERVER = NotWritableError("full"), NotReadableError("away")


class Reader(ProjectListener):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.heard: list[TexSwarmError | str | None] = []

    def problem(self, error: TexSwarmError | None) -> None:
        self.heard.append(error)

    def files_changed(self) -> None:
        self.heard.append("files")


def test_the_worst_problem_is_told_once_and_that_it_is_gone() -> None:
    news, reader = ProjectNews(), Reader()
    leave = news.subscribe(reader)
    news.set_problem("server", SERVER)
    news.set_problem("replica", DISK)
    news.set_problem("replica", NotWritableError("full"))
    assert (news.problem, news.has_problem("replica"), news.has_problem("folder")) == (news.problem, True, False)
    news.set_problem("server", None)
    news.set_problem("replica", None)
    assert reader.heard == [SERVER, DISK, None]
    leave()
    leave()
    news.set_problem("folder", DISK)
    assert reader.heard == [SERVER, DISK, None]


def test_who_comes_later_hears_what_is_wrong_now_and_everybody_what_happens() -> None:
    news, first, second = ProjectNews(), Reader(), Reader()
    news.subscribe(first)
    news.set_problem("figures", DISK)
    news.subscribe(second)
    news.tell("files_changed")
    assert first.heard == second.heard == [DISK, "files"]
