"""What a callback is until somebody sets another."""


def nothing(*_told: object) -> None:
    """Do nothing."""
