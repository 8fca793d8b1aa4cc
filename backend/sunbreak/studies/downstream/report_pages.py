"""Writes the report: one HTML page, its figures and its CSV files, in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak import __version__
from sunbreak.drafts import draft_files
from sunbreak.errors import OutputError
from sunbreak.extras import require
from sunbreak.studies.downstream.figures import draw_figures, planned_figures
from sunbreak.studies.downstream.page_parts import Chapter, Section
from sunbreak.studies.downstream.report_sections import report_sections
from sunbreak.studies.downstream.results import Evaluation
from sunbreak.studies.downstream.results_csv import Number, numbers, write_numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_TEMPLATE = "report_pages.html.j2"


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
    added = {name: draw for chapter in chapters for name, draw in chapter.draws.items()}
    return write_parts(
        folder,
        {**planned_figures(evaluation), **added},
        numbers(evaluation),
        lambda figures, tables: render(evaluation, figures, tables, chapters),
        checkpoint,
    )


def write_parts(
    folder: Path,
    plan: Mapping[str, Callable[[], Figure]],
    everything: Sequence[Number],
    page: Callable[[dict[str, Path], dict[str, Path]], str],
    checkpoint: Callable[[], None] = lambda: None,
) -> dict[str, Path]:
    """Write the parts of a report, as `write_report` says.

    Args:
        folder: Folder of the report; created if missing.
        plan: Functions that draw its figures, by name.
        everything: Its numbers.
        page: Gives the page from the PNG figures and the CSV files, both by name.
        checkpoint: Called before each figure; may raise to stop.

    Returns:
        The page (`report`), the CSV files (`csv_<section>`) and the PNG figures, by name.

    Raises:
        InputError: A package for figures or pages is missing.
        OutputError: The folder cannot be written.
    """
    try:
        with draft_files(folder) as part:
            figures = draw_figures(plan, part / "figures", checkpoint)
            tables = write_numbers(everything, part / "csv")
            report = part / "report.html"
            report.write_text(page(figures, tables), encoding="utf-8")
            made = {"report": report, **{f"csv_{name}": path for name, path in tables.items()}, **figures}
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
    return fill_page(_TEMPLATE, report_sections(evaluation, figures, chapters), tables, evaluation=evaluation)


def fill_page(template: str, sections: Sequence[Section], tables: Mapping[str, Path], **values: object) -> str:
    """A page of sections and links to CSV files, as text.

    Args:
        template: Name of a template that extends `page.html.j2`.
        sections: Its sections.
        tables: CSV files in a folder `csv` beside the page.
        values: What the template shows besides.

    Raises:
        InputError: jinja2 is not installed.
    """
    require("jinja2", "reports", "Writing the report")
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    return environment.get_template(template).render(
        sections=sections,
        files=[(name, f"csv/{path.name}") for name, path in tables.items()],
        version=__version__,
        **values,
    )
