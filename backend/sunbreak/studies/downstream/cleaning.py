"""Cleaned patches in two versions: raw prediction for all pixels, and prediction with clear pixels kept.

Both come from one pass of the network, through the task and engine of `sunbreak clean`. So the study evaluates exactly
what `sunbreak clean` writes, with and without `--replace-all`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from sunbreak.clouds.classes import THICK_CLOUD, dilated_classes, replaced
from sunbreak.clouds.margins import Margins
from sunbreak.drafts import draft
from sunbreak.engine import Planes
from sunbreak.engine.run import run_task
from sunbreak.engine.runtime import DeviceName, Runtime, RuntimeName, make_runtime
from sunbreak.errors import InputError
from sunbreak.events import Cancellation, Reporter
from sunbreak.layers.roles import NODATA, SCALE
from sunbreak.models.registry import ModelFiles, check_weights
from sunbreak.removal.task import DEFAULT_BUFFER, DEFAULT_FEATHER, CloudRemoval
from sunbreak.scene import S2_BANDS, Scene, SceneReader
from sunbreak.sources.gdal import open_dataset
from sunbreak.studies.downstream.covers import cover_key, read_cover
from sunbreak.studies.downstream.quadruplets import Quadruplet
from sunbreak.studies.downstream.store import is_current, key_of, read_arrays, stamp, unwritable, write_arrays

CLEANED = ("removed", "removed_raw")
_MARGINS = Margins.all(DEFAULT_BUFFER)


class BothWays(CloudRemoval):
    """Cloud removal with a second output, `cleaned_raw`, in which every pixel is replaced."""

    def read(self, reader: SceneReader, first: int, stop: int) -> Planes:
        """See `sunbreak.engine.TileTask`."""
        planes = super().read(reader, first, stop)
        return {**planes, "kept": planes["share"], "share": planes["valid"].astype(np.float32)}

    def compose(
        self, row: int, planes: Planes, values: NDArray[np.float32], covered: NDArray[np.bool_]
    ) -> dict[str, NDArray[Any]]:
        """See `sunbreak.engine.TileTask`."""
        raw = super().compose(row, planes, values, covered)
        layers = super().compose(row, {**planes, "share": planes["kept"]}, values, covered)
        return {**layers, "cleaned_raw": raw["cleaned"]}


@dataclass(frozen=True)
class Cleaned:
    """A cleaned patch.

    Attributes:
        images: By ``removed`` and ``removed_raw``: (13, row, column) DN.
        sigma: (row, column), mean sigma over the bands in reflectance, 0 where nothing was replaced; None if the model
            has no uncertainty.
    """

    images: dict[str, NDArray[Any]]
    sigma: NDArray[np.float32] | None


def cleaned_key(patch: Quadruplet, model: ModelFiles) -> str:
    """Key of a cleaned patch: fingerprint of its inputs and settings."""
    radar = stamp(patch.files["s1"])
    return key_of("clean 2", cover_key(patch), radar, model.card.digest, DEFAULT_BUFFER, DEFAULT_FEATHER)


def clean_patches(
    patches: Sequence[Quadruplet],
    model: ModelFiles,
    covers: Path,
    folder: Path,
    *,
    device: DeviceName = "auto",
    runtime: RuntimeName = "auto",
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Clean the patches that are not cleaned yet.

    Args:
        patches: The patches; their cloud masks must exist.
        model: The cloud removal model.
        covers: Folder of the cloud masks.
        folder: Folder for the cleaned patches.
        device: Device of the network.
        runtime: Runtime of the network.
        checkpoint: Called with the number of finished patches and of all patches; may raise to stop.

    Returns:
        The number of patches that were computed.

    Raises:
        InputError: A cloud mask is missing, or an image cannot be used.
        ModelError: The model cannot be used.
    """
    check_weights(model)
    network: Runtime | None = None
    new = 0
    for number, patch in enumerate(patches):
        checkpoint(number, len(patches))
        key = cleaned_key(patch, model)
        if is_current(_facts(folder, patch), key) and all(path.is_file() for path in _images(folder, patch).values()):
            continue
        if network is None:
            network = make_runtime(model, device, runtime)
        mask = read_cover(patch, covers).mask
        try:
            layers = _clean(patch, model, mask, network)
        except InputError as error:
            hint = f"{error.hint} Or leave the patch out with --exclude {patch.name}.".strip()
            raise InputError(error.message, hint, code=error.code) from error
        _write(folder, patch, key, layers)
        new += 1
    checkpoint(len(patches), len(patches))
    return new


