"""The bundle has what the document needs, under names that arXiv takes, and says what is not right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.arxiv_bundle import README, Advice, Bundle, Missing, Remark, plan_bundle

HEAD = "\\documentclass{article}\n\\begin{document}\n"
FOOT = "\\end{document}\n"


def bundle(texts: dict[str, str], *others: str, main: str = "main.tex", **options: object) -> Bundle:
    sizes = {path: len(text) for path, text in texts.items()} | dict.fromkeys(others, 7)
    return plan_bundle(main, sizes, texts, **options)  # type: ignore[arg-type]


def names(made: Bundle) -> list[str]:
    return [one.path for one in made.files]


def text_of(made: Bundle, path: str = "main.tex") -> str:
    (found,) = (one.text for one in made.files if one.path == path)
    return found or ""


def advice(made: Bundle) -> list[Advice]:
    return [one.advice for one in made.remarks]


def test_a_paper_of_many_files_becomes_a_few() -> None:
    texts = {
        "main.tex": HEAD + "\\input{a}\n\\includegraphics{plot}\n\\bibliography{refs}\n" + FOOT + "after",
        "a.tex": "A % secret\nB\n",
        "refs.bib": "@book{x}",
        "notes.md": "private",
        "unused.tex": "",
    }
    made = bundle(texts, "figs/old.png", "plot.pdf", "main.bbl")
    assert names(made) == ["main.bbl", "main.tex", "plot.pdf"]
    assert text_of(made) == HEAD + "A %\nB\n\\includegraphics{plot}\n\\bibliography{refs}\n" + FOOT
    assert made.flattened == ("a.tex",)
    assert made.left_out == ("figs/old.png", "notes.md", "refs.bib", "unused.tex")
    assert (made.missing, made.remarks) == ((), ())


def test_without_a_bbl_the_bibliography_goes_in_and_that_is_said() -> None:
    made = bundle({"main.tex": HEAD + "\\bibliography{refs}" + FOOT, "refs.bib": ""})
    assert names(made) == ["main.tex", "refs.bib"]
    assert made.remarks == (Remark(Advice.BBL_MISSING, "main.bbl"),)


@pytest.mark.parametrize("folder", ["build/", "out/deep/"])
def test_a_bbl_that_was_written_to_another_folder_is_found(folder: str) -> None:
    texts = {"main.tex": HEAD + "\\bibliography{refs}\\printindex" + FOOT, "refs.bib": ""}
    made = bundle(texts, f"{folder}main.bbl", f"{folder}main.aux", f"{folder}main.ind", "a/main.bbl")
    assert [(one.path, one.source) for one in made.files] == [
        ("main.bbl", f"{folder}main.bbl"), ("main.ind", f"{folder}main.ind"), ("main.tex", "main.tex"),
    ]  # fmt: skip
    assert (made.missing, made.remarks, made.renamed) == ((), (), ())


def test_a_bbl_of_another_document_is_not_taken() -> None:
    texts = {"main.tex": HEAD + "\\bibliography{refs}" + FOOT, "refs.bib": "", "talk/main.tex": HEAD + FOOT}
    made = bundle(texts, "talk/main.bbl", "talk/main.aux")
    assert advice(made) == [Advice.BBL_MISSING]


def test_an_index_that_was_not_made_is_said() -> None:
    assert advice(bundle({"main.tex": HEAD + "\\printindex" + FOOT})) == [Advice.INDEX_MISSING]
    assert "main.ind" in names(bundle({"main.tex": HEAD + "\\printindex" + FOOT}, "main.ind"))


def test_a_figure_that_was_converted_goes_in_with_what_was_made_of_it() -> None:
    made = bundle({"main.tex": HEAD + "\\includegraphics{a}" + FOOT}, "a.eps", "a-eps-converted-to.pdf")
    assert names(made) == ["a-eps-converted-to.pdf", "a.eps", "main.tex"]


def test_comments_may_be_kept() -> None:
    texts = {"main.tex": HEAD + "a % open\n" + FOOT}
    assert "% open" in text_of(bundle(texts, keep_comments=True))


@pytest.mark.parametrize(
    ("reference", "path", "new", "said"),
    [
        (
            r"\includegraphics[width=1cm]{my plot}",
            "my plot.pdf",
            "my_plot.pdf",
            r"\includegraphics[width=1cm]{my_plot.pdf}",
        ),
        (r"\includegraphics{figs/über}", "figs/über.png", "figs/uber.png", r"\includegraphics{figs/uber.png}"),
        (r"\include{ch 1}", "ch 1.tex", None, None),
        (r"\usepackage{amsmath, my@sty}", "my@sty.sty", "my_sty.sty", r"\usepackage{amsmath, my_sty}"),
        (r"\bibliography{a,b c}", "b c.bib", "b_c.bib", r"\bibliography{a,b_c}"),
        (r"\addbibresource{b c.bib}", "b c.bib", "b_c.bib", r"\addbibresource{b_c.bib}"),
    ],
)
def test_names_that_arxiv_does_not_take_are_changed_in_the_text_too(
    reference: str, path: str, new: str | None, said: str | None
) -> None:
    texts = {"main.tex": HEAD + reference + "\n" + FOOT}
    if path.endswith((".tex", ".sty", ".bib")):
        texts[path] = "X\n"
    made = bundle(texts, path)
    if new is None:
        assert made.flattened == (path,)
        return
    assert new in names(made)
    assert said is not None
    assert said in text_of(made)
    assert [one.source for one in made.renamed] == [path]


def test_two_files_never_get_one_name() -> None:
    text = HEAD + "\\includegraphics{a b}\\includegraphics{a_b}\\includegraphics{A_B.pdf}\n" + FOOT
    made = bundle({"main.tex": text}, "a b.pdf", "a_b.pdf", "A_B.pdf")
    assert len({name.casefold() for name in names(made)}) == 4
    assert all(f"{{{name}}}" in text_of(made) for name in names(made) if name != "main.tex")


def test_a_paper_in_a_folder_of_its_own_stands_at_the_root() -> None:
    texts = {"paper/main.tex": HEAD + "\\includegraphics{../figs/a}\\includegraphics{b}\n" + FOOT}
    made = bundle(texts, "figs/a.pdf", "paper/b.pdf", main="paper/main.tex")
    assert names(made) == ["b.pdf", "figs/a.pdf", "main.tex"]
    assert "\\includegraphics{figs/a.pdf}\\includegraphics{b}" in text_of(made)
    assert made.main == "main.tex"


def test_what_is_missing_is_said_with_its_line() -> None:
    made = bundle({"main.tex": HEAD + "\\input{a}\n" + FOOT, "a.tex": "\n\\includegraphics{gone}\n"})
    assert made.missing == (Missing("gone", "a.tex", 2),)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (r"\includegraphics{/srv/x.png}", Remark(Advice.ABSOLUTE, "/srv/x.png")),
        (r"\usepackage{minted}", Remark(Advice.NEEDS_SHELL, "minted")),
        (r"\input{\what}", Remark(Advice.COMPUTED, r"\what")),
        (r"\includegraphics{Plot}", Remark(Advice.CASE, "plot.pdf")),
    ],
)
def test_what_arxiv_would_stumble_over_is_said(text: str, remark: Remark) -> None:
    assert remark in bundle({"main.tex": HEAD + text + "\n" + FOOT}, "plot.pdf").remarks


def test_a_name_in_other_letter_case_is_put_right() -> None:
    made = bundle({"main.tex": HEAD + "\\includegraphics{Plot}\n" + FOOT}, "plot.pdf")
    assert "\\includegraphics{plot.pdf}" in text_of(made)


def test_a_file_in_another_encoding_stays_a_file() -> None:
    texts = {"main.tex": HEAD + "\\input{a}\n" + FOOT, "a.tex": "é\n"}
    made = bundle(texts, encodings={"main.tex": "utf-8", "a.tex": "latin-1"})
    assert names(made) == ["a.tex", "main.tex"]


def test_packages_of_the_project_are_left_as_they_are() -> None:
    texts = {"main.tex": "\\documentclass{own}\n" + FOOT, "own.cls": "% mine\n\\input{x.def}\n", "x.def": ""}
    made = bundle(texts)
    assert {one.path: one.text for one in made.files if one.path != "main.tex"} == {"own.cls": None, "x.def": None}


def test_where_two_files_could_be_the_main_one_it_is_named() -> None:
    texts = {"main.tex": HEAD + "\\subfile{s}\n" + FOOT, "s.tex": "\\documentclass{subfiles}\n" + FOOT}
    made = bundle(texts)
    assert json.loads(text_of(made, README)) == {"sources": [{"filename": "main.tex", "usage": "toplevel"}]}
    assert README not in names(bundle({"main.tex": HEAD + FOOT}))


def test_more_than_arxiv_takes_is_said() -> None:
    texts = {"main.tex": HEAD + "\\includegraphics{big}" + FOOT}
    made = plan_bundle("main.tex", {"main.tex": 1, "big.pdf": 60 * 1024 * 1024}, texts)
    assert [one.advice for one in made.remarks] == [Advice.TOO_LARGE]


PIECES = st.sampled_from(
    (
        *(
            "\\input{a}",
            "\\input{b c}",
            "\\include{a}",
            "\\includegraphics{p q}",
            "\\includegraphics{p}",
            "%",
            "\n",
            "{",
        ),
        *("}", " x ", "\\verb|", "|", "\\bibliography{r}", "\\begin{verbatim}", "\\end{verbatim}", "\\endinput\n"),
        *("\\usepackage{s,t u}", "\\input{main}", "\\includegraphics{../x}", "\\input{#1}", "\\end{document}"),
    )
)
TEXT = st.lists(PIECES, max_size=12).map("".join)


@given(TEXT, TEXT, TEXT)
def test_any_document_has_a_bundle_with_plain_names(main: str, a: str, b: str) -> None:
    texts = {"main.tex": main, "a.tex": a, "b c.tex": b, "t u.sty": b, "r.bib": ""}
    made = bundle(texts, "p q.pdf", "p.png", "x.png")
    assert len(set(names(made))) == len(made.files)
    assert all(name.replace("/", "").isascii() and " " not in name for name in names(made))
    sources = {one.source for one in made.files}
    assert not sources & set(made.left_out)
    assert sources | set(made.flattened) | set(made.left_out) >= texts.keys()
