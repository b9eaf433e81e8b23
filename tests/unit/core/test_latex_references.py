"""Every command that names a file is found, with the name where it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.latex_mask import read_source
from texswarm_desktop.core.latex_references import (
    Need,
    as_pattern,
    expanded,
    graphics_folders,
    is_computed,
    references,
    simple_macros,
)


def found(text: str) -> list[tuple[Need, str]]:
    return [(one.need, one.name) for one in references(read_source(text))]


@pytest.mark.parametrize(
    ("text", "need", "names"),
    [
        (r"\input{a/b}", Need.INPUT, ["a/b"]),
        (r"\input a/b more", Need.INPUT, ["a/b"]),
        ("\\input {a} ", Need.INPUT, ["a"]),
        (r"\include{a}", Need.INCLUDE, ["a"]),
        (r"\subfile{a}\subfileinclude{b}", Need.SUBFILE, ["a", "b"]),
        (r"\import{dir/}{a}", Need.IMPORT, ["a"]),
        (r"\InputIfFileExists{a}{yes}{no}", Need.MAYBE, ["a"]),
        (r"\includegraphics{a}", Need.GRAPHICS, ["a"]),
        (r"\includegraphics*[width=3cm, trim={1 2 3 4}][1]{a.b}", Need.GRAPHICS, ["a.b"]),
        ("\\includegraphics\n  [width=\\linewidth]\n  {a}", Need.GRAPHICS, ["a"]),
        (r"\begin{overpic}[scale=1]{a}\end{overpic}", Need.GRAPHICS, ["a"]),
        (r"\includepdf[pages=-]{a.pdf}", Need.GRAPHICS, ["a.pdf"]),
        (r"\pgfdeclareimage[width=1cm]{name}{a}", Need.GRAPHICS, ["a"]),
        (r"\animategraphics[loop]{12}{frame-}{0}{9}", Need.SERIES, ["frame-"]),
        (r"\bibliography{a, b}", Need.BIBLIOGRAPHY, ["a", "b"]),
        (r"\addbibresource[datatype=bibtex]{a.bib}", Need.BIBLIOGRAPHY, ["a.bib"]),
        (r"\bibliographystyle{a}", Need.BIB_STYLE, ["a"]),
        (r"\documentclass[a4paper]{a}", Need.CLASS, ["a"]),
        ("\\usepackage[\n x\n]{a,\n b}", Need.PACKAGE, ["a", "b"]),
        (r"\RequirePackage{a}[2020/01/01]", Need.PACKAGE, ["a"]),
        (r"\usetheme{a}\usecolortheme[x]{b}", Need.PACKAGE, ["beamerthemea", "beamercolorthemeb"]),
        (r"\usetikzlibrary{a,b}", Need.TIKZ_LIBRARY, ["a", "b"]),
        (r"\lstinputlisting[language=C]{a.c}", Need.EXACT, ["a.c"]),
        (r"\verbatiminput{a.txt}\VerbatimInput[x]{b.txt}", Need.EXACT, ["a.txt", "b.txt"]),
        (r"\inputminted[x]{c}{a.c}", Need.EXACT, ["a.c"]),
        (r"\addplot[red] table [x=a] {d.dat};", Need.EXACT, ["d.dat"]),
        (r"\addplot+ graphics {a.png};", Need.GRAPHICS, ["a.png"]),
        (r"\csvautotabular{a.csv}", Need.EXACT, ["a.csv"]),
        (r"\usepackage[backend=biber,style=own]{biblatex}", Need.BIBLATEX_STYLE, ["own"]),
    ],
)
def test_a_command_names_a_file(text: str, need: Need, names: list[str]) -> None:
    assert [name for one, name in found(text) if one is need] == names


@pytest.mark.parametrize(
    "text",
    [
        "% \\input{a}",
        r"\verb|\input{a}|",
        "\\begin{verbatim}\n\\input{a}\n\\end{verbatim}",
        r"\inputs{a}",
        r"\myinput{a}",
        r"\includegraphics",
        r"\input{}",
        r"\input{a",
        "\\end{document}\n\\input{a}",
        r"\includegraphicsx{a}",
        r"text table {a.dat}",
    ],
)
def test_what_is_no_command_with_a_name_is_passed_over(text: str) -> None:
    assert found(text) == []


def test_a_name_stands_where_it_is_said_to() -> None:
    text = "é \\usepackage{ one , two }"
    assert [text[slice(*one.name_span)] for one in references(read_source(text))] == ["one", "two"]
    (only,) = references(read_source("x \\input{a} y"))
    assert "x \\input{a} y"[slice(*only.span)] == "\\input{a}"


def test_braces_around_a_name_are_counted() -> None:
    text = "\\input{a} {\\small\\input{b}} \\{\\input{c} \\resizebox{1}{!}{{\\input{d}}}"
    assert [(one.name, one.depth) for one in references(read_source(text))] == [("a", 0), ("b", 1), ("c", 0), ("d", 2)]


def test_the_folder_of_an_import_is_kept() -> None:
    (only,) = references(read_source(r"\subimport{parts/one/}{a}"))
    assert (only.name, only.folder) == ("a", "parts/one/")


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        (r"\graphicspath{{a/}{b/c/}}", ["a/", "b/c/"]),
        ("\\graphicspath{\n  {./a/}\n}", ["./a/"]),
        (r"\graphicspath{a/}", ["a/"]),
        (r"% \graphicspath{{a/}}", []),
    ],
)
def test_folders_of_figures_are_found(text: str, folders: list[str]) -> None:
    assert graphics_folders(read_source(text)) == folders


def test_macros_that_hold_a_name_are_carried_out() -> None:
    macros = simple_macros(read_source("\\newcommand{\\figs}{figures}\\def\\sub{\\figs/sub}\\newcommand\\x[1]{y}"))
    assert expanded(r"\sub/a", macros) == "figures/sub/a"
    assert expanded(r'"\figs/a b"', macros) == "figures/a b"


def test_a_macro_that_holds_itself_ends() -> None:
    assert is_computed(expanded(r"\a", {"a": r"\a\a"})[:4])


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("figs/#1", "figs/*"), (r"figs/\name.pdf", "figs/*.pdf"), ("#1", None), (r"\a/\b.", None)],
)
def test_a_name_that_only_tex_knows_becomes_a_pattern(name: str, pattern: str | None) -> None:
    assert is_computed(name)
    assert as_pattern(name) == pattern


PIECES = st.sampled_from(
    (
        *(
            "\\input",
            "{",
            "}",
            "[",
            "]",
            "a",
            ",",
            "\n",
            " ",
            "%",
            "\\includegraphics",
            "\\usepackage",
            "\\\\",
            "\\{",
            "#1",
        ),
        *(
            "\\addplot",
            "table",
            ";",
            "\\begin{overpic}",
            "\\import",
            "\\graphicspath",
            "\\def",
            "\\newcommand",
            "\\verb|",
        ),
    )
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_any_text_has_references_that_stand_where_they_say(text: str) -> None:
    source = read_source(text)
    graphics_folders(source)
    macros = simple_macros(source)
    for one in references(source):
        assert one.name
        assert 0 <= one.span[0] <= one.name_span[0] < one.name_span[1] <= one.span[1] <= len(text)
        expanded(one.name, macros)
