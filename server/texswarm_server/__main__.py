"""`texswarm-server` and `python -m texswarm_server`."""

import sys

from texswarm_server.cli.program import main as run


def main() -> None:
    """Run the command line and leave with its status."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
