"""Every template is there, takes in what it is given, and compiles."""

import shutil
import subprocess
from pathlib import Path

import pytest

from texswarm_desktop.core.templates import Template
from texswarm_desktop.services.resources import resource
from texswarm_desktop.services.templates import template_files

ODD_TITLE = r"50 % of x_1 & y: a\b~c^d{} #$"


def has_fonts() -> bool:
    """A TeX without the fonts that every full one has cannot be asked."""
    found = shutil.which("latexmk") and shutil.which("kpsewhich")
    wanted = ("lmodern.sty", "beamer.cls", "cleveref.sty")
    return bool(found) and subprocess.run(["kpsewhich", *wanted], check=False, capture_output=True).returncode == 0


def test_every_template_has_a_folder_and_every_folder_is_a_template() -> None:
    assert {folder.name for folder in resource("templates").iterdir()} == set(Template)


@pytest.mark.parametrize("template", Template)
def test_title_and_author_stand_in_every_template(template: Template) -> None:
    files = template_files(template, title="The Title", author="Ada")
    assert files["main.tex"]
    together = "".join(files.values())
    assert "The Title" in together
    assert "Ada" in together
    assert "<<" not in together


@pytest.mark.skipif(not has_fonts(), reason="needs latexmk and the packages of texlive-latex-extra")
@pytest.mark.parametrize("template", Template)
def test_every_template_compiles_whatever_the_title_is(template: Template, tmp_path: Path) -> None:
    for name, text in template_files(template, title=ODD_TITLE, author="Ada & Bo").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = ["latexmk", "-norc", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    answer = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True, timeout=100)
    assert answer.returncode == 0, answer.stdout[-2000:]
    log = (tmp_path / "main.log").read_text(encoding="latin-1")
    assert "LaTeX Warning" not in log
    assert "Overfull" not in log
