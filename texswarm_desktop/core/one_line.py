"""What somebody wrote, as one line that can be shown in a list."""


def one_line(text: str, max_chars: int) -> str:
    """Return a text without line breaks, control characters and needless spaces, and not too long."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 4 * max_chars])
    return " ".join(printable.split())[:max_chars].rstrip()
