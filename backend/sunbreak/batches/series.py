"""A series: a batch whose table is made from the acquisitions of one place, each cleaned with the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rasterio.warp import transform_bounds

from sunbreak.batches.manifest import BatchScene
from sunbreak.batches.other_dates import AUTO, Acquisition, look, nearest, of_one_place, with_references
from sunbreak.errors import InputError
from sunbreak.events import Reporter
from sunbreak.scene.georeference import TRANSFORM_ERRORS
from sunbreak.scene.grid import Grid
from sunbreak.scene.reference_files import is_acquisition, search_folder
from sunbreak.scene.scene import window_of
from sunbreak.scene.series_radar import match_radar
from sunbreak.sources import local_path

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class DateSeries:
    """The acquisitions of one place.

    Attributes:
        scenes: By date; each is called by its date (YYYY-MM-DD) and has the nearest others as other dates.
        notes: What was found, one sentence each.
        warnings: What was left out, one sentence each.
    """

    scenes: tuple[BatchScene, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    def tell(self, reporter: Reporter) -> None:
        """Report the notes and warnings."""
        for text in self.notes:
            reporter.message(text)
        for text in self.warnings:
            reporter.message(text, "warning")

    def only(self, wanted: Iterable[str | Path] | None) -> list[str] | None:
        """Names of the scenes that are meant by dates (YYYY-MM-DD), names or files; None if nothing is wanted.

        Raises:
            InputError: ``unknown-date`` if one means none of the dates.
        """
        if wanted is None:
            return None
        found: dict[str, None] = {}
        for text in wanted:
            names = [scene.name for scene in self.scenes if _is_meant(scene, str(text))]
            if not names:
                raise InputError(
                    f"{text} is none of the dates: {', '.join(scene.name for scene in self.scenes)}.",
                    "Give one of them, or one of the files.",
                    code="unknown-date",
                )
            found |= dict.fromkeys(names)
        return list(found)


def find_series(
    given: Sequence[Path | str],
    s1: Sequence[Path | str] = (),
    *,
    count: int = AUTO,
    s2_bands: Sequence[str] | None = None,
    window: tuple[int, int, int, int] | None = None,
    bbox: Box | None = None,
) -> DateSeries:
    """Find the dates of one place.

    Acquisitions are of one place if each covers more than half of one of them, or of the part that is chosen of it. If
    there are several places, that with the most dates counts. What is found in a folder and cannot be read, what is of
    another place and what has no known date is left out.

    Args:
        given: Folders that are searched, and acquisitions as `sunbreak.scene.Scene.open` takes them.
        s1: Sentinel-1 files of any of the dates, matched by date. Those in a searched folder are used too.
        count: Other dates of each date at most, the nearest.
        s2_bands: Names of the bands in the files' order, if the files do not say.
        window: (column, row, width, height) in pixels of the first date of the place: only this part is cleaned, the
            same place on all dates.
        bbox: (left, bottom, right, top) in the CRS of the first date: likewise.

    Raises:
        InputError: What was given by name cannot be read, there are fewer than two dates of one place
            (``too-few-dates``), the part lies outside, or a Sentinel-1 file belongs to none of the dates.
    """
    if count < 1:
        raise InputError(f"The number of other dates is {count}.", "Give a number from 1 on.", code="bad-option")
    warnings: list[str] = []
    acquisitions, radar = _gather(given, s2_bands, warnings)
    parts: list[Acquisition] = acquisitions
    outside: list[Acquisition] = []
    if acquisitions and not (window is None and bbox is None):
        parts, outside = _cropped(acquisitions, window, bbox)
    place, elsewhere = _of_one_place(parts)
    elsewhere += outside
    if elsewhere:
        warnings.append(f"Left out, since it is of another place: {', '.join(one.scene.name for one in elsewhere)}.")
    if len(place) < 2:
        raise _too_few(given, place, warnings)

    def refuse(path: Path, error: InputError) -> None:
        warnings.append(f"Left out: {' '.join(error.message.split())}")

    found_radar = [path for path in radar if path.resolve() not in {Path(one).resolve() for one in s1}]
    matched = match_radar([one.acquired for one in place], s1, found_radar, refuse, called="date")
    notes = [*matched.notes]
    if matched.left:
        names = ", ".join(image.files[0].name for image in matched.left)
        notes.append(f"Sentinel-1 that was found and belongs to no date is not used: {names}.")
    dated = [
        replace(one, scene=replace(one.scene, name=name, s1=image.files if image is not None else ()))
        for one, name, image in zip(place, _names(place), matched.images, strict=True)
    ]
    scenes = tuple(with_references(one.scene, nearest(one, dated, count)) for one in dated)
    with_radar = sum(bool(scene.s1) for scene in scenes)
    notes.insert(0, f"{len(scenes)} dates from {scenes[0].name} to {scenes[-1].name}, {with_radar} with Sentinel-1.")
    return DateSeries(scenes, tuple(notes), tuple(warnings))


def _gather(
    given: Sequence[Path | str], s2_bands: Sequence[str] | None, warnings: list[str]
) -> tuple[list[Acquisition], list[Path]]:
    """The acquisitions with a known date, by date, and the radar files in the searched folders."""
    paths: dict[Path, bool] = {}
    radar: dict[Path, None] = {}
    for text in given:
        path = local_path(text)
        if path.is_dir() and not is_acquisition(path):
            found, found_radar = search_folder(path)
            paths |= {one: paths.get(one, True) for one in found}
            radar |= dict.fromkeys(found_radar)
        else:
            paths[path] = False
    acquisitions, undated = [], []
    for path, optional in _once(paths).items():
        try:
            one = look(BatchScene(path.name, (path,)), s2_bands)
        except InputError as error:
            if not optional:
                raise
            reason = " ".join(error.message.split())
            warnings.append(f"Left out: {reason if path.name in reason else f'{path}: {reason}'}")
            continue
        if one is None:
            undated.append(path.name)
        else:
            acquisitions.append(one)
    if undated:
        warnings.append(f"Left out, since its date is not known (put YYYY-MM-DD into the name): {', '.join(undated)}.")
    return sorted(acquisitions, key=lambda one: (one.acquired, one.level or "", str(one.path))), list(radar)


def _once(paths: dict[Path, bool]) -> dict[Path, bool]:
    """Each file or folder once, by the first of its names."""
    seen: dict[Path, Path] = {}
    for path in paths:
        seen.setdefault(path.resolve(), path)
    return {path: paths[path] for path in seen.values()}


def _cropped(
    acquisitions: Sequence[Acquisition], window: tuple[int, int, int, int] | None, bbox: Box | None
) -> tuple[list[Acquisition], list[Acquisition]]:
    """The same part of all acquisitions, chosen on the first one of the place, and those that do not reach it."""
    first = _of_one_place(acquisitions)[0][0]
    grid = first.grid.crop(window_of(first.grid, window, bbox, str(first.path), []))
    parts, outside = [], []
    for one in acquisitions:
        box = grid.bounds
        if one.grid.crs != grid.crs:
            try:
                box = transform_bounds(grid.crs, one.grid.crs, *box)
            except TRANSFORM_ERRORS:
                outside.append(one)
                continue
        try:
            part = one.grid.crop(window_of(one.grid, None, box, str(one.path), []))
        except InputError:
            outside.append(one)
        else:
            parts.append(replace(one, grid=part, scene=replace(one.scene, bbox=box)))
    return parts, outside


def _of_one_place(acquisitions: Sequence[Acquisition]) -> tuple[list[Acquisition], list[Acquisition]]:
    """Those of the place with the most dates, and the others."""
    best: list[int] = []
    tried: list[Grid] = []
    for one in acquisitions:
        if one.grid in tried:
            continue
        tried.append(one.grid)
        members = [at for at, other in enumerate(acquisitions) if of_one_place(one, other)]
        if len(members) > len(best):
            best = members
    elsewhere = [one for at, one in enumerate(acquisitions) if at not in best]
    return [acquisitions[at] for at in best], elsewhere


def _names(place: Sequence[Acquisition]) -> list[str]:
    """Dates; a second acquisition of a day gets a number."""
    days = [one.acquired.date().isoformat() for one in place]
    counts = [days[: at + 1].count(day) for at, day in enumerate(days)]
    return [day if number == 1 else f"{day}_{number}" for day, number in zip(days, counts, strict=True)]


def _too_few(given: Sequence[Path | str], place: Sequence[Acquisition], warnings: Sequence[str]) -> InputError:
    where = str(given[0]) if len(given) == 1 else f"{given[0]} and the others"
    said = f"{where}: {len(place) or 'no'} date{'' if len(place) == 1 else 's'} of one place, and a series needs two"
    return InputError(
        f"{said}. {' '.join(warnings)}".strip(),
        "Give a folder with several dates of one place, or clean the scene with `sunbreak clean`.",
        code="too-few-dates",
    )


def _is_meant(scene: BatchScene, text: str) -> bool:
    if text in (scene.name, scene.name[:10], scene.s2[0].name, scene.s2[0].stem):
        return True
    return Path(text).expanduser().resolve() == scene.s2[0].resolve()
