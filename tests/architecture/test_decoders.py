"""Whatever reads what a stranger may have written is fuzzed: the list of tests/fault/fuzzing is complete."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.helpers.source_tree import ROOT, Module, modules

LIST: Final = ROOT / "tests" / "fault" / "fuzzing" / "decoders.py"
READS: Final = re.compile(r"(decode|parse|read|unpack)(_|$)")
FOREIGN: Final = re.compile(r"\b(bytes|str|Reader)\b")

#: What only looks like one, and why.
NO_DECODERS: Final = {
    "texswarm_server.cli.arguments": {"parse": "the words of a command line"},
    "texswarm_desktop.sync.options": {"parse": "the words of a command line"},
    "texswarm_server.cli.values": {"read_text": "takes any text", "read": "made of the other ones"},
    "texswarm_desktop.services.project_folder": {
        "read": "a path of our own, not what is in the file",
        "read_all": "paths of our own",
    },
    "texswarm_server.document.blob_contents": {"read_changes": "inside `ProjectDocument`, which is in the list"},
    "texswarm_server.document.file_entry": {"read_files": "inside `ProjectDocument`, which is in the list"},
    "texswarm_server.document.gaps": {"read_ranges": "inside `contains` and `without_holes`, which are in the list"},
}


def decoders(module: Module) -> Iterator[str]:
    """Yield the public functions whose name says that they read, and whose first value is bytes or text."""
    for function in module.functions():
        values = [each for each in function.args.args if each.arg not in {"self", "cls"}]
        is_foreign = bool(values) and FOREIGN.search(ast.unparse(values[0].annotation or ast.Constant("")))
        if is_foreign and READS.match(function.name):
            yield function.name


def names_in(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    return {node.id for node in nodes if isinstance(node, ast.Name)} | {
        node.attr for node in nodes if isinstance(node, ast.Attribute)
    }


def test_every_decoder_is_fuzzed() -> None:
    fuzzed = names_in(LIST)
    assert [
        f"{module.name}.{name}"
        for module in modules()
        for name in decoders(module)
        if name not in fuzzed and name not in NO_DECODERS.get(module.name, {})
    ] == []


def test_what_is_called_no_decoder_is_there() -> None:
    found = {f"{module.name}.{name}" for module in modules() for name in decoders(module)}
    assert {f"{module}.{name}" for module, reasons in NO_DECODERS.items() for name in reasons} - found == set()
