"""Who may use a library, or one module of the server. The arrows between packages are contracts in pyproject.toml."""

from typing import Final

import pytest

from tests.helpers.source_tree import Module, modules

# What is used, and by whom: a package with all it holds, or a single module.
ALLOWED: Final = {
    "PySide6": ("texswarm_desktop.app", "texswarm_desktop.qtx", "texswarm_desktop.ui", "texswarm_desktop.viewmodels"),
    "shiboken6": ("texswarm_desktop.qtx", "texswarm_desktop.ui", "texswarm_desktop.viewmodels"),
    "qasync": ("texswarm_desktop.app", "texswarm_desktop.qtx.loop"),
    "keyring": ("texswarm_desktop.services.secret_store",),
    "pycrdt": ("texswarm_server.document",),
    "websockets": ("texswarm_desktop.client.transport", "texswarm_server.net"),
    "prometheus_client": ("texswarm_server.monitoring",),
    "pathspec": ("texswarm_desktop.core.ignore_rules",),
    "watchfiles": ("texswarm_desktop.services.folder_watch",),
    "cryptography": (
        "texswarm_desktop.services.host_identity",
        "texswarm_server.cli.diagnosis.x509",
        "texswarm_server.pairing.exchange",
        "texswarm_server.protocol.certificates",
    ),
    "segno": ("texswarm_desktop.ui.qr_code",),
    "jeepney": ("texswarm_desktop.services.portal_proxy",),
    "wakepy": ("texswarm_desktop.services.inhibitor_name", "texswarm_desktop.services.wakefulness"),
    "ifaddr": ("texswarm_desktop.services.lan_addresses", "texswarm_server.discovery"),
    "spake2": ("texswarm_server.pairing.exchange",),
    "zeroconf": (
        "texswarm_desktop.services.discovery",
        "texswarm_desktop.services.heard_services",
        "texswarm_server.discovery",
    ),
    "uvloop": ("texswarm_server.event_loop",),
    "texswarm_server.app": ("texswarm_server", "texswarm_desktop.services.embedded_server"),
    "texswarm_server.config": ("texswarm_server", "texswarm_desktop.services.embedded_server"),
}


@pytest.mark.parametrize("used", ALLOWED)
def test_is_used_only_where_it_belongs(used: str) -> None:
    assert [
        module.at(node)
        for module in modules()
        if not _is_under(module.name, ALLOWED[used])
        for node, imported, name in module.imports()
        if _is_under(f"{imported}.{name}", (used,))
    ] == []


def test_no_import_is_relative() -> None:
    """One name for one module, wherever it is read."""
    assert [module.at(node) for module in modules() for node, imported, _ in module.imports() if not imported] == []


def test_nobody_but_its_package_reaches_for_a_private_module() -> None:
    assert [
        f"{module.at(node)} {imported}"
        for module in modules()
        for node, imported, _ in module.imports()
        if _is_private_to_others(module, imported)
    ] == []


def _is_under(name: str, packages: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def _is_private_to_others(module: Module, imported: str) -> bool:
    parts = imported.split(".")
    hidden = next(
        (place for place, part in enumerate(parts) if part.startswith("_") and not part.startswith("__")), None
    )
    return hidden is not None and not _is_under(module.name, (".".join(parts[:hidden]),))
