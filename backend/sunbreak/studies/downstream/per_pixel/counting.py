"""Classes of all pixels of a patch in its versions, and counts of how they agree with the clear image.

Only pixels that are valid in all versions count. Patches are processed in shards, each one file that is written as a
whole. What is kept of a patch are counts, so that memory does not depend on the number of pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.run import run_task
from sunbreak.engine.runtime import DeviceName, RuntimeName, make_runtime
from sunbreak.errors import InputError
from sunbreak.events import Cancellation, Reporter
from sunbreak.landcover.pixel_classification import PixelLandCover
from sunbreak.metrics.classification import confusion
from sunbreak.metrics.detail import gradient_magnitude
from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.studies.downstream.cleaning import cleaned_files, cleaned_key, replaced_pixels
from sunbreak.studies.downstream.covers import cover_key, read_cover
from sunbreak.studies.downstream.logits import SHARD, check_alike
from sunbreak.studies.downstream.quadruplets import Quadruplet, read_patch
from sunbreak.studies.downstream.store import Arrays, is_current, key_of, read_arrays, stamp, write_arrays

COMPARED = ("removed", "removed_raw", "cloudy")
"""The versions that are compared with the clear image."""
KEPT, REPLACED = 0, 1
"""Places in the counts: pixels that the default output keeps, and those that it replaces."""
NO_DATA = -1
_DN = 10000.0

ClassMap = NDArray[np.int64]


@dataclass(frozen=True)
class PixelCounts:
    """Counts of the pixels of patches.

    Attributes:
        patch: (patch,) names.
        label: (patch,) class of the land-cover map, an index from 0.
        cover: (patch,) cloud cover of the cloudy image, 0..1, or NaN.
        pixels: (patch,) all pixels of the patch, valid or not.
        confusion: By version of `COMPARED`: valid pixels, (patch, kept or replaced, class on the clear image, class).
        gradient: (patch, class) sum of the gradient magnitudes of the clear image, in reflectance, mean over the bands.
        gradient_pixels: (patch, class) pixels in this sum; those beside invalid pixels are not.
        classes: Names of the classes.
    """

    patch: NDArray[np.str_]
    label: NDArray[np.int64]
    cover: NDArray[np.float64]
    pixels: NDArray[np.int64]
    confusion: Mapping[str, NDArray[np.int64]]
    gradient: NDArray[np.float64]
    gradient_pixels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        """Number of patches."""
        return len(self.patch)


class PixelClassifier:
    """A per-pixel classifier, run as `sunbreak classify` runs it.

    Args:
        files: The model.
        device: Device of the network.
        runtime: Runtime of the network.

    Raises:
        InputError: The device or the runtime is not available.
        ModelError: The model cannot be used.
    """

    def __init__(self, files: ModelFiles, device: DeviceName = "auto", runtime: RuntimeName = "auto") -> None:
        self.card = files.card
        self._network = make_runtime(files, device, runtime)

    def class_map(self, s2: Path, s1: Path) -> ClassMap:
        """The class of each pixel (row, column), an index from 0; `NO_DATA` where the image is not valid.

        Args:
            s2: A Level-1C image, 13 bands of DN.
            s1: VV and VH in dB; used by classifiers with radar only.

        Raises:
            InputError: An image cannot be used.
        """
        scene = Scene.open(
            s2,
            s1 if self.card.uses_radar else None,
            s2_unit="dn",
            s2_offset=0.0,
            s1_unit="db",
            s2_bands=S2_BANDS,
        )
        found = np.full(scene.grid.shape, NO_DATA, np.int64)

        def write(role: str, row: int, values: NDArray[Any]) -> None:
            if role == "landcover":
                found[row : row + values.shape[1]] = values[0].astype(np.int64) - 1

        run_task(PixelLandCover(scene, self.card), scene, self._network, write, Reporter(Cancellation()))
        return found


def class_maps(
    patch: Quadruplet, classifier: PixelClassifier, removal: ModelFiles, cleaned: Path
) -> dict[str, ClassMap]:
    """The classes of the pixels of a patch by version, `clear` first; see `PixelClassifier.class_map`.

    Raises:
        InputError: The patch is not cleaned yet, an image cannot be used, or the images differ in size.
    """
    files = {
        "clear": patch.files["s2"], **cleaned_files(patch, removal, cleaned), "cloudy": patch.files["s2_cloudy"]
    }  # fmt: skip
    try:
        maps = {name: classifier.class_map(path, patch.files["s1"]) for name, path in files.items()}
    except InputError as error:
        hint = f"{error.hint} Or leave the patch out with --exclude {patch.name}.".strip()
        raise InputError(error.message, hint, code=error.code) from error
    check_alike(patch, {name: values[None] for name, values in maps.items()})
    return maps


def count_patches(
    patches: Sequence[Quadruplet],
    removal: ModelFiles,
    files: ModelFiles,
    classifier: Callable[[], PixelClassifier],
    covers: Path,
    cleaned: Path,
    folder: Path,
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Compute the missing shards.

    Args:
        patches: The evaluated patches.
        removal: Model of the cleaned patches.
        files: The classifier.
        classifier: Loads it; called once, if anything is missing.
        covers: Folder of the cloud masks.
        cleaned: Folder of the cleaned patches.
        folder: Folder for the shards.
        checkpoint: Called with the number of finished patches and of all patches; may raise to stop.

    Returns:
        The number of patches that were classified.

    Raises:
        InputError: A cloud mask or a cleaned patch is missing, or an image cannot be used.
    """
    ready: PixelClassifier | None = None
    done = new = 0
    for number, some in enumerate(_shards(patches)):
        checkpoint(done, len(patches))
        key, path = _key(some, removal, files), _path(folder, number)
        if not is_current(path, key):
            ready = ready or classifier()
            rows = []
            for row, patch in enumerate(some):
                checkpoint(done + row, len(patches))
                rows.append(_count(patch, ready, removal, covers, cleaned))
            write_arrays(path, key, {name: np.stack([one[name] for one in rows]) for name in rows[0]})
            new += len(some)
        done += len(some)
    checkpoint(len(patches), len(patches))
    return new


