"""What of a folder is the project's: on a real disk, and beside git itself."""

import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from texswarm_desktop.core import ignore_rules
from texswarm_desktop.core.ignore_rules import Sharing
from texswarm_desktop.core.project_files import may_be_binary
from texswarm_desktop.services.disk import Entry, SystemDisk
from texswarm_desktop.services.folder_walk import FolderWalk
from texswarm_server.protocol.errors import KindNotSharedError, ObeyedFileError

if TYPE_CHECKING:
    from collections.abc import Sequence


def fill(root: Path, *paths: str, **texts: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".texswarm").mkdir()
    return tmp_path


def test_rules_are_compiled_by_who_walks_and_not_by_who_makes_the_walk(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project is made on the loop, where a window waits for it, and walked through elsewhere."""
    compiled: list[Sequence[str]] = []
    compile_now = ignore_rules._compiled
    monkeypatch.setattr(ignore_rules, "_compiled", lambda lines: compiled.append(lines) or compile_now(lines))
    fill(root, "a.tex", "a.aux")
    walk = FolderWalk(root)
    assert compiled == []
    assert walk.walk().files == ["a.tex"]
    assert compiled


def test_nested_ignore_files_are_honoured_and_heard_of_when_they_change(root: Path) -> None:
    fill(root, "a.tex", "out/b.tex", "s/c.tex", "s/d.tex", "s/-blx.bib")
    walk = FolderWalk(root)
    assert walk.walk().files == ["a.tex", "out/b.tex", "s/c.tex", "s/d.tex"]
    (root / ".gitignore").write_text("out\n")
    (root / "s" / ".gitignore").write_text("*\n!c.tex\n")
    assert (walk.walk().files, walk.walk().folders) == (["a.tex", "s/c.tex"], ["", "s"])
    (root / "s" / ".gitignore").unlink()
    (root / ".gitignore").write_text("a.tex\n")
    assert walk.walk().files == ["out/b.tex", "s/c.tex", "s/d.tex"]
    assert walk.walk().left_out == ["a.tex", "s/-blx.bib"]


def test_what_is_known_is_the_projects_whatever_the_rules_say(root: Path) -> None:
    fill(root, "out/deep/a.tex", "out/b.tex")
    (root / ".gitignore").write_text("out\n")
    assert FolderWalk(root).walk({"out/deep/a.tex"}).files == ["out/deep/a.tex"]


def test_wishes_are_obeyed_at_once(root: Path) -> None:
    fill(root, "out/tables/a.tex", "out/b.tex", "notes.txt")
    (root / ".gitignore").write_text("out\n")
    walk = FolderWalk(root)
    assert walk.walk().files == ["notes.txt"]
    walk.set_sharing(Sharing(share=("out/tables/*",), leave_out=("*.txt",)))
    assert walk.walk().files == ["out/tables/a.tex"]


def test_while_wishes_cannot_be_read_nothing_new_is_shared(root: Path) -> None:
    fill(root, "a.tex", "b.tex")
    walk = FolderWalk(root)
    (root / ".texswarm" / "settings.json").write_text('{"leave_out": ["b.')
    assert walk.walk({"a.tex"}).files == ["a.tex"]
    assert walk.problem is not None
    (root / ".texswarm" / "settings.json").write_text('{"leave_out": ["b.tex"]}')
    assert walk.walk().files == ["a.tex"]
    assert walk.problem is None


def test_what_the_repository_around_a_folder_says_counts(root: Path) -> None:
    thesis = root / "papers" / "thesis"
    fill(thesis, "main.tex", "draft.tex", "own.tex", "notes.md")
    (root / ".git" / "info").mkdir(parents=True)
    (root / ".git" / "info" / "exclude").write_text("own.tex\n")
    (root / ".gitignore").write_text("/papers/thesis/draft.tex\n*.md\n")
    (root / "papers" / ".gitignore").write_text("!notes.md\n")
    assert FolderWalk(thesis).walk().files == ["main.tex", "notes.md"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_only_links_to_another_text_of_the_project_are_followed(root: Path) -> None:
    project, outside = root / "project", root / "outside.tex"
    fill(project, "s/a.tex", ".git/x.txt")
    outside.write_text("secret")
    for name, target in {"b": project / "s/a.tex", "c": outside, "d": project / ".git/x.txt", "e": root / "no"}.items():
        (project / f"{name}.tex").symlink_to(target)
    (project / "t").symlink_to(project / "s", target_is_directory=True)
    (project / "s" / ".gitignore").symlink_to(outside)
    walked = FolderWalk(project).walk()
    assert (walked.files, sorted(walked.refused)) == (["b.tex", "s/a.tex"], ["c.tex", "d.tex", "e.tex", "t"])


@pytest.mark.skipif(os.name == "nt", reason="no such names there")
def test_names_that_others_cannot_have_are_refused_one_by_one(root: Path) -> None:
    fill(root, "a:b.tex", "c\td.tex", "e\\f.tex", "g.tex", "h:i.png")
    (root / os.fsdecode(b"\xff.tex")).write_text("x")
    walked = FolderWalk(root).walk()
    assert (walked.files, len(walked.refused)) == (["g.tex"], 5)


def test_what_is_not_shared_is_told_and_what_is_left_out_is_not(root: Path) -> None:
    fill(root, "main.tex", "main.aux", "main.bbl", "Makefile", "s/run.py", ".latexmkrc", "nul", "mine.py", "old/x.py")
    fill(root, ".git/config", ".vscode/tasks.json", ".#main.tex", "main.tex~", "fig.png", "fig.pdf_tex")
    (root / ".gitignore").write_text("mine.*\nold/\n")
    walked = FolderWalk(root).walk()
    assert (walked.files, walked.refused) == (["fig.pdf_tex", "main.tex"], {})
    told = {path: type(error) for path, error in walked.notes.items()}
    assert told.pop("s/run.py") is KindNotSharedError
    assert told == dict.fromkeys([".latexmkrc", "Makefile", "nul"], ObeyedFileError)


def test_other_kinds_are_shared_on_purpose_and_what_is_obeyed_is_not(root: Path) -> None:
    fill(root, "main.tex", "run.py", "main.aux", "data/x.raw", "latexmkrc", "run.sh")
    walk = FolderWalk(root)
    walk.set_sharing(Sharing(share=("*.py", "*.aux", "data/", "latexmkrc", "run.sh")))
    walked = walk.walk()
    assert walked.files == ["main.aux", "main.tex", "run.py", "data/x.raw"]
    assert set(walked.notes) == {"latexmkrc", "run.sh"}
    walk.set_sharing(Sharing())
    assert walk.walk({"run.py"}).files == ["main.tex", "run.py"]


def test_a_draft_of_wishes_names_other_kinds_too(root: Path) -> None:
    fill(root, "main.tex", "run.py", "Makefile")
    walked = FolderWalk(root, takes=may_be_binary, draft=Sharing()).walk()
    assert (walked.files, walked.left_out) == (["main.tex"], ["run.py"])


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_no_link_leads_to_a_file_that_is_not_shared(root: Path) -> None:
    fill(root, "run.py")
    (root / "a.tex").symlink_to("run.py")
    (root / "fig.png").symlink_to("/etc/hostname")
    (root / "gone.py").symlink_to("nowhere")
    walked = FolderWalk(root).walk()
    assert (walked.files, sorted(walked.refused), sorted(walked.notes)) == (
        [],
        ["a.tex", "fig.png"],
        ["gone.py", "run.py"],
    )


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize("seed", range(6))
def test_git_says_the_same(seed: int, root: Path) -> None:
    rng = random.Random(seed)
    names = ["a", "b", "c"]
    for _ in range(40):
        fill(
            root,
            "/".join([*rng.choices(names, k=rng.randrange(3)), f"{rng.choice(names)}.{rng.choice(('tex', 'md'))}"]),
        )
    words = ["a", "b/", "*.md", "!a.tex", "/a", "a/**", "**/b.tex", "b/c", "!c/", "c", "!*.md", "?.tex", "[ab].md"]
    folders = [root, *(path for path in root.rglob("*") if path.is_dir() and ".texswarm" not in path.parts)]
    for folder in rng.sample(folders, min(4, len(folders))):
        (folder / ".gitignore").write_text("\n".join(rng.choices(words, k=3)) + "\n")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    listed = subprocess.run(
        ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard", "*.tex", "*.md"],
        cwd=root, check=True, capture_output=True, text=True)  # fmt: skip
    assert FolderWalk(root).walk().files == sorted(listed.stdout.split("\0")[:-1], key=_as_walked)


def _as_walked(path: str) -> list[tuple[bool, str]]:
    *folders, name = path.split("/")
    return [*((True, folder) for folder in folders), (False, name)]


def test_a_folder_that_goes_while_one_walks_is_not_there(root: Path) -> None:
    fill(root, "main.tex", "s/a.tex", "t/b.tex")

    class Vanishing(SystemDisk):
        def entries(self, folder: Path) -> list[Entry]:
            if folder == root / "s":
                shutil.rmtree(folder)
            return super().entries(folder)

    walked = FolderWalk(root, disk=Vanishing()).walk()
    assert (walked.files, walked.folders) == (["main.tex", "t/b.tex"], ["", "t"])
