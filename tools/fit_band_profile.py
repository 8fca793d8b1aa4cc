"""Measure the profile by which bands without names are put in order: sunbreak/scene/band_profile.json.

python tools/fit_band_profile.py DATA [--write]

DATA holds folders of real Sentinel-2 images, see `FOLDERS`. Printed is how often the order of an image is found by a
profile of all other folders: right, wrong, and asked about.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.scene import band_order
from sunbreak.scene.band_order import FILE, Matrix, Profile, measured, orders_of, spectral_order
from sunbreak.scene.bands import S2_BANDS

WITHOUT_B10 = tuple(name for name in S2_BANDS if name != "B10")
EUROSAT = (*(name for name in S2_BANDS if name != "B8A"), "B8A")
FOLDERS = {
    "timeseries": ("*.tif", S2_BANDS),
    "scenes": ("*.tif", S2_BANDS),
    "sen12mscr": ("*s2*/**/*.tif", S2_BANDS),
    "sen12mscr_dsp": ("s2/**/*.tif", S2_BANDS),
    "scene_spain": ("S2_L1C_DN.tif", S2_BANDS),
    "sen1floods11": ("*S2Hand.tif", S2_BANDS),
    "misc": ("*.tif", S2_BANDS),
    "eurosat": ("*/*.tif", EUROSAT),
    "satclip_s2": ("*.tif", WITHOUT_B10),
}
"""Pattern of the files in each folder, and the order of their bands."""

RATIO_FLOOR, LIKENESS_FLOOR = 0.03, 0.15  # of the spreads: images that were not seen vary more
PIXELS = 20000


@dataclass(frozen=True)
class Image:
    """One image.

    Attributes:
        folder: Where it is from.
        bands: Names in native order.
        sample: (band, pixel) DN.
    """

    folder: str
    bands: tuple[str, ...]
    sample: NDArray[np.float32]


def images(data: Path) -> Iterator[Image]:
    """The images of the data."""
    for folder, (pattern, order) in FOLDERS.items():
        for path in sorted((data / folder).glob(pattern)):
            with rasterio.open(path) as file:
                if file.count != len(order):
                    continue
                values = file.read().reshape(file.count, -1).astype(np.float32)
            bands = tuple(name for name in S2_BANDS if name in order)
            values = values[[order.index(name) for name in bands]]
            told = [place for place, name in enumerate(bands) if name != "B10"]
            values = values[:, np.isfinite(values).all(axis=0) & (values[told] != 0).all(axis=0)]
            if values.shape[1] >= PIXELS // 100:
                chosen = np.linspace(0, values.shape[1] - 1, min(PIXELS, values.shape[1])).astype(np.intp)
                yield Image(folder, bands, values[:, chosen])


def profile(known: list[Image]) -> Profile:
    """The profile of some images."""
    shape = len(known), len(S2_BANDS), len(S2_BANDS)
    ratio, likeness = np.full(shape, np.nan), np.full(shape, np.nan)
    for number, image in enumerate(known):
        places = [S2_BANDS.index(name) for name in image.bands]
        medians, alike = measured(image.sample)
        ratio[number][np.ix_(places, places)] = medians[:, None] - medians[None]
        likeness[number][np.ix_(places, places)] = alike

    def rounded(values: Matrix, floor: float = 0.0) -> Matrix:
        return np.round(values + floor, 3)

    return Profile(
        rounded(np.nanmean(ratio, axis=0)), rounded(np.nanstd(ratio, axis=0), RATIO_FLOOR),
        rounded(np.nanmean(likeness, axis=0)), rounded(np.nanstd(likeness, axis=0), LIKENESS_FLOOR),
    )  # fmt: skip


def check(known: list[Image]) -> None:
    """Print what becomes of each image in each order, with a profile of the other folders."""
    random.seed(0)
    outcomes: dict[tuple[int, str], Counter[str]] = {}
    for folder in FOLDERS:
        own = profile([image for image in known if image.folder != folder])
        band_order.Profile.load = lambda own=own: own
        for image in (one for one in known if one.folder == folder):
            for count in (10, 12, 13):
                native = orders_of(count)["native order"]
                shuffled = tuple(random.sample(native, count))
                for title, order in {**orders_of(count), "any other": shuffled}.items():
                    if not set(order) <= set(image.bands):
                        continue
                    sample = image.sample[[image.bands.index(name) for name in order]]
                    counts = outcomes.setdefault((count, title), Counter())
                    try:
                        found = spectral_order("", sample, range(1, count + 1), count) or native
                    except InputError:
                        counts["asked"] += 1
                    else:
                        counts["right" if found == order else "wrong"] += 1
    for (count, title), counts in outcomes.items():
        print(f"{count} bands, {title}: " + ", ".join(f"{number} {word}" for word, number in counts.most_common()))


def main(data: Path, write: bool) -> None:
    """Check, fit and write."""
    known = list(images(data))
    fitted = profile(known)
    check(known)
    if not write:
        return
    counts = Counter(image.folder for image in known)
    stored = {
        "title": "Medians and correlations of pairs of Sentinel-2 bands",
        "use": "To tell the order of bands without names.",
        "fitted_on": f"{len(known)} real images: "
        + ", ".join(f"{folder} {number}" for folder, number in counts.items()),
        "fitted_by": "python tools/fit_band_profile.py DATA --write",
        "bands": list(S2_BANDS),
        **{name: getattr(fitted, name).tolist() for name in ("ratio", "ratio_spread", "likeness", "likeness_spread")},
    }
    FILE.write_text(json.dumps(stored) + "\n", encoding="utf-8")
    print(FILE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--write" in sys.argv)
