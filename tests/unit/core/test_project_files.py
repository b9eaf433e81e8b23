import pytest

from texswarm_desktop.core.project_files import (
    is_obeyed,
    is_project_figure,
    is_project_folder,
    is_project_text,
    is_untold,
    is_usual,
)


@pytest.mark.parametrize(
    "path",
    [
        "main.tex",
        "a/b/refs.bib",
        "thesis.cls",
        "Kapitel 1/Übersicht.TEX",
        "README",
        "notes.md",
        "data/x.csv",
        "x.y.tex",
    ],
)
def test_sources_are_project_text(path: str) -> None:
    assert is_project_text(path)


@pytest.mark.parametrize(
    "path",
    [
        "main.pdf", "main.tex~", "#main.tex#", ".#main.tex",
        ".hidden.tex", ".git/notes.txt", "a/.git/hooks/x.txt", ".texswarm/x.tex", "_minted-main/x.tex",
        "latexmkrc", ".latexmkrc", "Makefile", "run.sh", "evil.desktop", "texmf.cnf", ".tex", "figure.png",
        "../out.tex", "/etc/x.tex", "a//b.tex", "a/./b.tex", "", "C:x.tex", "a\\b.tex",
        "\u200c.git/x.txt", "\ufeff.x.tex", "\udcff.tex",
    ],
)  # fmt: skip
def test_nothing_else_is(path: str) -> None:
    assert not is_project_text(path)


@pytest.mark.parametrize("path", ["run.py", "data.raw", "a/main.aux", "main.synctex.gz", "notes.x", "a.m"])
def test_files_of_other_kinds_may_be_shared_and_are_not_by_themselves(path: str) -> None:
    assert is_project_text(path)
    assert not is_usual(path)


@pytest.mark.parametrize("path", ["plot.gp", "data.xyz", "code/main.c", "a.R", "figure.pdf_tex", "talk.pptx"])
def test_listings_and_data_are_usual(path: str) -> None:
    assert is_usual(path)
    assert is_project_text(path) or is_project_figure(path)


@pytest.mark.parametrize(
    "name",
    [
        "Makefile", "makefile.win", "latexmkrc", "LatexMkRC", ".latexmkrc", "HEAD", "config", "nul", "a/b/Makefile",
        "run.sh", "x.BAT", "x.bat.", "x.bat ", "x.ba\u200dt", "x.\uff42at", "desktop.ini", "araraconfig.yaml",
        "\u017fetup.py", ".tex", "~x.tex", "Tectonic.toml",
    ],
)  # fmt: skip
def test_what_a_program_may_obey_is_nobodys_however_it_is_spelled(name: str) -> None:
    *_, last = name.split("/")
    assert is_obeyed(last)
    assert not is_project_text(name)
    assert not is_project_figure(name)


@pytest.mark.parametrize(
    ("name", "nobody"),
    [
        (".gitignore", True),
        (".DS_Store", True),
        (".#a.tex", True),
        ("a.bbl", True),
        (".latexmkrc", False),
        ("a.py", False),
    ],
)
def test_clutter_is_told_to_nobody(name: str, nobody: bool) -> None:
    assert is_untold(name) is nobody


@pytest.mark.parametrize(("name", "is_one"), [("chapters", True), (".git", False), ("__pycache__", False)])
def test_folders_of_programs_are_not_looked_into(name: str, is_one: bool) -> None:
    assert is_project_folder(name) is is_one
