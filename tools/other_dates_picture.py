"""Draws what other dates change: the demo scene before, cleaned alone, cleaned with its two other dates, and the truth.

python tools/other_dates_picture.py [PNG]     writes docs/images/other-dates.png without an argument

All panels show the same part of the land with the same stretch. The PSNR of each panel, of the pixels that were replaced
in this part, is printed.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from rasterio.windows import Window

import sunbreak
from sunbreak.metrics import image

CHECKOUT = Path(__file__).resolve().parents[1]
DEMO = CHECKOUT / "resources" / "demo"
PART = Window(224, 256, 256, 256)  # column, row, width, height: fields under clouds
RGB = (4, 3, 2)
GAP, TITLE = 8, 28


def read(path: Path, bands: tuple[int, ...] | None = RGB) -> NDArray[np.float32]:
    """(band, row, column) stored numbers of the part."""
    with rasterio.open(path) as file:
        values: NDArray[np.float32] = file.read(bands, window=PART).astype(np.float32)
    return values


def clean(out: Path, references: list[Path] | None = None) -> Mapping[str, Path]:
    """The layers of the cleaned demo scene."""
    cloudy, radar = DEMO / "demo_s2_cloudy.tif", DEMO / "demo_s1.tif"
    return sunbreak.clean(cloudy, radar, out, references=references).layers


def main(target: Path) -> None:
    """Clean, draw and print."""
    truth = DEMO / "demo_s2_clear.tif"
    with tempfile.TemporaryDirectory() as folder:
        alone = clean(Path(folder) / "alone")
        others = [DEMO / "demo_s2_before.tif", DEMO / "demo_s2_after.tif"]
        dated = clean(Path(folder) / "dated", others)
        files = {
            "before": DEMO / "demo_s2_cloudy.tif",
            "cleaned alone": alone["cleaned"],
            "cleaned with two other dates": dated["cleaned"],
            "truth": truth,
        }
        panels = {title: read(path) for title, path in files.items()}
        replaced = read(dated["reconstructed"], (1,))[0] > 0
        for title in ("cleaned alone", "cleaned with two other dates"):
            found = image.psnr(read(files[title], None) / 1e4, read(truth, None) / 1e4, replaced)
            print(f"{title}: {found:.2f} dB in the {replaced.mean():.0%} of this part that were replaced")
    low, high = np.percentile(panels["truth"], (1, 99.5), axis=(1, 2))
    height, width = panels["truth"].shape[1:]
    sheet = Image.new("RGB", (len(panels) * (width + GAP) - GAP, TITLE + height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for number, (title, values) in enumerate(panels.items()):
        scaled = (values - low[:, None, None]) / (high - low)[:, None, None]
        picture = (np.clip(scaled, 0, 1) * 255).astype(np.uint8)
        left = number * (width + GAP)
        sheet.paste(Image.fromarray(np.moveaxis(picture, 0, -1)), (left, TITLE))
        draw.text((left + width // 2, TITLE // 2), title, fill="black", font=font, anchor="mm")
    sheet.save(target, "PNG", optimize=True)
    print(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT / "docs" / "images" / "other-dates.png")
