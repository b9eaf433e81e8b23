"""The rules of the house that no linter knows. Each test names every place that breaks its rule."""

import ast
import re
from collections.abc import Iterator
from typing import Final

from tests.helpers.source_tree import Module, modules

MODULE_LINES: Final = 800
FUNCTION_LINES: Final = 60
SAYS_NOTHING: Final = {"utils", "util", "common", "misc", "helpers", "stuff", "tools"}

MUTABLE_MAKERS: Final = {
    "list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict", "ChainMap",
    "WeakSet", "WeakKeyDictionary", "WeakValueDictionary", "Queue", "Lock", "RLock", "Event", "ContextVar",
}  # fmt: skip

# The borders at which any failure is caught. Everywhere else an `except` names what it can mend.
CATCHES_EVERYTHING: Final = {
    "texswarm_desktop.qtx.task_scope": "the owner of the window's tasks logs what they died of",
    "texswarm_desktop.client.driver": "a failing effect becomes an event",
    "texswarm_server.net.peer": "one peer's failure must not end the listener",
    "texswarm_desktop.app": "the exception hook",
    "texswarm_server.storage.sqlite_store": "what a job raised is handed to whoever asked for the job",
    "texswarm_server.document.project_document": "a Rust panic is a BaseException of a class that cannot be imported",
}
# Who cancels a task waits for it and takes the CancelledError it asked for; it is also who may start one.
OWNS_TASKS: Final = {"texswarm_desktop.qtx.task_scope"}

NESTED_LOOPS: Final = {"exec", "exec_", "processEvents", "asyncSlot", "asyncClose"}
STATIC_DIALOGS: Final = {
    "QMessageBox": {"about", "aboutQt", "critical", "information", "question", "warning"},
    "QFileDialog": {"getExistingDirectory", "getOpenFileName", "getOpenFileNames", "getSaveFileName"},
    "QInputDialog": {"getDouble", "getInt", "getItem", "getMultiLineText", "getText"},
    "QColorDialog": {"getColor"},
    "QFontDialog": {"getFont"},
}


def test_every_module_says_what_it_is() -> None:
    assert [module.name for module in modules() if not ast.get_docstring(module.tree)] == []


def test_every_folder_of_a_package_is_a_package() -> None:
    packages = {module.path.parent for module in modules() if module.is_package}
    assert [str(module.path) for module in modules() if module.path.parent not in packages] == []


def test_no_module_is_too_long() -> None:
    lengths = {module.name: len(module.source.splitlines()) for module in modules()}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES} == {}


def test_no_function_is_too_long() -> None:
    assert [
        f"{module.at(function)} {function.name}"
        for module in modules()
        for function in module.functions()
        if _lines(function) > FUNCTION_LINES
    ] == []


def test_no_name_says_nothing() -> None:
    assert [module.name for module in modules() if SAYS_NOTHING & set(module.name.split("."))] == []


def test_no_module_holds_state() -> None:
    assert [place for module in modules() for place in _module_state(module)] == []


def test_only_the_borders_catch_everything() -> None:
    assert [
        module.at(node)
        for module in modules()
        if module.name not in CATCHES_EVERYTHING
        for node in ast.walk(module.tree)
        if _catches(node, {"", "Exception", "BaseException"}) and not _passes_on(node)
    ] == []


def test_cancellation_is_passed_on() -> None:
    assert [
        module.at(node)
        for module in modules()
        if module.name not in OWNS_TASKS
        for node in ast.walk(module.tree)
        if _catches(node, {"CancelledError"}) and not _passes_on(node)
    ] == []


def test_every_task_has_an_owner() -> None:
    assert [
        module.at(node)
        for module in modules()
        if module.name not in OWNS_TASKS
        for node in ast.walk(module.tree)
        if _starts_bare_task(node)
    ] == []


def test_no_loop_runs_inside_the_loop() -> None:
    assert [module.at(node) for module in modules() for node in ast.walk(module.tree) if _nests_a_loop(node)] == []


def test_nobody_quits_the_application_under_the_loop() -> None:
    receiver = re.compile(r"(^|[._])([qQ]?[aA]pp|Q\w*Application|instance\(\))$")
    assert [
        module.at(node)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"quit", "exit"}
        and receiver.search(ast.unparse(node.value))
    ] == []


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _module_state(module: Module) -> Iterator[str]:
    """Yield where a name of the module is bound to something that can change, or a function rebinds one."""
    yield from (module.at(node) for node in ast.walk(module.tree) if isinstance(node, ast.Global))
    for node in _module_level(module.tree.body):
        if isinstance(node, ast.Assign):
            names, value = [ast.unparse(target) for target in node.targets], node.value
        elif isinstance(node, ast.AnnAssign) and node.value and "Final" not in ast.unparse(node.annotation):
            names, value = [ast.unparse(node.target)], node.value
        else:
            continue
        if _can_change(value) and not all(_is_constant(name) for name in names):
            yield module.at(node)


def _module_level(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield the statements that run at import, also those under `if`, `try` and `with`."""
    for node in body:
        yield node
        for inner in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from _module_level(getattr(node, inner, []))


def _can_change(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        maker = value.func.value if isinstance(value.func, ast.Subscript) else value.func
        return ast.unparse(maker).rpartition(".")[2] in MUTABLE_MAKERS
    return isinstance(value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp)


def _is_constant(name: str) -> bool:
    return name.isupper() or (name.startswith("__") and name.endswith("__"))


def _catches(node: ast.AST, classes: set[str]) -> bool:
    """Tell whether a handler, or a `suppress(…)`, takes one of the classes; a bare `except` is the empty name."""
    if isinstance(node, ast.ExceptHandler):
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        return any((ast.unparse(item).rpartition(".")[2] if item else "") in classes for item in caught)
    if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "suppress":
        return any(ast.unparse(item).rpartition(".")[2] in classes for item in node.args)
    return False


def _passes_on(node: ast.AST) -> bool:
    """Tell whether a handler ends by raising, so that it only tidies up."""
    return isinstance(node, ast.ExceptHandler) and isinstance(node.body[-1], ast.Raise)


def _starts_bare_task(node: ast.AST) -> bool:
    """A TaskGroup's or TaskScope's `create_task` is fine; asyncio's own and a loop's is not."""
    if isinstance(node, ast.ImportFrom) and node.module == "asyncio":
        return any(alias.name in {"create_task", "ensure_future"} for alias in node.names)
    if not isinstance(node, ast.Attribute) or node.attr not in {"create_task", "ensure_future"}:
        return False
    return re.search(r"(asyncio|loop|loop\(\))$", ast.unparse(node.value)) is not None


def _nests_a_loop(node: ast.AST) -> bool:
    if isinstance(node, ast.ImportFrom):
        return any(alias.name in {"asyncSlot", "asyncClose"} for alias in node.names)
    if not isinstance(node, ast.Attribute):
        return False
    receiver = ast.unparse(node.value).rpartition(".")[2]
    return node.attr in NESTED_LOOPS or node.attr in STATIC_DIALOGS.get(receiver, set())
