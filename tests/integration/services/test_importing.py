"""Projects from elsewhere: what came in, and which file LaTeX is run on."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from texswarm_desktop.core.zip_check import Refusal, Refused
from texswarm_desktop.services.importing import import_project, name_of_source
from texswarm_server.protocol.errors import GitAddressError, NotReadableError

WHOLE = "\\documentclass{article}\n\\begin{document}\nHello\n\\end{document}\n"


def nobody(_done: int, _all: int) -> None:
    """Ask for nothing."""


def test_an_archive_comes_in_with_a_report(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "My paper.zip", "w") as archive:
        archive.writestr("paper/ms.tex", WHOLE)
        archive.writestr("paper/sections/a.tex", "A")
        archive.writestr("paper/latexmkrc", "system('touch x')")
    report = import_project(str(tmp_path / "My paper.zip"), tmp_path / "in", nobody)
    assert (report.folder, report.files, report.main) == (tmp_path / "in", 2, "ms.tex")
    assert report.size_bytes == len(WHOLE) + 1
    assert report.refused == (Refused("paper/latexmkrc", Refusal.OBEYED),)


def test_a_file_that_is_not_there_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(NotReadableError):
        import_project(str(tmp_path / "nowhere.zip"), tmp_path / "in", nobody)


def test_an_address_goes_to_git_and_not_to_the_disk(tmp_path: Path) -> None:
    with pytest.raises(GitAddressError):
        import_project("ext::sh -c true", tmp_path / "in", nobody)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/downloads/My paper.zip", "My paper"),
        ("https://git.invalid/ada/paper.git", "paper"),
        ("git@git.invalid:ada/paper", "paper"),
    ],
)
def test_a_project_is_called_after_its_source(source: str, name: str) -> None:
    assert name_of_source(source) == name


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_folder_that_the_sources_name_stays_and_the_document_can_be_built(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "paper.zip", "w") as archive:
        archive.writestr("paper/ms.tex", WHOLE.replace("Hello", "\\input{paper/intro}"))
        archive.writestr("paper/intro.tex", "Hello")
    report = import_project(str(tmp_path / "paper.zip"), tmp_path / "in", nobody)
    assert (report.files, report.main) == (2, "paper/ms.tex")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper/ms.tex"]
    answer = subprocess.run(command, cwd=tmp_path / "in", check=False, capture_output=True, timeout=100)
    assert answer.returncode == 0, answer.stdout[-2000:]
