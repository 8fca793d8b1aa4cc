"""How well clouds are filled from other dates of the place: the baselines, under holes and under real clouds.

python benchmarks/other_dates.py [FOLDER of the data, default ../shared/data] [--alone]

PSNR inside the clouds over all bands, reflectance clipped to 0..1; mean and minimum over the cases. --alone adds what
`sunbreak clean` makes of the target without other dates (some minutes). The tables are those of docs/comparing.md.

Under real clouds the truth is another day with another light and haze. There the figures are given twice: as they are,
and with the truth in the light of the target, by a gain and an offset per band fitted on the pixels that both show.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from common import say
from numpy.typing import NDArray
from other_dates_cases import Case, Files, Image, Series, series_of, site_cases, through_files

from sunbreak.engine import make_runtime
from sunbreak.errors import InputError
from sunbreak.evaluation.other_dates import TITLES
from sunbreak.events import Silent
from sunbreak.jobs.single import CleanOptions, clean
from sunbreak.metrics.fills import mean_fill
from sunbreak.metrics.temporal_fills import FILLS, Fill
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.scene import Scene

GIVEN = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
DATA = Path(GIVEN[0]) if GIVEN else Path(__file__).resolve().parents[1] / ".." / "shared" / "data"

Method = Callable[[Case], Image]


def mean_colour(case: Case) -> Image:
    return mean_fill(case.target.image, case.target.cloudy)


def baseline(fill: Fill, case: Case) -> Image:
    return fill(case.target.image, case.target.cloudy, case.dates, None)


def alone() -> Method:
    """`sunbreak clean` without other dates."""
    network = find_model(DEFAULT_REMOVAL, "cloud-removal")
    runtime = make_runtime(network, "cpu", "auto")

    def run(files: Files, out: Path) -> Path:
        scene = Scene.open(files.s2, files.s1, mask=files.mask, s2_offset=0)
        return clean(scene, out, network, CleanOptions(), Silent(), runtime=runtime).layers["cleaned"]

    # the tables of holes differ in their references only
    known: dict[str, Image] = {}

    def method(case: Case) -> Image:
        if case.name not in known:
            known[case.name] = through_files(case, run)
        return known[case.name]

    return method


class WithDates:
    """`sunbreak clean` with the other dates; keeps the sigma of its last result.

    Args:
        alone: Whether the whole target counts as hidden, so that its colours follow the other dates alone.
    """

    def __init__(self, alone: bool = False) -> None:
        self.alone = alone
        self.network = find_model(DEFAULT_REMOVAL, "cloud-removal")
        self.runtime = make_runtime(self.network, "cpu", "auto")
        self.sigma: Image = np.zeros((0, 0, 0), np.float32)

    def __call__(self, case: Case) -> Image:
        """The cleaned target, (band, row, column)."""
        if self.alone:
            case = replace(case, target=replace(case.target, cloudy=np.ones_like(case.target.cloudy)))
        return through_files(case, self._run)

    def _run(self, files: Files, out: Path) -> Path:
        layers = clean(series_of(files), out, self.network, CleanOptions(), Silent(), runtime=self.runtime).layers
        with rasterio.open(layers["uncertainty"]) as source:
            self.sigma = source.read().astype(np.float32) / np.float32(10000)
        return layers["cleaned"]


METHODS: dict[str, Method] = {
    "mean colour of the clear pixels": mean_colour,
    **{TITLES[name]: partial(baseline, fill) for name, fill in FILLS.items()},
}


def measure(title: str, cases: Iterable[Case], each: bool = False, light: bool = False) -> None:
    """Print the table of some cases.

    Args:
        title: Its title.
        cases: The cases.
        each: Whether to print a line per case too.
        light: Whether to print the figures against the truth in the light of the target too.
    """
    found: dict[str, list[float]] = {name: [] for name in METHODS}
    lit: dict[str, list[float]] = {name: [] for name in METHODS}
    names, both, clear, inside = [], [], [], []
    refused: dict[str, str] = {}
    for case in cases:
        names.append(case.name)
        both.append(case.both_sides)
        clear.append(case.clear_psnr() if light else np.nan)
        other = case.in_light()
        for name, method in METHODS.items():
            try:
                filled = method(case)
            except InputError as error:
                found[name].append(np.nan)
                lit[name].append(np.nan)
                refused[name] = error.message
                continue
            found[name].append(case.psnr(filled))
            lit[name].append(other.psnr(filled))
            if isinstance(method, WithDates) and not method.alone:
                inside.append(case.coverage(filled, method.sigma))
    for name, message in refused.items():
        print(f"{name}: {message}")
    rows = [(name, _about(np.array(values), np.array(both))) for name, values in found.items()]
    if light:
        rows.append(
            ("the target's clear pixels beside the truth", f"{np.nanmean(clear):.2f} dB, worst {np.nanmin(clear):.2f}")
        )
    say(f"{title} ({len(names)} cases)", rows)
    if light:
        say(
            "  the truth in the light of the target",
            [(name, _about(np.array(v), np.ones(1, bool))) for name, v in lit.items()],
        )
    if inside:
        share = np.array(inside)
        text = ", ".join(
            f"{100 * part.mean():.1f} % (worst {100 * part.min():.0f}, {100 * part.max():.0f})" for part in share.T
        )
        print(f"  within 1.96 sigma and within 1 sigma: {text}")
    if each:
        for i, name in enumerate(names):
            print(f"  {name:<52} " + " ".join(f"{values[i]:.2f}" for values in found.values()))


def _about(values: NDArray[np.float64], both: NDArray[np.bool_]) -> str:
    if np.isnan(values).all():
        return "-"
    text = f"{np.nanmean(values):.2f} dB, worst {np.nanmin(values):.2f}"
    if both.all() or not both.any():
        return text
    return f"{text}; {np.nanmean(values[both]):.2f} over the {both.sum()} with dates on both sides"


if __name__ == "__main__":
    METHODS["sunbreak clean, with the other dates"] = WithDates()
    if "--alone" in sys.argv:
        METHODS["sunbreak clean, the scene alone"] = alone()
    if (DATA / "timeseries").is_dir():
        series = Series(DATA / "timeseries")
        print("cover of the holes:", ", ".join(f"{day} {hole.mean():.0%}" for day, hole in series.holes.items()))
        measure("Holes in clear dates, eight clear references", series.cut_holes())
        measure("The same, each reference under the clouds of another date", series.cut_holes(covered=True))
        measure("The same, one clear reference about 60 days away", series.single())
        METHODS["sunbreak clean, from the dates alone"] = WithDates(alone=True)
        measure("Real clouds of timeseries/, truth is the nearest clear date", series.real(), each=True, light=True)
    else:
        print(f"other_dates: no data under {DATA / 'timeseries'}, skipped")
    if (DATA / "worldcereal").is_dir():
        METHODS["sunbreak clean, from the dates alone"] = WithDates(alone=True)
        measure(
            "Real clouds of worldcereal/, truth within ten days",
            site_cases(DATA / "worldcereal"),
            each=True,
            light=True,
        )
    else:
        print(f"other_dates: no data under {DATA / 'worldcereal'}, skipped")
