"""`sunbreak train`: train the networks."""

from __future__ import annotations

import typer

app = typer.Typer(help="Train the networks.", no_args_is_help=True)
