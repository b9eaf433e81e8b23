"""A document is followed to everything it needs, in whatever order that is found out."""

from texswarm_desktop.core.latex_references import Need
from texswarm_desktop.core.latex_uses import follow


def files_of(texts: dict[str, str], *others: str, main: str = "main.tex") -> set[str]:
    return follow(main, [*texts, *others], texts).files


def test_what_is_read_is_followed_and_what_is_not_is_left() -> None:
    texts = {
        "main.tex": "\\documentclass{own}\\usepackage{mine,amsmath}\\input{a}\\include{b/c}% \\input{d}",
        "own.cls": "\\LoadClass{article}\\RequirePackage{deep}",
        "mine.sty": "\\input{x.def}",
        "deep.sty": "",
        "x.def": "",
        "a.tex": "\\lstinputlisting{code/p.py}",
        "b/c.tex": "\\includegraphics{fig}",
        "d.tex": "",
        "unused.sty": "",
    }
    used = files_of(texts, "code/p.py", "fig.pdf", "other.pdf")
    assert used == texts.keys() - {"d.tex", "unused.sty"} | {"code/p.py", "fig.pdf"}


def test_the_settings_of_a_package_are_used_with_it() -> None:
    texts = {"main.tex": "\\usepackage{hyperref,amsmath}", "hyperref.cfg": "", "color.cfg": ""}
    assert files_of(texts) == {"main.tex", "hyperref.cfg"}


def test_folders_of_figures_count_wherever_they_are_set() -> None:
    texts = {"main.tex": "\\includegraphics{a}\\input{set}", "set.tex": "\\graphicspath{{\\dir/}}\\input{macros}"}
    texts["macros.tex"] = "\\newcommand{\\dir}{pictures}"
    assert "pictures/a.png" in files_of(texts, "pictures/a.png")


def test_a_subfile_finds_what_is_beside_it() -> None:
    texts = {
        "main.tex": "\\subfile{parts/a}\\import{parts/}{b}",
        "parts/a.tex": "\\includegraphics{x}",
        "parts/b.tex": "\\input{c}",
        "parts/c.tex": "\\includegraphics{y}",
    }
    assert {"parts/x.png", "parts/c.tex", "parts/y.png"} <= files_of(texts, "parts/x.png", "parts/y.png")


def test_files_that_read_each_other_are_no_endless_way() -> None:
    assert files_of({"main.tex": "\\input{a}", "a.tex": "\\input{main}\\input{a}"}) == {"main.tex", "a.tex"}


def test_the_jobs_name_is_the_main_files() -> None:
    assert "ms-extra.tex" in files_of({"ms.tex": "\\input{\\jobname-extra}", "ms-extra.tex": ""}, main="ms.tex")


def test_a_name_in_a_macro_stands_for_all_that_fit() -> None:
    text = "\\newcommand{\\fig}[1]{\\includegraphics{figs/#1}}"
    used = files_of({"main.tex": text}, "figs/a.pdf", "figs/b.png", "figs/notes.txt", "c.pdf")
    assert used == {"main.tex", "figs/a.pdf", "figs/b.png"}


def test_what_is_missing_is_told_and_what_tex_has_is_not() -> None:
    text = "\\documentclass{article}\\input{gone}\\includegraphics{gone}\\bibliographystyle{plain}"
    missing = [one for one in follow("main.tex", ["main.tex"], {"main.tex": text}).all if one.is_missing]
    assert [(one.reference.need, one.name) for one in missing] == [(Need.INPUT, "gone"), (Need.GRAPHICS, "gone")]


def test_an_absolute_name_is_never_a_file_of_the_project() -> None:
    uses = follow("main.tex", ["main.tex", "a.tex"], {"main.tex": "\\input{/a}", "a.tex": ""})
    assert [one.is_missing for one in uses.all] == [True]


def test_a_file_that_the_document_writes_itself_is_not_missing() -> None:
    text = "\\begin{filecontents*}[overwrite]{refs.bib}\n@book{x}\n\\end{filecontents*}\n\\bibliography{refs}"
    assert not any(one.is_missing for one in follow("main.tex", ["main.tex"], {"main.tex": text}).all)
