"""What the overlap of the tiles does: number of tiles, error under the clouds, visible seams. Figures, not times.

python benchmarks/overlap.py CLOUDY CLEAR [--s1 S1] [--overlaps 16 32 48 64 96]

A seam is the mean step between neighbouring pixels across the middle of the overlaps, divided by the mean step at all
other synthesised pixels: 1 means that the borders of tiles cannot be seen.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import rasterio
from common import say

from sunbreak.engine.openvino_runtime import OpenVinoRuntime
from sunbreak.events import Silent
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.single import clean
from sunbreak.models.registry import DEFAULT_REMOVAL, find_model
from sunbreak.scene import Scene
from sunbreak.tiling import BlendedLayout


def seams(image: np.ndarray, synthesised: np.ndarray, layout: BlendedLayout) -> float:
    """The larger ratio of both directions, see above. `image` (band, row, column)."""
    found = []
    for axis, starts in ((1, layout.rows), (2, layout.cols)):
        steps = np.abs(np.diff(image, axis=axis)).mean(axis=0)
        both = np.logical_and(*(np.delete(synthesised, end, axis - 1) for end in (0, -1)))
        borders = np.zeros(steps.shape[axis - 1], bool)
        for before, after in itertools.pairwise(starts):
            middle = (before + layout.size + after) // 2
            borders[max(after - 1, middle - 2) : middle + 2] = True
        at = borders[:, None] if axis == 1 else borders[None]
        found.append(float(steps[both & at].mean() / steps[both & ~at].mean()))
    return max(found)


parser = argparse.ArgumentParser()
parser.add_argument("cloudy", type=Path)
parser.add_argument("clear", type=Path)
parser.add_argument("--s1", type=Path)
parser.add_argument("--replace-all", action="store_true")
parser.add_argument("--overlaps", type=int, nargs="+", default=[16, 32, 48, 64, 96])
given = parser.parse_args()

files = find_model(DEFAULT_REMOVAL)
scene = Scene.open(given.cloudy, given.s1)
with rasterio.open(given.clear) as source:
    clear = source.read().astype(np.float32) / 10000
runtime = OpenVinoRuntime.for_model(files)
lines = []
for overlap in given.overlaps:
    model = replace(files, card=replace(files.card, overlap=overlap))
    with tempfile.TemporaryDirectory() as folder:
        options = CleanOptions(replace_all=given.replace_all)
        result = clean(scene, Path(folder), model, options, Silent(), runtime=runtime)
        with rasterio.open(result.layers["cleaned"]) as source:
            cleaned = source.read().astype(np.float32) / 10000
        with rasterio.open(result.layers["reconstructed"]) as source:
            whole = source.read(1) * source.scales[0] == 1
        with rasterio.open(result.layers["uncertainty"]) as source:
            sigma = source.read().astype(np.float32) / 10000
    error = (cleaned - clear)[:, whole]
    layout = BlendedLayout(*scene.grid.shape, files.card.tile, overlap)
    psnr = -10 * np.log10((error**2).mean())
    inside = (np.abs(error) < sigma[:, whole]).mean()
    figures = f"PSNR {psnr:.2f} dB, within one sigma {inside:.1%}, seams {seams(cleaned, whole, layout):.3f}"
    computed = int(result.numbers["tiles_computed"])
    lines.append((f"overlap {overlap} px", f"{computed} of {layout.count} tiles, {figures}"))
say(f"{given.cloudy.name} with {files.card.name}", lines)
