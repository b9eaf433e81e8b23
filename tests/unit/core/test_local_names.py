"""Every name of a project has one spelling on a disk, and is found again from it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.local_names import MACOS, POSIX, WINDOWS, LocalNames, NameRules, rules_for
from texswarm_desktop.core.project_files import is_project_text

FOLDING = NameRules(folds_case=True)
ALL_RULES = [POSIX, MACOS, WINDOWS, FOLDING]
letters = st.sampled_from("aAbe.%2357D ?<:~ıéÉs\u0301ß1")
names = st.text(letters, min_size=1, max_size=8).map(lambda stem: f"{stem}.tex")
paths = st.lists(names, min_size=1, max_size=3).map("/".join).filter(is_project_text)


def placed(*project: str, rules: NameRules = WINDOWS, kept: dict[str, str] | None = None) -> list[str | None]:
    found = LocalNames(rules).paths({f"{at}": path for at, path in enumerate(project)}, kept or {})
    return [found.get(f"{at}") for at in range(len(project))]


@pytest.mark.parametrize(
    ("path", "spelled"),
    [
        ("main.tex", "main.tex"),
        ("aux.tex", "au%78.tex"),
        ("a/CON/x.tex", "a/CO%4E/x.tex"),
        ("com1.x.tex", "com%31.x.tex"),
        ("auxiliary.tex", "auxiliary.tex"),
        ("what?.tex", "what%3F.tex"),
        ("sec./x.tex", "sec%2E/x.tex"),
        ("50%.tex", "50%.tex"),
        ("50%25.tex", "50%25.tex"),
        ("what%3F.tex", "what%253F.tex"),
        ("git~1/x.tex", "git%7E1/x.tex"),
    ],
)
def test_windows_takes_every_name_in_some_spelling(path: str, spelled: str) -> None:
    names = LocalNames(WINDOWS)
    assert (names.spelled(path), names.shared(spelled)) == (spelled, path)


def test_elsewhere_names_are_as_they_are() -> None:
    assert placed("aux.tex", "what?.tex", "Main.tex", "main.tex", "50%25.tex", rules=POSIX) == [
        "aux.tex", "what?.tex", "Main.tex", "main.tex", "50%25.tex"]  # fmt: skip


def test_of_two_names_that_differ_in_case_the_one_on_the_disk_stays() -> None:
    assert placed("main.tex", "Main.tex") == ["main.tex", "%4Dain.tex"]
    assert placed("main.tex", "Main.tex", kept={"1": "Main.tex"}) == ["%6Dain.tex", "Main.tex"]
    assert LocalNames(WINDOWS).shared("%6Dain.tex") == "main.tex"


def test_composed_and_decomposed_names_are_one_name_on_a_mac() -> None:
    apart = unicodedata.normalize("NFD", "é.tex")
    first, second = placed(apart, "é.tex", rules=MACOS)
    assert first == "é.tex"
    assert second is not None
    assert LocalNames(MACOS).shared(second) == "é.tex"


def test_a_file_gives_way_to_a_folder_of_its_name() -> None:
    assert placed("a.tex", "a.tex/b.tex", rules=POSIX) == ["%61.tex", "a.tex/b.tex"]


def test_folders_that_differ_in_case_are_one_folder() -> None:
    assert placed("Sec/a.tex", "sec/b.tex", "SEC/c/d.tex") == ["Sec/a.tex", "Sec/b.tex", "Sec/c/d.tex"]


def test_a_name_that_is_too_long_has_no_place() -> None:
    assert placed("é" * 200 + ".tex", rules=POSIX) == [None]
    assert placed("é" * 200 + ".tex", rules=MACOS) == ["é" * 200 + ".tex"]


def test_what_is_of_no_kind_that_is_written_has_no_place() -> None:
    assert placed(".git/x.tex", "run.sh", "a.tex", rules=POSIX) == [None, None, "a.tex"]


def test_systems_have_their_rules() -> None:
    assert rules_for("win32", folds_case=True) == WINDOWS
    assert rules_for("linux", folds_case=False) == POSIX
    assert rules_for("linux", folds_case=True) == FOLDING


@given(path=paths, rules=st.sampled_from(ALL_RULES))
def test_the_same_name_is_found_again(path: str, rules: NameRules) -> None:
    names = LocalNames(rules)
    spelled = names.spelled(path)
    assert names.shared(spelled) == (unicodedata.normalize("NFC", path) if rules.composes else path)
    assert not set(spelled) & set(rules.forbidden)


@given(found=st.sets(paths, max_size=8), rules=st.sampled_from(ALL_RULES))
def test_no_two_files_have_one_place(found: set[str], rules: NameRules) -> None:
    places = LocalNames(rules).paths({path: path for path in found}, {})
    folded = [
        unicodedata.normalize("NFC", place).casefold() if rules.folds_case else place for place in places.values()
    ]
    assert len(set(folded)) == len(folded)
    assert LocalNames(rules).paths({path: path for path in found}, places) == places


@given(path=paths)
def test_what_is_on_the_disk_is_not_spelled_anew(path: str) -> None:
    names = LocalNames(POSIX)
    if names.shared(path) == path:
        assert names.spelled(path) == path
