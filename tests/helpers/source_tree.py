"""The modules of our packages as syntax trees, found by looking; nothing here imports them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PACKAGES: Final = {
    "texswarm_desktop": ROOT / "texswarm_desktop",
    "texswarm_server": ROOT / "server" / "texswarm_server",
}

# No Qt, asyncio, files, sockets, clock, random source, environment. Packages as a whole, or single modules; a module
# whose docstring says "Pure." is held to it as well.
PURE: Final = (
    "texswarm_server.document",
    "texswarm_server.pairing",
    "texswarm_server.protocol",
    "texswarm_server.sessions",
    "texswarm_server.rooms",
    "texswarm_desktop.core",
    "texswarm_desktop.client.states",
    "texswarm_desktop.client.events",
    "texswarm_desktop.client.effects",
    "texswarm_desktop.client.transition",
    "texswarm_desktop.client.backoff",
    "texswarm_desktop.client.timing",
    "texswarm_desktop.client.document_sync",
)


@dataclass(frozen=True)
class Module:
    """One source file of a package, under the name it is imported by."""

    name: str
    path: Path

    @cached_property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, filename=str(self.path))

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def is_pure(self) -> bool:
        says_so = re.search(r"\bPure[.,:;]", ast.get_docstring(self.tree) or "")
        return says_so is not None or any(f"{self.name}.".startswith(f"{pure}.") for pure in PURE)

    def at(self, node: ast.AST) -> str:
        """Say where a node stands, in a form that editors open."""
        return f"{self.path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))

    def imports(self) -> Iterator[tuple[ast.AST, str, str]]:
        """Yield each import as node, module and imported name (empty for `import module`); we have no relative ones."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name, "") for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((node, node.module or "", alias.name) for alias in node.names)


def modules() -> list[Module]:
    """Find every module of both packages."""
    return [
        Module(_name_of(package, path.relative_to(folder)), path)
        for package, folder in PACKAGES.items()
        for path in sorted(folder.rglob("*.py"))
    ]


def _name_of(package: str, path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join((package, *parts[:-1])) if parts[-1] == "__init__" else ".".join((package, *parts))
