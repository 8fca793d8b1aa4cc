"""Evaluates the bundled classifier on TerraMesh scenes that it was not trained on: metrics and a picture.

python tools/terramesh_check.py TERRAMESH_FOLDER PICTURE.png

TerraMesh (IBM and partners, CC BY-SA 4.0) labels pixels after the Esri land cover; its rangeland may be Shrubland,
Savanna or Grassland here. A cell counts for the class that most of its pixels have.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import matplotlib
import numpy as np
import rasterio

from sunbreak.events import Silent
from sunbreak.jobs.single import ClassifyOptions, classify
from sunbreak.models.registry import DEFAULT_CLASSIFIER, find_model
from sunbreak.scene import Scene

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # (after the choice of the canvas)
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

LABELS = {
    1: ("water", ("Water",)), 2: ("trees", ("Forest",)), 3: ("flooded vegetation", ("Wetlands",)),
    4: ("crops", ("Croplands",)), 5: ("built area", ("Urban/Built-up",)), 6: ("bare ground", ("Barren",)),
    7: ("snow and ice", ("Snow/Ice",)), 9: ("rangeland", ("Shrubland", "Savanna", "Grassland")),
}  # fmt: skip
COLOURS = ("000000", "1c0dff", "009900", "27ff87", "c24f44", "a5a5a5", "f9ffa4", "69fff8", "ffffff", "c6b044")
# processing baseline 04.00 and later add 1000 to the numbers
SHIFTED = 1000
BRIGHTEST = 98


def majority(labels: np.ndarray, cell: int) -> np.ndarray:
    """The most frequent label in each cell."""
    rows, columns = (size // cell for size in labels.shape)
    parts = labels[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell).swapaxes(1, 2)
    flat = parts.reshape(rows, columns, -1)
    return np.apply_along_axis(lambda cell: np.bincount(cell, minlength=10).argmax(), 2, flat)


def main(folder: Path, picture: Path) -> None:
    """Classify every scene, count agreements, and draw the maps."""
    model = find_model(DEFAULT_CLASSIFIER)
    names = [item.name for item in model.card.classes]
    scenes = sorted((folder / "S2L1C").glob("*.tif"))
    figure, axes = plt.subplots(len(scenes), 3, figsize=(9.5, 3.1 * len(scenes)), layout="constrained")
    right: dict[int, int] = {}
    total: dict[int, int] = {}
    said: dict[int, dict[str, int]] = {}
    for row, path in enumerate(scenes):
        with rasterio.open(path) as source, rasterio.open(folder / "LULC" / path.name) as truth:
            dn, labels = source.read(), truth.read(1)
        offset = -SHIFTED if dn[1].min() >= SHIFTED else 0
        with tempfile.TemporaryDirectory() as scratch:
            scene = Scene.open(path, s2_offset=float(offset))
            done = classify(scene, Path(scratch), model, ClassifyOptions(stride=8), Silent())
            with rasterio.open(done.layers["landcover"]) as source:
                found = source.read(1)
        cell = labels.shape[0] // found.shape[0]
        wanted = majority(labels, cell)
        found = found[: wanted.shape[0], : wanted.shape[1]]
        for label in np.unique(wanted):
            here = found[wanted == label]
            allowed = [names.index(name) + 1 for name in LABELS[int(label)][1]]
            right[label] = right.get(label, 0) + int(np.isin(here, allowed).sum())
            total[label] = total.get(label, 0) + here.size
            for value, count in zip(*np.unique(here, return_counts=True), strict=True):
                named = said.setdefault(int(label), {})
                named[names[value - 1]] = named.get(names[value - 1], 0) + int(count)
        rgb = (dn[[3, 2, 1]].astype(float) + offset).transpose(1, 2, 0)
        shown = (
            np.clip(rgb / np.percentile(rgb, BRIGHTEST), 0, 1),
            ListedColormap([f"#{c}" for c in COLOURS])(labels),
            ListedColormap([item.colour for item in model.card.classes])(found - 1),
        )
        titles = (f"{path.stem}", "TerraMesh labels", f"{model.card.name}, cells of {cell} px")
        for axis, image, title in zip(axes[row], shown, titles, strict=True):
            axis.imshow(image, interpolation="nearest")
            axis.set_title(title, fontsize=9)
            axis.set_xticks([])
            axis.set_yticks([])
        present = [int(label) for label in np.unique(labels)]
        axes[row, 1].legend(
            handles=[Patch(facecolor=f"#{COLOURS[label]}", label=LABELS[label][0]) for label in present], fontsize=7
        )
        classes = [int(value) for value in np.unique(found)]
        axes[row, 2].legend(
            handles=[Patch(facecolor=model.card.classes[v - 1].colour, label=names[v - 1]) for v in classes], fontsize=7
        )
    for label, count in sorted(total.items()):
        most = sorted(said[int(label)].items(), key=lambda item: -item[1])[:3]
        told = ", ".join(f"{name} {100 * number / count:.0f} %" for name, number in most)
        print(f"{LABELS[int(label)][0]:<20} {count:5d} cells, right {right[label] / count:.2f}; taken for {told}")
    print(f"all                  {sum(total.values()):5d} cells, right {sum(right.values()) / sum(total.values()):.2f}")
    figure.savefig(picture, dpi=80)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
