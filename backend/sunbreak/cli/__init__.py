"""The command line: one file per command, shared options and the session around a command in one place each."""

from __future__ import annotations


def main() -> None:
    """Run `sunbreak` with the arguments of the process."""
    from sunbreak.cli import early

    early.install()
    from sunbreak.cli.app import app

    try:
        app(prog_name="sunbreak")
    except SystemExit as end:
        if end.code == early.CANCELLED:
            early.leave(early.CANCELLED)
        raise
