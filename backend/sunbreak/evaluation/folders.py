"""Comparison of a folder of cleaned rasters with a folder of clear rasters; files are paired by name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sunbreak.datasets.sen12ms import parse_name
from sunbreak.drafts import draft
from sunbreak.errors import InputError, OutputError
from sunbreak.evaluation.rasters import Figures, compare, mean_figures
from sunbreak.tables import CsvTable

_CLEANED = ("_cleaned", "_removed_raw", "_removed", "_pred", "_prediction")
# other layers beside a cleaned raster
_LAYERS = re.compile(r"_(uncertainty|cloud_mask|cloud_probability|reconstructed|quicklook|trust|landcover.*)$")
_KINDS = ("_s2_cloudy", "_s2_clear", "_cloudy", "_clear", "_target", "_s2")


@dataclass(frozen=True)
class Matched:
    """A cleaned raster, its clear raster, and optional files beside them (None if missing)."""

    name: str
    cleaned: Path
    target: Path
    cloudy: Path | None
    mask: Path | None
    sigma: Path | None


def place_of(path: Path) -> str:
    """The common part of the file names of one place, without the kind of raster.

    ``ROIs1158_spring_s2_cloudy_31_p30_cleaned.tif`` and ``ROIs1158_spring_s2_31_p30.tif`` belong to
    ``1158_spring_31_p30``, ``17_s2_cloudy_cleaned.tif`` and ``17_s2.tif`` to ``17``.
    """
    stem = path.stem
    for ending in _CLEANED:
        stem = stem.removesuffix(ending)
    named = parse_name(f"{stem}.tif")
    if named is not None:
        return named[0].name
    for ending in _KINDS:
        if stem.endswith(ending) and stem != ending:
            return stem.removesuffix(ending)
    return stem


def match(predicted: Path, target: Path, cloudy: Path | None = None) -> tuple[list[Matched], list[str]]:
    """Pair the rasters of folders by name; mask and sigma are read from the folder of the cleaned raster.

    Returns:
        The pairs, and the cleaned rasters without a clear raster.

    Raises:
        InputError: A folder is missing or ambiguous, or no names match.
    """
    ours = rasters_by_place(predicted, lambda path: not _LAYERS.search(path.stem), "cleaned")
    theirs = rasters_by_place(target, lambda path: not _LAYERS.search(path.stem), "clear")
    before = rasters_by_place(cloudy, lambda path: True, "cloudy") if cloudy is not None else {}
    pairs = [
        Matched(name, path, theirs[name], before.get(name), _beside(path, "cloud_mask"), _beside(path, "uncertainty"))
        for name, path in ours.items()
        if name in theirs
    ]
    if not pairs:
        example = next(iter(ours.values())).name
        raise InputError(
            f"{predicted}: no raster has the name of one in {target}; {example} would belong to "
            f"{place_of(Path(example))}.tif.",
            "Name the files alike; endings such as _cleaned, _s2 and _s2_cloudy do not count.",
            code="no-pairs",
        )
    return pairs, [path.name for name, path in ours.items() if name not in theirs]


def compare_folders(
    pairs: list[Matched], checkpoint: Callable[[int, int], None] = lambda done, total: None
) -> tuple[dict[str, Figures], list[tuple[str, dict[str, Figures]]]]:
    """Metrics of each pair as in `sunbreak.evaluation.rasters.compare`, and their means.

    Args:
        pairs: From `match`.
        checkpoint: Called with the number of finished pairs and of all pairs; may raise to stop.

    Raises:
        InputError: Two rasters have different grids or bands.
    """
    single = []
    for number, pair in enumerate(pairs):
        checkpoint(number, len(pairs))
        rows = compare(pair.cleaned, pair.target, cloudy=pair.cloudy, mask=pair.mask, sigma=pair.sigma)
        single.append((pair.name, rows))
    checkpoint(len(pairs), len(pairs))
    names = dict.fromkeys(name for _, rows in single for name in rows)
    return {name: mean_figures([rows[name] for _, rows in single if name in rows]) for name in names}, single


def write_table(path: Path, single: list[tuple[str, dict[str, Figures]]]) -> Path:
    """Write the metrics of each pair as CSV.

    Raises:
        OutputError: The folder cannot be written.
    """
    metrics = list(dict.fromkeys(metric for _, rows in single for own in rows.values() for metric in own))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft(path) as place, place.open("w", newline="", encoding="utf-8") as file:
            table = CsvTable(file)
            table.row(["patch", "method", *metrics])
            for name, rows in single:
                for method, own in rows.items():
                    table.row([name, method, *(f"{own[key]:.9g}" if key in own else "" for key in metrics)])
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror or error}).", "Choose another folder with -o."
        ) from error
    return path


def rasters_by_place(
    folder: Path, wanted: Callable[[Path], bool], what: str, place: Callable[[Path], str] = place_of
) -> dict[str, Path]:
    """The GeoTIFFs in a folder and its subfolders, by place.

    Args:
        folder: The folder.
        wanted: Which files count.
        what: What they are, for messages.
        place: The place of a file.

    Raises:
        InputError: ``missing-folder``, ``no-samples``, or ``ambiguous`` if two files belong to one place.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: not a folder, but the other input is.",
            "Give two folders, or two rasters.",
            code="missing-folder",
        )
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.tif")):
        if not wanted(path):
            continue
        name = place(path)
        if name in found:
            raise InputError(
                f"{folder}: {found[name].name} and {path.name} both belong to {name}.",
                f"Give a folder with only the {what} rasters.",
                code="ambiguous",
            )
        found[name] = path
    if not found:
        raise InputError(f"{folder}: holds no GeoTIFF.", "Give another folder.", code="no-samples")
    return found


def _beside(path: Path, role: str) -> Path | None:
    for ending in _CLEANED:
        other = path.with_name(f"{path.stem.removesuffix(ending)}_{role}.tif")
        if path.stem.endswith(ending) and other.is_file():
            return other
    return None
