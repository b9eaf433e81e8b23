"""How a system is told that `texswarm://` links open this program: what is written where, for each system. Pure."""

import plistlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SCHEME: Final = "texswarm"
ENTRY_NAME: Final = "texswarm.desktop"
MIME_TYPE: Final = f"x-scheme-handler/{SCHEME}"
BUNDLE_ID: Final = "org.texswarm.TeXSwarm"

#: What a shell or `Exec` would read as something else; each is written with a backslash inside double quotes.
_EXEC_SPECIAL: Final = '"`$\\'


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """One value below HKEY_CURRENT_USER; the empty name is the key's own value."""

    key: str
    name: str
    text: str


def desktop_entry(template: str, command: Sequence[str], icon: str) -> str:
    """Return the desktop entry (freedesktop.org) that starts `command` with a link, from the one that is shipped.

    `icon`: the path of a picture; a name would be looked for in themes, where only a package of the system puts one.
    """
    line = f"Exec={' '.join(_exec_quoted(word) for word in command)} %u"
    own = {"Exec": line, "Icon": f"Icon={icon.replace(chr(92), chr(92) * 2)}"}
    return "\n".join(own.get(one.partition("=")[0], one) for one in template.splitlines()) + "\n"


def registry_values(command: Sequence[str]) -> tuple[RegistryValue, ...]:
    r"""Return what makes Windows start `command` with a link, for this user: there no administrator is needed."""
    root = rf"Software\Classes\{SCHEME}"
    return (
        RegistryValue(root, "", "URL:TeXSwarm invitation"),
        RegistryValue(root, "URL Protocol", ""),
        RegistryValue(rf"{root}\shell\open\command", "", " ".join([*map(_windows_quoted, command), '"%1"'])),
    )


def bundle_properties(version: str) -> bytes:
    """Return the Info.plist that a macOS bundle needs: there only a bundle can own a scheme, and no command can."""
    return plistlib.dumps(
        {
            "CFBundleIdentifier": BUNDLE_ID,
            "CFBundleName": "TeXSwarm",
            "CFBundlePackageType": "APPL",
            "CFBundleExecutable": SCHEME,
            "CFBundleShortVersionString": version,
            "CFBundleURLTypes": [
                {"CFBundleURLName": BUNDLE_ID, "CFBundleTypeRole": "Editor", "CFBundleURLSchemes": [SCHEME]}
            ],
            "NSLocalNetworkUsageDescription": "TeXSwarm finds people nearby who share a project with you.",
            "NSBonjourServices": ["_texswarm._tcp"],
        }
    )


def _exec_quoted(word: str) -> str:
    escaped = "".join(f"\\{char}" if char in _EXEC_SPECIAL else char for char in word)
    # A value of a desktop entry is itself unescaped before it is read as a command, and `%` begins a field code.
    return f'"{escaped}"'.replace("\\", "\\\\").replace("%", "%%") if _needs_quotes(word) else word


def _needs_quotes(word: str) -> bool:
    return not word or any(not (char.isalnum() or char in "/._-+=:,@") for char in word)


def _windows_quoted(word: str) -> str:
    return f'"{word}"'