def gather_counts(patches: Sequence[Quadruplet], removal: ModelFiles, files: ModelFiles, folder: Path) -> PixelCounts:
    """The counts of all shards.

    Raises:
        InputError: A shard is missing, or its inputs have changed.
    """
    parts: list[Arrays] = []
    for number, some in enumerate(_shards(patches)):
        stored = read_arrays(_path(folder, number), _key(some, removal, files))
        if stored is None:
            raise InputError(
                f"{folder}: the pixels of {some[0].name} to {some[-1].name} are not classified yet, or their inputs "
                "have changed.",
                "Run --step logits first.",
                code="step-missing",
            )
        parts.append(stored)
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return PixelCounts(
        patch=np.array([patch.name for patch in patches]),
        label=np.array([patch.label for patch in patches], np.int64),
        cover=columns["cover"],
        pixels=columns["pixels"],
        confusion={name: columns[f"confusion_{name}"] for name in COMPARED},
        gradient=columns["gradient"],
        gradient_pixels=columns["gradient_pixels"],
        classes=tuple(kind.name for kind in files.card.classes),
    )


def _count(patch: Quadruplet, classifier: PixelClassifier, removal: ModelFiles, covers: Path, cleaned: Path) -> Arrays:
    cover = read_cover(patch, covers)
    maps = class_maps(patch, classifier, removal, cleaned)
    valid = np.all([values != NO_DATA for values in maps.values()], axis=0)
    replaced, clear, classes = replaced_pixels(cover.mask), maps["clear"], len(classifier.card.classes)
    counts: Arrays = {"cover": np.array(cover.cover), "pixels": np.array(valid.size)}
    for name in COMPARED:
        counts[f"confusion_{name}"] = np.stack(
            [confusion(clear[where], maps[name][where], classes) for where in (valid & ~replaced, valid & replaced)]
        )
    dn = read_patch(patch.files["s2"], "s2", patch.name)
    reflectance = np.where(dn.any(axis=0), np.clip(dn / _DN, 0, 1), np.nan)
    gradient = gradient_magnitude(reflectance).mean(axis=0)
    known = valid & np.isfinite(gradient)
    counts["gradient"] = np.bincount(clear[known], gradient[known], classes)
    counts["gradient_pixels"] = np.bincount(clear[known], minlength=classes)
    return counts


def _shards(patches: Sequence[Quadruplet]) -> list[Sequence[Quadruplet]]:
    return [patches[first : first + SHARD] for first in range(0, len(patches), SHARD)]


def _key(patches: Sequence[Quadruplet], removal: ModelFiles, files: ModelFiles) -> str:
    """Fingerprint of the inputs and models of a shard."""
    parts = [
        (
            patch.name, stamp(patch.files["s2"]), stamp(patch.files["s1"]), cover_key(patch),
            cleaned_key(patch, removal),
        )
        for patch in patches
    ]  # fmt: skip
    return key_of("pixels 1", parts, files.card.digest)


def _path(folder: Path, number: int) -> Path:
    return folder / f"shard_{number:05d}.npz"
