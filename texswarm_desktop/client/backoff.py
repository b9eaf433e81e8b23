"""How long to wait before the next attempt. Pure: the random factor comes from the caller."""

from typing import Final

from texswarm_desktop.client.timing import LinkProfile

#: The bounds of the factor by which every wait is stretched, so that a room of clients does not return as one.
JITTER: Final = (0.5, 1.5)


def delay_s(profile: LinkProfile, failures: int, jitter: float) -> float:
    """Return the wait after `failures` (at least 1) losses in a row."""
    return profile.backoff_s[min(failures, len(profile.backoff_s)) - 1] * jitter
