"""Fit how the colour of ground moves with days: sunbreak/removal/temporal/days_prior.json.

python tools/fit_days_prior.py DATA [--write]

DATA holds `timeseries/` (one place, 2018) and `worldcereal/` (two places, 2017 to 2019), see docs/cleaning.md. Each
clear date is predicted from the eight nearest clear dates as if none of its pixels were clear, at every setting; the
setting with the smallest error wins. Sigma's factor is the one at which 95 % of the errors lie within 1.96 sigma.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from sunbreak.datasets.worldcereal import clear_dates, find_sites, read_site
from sunbreak.removal.temporal.blocks import Block, Blocks, reflectance_features
from sunbreak.removal.temporal.days_prior import FILE, DaysPrior
from sunbreak.removal.temporal.gaussian import fit

CLEAR = (
    "2018-02-10", "2018-03-22", "2018-04-26", "2018-05-31", "2018-06-10", "2018-07-30", "2018-08-24", "2018-10-08",
    "2018-11-12",
)  # fmt: skip
STARTS, FADINGS = (0.8, 0.9, 0.95), (30.0, 45.0, 60.0, 90.0, 120.0)
DATES = 8


@dataclass(frozen=True)
class Place:
    """Clear dates of one place.

    Attributes:
        name: Of the place.
        days: When.
        bands: Their names.
        images: (band, pixel) reflectance of each date.
    """

    name: str
    days: list[date]
    bands: tuple[str, ...]
    images: list[NDArray[np.float32]]


def places(data: Path) -> Iterator[Place]:
    """The places of the data."""
    from sunbreak.scene import S2_BANDS

    files = {path.stem.split("_")[-3]: path for path in sorted((data / "timeseries").glob("*.tif"))}
    images = []
    for day in CLEAR:
        with rasterio.open(files[day]) as source:
            images.append(reflectance_features(source.read()[:, ::2, ::2].astype(np.float32) / 1e4).reshape(13, -1))
    yield Place("timeseries", [date.fromisoformat(day) for day in CLEAR], S2_BANDS, images)
    for found in find_sites(data / "worldcereal"):
        site = read_site(found.s2, found.s1)
        chosen = list(clear_dates(site))
        images = [
            reflectance_features(site.s2[i].astype(np.float32) / 1e4).reshape(len(site.bands), -1) for i in chosen
        ]
        yield Place(found.s2.parent.name, [site.days[i] for i in chosen], site.bands, images)


def errors(place: Place, prior: DaysPrior) -> tuple[float, NDArray[np.float32]]:
    """Mean squared error over the dates, and errors over the sigma of the fit."""
    squares, ratios = [], []
    for target, day in enumerate(place.days):
        order = sorted(range(len(place.days)), key=lambda i: abs((place.days[i] - day).days))
        others = [i for i in order if i != target][:DATES]
        blocks = Blocks(
            tuple(Block(member, False, place.bands) for member in range(len(others) + 1)),
            (0, *((place.days[i] - day).days for i in others)),
        )
        values = [place.images[target], *(place.images[i] for i in others)]
        pixels = values[0].shape[1]
        known = [np.zeros(pixels, bool), *(np.ones(pixels, bool) for _ in others)]
        model = fit(blocks, values, known, prior)
        predictor = model.predictor(sum(1 << i for i in blocks.optical))
        features = np.concatenate([model.standardised(block, i) for i, block in enumerate(values)])
        apart = predictor(features) - values[0]
        squares.append(float((apart**2).mean()))
        ratios.append((apart / predictor.sigma[:, None])[:, ::17].ravel())
    return float(np.mean(squares)), np.concatenate(ratios)


if __name__ == "__main__":
    everywhere = list(places(Path(sys.argv[1])))
    print("dates:", ", ".join(f"{place.name} {len(place.days)}" for place in everywhere))
    table = {}
    for start in STARTS:
        for fading in FADINGS:
            found = [errors(place, DaysPrior(start, fading, 1.0)) for place in everywhere]
            # places count alike, whatever their contrast
            table[start, fading] = np.mean([10 * np.log10(square) for square, _ in found])
            factor = float(np.quantile(np.abs(np.concatenate([ratio for _, ratio in found])), 0.95) / 1.96)
            print(
                f"start {start:.2f} fading {fading:5.0f}: {-table[start, fading]:.2f} dB, factor {factor:.2f}",
                flush=True,
            )
            if table[start, fading] == min(table.values()):
                best = {"start": start, "fading_days": fading, "sigma_factor": round(factor, 2)}
    print(best)
    if "--write" in sys.argv:
        card = json.loads(FILE.read_text())
        FILE.write_text(json.dumps({**card, **best}, indent=2) + "\n")
