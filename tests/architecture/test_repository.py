"""What git tracks: known names at the top, nothing large, and no trace of a particular machine."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.source_tree import ROOT

TOP_LEVEL: Final = {
    ".ci", ".editorconfig", ".gitattributes", ".gitignore", "CHANGELOG.md", "LICENSE", "Makefile", "README.md",
    "pyproject.toml", "resources", "server", "tests", "texswarm_desktop",
}  # fmt: skip
LIMIT_BYTES: Final = 1_000_000

# Written in pieces, so that this file does not contain what it looks for.
MACHINE_FOLDERS: Final = ("work", "home", "root", "tmp", "Users")
PATH_OF_A_MACHINE: Final = re.compile(rf"(?<![\w.~$}}*-])/(?:{'|'.join(MACHINE_FOLDERS)})/\w|[A-Z]:\\+Users\\+\w")
REGISTRY_HOSTS: Final = (
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js",
    "pkg" + ".dev",
    "arti" + "factory",
)


def tracked() -> list[Path]:
    """List the files git tracks; a source archive without git has nothing to look at."""
    answer = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if answer.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in answer.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> dict[str, str]:
    """Read every tracked file that is text."""
    found = {}
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            found[str(path.relative_to(ROOT))] = content.decode(errors="replace")
    return found


def test_the_top_level_holds_known_names_only() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} - TOP_LEVEL == set()


def test_no_file_is_large() -> None:
    sizes = {str(path.relative_to(ROOT)): path.stat().st_size for path in tracked()}
    assert {name: size for name, size in sizes.items() if size > LIMIT_BYTES} == {}


def test_no_file_names_a_path_of_a_machine() -> None:
    assert {
        name: PATH_OF_A_MACHINE.findall(text) for name, text in texts().items() if PATH_OF_A_MACHINE.search(text)
    } == {}


def test_no_file_names_a_package_registry() -> None:
    assert [name for name, text in texts().items() if any(host in text for host in REGISTRY_HOSTS)] == []


def test_the_lock_file_pins_every_package_by_hash() -> None:
    lines = (ROOT / ".ci" / "requirements-dev.lock").read_text().splitlines()
    packages = [number for number, line in enumerate(lines) if re.match(r"\w", line)]
    assert packages
    assert [
        lines[number] for number in packages if "==" not in lines[number] or "--hash=" not in lines[number + 1]
    ] == []


def test_qt_on_python_3_11_is_older_than_the_release_that_dies_under_qasync() -> None:
    lock = (ROOT / ".ci" / "requirements-dev.lock").read_text()
    (version,) = re.findall(r"pyside6-essentials==([\d.]+) ; python_full_version < '3\.12'", lock)
    assert tuple(map(int, version.split("."))) < (6, 12)
