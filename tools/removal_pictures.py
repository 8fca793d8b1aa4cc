"""Draws what one date alone looks like: real images before and after cleaning, the truth, and sigma.

python tools/removal_pictures.py PICTURE TRIPLETS [ID ...] [--model NAME]

TRIPLETS is a folder of `<id>_s1.tif`, `<id>_s2_cloudy.tif` and `<id>_s2.tif`. The images are sorted by the PSNR of the
pixels that were replaced, best first, and cut into two columns. Cloudy image, result and truth of a row have the stretch
of the truth; sigma is the mean of all bands, from 0 (black) to 0.15 (white).
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import sunbreak
from sunbreak.metrics import image
from sunbreak.training.removal.samples import Sample
from sunbreak.training.removal.validation import triplets

RGB = [3, 2, 1]
GAP, TITLE, SIDE = 6, 24, 192
BRIGHTEST_SIGMA = 0.15
READING = {"s2_unit": "dn", "s2_offset": 0.0, "s1_unit": "db"}
PLACE = {"transform": rasterio.Affine(10, 0, 500000, 0, -10, 5300000), "crs": "EPSG:32632"}


@dataclass(frozen=True)
class Row:
    """One image: pictures (row, column, 3) by title, and the PSNR of what was replaced."""

    panels: dict[str, NDArray[np.uint8]]
    psnr: float


def read(path: Path) -> NDArray[np.float64]:
    """Stored numbers (band, row, column)."""
    with rasterio.open(path) as file:
        values: NDArray[np.float64] = file.read().astype(np.float64)
    return values


def row(sample: Sample, model: str | None) -> Row:
    """Clean one image."""
    with tempfile.TemporaryDirectory() as folder:
        done = sunbreak.clean(sample.cloudy, sample.s1, folder, model=model, **READING, **PLACE)
        parts = {name: read(done.layers[name]) for name in ("cleaned", "uncertainty", "reconstructed")}
    cleaned, truth = (np.clip(part, 0, 10000) / 10000 for part in (parts["cleaned"], sample.clear))
    replaced = parts["reconstructed"][0] > 0
    low, high = np.percentile(truth[RGB], (0.5, 99.5))
    high = max(high, low + 0.1)

    def shown(values: NDArray[np.float64]) -> NDArray[np.uint8]:
        return (np.moveaxis(np.clip((values[RGB] - low) / (high - low), 0, 1), 0, -1) * 255).astype(np.uint8)

    sigma = parts["uncertainty"].mean(axis=0) / 10000 / BRIGHTEST_SIGMA
    grey = np.repeat((np.clip(sigma, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
    psnr = image.psnr(cleaned, truth, replaced)
    panels = {
        f"{sample.name}, {replaced.mean():.0%} replaced": shown(sample.cloudy / 10000),
        f"cleaned, {psnr:.1f} dB" if replaced.any() else "nothing replaced": shown(cleaned), "truth": shown(truth), "sigma": grey,
    }  # fmt: skip
    return Row(panels, psnr)


def sheet(rows: list[Row]) -> Image.Image:
    """All rows in two columns."""
    half = -(-len(rows) // 2)
    width, height = 4 * (SIDE + GAP) + 2 * GAP, SIDE + TITLE
    picture = Image.new("RGB", (2 * width - 3 * GAP, half * height), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    for number, one in enumerate(rows):
        left, top = number // half * width, number % half * height
        for column, (title, values) in enumerate(one.panels.items()):
            x = left + column * (SIDE + GAP)
            picture.paste(Image.fromarray(values).resize((SIDE, SIDE), Image.Resampling.LANCZOS), (x, top + TITLE))
            draw.text((x + SIDE // 2, top + TITLE // 2), title, fill="black", font=font, anchor="mm")
    return picture


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("triplets", type=Path)
    parser.add_argument("ids", nargs="*")
    parser.add_argument("--model")
    given = parser.parse_args()
    samples = [sample for sample in triplets(given.triplets) if not given.ids or sample.name in given.ids]
    rows = sorted((row(sample, given.model) for sample in samples), key=lambda one: -one.psnr)
    sheet(rows).save(given.picture, optimize=True, quality=88)
    print(given.picture)
