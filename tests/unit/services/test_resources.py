"""What is shipped is where it is looked for, and is what it claims to be."""

import configparser
import re
from pathlib import Path

import pytest

from texswarm_desktop.core.latex_tokens import NORMAL, tokenize_latex
from texswarm_desktop.services.resources import resource

WELCOME = resource("welcome")


@pytest.mark.parametrize("name", ["icons/texswarm.svg", "themes/window.qss", "welcome/main.tex", "texswarm.desktop"])
def test_it_is_there(name: str) -> None:
    assert resource(name).is_file()


def test_the_desktop_entry_opens_links() -> None:
    entry = configparser.ConfigParser(interpolation=None)
    entry.read(resource("texswarm.desktop"))
    assert entry["Desktop Entry"]["Exec"] == "texswarm --ask %u"
    assert "x-scheme-handler/texswarm" in entry["Desktop Entry"]["MimeType"]


def sources() -> dict[str, str]:
    return {path.relative_to(WELCOME).as_posix(): path.read_text("utf-8") for path in sorted(WELCOME.rglob("*.tex"))}


def test_the_welcome_paper_is_whole() -> None:
    text = "\n".join(sources().values())
    for name in re.findall(r"\\input\{([^}]*)\}", text):
        assert Path(WELCOME, name).with_suffix(".tex").is_file()
    labels = set(re.findall(r"\\label\{([^}]*)\}", text))
    assert set(re.findall(r"\\(?:eq)?ref\{([^}]*)\}", text)) <= labels
    keys = set(re.findall(r"^@\w+\{([^,]*),", Path(WELCOME, "references.bib").read_text("utf-8"), re.MULTILINE))
    assert {key for group in re.findall(r"\\cite\{([^}]*)\}", text) for key in group.split(",")} == keys


@pytest.mark.parametrize("name", sources())
def test_nothing_in_the_welcome_paper_is_left_open(name: str) -> None:
    state, opened = NORMAL, []
    for line in sources()[name].splitlines():
        state = tokenize_latex(line, state)[1]
        for verb, environment in re.findall(r"\\(begin|end)\{([^}]*)\}", line):
            assert verb == "begin" or opened.pop() == environment
            if verb == "begin":
                opened.append(environment)
    assert state == NORMAL
    assert opened == []
