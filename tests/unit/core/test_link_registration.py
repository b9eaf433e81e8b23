"""What each system is told so that links open this program; quoting holds for any path."""

import plistlib
import re

from hypothesis import given
from hypothesis import strategies as st

from texswarm_desktop.core.link_registration import bundle_properties, desktop_entry, registry_values

TEMPLATE = "[Desktop Entry]\nName=TeXSwarm\nExec=texswarm %u\nIcon=texswarm\nMimeType=x-scheme-handler/texswarm;\n"
PATHS = st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30)


def exec_words(entry: str) -> list[str]:
    """Read `Exec` as a desktop does: first the escapes of a value, then quotes, then field codes."""
    (line,) = [one for one in entry.splitlines() if one.startswith("Exec=")]
    value = line.removeprefix("Exec=").replace("\\\\", "\\")
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\S+)', value)
    return [(re.sub(r"\\(.)", r"\1", quoted) or plain).replace("%%", "%") for quoted, plain in words]


def test_the_entry_is_the_shipped_one_with_the_command_in_it() -> None:
    entry = desktop_entry(TEMPLATE, ["/opt/texswarm/bin/texswarm"], "/opt/texswarm.svg")
    expected = TEMPLATE.replace("Exec=texswarm", "Exec=/opt/texswarm/bin/texswarm")
    assert entry == expected.replace("Icon=texswarm", "Icon=/opt/texswarm.svg")


@given(st.lists(PATHS, min_size=1, max_size=3))
def test_any_command_is_read_again_as_it_was(command: list[str]) -> None:
    assert exec_words(desktop_entry(TEMPLATE, command, "texswarm")) == [*command, "%u"]


def test_windows_is_told_for_this_user_only() -> None:
    root, mark, command = registry_values([r"C:\Program Files\Python\python.exe", "-m", "texswarm_desktop"])
    assert (root.key, root.name) == (r"Software\Classes\texswarm", "")
    assert (mark.name, mark.text) == ("URL Protocol", "")
    assert command.key.endswith(r"\shell\open\command")
    assert command.text == r'"C:\Program Files\Python\python.exe" "-m" "texswarm_desktop" "%1"'


def test_a_bundle_owns_the_scheme_and_may_look_for_hosts() -> None:
    properties = plistlib.loads(bundle_properties("1.2.3"))
    assert properties["CFBundleURLTypes"][0]["CFBundleURLSchemes"] == ["texswarm"]
    assert properties["NSBonjourServices"] == ["_texswarm._tcp"]
    assert properties["CFBundleShortVersionString"] == "1.2.3"
