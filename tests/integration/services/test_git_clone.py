"""Cloning with the system's git, from a repository on this disk that git takes for one behind an address."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers.live_folder import git
from texswarm_desktop.services import git_clone
from texswarm_desktop.services.git_clone import clone
from texswarm_server.protocol.errors import (
    CloneError,
    CloneProblem,
    FolderTakenError,
    GitAddressError,
    ToolMissingError,
    TransferCancelledError,
)

ADDRESS = "https://git.invalid/paper.git"
#: What git may do in these tests besides: read the repository that stands for the address.
ON_THIS_DISK = (*git_clone.SECURE, "file")

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "repository"
    (folder / "sections").mkdir(parents=True)
    (folder / "main.tex").write_text("\\documentclass{article}\n\\begin{document}\nHello\n\\end{document}\n")
    (folder / "sections" / "a.tex").write_text("A\n")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "begin")
    instead(monkeypatch, ADDRESS, folder)
    return folder


def instead(monkeypatch: pytest.MonkeyPatch, address: str, folder: Path) -> None:
    """Let git find `folder` where it is told to go to `address`."""
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{folder}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", address)


def nobody(_done: int, _all: int) -> None:
    """Ask for nothing."""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_clone_is_a_repository_with_all_files(repository: Path, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    target = tmp_path / "in" / "paper"
    clone(ADDRESS, target, progress=lambda done, of: told.append((done, of)), transports=ON_THIS_DISK)
    assert (target / "sections" / "a.tex").read_text() == "A\n"
    assert git(target, "status", "--porcelain") == ""
    assert git(target, "log", "--format=%s") == "begin\n"
    assert names(tmp_path / "in") == {"paper"}
    assert told[0] == (0, 0)


def test_git_itself_is_allowed_secure_transports_only(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(CloneError):
        clone(ADDRESS, tmp_path / "paper", progress=nobody)
    assert names(tmp_path) == {"repository"}


def test_what_the_environment_allows_is_not_allowed(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "file:ext")
    with pytest.raises(CloneError):
        clone(ADDRESS, tmp_path / "paper", progress=nobody)


def test_submodules_are_left_alone(repository: Path, tmp_path: Path) -> None:
    (repository / ".gitmodules").write_text(f'[submodule "s"]\n\tpath = s\n\turl = {repository}\n')
    head = git(repository, "rev-parse", "HEAD").strip()
    git(repository, "update-index", "--add", "--cacheinfo", f"160000,{head},s")
    git(repository, "add", ".gitmodules")
    git(repository, "commit", "--quiet", "--message", "a submodule")
    clone(ADDRESS, tmp_path / "paper", progress=nobody, transports=ON_THIS_DISK)
    assert list((tmp_path / "paper" / "s").iterdir()) == []


@pytest.mark.parametrize("address", ["ext::sh -c true", "--upload-pack=true", "file:///x", "http://git.invalid/x"])
def test_other_addresses_never_reach_git(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    with pytest.raises(GitAddressError):
        clone(address, tmp_path / "paper", progress=nobody)


def test_a_repository_that_is_not_there_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    instead(monkeypatch, ADDRESS, tmp_path / "nowhere")
    with pytest.raises(CloneError) as raised:
        clone(ADDRESS, tmp_path / "paper", progress=nobody, transports=ON_THIS_DISK)
    assert raised.value.problem is CloneProblem.NOT_FOUND
    assert raised.value.detail
    assert names(tmp_path) == set()


def test_a_machine_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError) as raised:
        clone(ADDRESS, tmp_path / "paper", progress=nobody)
    assert raised.value.tool == "git"


def test_a_folder_with_something_in_it_is_not_touched(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderTakenError):
        clone(ADDRESS, repository, progress=nobody, transports=ON_THIS_DISK)


def test_a_silent_git_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that stands for git says nothing for an hour, and so does its child."""
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "git"
    fake.write_text("#!/bin/sh\n/bin/sleep 3600 &\nwait\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def give_up(_done: int, _all: int) -> None:
        raise TransferCancelledError

    begun = time.monotonic()
    with pytest.raises(TransferCancelledError):
        clone(ADDRESS, tmp_path / "paper", progress=give_up)
    assert time.monotonic() - begun < 60
    assert names(tmp_path) == {"bin"}


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("fatal: unable to access 'x': Could not resolve host: x", CloneProblem.UNREACHABLE),
        ("ssh: connect to host x port 22: Connection refused", CloneProblem.UNREACHABLE),
        ("fatal: repository 'x' not found", CloneProblem.NOT_FOUND),
        ("fatal: could not read Username for 'x': terminal prompts disabled", CloneProblem.NOT_ALLOWED),
        ("git@x: Permission denied (publickey).", CloneProblem.NOT_ALLOWED),
        ("Host key verification failed.", CloneProblem.HOST_UNKNOWN),
        ("fatal: unable to access 'x': server certificate verification failed.", CloneProblem.NOT_TRUSTED),
        ("fatal: unable to access 'x': SSL certificate problem: self-signed certificate", CloneProblem.NOT_TRUSTED),
        ("fatal: x/info/refs not valid: is this a git repository?", CloneProblem.NOT_FOUND),
        ("fatal: the disk is on fire", CloneProblem.OTHER),
    ],
)
def test_what_git_says_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, problem: str) -> None:
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "git"
    fake.write_text(f'#!/bin/sh\necho "Cloning into ..." >&2\necho "{said}" >&2\nexit 128\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(CloneError) as raised:
        clone(ADDRESS, tmp_path / "paper", progress=nobody)
    assert raised.value.problem is problem
    assert raised.value.detail == said
