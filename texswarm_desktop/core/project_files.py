"""Which files of a folder are the project's.

A shared document must never bring a file here that another program would obey (`.git/config`, `latexmkrc`, a desktop
entry). So there are three kinds of files, and the same rule holds for reading and for writing:

    usual     what LaTeX is written with: a list of endings. Shared by itself.
    other     has an ending that is in no list (`run.py`, `data.raw`): shared, and written here, only if the people at
              this computer wish so (`Sharing.share`)
    obeyed    hidden, without an ending, or known to be obeyed or to run when it is opened: never
"""

import unicodedata
from typing import Final

from texswarm_server.document.paths import is_safe_path

OWN_FOLDER: Final = ".texswarm"

_TEXT_SUFFIXES: Final = (
    ".tex .ltx .latex .rtex .rnw .snw .lhs .tikz .tikzstyles .pgf .pdf_tex .ps_tex .eps_tex .pdf_t .ps_t .pstex "
    ".pstex_t .bib .ris .sty .cls .bst .bbx .cbx .lbx .dbx .def .cfg .clo .fd .ldf .ltxdoc .dtx .ins .ist .mst .code "
    ".lco .mp .mf .asy .lua .txt .text .md .markdown .rst .org .csv .tsv .dat .json .yaml .yml .xml .gp .gpi .plt "
    ".xyz .tab .dot .gv .puml .ly .abc"
)
#: Of programs that have to be compiled, or that are run by nobody who did not ask for them.
_LISTING_SUFFIXES: Final = (
    ".c .h .cc .cpp .cxx .hh .hpp .cu .java .kt .scala .hs .ml .rs .go .swift .cs .f .for .f90 .f95 .pas .adb .ads .v "
    ".sv .vhdl .sql .r .rmd .qmd .jl .lean .agda"
)
_SUFFIXES: Final = frozenset([*_TEXT_SUFFIXES.split(), *_LISTING_SUFFIXES.split()])
_FREE_NAMES: Final = frozenset({"readme", "license", "licence", "copying", "authors", "changelog", "todo", "notes"})
_FIGURE_ENDINGS: Final = (
    ".pdf .png .jpg .jpeg .jfif .jp2 .gif .bmp .tif .tiff .webp .avif .ico .eps .ps .svg .svgz .wmf .emf .ai .psd .xcf "
    ".drawio .dia .fig .otf .ttf .ttc .woff .woff2 .pfb .pfm .afm .tfm .vf .mp3 .wav .ogg .mp4 .m4v .mov .avi .webm "
    ".xlsx .ods .docx .odt .pptx .odp .odg .npy .npz .mat .h5 .hdf5 .nc .fits .flac .mkv .heic .tga .pgm .ppm .pbm .pnm"
)
_FIGURE_SUFFIXES: Final = frozenset(_FIGURE_ENDINGS.split())
#: Runs or changes something when it is opened, is looked at in a file manager, or is found by a program that works in
#: the folder; by its ending.
_OBEYED_ENDINGS: Final = (
    ".exe .com .bat .cmd .msi .msp .scr .pif .cpl .msc .hta .jar .class .js .jse .vbs .vbe .wsf .wsh .ws .sct .ps1 "
    ".psm1 .psd1 .reg .inf .lnk .url .scf .chm .hlp .gadget .application .appref-ms .library-ms .search-ms "
    ".searchconnector-ms .theme .themepack .settingcontent-ms .diagcab .iso .vhd .vhdx .dll .ocx .sys .drv .xll .wll "
    ".docm .dotm .xlsm .xltm .xlam .pptm .ppam .potm .sldm .iqy .slk .rdp .desktop .directory .service .mount .timer "
    ".socket .appimage .run .deb .rpm .flatpakref .snap .sh .bash .zsh .fish .csh .ksh .command .tool .terminal "
    ".workflow .action .webloc .inetloc .fileloc .app .pkg .mpkg .dmg .so .dylib .pth .pyc .pyo .pyd .pyz .pyzw .mk "
    ".mak .cmake .nix .code-workspace .sublime-project .vcxproj .csproj .sln .gradle"
)
_OBEYED_SUFFIXES: Final = frozenset(_OBEYED_ENDINGS.split())
#: By its name; a name without an ending needs none here.
_OBEYED_NAMES_LISTED: Final = (
    "araraconfig.yaml arararc.yaml tectonic.toml texmf.cnf biber.conf build.xml pom.xml web.config startup.m setup.py "
    "desktop.ini thumbs.db conftest.py sitecustomize.py usercustomize.py noxfile.py tasks.py dodo.py fabfile.py"
)
_OBEYED_NAMES: Final = frozenset(_OBEYED_NAMES_LISTED.split())
_OBEYED_STEMS: Final = ("makefile.", "gnumakefile.", "latexmkrc.", "dockerfile.")
#: What says nothing to anybody who reads a paper: the notes of repositories, editors and file managers.
_CLUTTER_LISTED: Final = (
    ".gitignore .gitattributes .gitmodules .gitkeep .keep .mailmap .git .hgignore .hgtags .editorconfig .chktexrc "
    ".latexindent.yaml .ds_store .localized .dropbox .dropbox.attr .nojekyll .gitlab-ci.yml .travis.yml .gitpod.yml "
    ".pre-commit-config.yaml .directory .project .pydevproject .texlipse .dockerignore .prettierrc .prettierignore "
    ".clang-format thumbs.db desktop.ini"
)
_CLUTTER: Final = frozenset(_CLUTTER_LISTED.split())
#: Hidden files that are there for a moment, and such that lock another one.
_PASSING: Final = (".#", ".~", ".nfs", ".fuse_hidden", ".smbdelete", ".goutputstream", ".texswarm", "._")
_SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules", "__macosx"})
_UNSEEN: Final = "".join(map(chr, (*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF)))