def read_cleaned(patch: Quadruplet, model: ModelFiles, folder: Path) -> Cleaned:
    """Read a cleaned patch.

    Raises:
        InputError: The patch is not cleaned with this model, or its inputs have changed.
    """
    facts = read_arrays(_facts(folder, patch), cleaned_key(patch, model))
    images = {}
    if facts is not None:
        try:
            for name, path in _images(folder, patch).items():
                with open_dataset(path) as source:
                    images[name] = source.read()
        except (RasterioError, OSError):
            facts = None
    if facts is None:
        raise _not_cleaned(patch, model, folder)
    sigma = facts["sigma"].astype(np.float32) * np.float32(SCALE) if "sigma" in facts else None
    return Cleaned(images, sigma)


def cleaned_files(patch: Quadruplet, model: ModelFiles, folder: Path) -> dict[str, Path]:
    """The images of a cleaned patch, by ``removed`` and ``removed_raw``.

    Raises:
        InputError: The patch is not cleaned with this model, or its inputs have changed.
    """
    paths = _images(folder, patch)
    current = is_current(_facts(folder, patch), cleaned_key(patch, model))
    if not current or not all(path.is_file() for path in paths.values()):
        raise _not_cleaned(patch, model, folder)
    return paths


def replaced_pixels(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The pixels (row, column) that cleaning replaces wholly or in part, where they are valid: the dilated mask."""
    return replaced(dilated_classes(mask * np.uint8(THICK_CLOUD), _MARGINS))


def _not_cleaned(patch: Quadruplet, model: ModelFiles, folder: Path) -> InputError:
    return InputError(
        f"{folder}: {patch.name} is not cleaned by {model.card.name} yet, or its inputs have changed.",
        "Run --step clean first.",
        code="step-missing",
    )


def _clean(patch: Quadruplet, model: ModelFiles, mask: NDArray[np.bool_], network: Runtime) -> dict[str, NDArray[Any]]:
    scene = Scene.open(
        patch.files["s2_cloudy"],
        patch.files["s1"] if model.card.uses_radar else None,
        s2_unit="dn",
        s2_offset=0.0,
        s1_unit="db",
        s2_bands=S2_BANDS,
    )
    classes = mask * np.uint8(THICK_CLOUD)
    task = BothWays(scene, model.card, lambda _, first, stop: classes[first:stop], DEFAULT_FEATHER, _MARGINS)
    layers: dict[str, NDArray[Any]] = {}

    def write(role: str, row: int, values: NDArray[Any]) -> None:
        whole = layers.setdefault(role, np.zeros((len(values), *scene.grid.shape), values.dtype))
        whole[:, row : row + values.shape[1]] = values

    run_task(task, scene, network, write, Reporter(Cancellation()))
    return layers


def _write(folder: Path, patch: Quadruplet, key: str, layers: dict[str, NDArray[Any]]) -> None:
    # the facts file is removed first and written last: if it exists, the images exist and belong to it
    _facts(folder, patch).unlink(missing_ok=True)
    with open_dataset(patch.files["s2_cloudy"]) as source:
        profile = {"crs": source.crs, "transform": source.transform}
    paths = _images(folder, patch)
    for name, role in (("removed", "cleaned"), ("removed_raw", "cleaned_raw")):
        values = layers[role]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with draft(paths[name]) as place, rasterio.open(
                place, "w", driver="GTiff", count=len(values), height=values.shape[1], width=values.shape[2],
                dtype=values.dtype, compress="deflate", zlevel=1, predictor=2, **profile,
            ) as target:  # fmt: skip
                target.write(values)
                target.descriptions = S2_BANDS
        except OSError as error:
            raise unwritable(paths[name], error) from error
    facts = {}
    if "uncertainty" in layers:
        sigma = layers["uncertainty"]
        known = sigma != NODATA
        mean = sigma.sum(axis=0, where=known) / np.maximum(known.sum(axis=0), 1)
        facts["sigma"] = np.rint(mean).astype(np.uint16)
    write_arrays(_facts(folder, patch), key, facts)


def _images(folder: Path, patch: Quadruplet) -> dict[str, Path]:
    return {name: folder / f"{patch.name}_{name}.tif" for name in CLEANED}


def _facts(folder: Path, patch: Quadruplet) -> Path:
    return folder / f"{patch.name}.npz"
