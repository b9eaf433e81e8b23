"""What the user reads about bringing projects in and giving them out. No Qt: the commands say the same."""

from typing import Final

from texswarm_desktop.core.arxiv_bundle import Advice, Remark
from texswarm_desktop.core.zip_check import Refusal

REFUSAL_WORDS: Final = {
    Refusal.ABSOLUTE: "its name begins at the root of the disk",
    Refusal.DRIVE: "its name begins with a drive",
    Refusal.OUTSIDE: "its name leads out of the folder",
    Refusal.LINK: "it is a link to another place",
    Refusal.SPECIAL: "it is a device, not a file",
    Refusal.ENCRYPTED: "it is locked with a password",
    Refusal.NAME_UNREADABLE: "its name cannot be read",
    Refusal.NAME_IMPOSSIBLE: "not every system allows this name",
    Refusal.DUPLICATE: "another file has this name already",
    Refusal.BOMB: "it unpacks to suspiciously much",
    Refusal.TOO_LARGE: "it is too large",
    Refusal.TOTAL_TOO_LARGE: "the archive would unpack to too much",
    Refusal.TOO_MANY: "there are too many files",
    Refusal.METHOD: "it is packed in an unknown way",
    Refusal.DAMAGED: "it is damaged",
    Refusal.OBEYED: "other programs would obey it",
    Refusal.OWN: "it is the state of another project",
    Refusal.CLUTTER: "it belongs to the system it comes from",
}

_ADVICE: Final = {
    Advice.BBL_MISSING: "{} is not there: run LaTeX and BibTeX (or Biber) first, or arXiv shows no references.",
    Advice.BBL_OLD: "{} is older than a bibliography: run LaTeX and BibTeX (or Biber) again to be sure.",
    Advice.INDEX_MISSING: "{} is not there: run LaTeX and the index program first, or arXiv shows no index.",
    Advice.ABSOLUTE: "“{}” is a place on your disk only: put the file into the project.",
    Advice.COMPUTED: "“{}” is put together by TeX, so its file could not be found: look whether it is in the bundle.",
    Advice.NEEDS_SHELL: "The package {} runs another program, which arXiv does not: include what it makes.",
    Advice.CASE: "{} was named with other letters large or small; the name was put right.",
    Advice.NOT_RENAMED: "“{}” means a file whose name arXiv does not take, and could not be changed by itself.",
    Advice.TOO_LARGE: "The bundle has {} bytes, which is more than arXiv takes.",
}


def advice_words(remark: Remark) -> str:
    """Return a remark as a sentence."""
    return _ADVICE[remark.advice].format(remark.about)


def file_count(count: int) -> str:
    """Return "1 file", "2 files"."""
    return f"{count} file{'' if count == 1 else 's'}"


def size_words(size_bytes: int) -> str:
    """Return a size as people say it."""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" or size >= 10 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
