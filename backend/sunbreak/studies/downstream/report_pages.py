"""Writes the report: one HTML page, its figures and its CSV files, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from sunbreak import __version__
from sunbreak.drafts import draft_files
from sunbreak.errors import InputError, OutputError
from sunbreak.studies.downstream.figures import draw_all
from sunbreak.studies.downstream.page_parts import Chapter
from sunbreak.studies.downstream.report_sections import report_sections
from sunbreak.studies.downstream.results import Evaluation
from sunbreak.studies.downstream.results_csv import write_csv

_TEMPLATE = Path(__file__).with_name("report_pages.html.j2")


def write_report(
    evaluation: Evaluation,
    folder: Path,
    checkpoint: Callable[[], None] = lambda: None,
    chapters: Sequence[Chapter] = (),
) -> dict[str, Path]:
    """Write `report.html`, `figures/` and `csv/`.

    All files are written to a hidden folder first, so that a failed or cancelled run leaves no files. Files of an
    earlier report are replaced; other files remain.

    Args:
        evaluation: The results.
        folder: Folder of the report; created if missing.
        checkpoint: Called before each figure; may raise to stop.
        chapters: Additions that need images.

    Returns:
        The page (`report`), the CSV files (`csv_<section>`) and the PNG figures, by name.

    Raises:
        InputError: A package for figures or pages is missing.
        OutputError: The folder cannot be written.
    """
    try:
        with draft_files(folder) as part:
            added = {name: draw for chapter in chapters for name, draw in chapter.draws.items()}
            figures = draw_all(evaluation, part / "figures", checkpoint, added)
            tables = write_csv(evaluation, part / "csv")
            page = part / "report.html"
            page.write_text(render(evaluation, figures, tables, chapters), encoding="utf-8")
            made = {"report": page, **{f"csv_{name}": path for name, path in tables.items()}, **figures}
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written ({error.strerror or error}).", "Choose another folder."
        ) from error
    return {name: folder / path.relative_to(part) for name, path in made.items()}


def render(
    evaluation: Evaluation, figures: dict[str, Path], tables: dict[str, Path], chapters: Sequence[Chapter] = ()
) -> str:
    """The page as text.

    Args:
        evaluation: The results.
        figures: PNG files in a folder `figures` beside the page.
        tables: CSV files in a folder `csv` beside the page.
        chapters: Additions that need images.

    Raises:
        InputError: jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise InputError(
            "The report needs the package jinja2, which is not installed.",
            "Install it: pip install jinja2.",
            code="package-missing",
        ) from error
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        evaluation=evaluation,
        sections=report_sections(evaluation, figures, chapters),
        files=[(name, f"csv/{path.name}") for name, path in tables.items()],
        version=__version__,
    )
