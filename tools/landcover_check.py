"""Looks at a per-pixel classifier: pictures of images of many places, and how far both levels of TerraMesh agree.

python tools/landcover_check.py MODEL PICTURE.png FOLDER [MOST]      pictures of the rasters of a folder
python tools/landcover_check.py MODEL PICTURE.png --terramesh FOLDER  labels, Level-1C and Level-2A of the same scenes

TerraMesh (IBM and partners, CC BY-SA 4.0) labels pixels after the Esri land cover; its rangeland may be grass or shrub
here. Its Level-1C of some scenes has the offset of later baselines, its Level-2A has none.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import rasterio

from sunbreak.events import Silent
from sunbreak.jobs.single import ClassifyOptions, classify
from sunbreak.models.registry import ModelFiles, find_model
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.bands import canonical_band

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # (after the choice of the canvas)
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

ESRI = {
    1: "Water", 2: "Trees", 3: "Flooded vegetation", 4: "Crops", 5: "Built", 6: "Bare", 7: "Snow and ice",
    9: "Grass or shrub and scrub",
}  # fmt: skip
RANGELAND = ("Grass", "Shrub and scrub")
WITHOUT_B10 = tuple(band for band in S2_BANDS if band != "B10")
SHIFTED = 1000
ACROSS = 6


def mapped(model: ModelFiles, path: Path, offset: float | None = None) -> tuple[Any, Any]:
    """The picture (row, column, 3) of a raster and the classes (row, column) that the model gives it."""
    with rasterio.open(path) as source:
        count, named = source.count, any(canonical_band(text) for text in source.descriptions)
    order = None if named else {13: S2_BANDS, 12: WITHOUT_B10}.get(count)
    given = {} if offset is None else {"s2_offset": offset}
    with tempfile.TemporaryDirectory() as scratch:
        scene = Scene.open(path, s2_bands=order, **given)
        done = classify(scene, Path(scratch), model, ClassifyOptions(), Silent())
        with rasterio.open(done.layers["landcover"]) as source:
            found = source.read(1)
        with rasterio.open(path) as source:
            rgb = source.read([scene.bands.index(band) + 1 for band in ("B04", "B03", "B02")]).astype(float)
    low, high = np.percentile(rgb, (1, 99))
    return np.moveaxis(np.clip((rgb - low) / max(high - low, 1), 0, 1), 0, -1), found


def show(axis: Any, image: Any, title: str, model: ModelFiles | None = None) -> None:
    """An image, or classes in their colours with a legend."""
    if model is None:
        axis.imshow(image)
    else:
        colours = ListedColormap(["#ffffff", *(kind.colour for kind in model.card.classes)])
        axis.imshow(image, cmap=colours, vmin=-0.5, vmax=len(model.card.classes) + 0.5, interpolation="nearest")
        shares = np.bincount(image.ravel(), minlength=len(model.card.classes) + 1)[1:] / image.size
        handles = [
            Patch(facecolor=kind.colour, label=f"{kind.name} {100 * share:.0f} %")
            for kind, share in zip(model.card.classes, shares, strict=True)
            if share >= 0.01
        ]
        axis.legend(handles=handles, fontsize=6, loc="lower right")
    axis.set_title(title, fontsize=8)
    axis.set_axis_off()


def look(model: ModelFiles, picture: Path, folder: Path, most: int) -> None:
    """Pictures and classes of the rasters of a folder."""
    paths = sorted(path for path in folder.rglob("*.tif"))[:most]
    rows = -(-2 * len(paths) // ACROSS)
    figure, axes = plt.subplots(rows, ACROSS, figsize=(3 * ACROSS, 3.2 * rows), layout="constrained")
    for axis in axes.ravel():
        axis.set_axis_off()
    for number, path in enumerate(paths):
        rgb, found = mapped(model, path)
        show(axes.ravel()[2 * number], rgb, path.stem)
        show(axes.ravel()[2 * number + 1], found, "", model)
    figure.savefig(picture, dpi=60)


def terramesh(model: ModelFiles, picture: Path, folder: Path) -> None:
    """Agreement with the labels per level, agreement of both levels, and a picture."""
    names = [kind.name for kind in model.card.classes]
    scenes = sorted((folder / "S2L1C").glob("*.tif"))
    figure, axes = plt.subplots(len(scenes), 4, figsize=(12, 3.1 * len(scenes)), layout="constrained")
    right = {"L1C": [0, 0], "L2A": [0, 0]}
    for row, path in enumerate(scenes):
        with rasterio.open(path) as source, rasterio.open(folder / "LULC" / path.name) as truth:
            shifted, labels = source.read(2).min() >= SHIFTED, truth.read(1)
        rgb, high = mapped(model, path, -float(SHIFTED) if shifted else 0.0)
        _, low = mapped(model, folder / "S2L2A" / path.name, 0.0)
        wanted = np.zeros((len(ESRI) + 2, len(names) + 1), bool)
        for label, name in ESRI.items():
            for allowed in RANGELAND if label == max(ESRI) else (name,):
                wanted[label, names.index(allowed) + 1] = True
        for level, found in (("L1C", high), ("L2A", low)):
            hit = wanted[labels, found]
            right[level][0] += int(hit.sum())
            right[level][1] += hit.size
            print(f"{path.stem} {level}: right {hit.mean():.2f}")
        print(f"{path.stem}: both levels agree in {(high == low).mean():.3f}")
        show(axes[row, 0], rgb, path.stem)
        coloured = np.zeros_like(labels)
        for label, name in ESRI.items():
            coloured[labels == label] = names.index(RANGELAND[0] if label == max(ESRI) else name) + 1
        show(axes[row, 1], coloured, "labels of TerraMesh (rangeland as grass)", model)
        show(axes[row, 2], high, f"{model.card.name}, Level-1C", model)
        show(axes[row, 3], low, "Level-2A", model)
    for level, (hits, count) in right.items():
        print(f"all {level}: right {hits / count:.3f}")
    figure.savefig(picture, dpi=80)


if __name__ == "__main__":
    files, target = find_model(sys.argv[1], "land-cover"), Path(sys.argv[2])
    if sys.argv[3] == "--terramesh":
        terramesh(files, target, Path(sys.argv[4]))
    else:
        look(files, target, Path(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) > 4 else 24)
