"""Bytes in words for people."""

from texswarm_desktop.viewmodels.figure_view import TransferFacts


def size_words(count: int) -> str:
    """Return bytes in powers of 1024, with at most three digits."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 999.5 and len(units) > 1:
        value /= 1024
        del units[0]
    return f"{value:.0f} {units[0]}" if value >= 9.95 or units[0] == "B" else f"{value:.1f} {units[0]}"


def transfer_words(facts: TransferFacts | None) -> str:
    """Say how far files are that travel, empty for none."""
    parts = []
    for verb, progress in (("Sending", facts and facts.sending), ("Fetching", facts and facts.fetching)):
        if progress:
            what = "a figure" if progress.files == 1 else f"{progress.files} figures"
            parts.append(f"{verb} {what}: {size_words(progress.done_bytes)} of {size_words(progress.total_bytes)}")
    return " · ".join(parts)
