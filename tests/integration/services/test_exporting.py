"""What goes out comes in again byte by byte, and what goes to arXiv is the same document."""

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from texswarm_desktop.core.arxiv_bundle import Advice
from texswarm_desktop.services.exporting import export_arxiv, export_zip
from texswarm_desktop.services.unzip import unzip
from texswarm_server.protocol.errors import NoMainFileError, NotReadableError, NotWritableError

PAPER = {
    "main.tex": b"\\documentclass{article}\r\n\\begin{document}\r\n\\input{sections/a}\r\n\\end{document}\r\n",
    "sections/a.tex": "Naïve".encode("latin-1"),
    "figures/a b.png": bytes(range(256)),
    "Übung.tex": "\ufeffé\n".encode(),
    "latexmkrc": b"$pdf_mode = 1;\n",
    ".gitignore": b"*.secret\n",
    "empty.tex": b"",
}


def nobody(_done: int, _all: int) -> None:
    """Ask for nothing."""


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_project_that_went_out_comes_in_byte_by_byte(tmp_path: Path) -> None:
    files = {path: content for path, content in PAPER.items() if path != "latexmkrc"}
    folder = write(tmp_path / "paper", files)
    (folder / "later" / "chapters").mkdir(parents=True)
    report = export_zip(folder, tmp_path / "a.zip", nobody)
    unzip(tmp_path / "a.zip", tmp_path / "back")
    assert tree(tmp_path / "back") == files
    assert (tmp_path / "back" / "later" / "chapters").is_dir()
    assert (report.files, report.size_bytes) == (len(files), (tmp_path / "a.zip").stat().st_size)


def test_a_project_in_one_folder_keeps_it(tmp_path: Path) -> None:
    folder = write(tmp_path / "paper", {"src/main.tex": b"x"})
    export_zip(folder, tmp_path / "a.zip", nobody)
    unzip(tmp_path / "a.zip", tmp_path / "back")
    assert tree(tmp_path / "back") == {"src/main.tex": b"x"}


def test_what_is_not_the_projects_stays_here(tmp_path: Path) -> None:
    others = {
        ".git/config": b"",
        ".texswarm/replica.db": b"",
        "main.aux": b"",
        "main.log": b"",
        "my.secret": b"",
        ".hidden/x.tex": b"",
        ".env": b"",
        "__MACOSX/x": b"",
        "figures/.DS_Store": b"",
    }
    folder = write(tmp_path / "paper", PAPER | others)
    (folder / "link.tex").symlink_to(folder / "main.tex")
    report = export_zip(folder, folder / "a.zip", nobody)
    with zipfile.ZipFile(folder / "a.zip") as archive:
        assert archive.namelist() == sorted(PAPER)
    assert set(report.left_out) == {"main.aux", "main.log", "my.secret"}
    again = export_zip(folder, folder / "a.zip", nobody)
    assert again.files == report.files


def test_the_same_folder_gives_the_same_archive(tmp_path: Path) -> None:
    folder = write(tmp_path / "paper", PAPER)
    export_zip(folder, tmp_path / "a.zip", nobody)
    first = (tmp_path / "a.zip").read_bytes()
    export_zip(folder, tmp_path / "b.zip", nobody)
    assert (tmp_path / "b.zip").read_bytes() == first


