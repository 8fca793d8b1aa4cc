"""Opens the other dates of a scene: each is checked, cropped to what lies under the target, and given its radar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from pathlib import Path

from rasterio.windows import Window

from sunbreak.errors import InputError
from sunbreak.scene.discovery import Finding, find_bands
from sunbreak.scene.grid import Grid
from sunbreak.scene.radar_units import RadarUnitOption
from sunbreak.scene.radiometry import OffsetOption, UnitOption
from sunbreak.scene.reference_files import is_acquisition
from sunbreak.scene.resample import Mapping
from sunbreak.scene.scene import Scene
from sunbreak.scene.series import SceneSeries, days_between, elsewhere
from sunbreak.scene.series_radar import RadarImage, match_radar
from sunbreak.scene.validity import NodataOption
from sunbreak.scene.virtual import same_files
from sunbreak.sources import RasterSource

MARGIN = 256
"""Pixels of the target around it that are kept of another date: cloud detectors need surroundings."""

_LAST = datetime.max.replace(tzinfo=timezone.utc)
_SAME_TIME = timedelta(minutes=30)  # the next orbit passes 100 minutes later


@dataclass(frozen=True)
class Reading:
    """How the files of other dates are read, see `Scene.open`."""

    s2_unit: UnitOption = "auto"
    s2_offset: OffsetOption = "auto"
    s2_bands: Sequence[str] | None = None
    s1_unit: RadarUnitOption = "auto"
    s2_nodata: NodataOption = "auto"
    s2_scale: float | None = None


@dataclass(frozen=True)
class _Candidate:
    """Another date before it is opened.

    Attributes:
        path: As it was given.
        finding: Its bands.
        bands: The names that the user gave to its bands, where they fit.
        optional: Whether it was found in a folder, so that it may be left out.
    """

    path: Path
    finding: Finding
    bands: Sequence[str] | None
    optional: bool

    @property
    def grid(self) -> Grid:
        """Its whole grid."""
        return self.finding.stack.grid

    @property
    def acquired(self) -> datetime | None:
        """When it was acquired."""
        return self.finding.facts.acquired

    @property
    def files(self) -> tuple[RasterSource, ...]:
        """The rasters of its bands."""
        return self.finding.stack.files


def open_series(
    target: Scene,
    references: Sequence[Path | str],
    reference_s1: Sequence[Path | str] = (),
    *,
    found: Sequence[Path | str] = (),
    found_s1: Sequence[Path | str] = (),
    s2_unit: UnitOption = "auto",
    s2_offset: OffsetOption = "auto",
    s2_bands: Sequence[str] | None = None,
    s1_unit: RadarUnitOption = "auto",
    s2_nodata: NodataOption = "auto",
    s2_scale: float | None = None,
) -> SceneSeries:
    """Open other dates of a scene.

    Each is cropped to what lies under the target and `MARGIN` pixels around it. What cannot be used is an error where
    it was given by name, and is left out and said where it was found in a folder.

    Args:
        target: The scene.
        references: Other dates, each as `Scene.open` takes it.
        reference_s1: Sentinel-1 of the other dates. It belongs to the date nearest to its own within `MAX_DAYS_APART`
            days, or is given in the order of `references` where dates are not known.
        found: Further other dates, which were found by a search.
        found_s1: Sentinel-1 that was found by a search; matched by date only.
        s2_unit: What the stored Sentinel-2 numbers are.
        s2_offset: Added to stored numbers.
        s2_bands: Names of the bands in the file's order; they count for files with as many bands.
        s1_unit: What the stored Sentinel-1 numbers are.
        s2_nodata: The stored number of pixels without data.
        s2_scale: Reflectance of one stored number, where the files do not say.

    Returns:
        The series: `references` in their order, then what was found by date. Its notes describe every other date.

    Raises:
        InputError: everything that `Scene.open` says of a reference; ``no-overlap``; ``reference-is-scene`` for the
            scene itself or the same acquisition; ``band-missing`` if a reference has none of the scene's bands;
            ``s1-unmatched`` if a radar image belongs to no reference.
    """
    reading = Reading(s2_unit, s2_offset, s2_bands, s1_unit, s2_nodata, s2_scale)
    opening = _Opening(target, reading)
    given = [opening.look(Path(path), optional=False) for path in references]
    searched = [opening.look(Path(path), optional=True) for path in found]
    chosen = (one for one in searched if one is not None)
    by_date = sorted(chosen, key=lambda one: one.acquired or _LAST)
    candidates = [*(one for one in given if one is not None), *by_date]
    radar = opening.radar(candidates, reference_s1, found_s1, len(given))
    # of one acquisition at both levels that of the target's level is kept
    order = sorted(
        range(len(candidates)),
        key=lambda at: candidates[at].optional and candidates[at].finding.facts.level != target.level,
    )
    kept: list[int] = []
    for place in order:
        if opening.usable(candidates[place], [candidates[other] for other in kept]):
            kept.append(place)
    for place in sorted(kept):
        opening.open(candidates[place], radar[place])
    return opening.series(wanted=len(references) + len(found))


class _Opening:
    """What has been opened and said so far."""

    def __init__(self, target: Scene, reading: Reading) -> None:
        self.target, self.reading = target, reading
        self.others: list[Scene] = []
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.lenient_radar: frozenset[RadarImage] = frozenset()

    def look(self, path: Path, *, optional: bool) -> _Candidate | None:
        """Find the bands of another date; None, with a warning, if that fails and it is optional."""
        try:
            finding, bands = _find(path, self.reading.s2_bands)
        except InputError as error:
            if not optional and path.is_dir() and not is_acquisition(path):
                raise InputError(
                    f"{path} is not the folder of one acquisition.",
                    "Give each acquisition in it, or search the folder with --references.",
                    code=error.code,
                ) from error
            if not optional:
                raise
            self._skip(path, error)
            return None
        return _Candidate(path, finding, bands, optional)

    def radar(
        self, candidates: Sequence[_Candidate], given: Sequence[Path | str], found: Sequence[Path | str], in_order: int
    ) -> list[RadarImage | None]:
        """The radar image of each candidate."""
        dates = [one.acquired for one in candidates]
        matched = match_radar(dates, given, found, self._skip, in_order=in_order)
        self.notes += matched.notes
        self.lenient_radar = matched.searched
        if matched.left:
            names = ", ".join(image.files[0].name for image in matched.left)
            self.notes.append(f"Sentinel-1 that was found and belongs to no other date is not used: {names}.")
        return list(matched.images)

    def usable(self, one: _Candidate, kept: Sequence[_Candidate]) -> bool:
        """Whether a candidate is another date of the same place that is not there yet.

        Raises:
            InputError: It is not, and it was given by name.
        """
        name = one.path.name
        if self._is_target(one):
            if not one.optional:
                raise InputError(
                    f"{one.path} is the scene itself, or of the same acquisition: it has the same clouds.",
                    "Give other dates of the place as references.",
                    code="reference-is-scene",
                )
            self.notes.append(f"{name} is left out of the other dates: it is of the scene's own acquisition.")
            return False
        if any(_same(one, other) for other in kept):
            self.notes.append(f"{name} is among the other dates twice and is used once.")
            return False
        under = Mapping(one.grid, self.target.stack.grid).coverage(_target_window(self.target))
        if under == 0 or part_under(self.target, one.grid) is None:
            if not one.optional:
                raise elsewhere(one.finding.inputs[0], one.grid, self.target.grid)
            self.notes.append(f"{name} is left out of the other dates: it does not overlap the scene.")
            return False
        shared = _shared(self.target, one.finding.stack.bands)
        if not shared:
            if not one.optional:
                raise InputError(
                    f"{one.path} has none of the scene's bands: it has {', '.join(one.finding.stack.bands)}, the scene "
                    f"{', '.join(self.target.bands)}.",
                    "Give references with the scene's bands.",
                    code="band-missing",
                )
            self.notes.append(f"{name} is left out of the other dates: it has none of the scene's bands.")
        return bool(shared)

    def open(self, one: _Candidate, image: RadarImage | None) -> None:
        """Open what lies under the target.

        Raises:
            InputError: It cannot be opened, and it was given by name.
        """
        try:
            try:
                scene = self._open(one, image)
            except InputError as error:
                if image not in self.lenient_radar or not any(str(path) in str(error) for path in image.files):
                    raise
                self._skip(image.files[0], error)
                scene = self._open(one, None)
        except InputError as error:
            if not one.optional:
                raise
            self._skip(one.path, error)
            return
        self.others.append(scene)
        self.notes.append(_description(one.path.name, scene, self.target))
        self.notes += [f"{one.path.name}: {text}" for text in _other_numbers(scene, self.target)]
        known = {*self.target.warnings, *self.warnings}
        self.warnings += [f"{one.path.name}: {text}" for text in scene.warnings if text not in known]
        if scene.acquired is None:
            self.warnings.append(f"{one.path.name}: its date is not known; it counts as the farthest of the dates.")
        if scene.level != self.target.level and scene.level is not None and self.target.level is not None:
            self.warnings.append(
                f"{one.path.name} is of Level-{scene.level[1:]}, the scene of Level-{self.target.level[1:]}."
            )

    def series(self, wanted: int) -> SceneSeries:
        """The series."""
        if wanted and not self.others:
            self.warnings.append("None of the other dates can be used: the scene is cleaned alone.")
        elif self.others and self.target.acquired is None:
            self.warnings.append("The scene's own date is not known, nor are the days between it and the other dates.")
        return SceneSeries(self.target, tuple(self.others), tuple(self.notes), tuple(self.warnings))

    def _open(self, one: _Candidate, image: RadarImage | None) -> Scene:
        window = part_under(self.target, one.grid)
        if window is None:
            raise ValueError("`usable` leaves out what does not overlap")
        column, row, width, height = (int(value) for value in window.flatten())
        try:
            return Scene.open(
                one.path,
                image.files if image else None,
                window=(column, row, width, height),
                s2_unit=self.reading.s2_unit,
                s2_offset=self.reading.s2_offset,
                s2_nodata=self.reading.s2_nodata,
                s2_scale=self.reading.s2_scale,
                s1_unit=self.reading.s1_unit,
                s2_bands=one.bands,
            )
        except InputError as error:
            name = str(one.finding.inputs[0])
            if error.code != "all-nodata" or not str(error).startswith(name):
                raise
            raise InputError(
                f"{name} holds no valid pixel under the scene: it is all nodata there.",
                "Give another date of the same place.",
                code="all-nodata",
            ) from error

    def _is_target(self, one: _Candidate) -> bool:
        return same_files(self.target.stack.files, one.files) or same_acquisition(self.target.acquired, one.acquired)

    def _skip(self, path: Path, error: InputError) -> None:
        reason = " ".join(error.message.split())
        named = reason if path.name in reason else f"{path}: {reason}"
        self.warnings.append(f"Left out of the other dates: {named}")


def part_under(target: Scene, grid: Grid, margin: int = MARGIN) -> Window | None:
    """The part of a grid that lies under the target and around it, whole pixels; None if there is none.

    Args:
        target: The scene.
        grid: Any grid.
        margin: Pixels of the target around it.
    """
    column, row, width, height = (int(value) for value in _target_window(target).flatten())
    wide = Window(column - margin, row - margin, width + 2 * margin, height + 2 * margin)
    part = Mapping(grid, target.stack.grid).lattice(wide).source_window(grid)
    return part if part is not None and part.width >= 2 and part.height >= 2 else None


def _target_window(target: Scene) -> Window:
    return Window(*target.origin, target.grid.width, target.grid.height)


def _find(path: Path, bands: Sequence[str] | None) -> tuple[Finding, Sequence[str] | None]:
    """The bands of another date; names that were given for the scene count where their number fits."""
    if bands is not None:
        try:
            return find_bands(path, bands), bands
        except InputError as error:
            if error.code != "bands-unknown":
                raise
    return find_bands(path), None


def _shared(target: Scene, bands: Sequence[str]) -> list[str]:
    return [name for name in target.bands if name in bands]


def _same(one: _Candidate, other: _Candidate) -> bool:
    """Whether two are the same: the same files, or copies; of what was found, the other level of it too."""
    if same_files(one.files, other.files):
        return True
    copies = one.grid == other.grid and same_acquisition(one.acquired, other.acquired)
    return copies and (one.optional or one.finding.facts.level == other.finding.facts.level)


def same_acquisition(one: datetime | None, other: datetime | None) -> bool:
    """Whether two dates are of one overpass; a date without a time of day stands for the whole day."""
    if one is None or other is None:
        return False
    if time() in (one.time(), other.time()):
        return one.date() == other.date()
    return abs(one - other) < _SAME_TIME


def _other_numbers(scene: Scene, target: Scene) -> list[str]:
    """What is assumed about the numbers of another date, where it is not what is assumed about the scene."""
    told = [] if scene.radiometry == target.radiometry else [scene.reasons.offset]
    if scene.stack.fill is not None and scene.stack.fill != target.stack.fill:
        told.append(f"No data: {scene.reasons.nodata}.")
    return told


def _description(name: str, scene: Scene, target: Scene) -> str:
    """One sentence about another date."""
    days = days_between(target.acquired, scene.acquired)
    when = scene.acquired.date().isoformat() if scene.acquired else "of unknown date"
    if days is not None:
        when += f" ({abs(days)} days {'before' if days < 0 else 'after'})"
    shared = len(_shared(target, scene.bands))
    what = [name, *([f"{shared} of the scene's {len(target.bands)} bands"] if shared < len(target.bands) else [])]
    what += ["with Sentinel-1"] if scene.has_s1 else []
    return f"Other date {when}: {', '.join(what)}."
