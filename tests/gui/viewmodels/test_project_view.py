"""A project on the screen: files open, close, are renamed and removed by anybody, and nothing open is taken away."""

from collections.abc import Iterator

import pytest

from tests.helpers.fake_project import FakeProject
from texswarm_desktop.viewmodels.project_view import ProjectView
from texswarm_server.protocol.errors import FilePathError

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def project() -> FakeProject:
    return FakeProject({"main.tex": "Main", "a.tex": "A", "b.tex": "B"})


@pytest.fixture
def view(project: FakeProject) -> Iterator[ProjectView]:
    view = ProjectView(project)
    yield view
    view.close()
    assert project.listeners == []


def paths(view: ProjectView) -> list[str]:
    return [view.path_of(file_id) for file_id in view.open_files]


def test_an_opened_file_is_current_and_shows_its_text(project: FakeProject, view: ProjectView) -> None:
    opened: list[str] = []
    view.file_opened.connect(opened.append)
    view.open_file(project.file_id("a.tex"))
    view.open_file(project.file_id("a.tex"))
    assert opened == [view.current] == [project.file_id("a.tex")]
    assert view.binding(opened[0]).document.toPlainText() == "A"


def test_the_project_begins_with_its_main_file(view: ProjectView) -> None:
    view.open_main_file()
    assert paths(view) == ["main.tex"]


def test_closing_turns_to_the_file_before(project: FakeProject, view: ProjectView) -> None:
    for path in ("main.tex", "a.tex", "b.tex"):
        view.open_file(project.file_id(path))
    view.close_file(project.file_id("b.tex"))
    assert view.path_of(view.current or "") == "a.tex"
    view.close_file(project.file_id("main.tex"))
    assert view.path_of(view.current or "") == "a.tex"
    view.close_file(project.file_id("a.tex"))
    assert view.current is None


def test_a_new_file_is_opened(view: ProjectView) -> None:
    view.add_file("sections/new.tex")
    assert paths(view) == ["sections/new.tex"]


def test_a_path_that_is_taken_is_refused(project: FakeProject, view: ProjectView) -> None:
    with pytest.raises(FilePathError):
        view.add_file("a.tex")
    with pytest.raises(FilePathError):
        view.rename_file(project.file_id("a.tex"), "b.tex")


def test_renaming_an_open_file_is_told_by_whomever_it_was_done(project: FakeProject, view: ProjectView) -> None:
    file_id = project.file_id("a.tex")
    view.open_file(file_id)
    told: list[tuple[str, str]] = []
    view.file_renamed.connect(lambda *names: told.append(names))
    view.rename_file(file_id, "c.tex")
    project.document.rename_file(file_id, "d.tex")
    assert told == [(file_id, "c.tex"), (file_id, "d.tex")]


def test_a_file_that_somebody_else_removes_stays_open(project: FakeProject, view: ProjectView) -> None:
    file_id = project.file_id("a.tex")
    view.open_file(file_id)
    told: list[str] = []
    view.file_removed.connect(told.append)
    project.document.remove_file(file_id)
    project.document.add_file("x.tex")
    assert told == [file_id]
    assert paths(view) == ["a.tex"]


def test_a_file_one_deletes_oneself_is_closed(project: FakeProject, view: ProjectView) -> None:
    file_id = project.file_id("a.tex")
    view.open_file(file_id)
    view.delete_file(file_id)
    assert view.open_files == []
    assert not view.tree.index_of(file_id).isValid()


def test_the_main_file_of_a_project_that_arrives_is_opened(project: FakeProject) -> None:
    empty = FakeProject()
    view = ProjectView(empty)
    empty.document.add_file("main.tex")
    assert paths(view) == ["main.tex"]
    view.close()


def test_the_title_is_the_folders_name_until_there_is_one(project: FakeProject, view: ProjectView) -> None:
    told: list[str] = []
    view.title_changed.connect(told.append)
    assert view.title == "a-paper"
    view.rename_project("On words")
    assert told == ["On words"]