def test_who_gives_up_half_way_keeps_the_older_archive(tmp_path: Path) -> None:
    folder = write(tmp_path / "paper", PAPER)
    (tmp_path / "a.zip").write_bytes(b"older")

    def give_up(done: int, _all: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_zip(folder, tmp_path / "a.zip", give_up)
    assert tree(tmp_path)["a.zip"] == b"older"
    assert {path.name for path in tmp_path.iterdir()} == {"paper", "a.zip"}


def test_folders_that_are_not_there_are_typed_errors(tmp_path: Path) -> None:
    with pytest.raises(NotReadableError):
        export_zip(tmp_path / "nowhere", tmp_path / "a.zip", nobody)
    with pytest.raises(NotReadableError):
        export_arxiv(tmp_path / "nowhere", tmp_path / "a.zip", nobody)
    with pytest.raises(NotWritableError):
        export_zip(write(tmp_path / "paper", PAPER), tmp_path / "nowhere" / "a.zip", nobody)


# ── arXiv ───────────────────────────────────────────────────────────────────────────────────────────────────

ARTICLE = {
    "paper.tex": r"""% A paper of many files.
\documentclass[11pt]{own}
\usepackage{graphicx}
\usepackage{local/notation}
\graphicspath{{pictures/}}
\newcommand{\datafolder}{data}
\title{On \thing{}} % or not
\author{A. U. Thor}
\begin{document}
\maketitle
\input{sections/introduction}
Between the sections, with a word joined\input{sections/word}to the next.
\input{sections/method} % the best one
{\small\input{sections/note}}
\section{Results}
\verbatiminput{\datafolder/numbers 1.txt}
\includegraphics[width=2cm]{a dot}
\begin{verbatim}
% \input{sections/nothing} stays as it is
\end{verbatim}
\include{sections/appendix}
\bibliographystyle{plain}
\bibliography{library}
\end{document}
My notes to myself.
""",
    "own.cls": "\\NeedsTeXFormat{LaTeX2e}\n\\ProvidesClass{own}\n\\LoadClass{article}\n\\RequirePackage{verbatim}\n",
    "local/notation.sty": "\\ProvidesPackage{local/notation}\n\\newcommand{\\thing}{Things}\n",
    "sections/introduction.tex": "\\section{Introduction}\nAs \\cite{knuth} says, 100\\% of it. % secret\n\n% secret\n"
    + "Words fill a page or two. " * 300
    + "\n\\input{sections/deeper}\n% the end",
    "sections/deeper.tex": "Deeper.%\n\\endinput\nNever read.\n",
    "sections/word.tex": "%\n",
    "sections/method.tex": "\\section{Method}\n" + "More words, and yet more. " * 400 + "\n",
    "sections/note.tex": "A small note.\n",
    "sections/appendix.tex": "\\section{Appendix}\nIts own page.\n",
    "sections/nothing.tex": "\\undefined\n",
    "data/numbers 1.txt": "1 2 3 % all of them\n",
    "library.bib": "@book{knuth, author={Donald Knuth}, title={The book}, publisher={AW}, year={1984}}\n",
    "todo.txt": "private\n",
}
#: The smallest figure there is: a PDF page with a dot, written by hand.
DOT = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<>>>>endobj
4 0 obj<</Length 12>>stream
3 3 3 3 re f
endstream endobj
trailer<</Root 1 0 R/Size 5>>
"""


def pdf_with_offsets(raw: bytes) -> bytes:
    """Return the figure with the table of places that a PDF needs."""
    body, trailer = raw.split(b"trailer")
    places = [body.index(b"%d 0 obj" % number) for number in range(1, 5)]
    table = b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return body + table + b"trailer" + trailer + b"startxref\n%d\n%%%%EOF\n" % len(body)


def article(folder: Path) -> Path:
    texts = {name: text.encode() for name, text in ARTICLE.items()}
    return write(folder, texts | {"pictures/a dot.pdf": pdf_with_offsets(DOT)})


def bundle_of(folder: Path, target: Path) -> tuple[Path, object]:
    report = export_arxiv(folder, target.with_suffix(".zip"), nobody)
    with zipfile.ZipFile(target.with_suffix(".zip")) as archive:
        archive.extractall(target)
    return target, report.bundle


def test_a_paper_of_many_files_goes_to_arxiv_in_a_few(tmp_path: Path) -> None:
    folder = article(tmp_path / "paper")
    (folder / "paper.bbl").write_text("\\begin{thebibliography}{1}\\bibitem{knuth} K.\\end{thebibliography}\n")
    report = export_arxiv(folder, tmp_path / "a.zip", nobody)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names, text = archive.namelist(), archive.read("paper.tex").decode()
    assert names == [
        *("data/numbers_1.txt", "local/notation.sty", "own.cls", "paper.bbl", "paper.tex", "pictures/a_dot.pdf"),
        "sections/note.tex",
    ]
    assert "secret" not in text
    assert "My notes" not in text
    assert "\\verbatiminput{data/numbers_1.txt}" in text
    assert "{pictures/a_dot.pdf}" in text
    assert "% \\input{sections/nothing} stays as it is" in text
    bundle = report.bundle
    assert bundle is not None
    assert (bundle.missing, bundle.remarks) == ((), ())
    assert report.left_out == ("library.bib", "sections/nothing.tex", "todo.txt")


def test_a_bibliography_older_than_its_source_is_told(tmp_path: Path) -> None:
    folder = article(tmp_path / "paper")
    (folder / "paper.bbl").write_text("")
    os.utime(folder / "paper.bbl", (1_000_000_000, 1_000_000_000))
    bundle = export_arxiv(folder, tmp_path / "a.zip", nobody).bundle
    assert bundle is not None
    assert [one.advice for one in bundle.remarks] == [Advice.BBL_OLD]


def test_a_bundle_of_a_folder_without_a_document_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(NoMainFileError):
        export_arxiv(write(tmp_path / "paper", {"a.tex": b"only text"}), tmp_path / "a.zip", nobody)
    assert not (tmp_path / "a.zip").exists()


def test_each_file_keeps_its_encoding(tmp_path: Path) -> None:
    files = {
        "main.tex": b"\\documentclass{article}\r\n\\begin{document}\r\n\\input{a}\r\n\\input{b}\r\n\\end{document}\r\n",
        "a.tex": "naïve\n".encode("latin-1"),
        "b.tex": b"plain\n",
    }
    export_arxiv(write(tmp_path / "paper", files), tmp_path / "a.zip", nobody)
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("a.tex") == files["a.tex"]
        assert archive.read("main.tex") == files["main.tex"].replace(b"\\input{b}", b"plain")


def run(folder: Path, *command: str) -> None:
    answer = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=100)
    assert answer.returncode == 0, answer.stdout[-3000:]


def pages(folder: Path) -> str:
    log = (folder / "paper.log").read_text(encoding="latin-1")
    found = re.search(r"Output written on (?:\S+/)?paper\.pdf \((\d+) page", log.replace("\n", ""))
    assert found is not None
    return found[1]


@pytest.mark.skipif(shutil.which("latexmk") is None or shutil.which("bibtex") is None, reason="needs latexmk")
@pytest.mark.parametrize("into", [".", "build"])
def test_the_bundle_is_the_same_document(tmp_path: Path, into: str) -> None:
    """Also where LaTeX was told to write elsewhere."""
    folder = article(tmp_path / "paper")
    command = ("latexmk", "-norc", "-pdf", f"-outdir={into}", "-interaction=nonstopmode", "-halt-on-error", "paper.tex")
    run(folder, *command)
    target, _ = bundle_of(folder, tmp_path / "bundle")
    run(target, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex")
    run(target, "pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex")
    assert pages(target) == pages(folder / into)
    assert "undefined" not in (target / "paper.log").read_text(encoding="latin-1")
    if shutil.which("pdftotext") is not None:
        for place in (folder / into, target):
            run(place, "pdftotext", "-layout", "paper.pdf", "paper.txt")
        assert (target / "paper.txt").read_text().split() == (folder / into / "paper.txt").read_text().split()