def is_project_folder(name: str) -> bool:
    """Say whether a folder called `name` is looked into: not hidden, not a program's own store."""
    return not _shown(name).startswith((".", "_minted")) and name.lower() not in _SKIPPED_FOLDERS


def is_project_text(path: str) -> bool:
    """Say whether the file at `path` (relative, with `/`) may be shared as text: also one of another kind."""
    return may_be_shared(path) and _ending(path)[1] not in _FIGURE_SUFFIXES


def is_project_figure(path: str) -> bool:
    """Say whether the file at `path` (relative, with `/`) is shared as it is: a figure, a font, data for one."""
    stem, suffix = _ending(path)
    return may_be_shared(path) and bool(stem) and suffix in _FIGURE_SUFFIXES


def may_be_binary(path: str) -> bool:
    """Say whether a binary file at `path` may be the project's: also under a text's name, `data.dat` or `old.txt`."""
    return is_project_figure(path) or is_project_text(path)


def may_be_shared(path: str) -> bool:
    """Say whether a file at `path` may be the project's at all, whatever is in it."""
    *folders, name = path.split("/")
    return is_safe_path(path) and all(map(is_project_folder, folders)) and not is_obeyed(name) and _is_text(path)


def is_usual(name: str) -> bool:
    """Say whether a file of this name, or path, is shared although nobody says so; if it may be at all."""
    return has_text_name(_name(name)) or _ending(name)[1] in _FIGURE_SUFFIXES


def has_text_name(name: str) -> bool:
    """Say whether a file of this name holds text as LaTeX is written with, if its path is one that can be shared."""
    stem, suffix = _ending(name)
    return not is_obeyed(name) and (suffix in _SUFFIXES if stem and suffix else name.lower() in _FREE_NAMES)


def is_obeyed(name: str) -> bool:
    """Say whether a file of this name may be nobody's but this computer's: see above.

    Disks differ in what they take for the same name, so letter case, composed letters and what is unseen do not count.
    """
    plain = _plain(name)
    stem, suffix = _ending(plain)
    if not _is_shown(name) or plain in _OBEYED_NAMES or plain.startswith(_OBEYED_STEMS):
        return True
    return suffix in _OBEYED_SUFFIXES if stem and suffix else plain not in _FREE_NAMES


def is_untold(name: str) -> bool:
    """Say whether nobody needs to hear that a file of this name is not shared."""
    return _plain(name) in _CLUTTER or name.startswith((*_PASSING, "~", "#")) or name.endswith(("~", ".bbl"))


def _plain(name: str) -> str:
    if name.isascii():
        return name.lower().rstrip(" .")
    seen = "".join(c for c in name if c not in _UNSEEN)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold()).rstrip(" .")


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _ending(path: str) -> tuple[str, str]:
    """Return the name before its last dot, and the suffix with the dot in small letters; empty without one."""
    stem, dot, suffix = _name(path).rpartition(".")
    return stem, f".{suffix.lower()}" if dot else ""


def _is_shown(name: str) -> bool:
    """Neither hidden nor what an editor puts aside."""
    return not _shown(name).startswith((".", "~", "#")) and not name.endswith("~")


def _is_text(path: str) -> bool:
    """A name on disk may be bytes that are no text."""
    return not any("\ud800" <= c <= "\udfff" for c in path)


def _shown(name: str) -> str:
    """Some disks do not see these characters: to them `.git` is the same with one of them before it."""
    return name.lstrip(_UNSEEN)
