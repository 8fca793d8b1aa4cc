"""The table of an evaluation over patches: one row per patch and method, written as soon as it is known.

An evaluation that was stopped reads its own table and computes the missing patches only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sunbreak.drafts import appended, draft, read_stored
from sunbreak.errors import OutputError, RunError
from sunbreak.tables import CsvTable, original

TABLE = "patches.csv"
CLEANED, CLOUDY, NEAREST, MEAN = METHODS = ("cleaned", "cloudy image", "nearest clear pixel", "mean of clear pixels")
_END = "."
_LIMIT = 2**30
KEPT = (100, 75, 50, 25)  # per cent of the pixels left after the least certain ones are removed
REGIONS = ("", "_cloud", "_clear")
METRICS = (
    *(name + region for name in ("psnr", "ssim", "sam", "rmse", "mae", "detail", "correlation") for region in REGIONS),
    "coverage_68", "coverage_95", "sparsification", *(f"rmse_{share}" for share in KEPT),
)  # fmt: skip

Figures = dict[str, float]


def begin(table: Path, key: str, overwrite: bool) -> dict[tuple[str, str], dict[str, Figures]]:
    """Read the finished patches of the same evaluation, and begin the table without unfinished ones.

    Args:
        table: The file.
        key: Identifies the evaluation: its first line.
        overwrite: Replace the table of another evaluation.

    Returns:
        (patch, key of its files) to method to figures.

    Raises:
        OutputError: The table belongs to another evaluation (``exists``).
        RunError: The file cannot be written (``disk-full``).
    """
    done: dict[tuple[str, str], dict[str, Figures]] = {}
    if table.is_file() and not overwrite:
        other = OutputError(
            f"{table} belongs to another evaluation.", "Choose another folder, or --overwrite.", code="exists"
        )
        try:
            content = read_stored(table, limit=_LIMIT).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            raise other from None
        with io.StringIO(content, newline="") as file:
            if file.readline() != f"# {key}\n":
                raise other
            try:
                for row in csv.DictReader(file):
                    if row["end"] == _END:  # a row that a kill cut short has no end mark
                        own = done.setdefault((original(row["patch"]), original(row["files"])), {})
                        own[row["method"]] = {metric: float(row[metric]) for metric in METRICS if row.get(metric)}
            except (csv.Error, KeyError, ValueError, TypeError):
                raise OutputError(
                    f"{table} is damaged.", "Repair it, choose another folder, or --overwrite.", code="bad-output"
                ) from None
        done = {patch: figures for patch, figures in done.items() if len(figures) == len(METHODS)}
    with written(table):
        table.parent.mkdir(parents=True, exist_ok=True)
        with draft(table) as place, place.open("w", newline="", encoding="utf-8") as file:
            file.write(f"# {key}\n")
            written_rows = CsvTable(file)
            written_rows.row(["patch", "files", "method", *METRICS, "end"])
            for (name, stamped), figures in done.items():
                written_rows.rows(_rows(name, stamped, figures))
    return done


def append(table: Path, name: str, stamped: str, figures: Mapping[str, Figures]) -> None:
    """Append the figures of one patch.

    Args:
        table: The file.
        name: Name of the patch.
        stamped: Key of its files.
        figures: Method to figures.

    Raises:
        RunError: The file cannot be written (``disk-full``).
    """
    with written(table), appended(table) as file:
        CsvTable(file).rows(_rows(name, stamped, figures))


def _rows(name: str, stamped: str, figures: Mapping[str, Figures]) -> list[list[str]]:
    return [
        [name, stamped, method, *(f"{own[metric]:.9g}" if metric in own else "" for metric in METRICS), _END]
        for method, own in figures.items()
    ]


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Turn a failure to write a file into a `RunError` (``disk-full``) that names the file."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}).",
            "Free some disk space or choose another folder; the same command then resumes.",
            code="disk-full",
        ) from error
