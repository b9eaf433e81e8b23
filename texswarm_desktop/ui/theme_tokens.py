"""The colours of both themes by their purpose, and the contrast between any two. Pure.

Text that must be read has at least 4.5:1 on its ground (WCAG 2.2 AA); a test looks at every pair that occurs.
"""

from typing import Final

import msgspec

from texswarm_desktop.core.latex_tokens import Kind


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """One theme. Grounds from back to front: chrome, panel, editor, raised. All colours are `#rrggbb`."""

    is_dark: bool
    chrome: str
    panel: str
    editor: str
    raised: str
    hover: str
    pressed: str
    border: str
    border_strong: str
    text: str
    muted: str
    accent: str
    accent_hover: str
    on_accent: str
    accent_text: str
    accent_soft: str
    quiet: str
    busy: str
    good: str
    bad: str
    busy_soft: str
    bad_soft: str
    selection: str
    current_line: str
    line_number: str
    match: str
    match_current: str
    bracket: str
    comment: str
    command: str
    section: str
    environment: str
    math: str
    math_command: str
    reference: str
    verbatim: str
    special: str


LIGHT: Final = Tokens(
    is_dark=False,
    chrome="#f3f4f6",
    panel="#f8f9fa",
    editor="#ffffff",
    raised="#ffffff",
    hover="#e8eaee",
    pressed="#dcdfe5",
    border="#e2e5ea",
    border_strong="#c3c8d1",
    text="#1d222c",
    muted="#5a6372",
    accent="#3f5bd9",
    accent_hover="#344dc0",
    on_accent="#ffffff",
    accent_text="#3650c8",
    accent_soft="#e4e9fc",
    quiet="#5f6878",
    busy="#8f5500",
    good="#17734a",
    bad="#b92b2b",
    busy_soft="#fdf3dd",
    bad_soft="#fdeaea",
    selection="#cddafd",
    current_line="#f5f7fb",
    line_number="#647081",
    match="#fdecb2",
    match_current="#fbc94d",
    bracket="#d5defa",
    comment="#67707e",
    command="#2757b0",
    section="#8527a0",
    environment="#0b6e66",
    math="#8a4208",
    math_command="#a34a06",
    reference="#176c43",
    verbatim="#75480f",
    special="#a62c49",
)

DARK: Final = Tokens(
    is_dark=True,
    chrome="#16181d",
    panel="#1a1d22",
    editor="#1e2127",
    raised="#272b33",
    hover="#2a2e37",
    pressed="#343945",
    border="#2b2f38",
    border_strong="#464d5a",
    text="#dde1e8",
    muted="#a1a9b7",
    accent="#4b66dd",
    accent_hover="#5069de",
    on_accent="#ffffff",
    accent_text="#94a9ff",
    accent_soft="#2a3355",
    quiet="#9aa3b2",
    busy="#e3b052",
    good="#5cc38c",
    bad="#f58a84",
    busy_soft="#3a3122",
    bad_soft="#412628",
    selection="#35446f",
    current_line="#242830",
    line_number="#8790a0",
    match="#4d4426",
    match_current="#6e5a14",
    bracket="#3a4566",
    comment="#8e97a6",
    command="#82b1ff",
    section="#d79bf0",
    environment="#63cbbd",
    math="#e7b581",
    math_command="#f0a567",
    reference="#83cf9d",
    verbatim="#d3b78c",
    special="#f0909f",
)


def syntax_colors(tokens: Tokens) -> dict[Kind, str]:
    """Return the colour of each kind of text."""
    return {
        Kind.COMMENT: tokens.comment,
        Kind.COMMAND: tokens.command,
        Kind.SECTION: tokens.section,
        Kind.HEADING: tokens.text,
        Kind.ENVIRONMENT: tokens.environment,
        Kind.MATH: tokens.math,
        Kind.MATH_COMMAND: tokens.math_command,
        Kind.DELIMITER: tokens.math_command,
        Kind.BRACE: tokens.muted,
        Kind.REFERENCE: tokens.reference,
        Kind.VERBATIM: tokens.verbatim,
        Kind.SPECIAL: tokens.special,
        Kind.FIELD: tokens.command,
    }


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two colours, from 1 to 21."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def blended(over: str, ground: str, share: float) -> str:
    """Return `over` laid on `ground` with an opacity from 0 to 1."""
    pairs = zip(_channels(over), _channels(ground), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)


def readable_on(ground: str) -> str:
    """Return black or white, whichever is easier to read on `ground`."""
    return max(("#ffffff", "#14161a"), key=lambda ink: contrast(ink, ground))


def legible(color: str, ground: str, *, at_least: float = 4.5) -> str:
    """Return `color`, moved towards black or white until it can be read on `ground`."""
    ink = readable_on(ground)
    for step in range(21):
        mixed = blended(ink, color, step / 20)
        if contrast(mixed, ground) >= at_least:
            return mixed
    return ink


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
