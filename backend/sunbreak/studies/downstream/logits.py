"""The table of patches: logits of each patch in each version, and image quality of the cleaned patches.

Patches are processed in shards. Each shard is one file, written as a whole. The table is the concatenation of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.errors import InputError
from sunbreak.metrics import detail, image
from sunbreak.models.registry import ModelFiles
from sunbreak.studies.downstream.cleaning import cleaned_key, read_cleaned
from sunbreak.studies.downstream.covers import cover_key, read_cover
from sunbreak.studies.downstream.quadruplets import Pairs, Quadruplet, read_patch
from sunbreak.studies.downstream.store import Arrays, is_current, key_of, read_arrays, stamp, write_arrays
from sunbreak.studies.downstream.study_classifier import Answers, Judge
from sunbreak.studies.downstream.table import IGBP_NAMES, INPUTS, QUALITY, PatchTable, make_table

SHARD = 32
_DN = np.float32(10000)

Image = NDArray[np.float32]


def shards(pairs: Pairs, split: str) -> list[tuple[Quadruplet, ...]]:
    """The patches of all splits in shards, the evaluated split first."""
    parts = [pairs.of_split(split), tuple(patch for patch in pairs.patches if patch.split != split)]
    return [part[first : first + SHARD] for part in parts for first in range(0, len(part), SHARD)]


def shard_key(patches: Sequence[Quadruplet], split: str, removal: ModelFiles, classifier: ModelFiles) -> str:
    """Key of a shard: fingerprint of its inputs and models."""
    parts = [
        (
            patch.name, patch.label, stamp(patch.files["s2"]), stamp(patch.files["s1"]),
            *((cover_key(patch), cleaned_key(patch, removal)) if patch.split == split else ()),
        )
        for patch in patches
    ]  # fmt: skip
    return key_of("logits 2", parts, split, classifier.card.digest)


def judge_patches(
    pairs: Pairs,
    split: str,
    removal: ModelFiles,
    classifier: ModelFiles,
    judge: Callable[[], Judge],
    covers: Path,
    cleaned: Path,
    folder: Path,
    checkpoint: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Compute the missing shards.

    Args:
        pairs: All patches; patches of other splits get the logits of their clear image only, as a reference.
        split: The evaluated split.
        removal: Model of the cleaned patches.
        classifier: The classifier.
        judge: Loads the classifier; called once, if anything is missing.
        covers: Folder of the cloud masks.
        cleaned: Folder of the cleaned patches.
        folder: Folder for the shards.
        checkpoint: Called with the number of finished patches and of all patches; may raise to stop.

    Returns:
        The number of patches that were classified.

    Raises:
        InputError: A cloud mask or a cleaned patch is missing, or an image cannot be read.
    """
    ready: Judge | None = None
    done = new = 0
    total = len(pairs.patches)
    for number, patches in enumerate(shards(pairs, split)):
        checkpoint(done, total)
        key = shard_key(patches, split, removal, classifier)
        path = _path(folder, number)
        if not is_current(path, key):
            ready = ready or judge()
            # a shard takes minutes with a large classifier, so it can be stopped after each patch
            arrays = _shard(
                patches, split, removal, ready, covers, cleaned,
                lambda n, d=done: checkpoint(d + n, total),  # type: ignore[misc]
            )  # fmt: skip
            write_arrays(path, key, arrays)
            new += len(patches)
        done += len(patches)
    checkpoint(total, total)
    return new


def gather(pairs: Pairs, split: str, removal: ModelFiles, classifier: ModelFiles, folder: Path) -> PatchTable:
    """The table of all shards.

    Raises:
        InputError: A shard is missing, or its inputs have changed.
    """
    parts: list[Arrays] = []
    for number, patches in enumerate(shards(pairs, split)):
        stored = read_arrays(_path(folder, number), shard_key(patches, split, removal, classifier))
        if stored is None:
            raise InputError(
                f"{folder}: the patches from {patches[0].name} to {patches[-1].name} are not classified yet, or their "
                "inputs have changed.",
                "Run --step logits first.",
                code="step-missing",
            )
        parts.append(stored)
    if any(part.keys() != parts[0].keys() for part in parts):
        raise InputError(
            f"{folder}: its files hold different columns.", "Run --step logits again.", code="step-missing"
        )
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return make_table(columns, IGBP_NAMES, source="patches.npz")


def figures_of(candidate: NDArray[Any], clear: NDArray[Any]) -> dict[str, float]:
    """Image quality against the clear image, both (13, row, column) DN, on reflectance clipped to [0, 1].

    Returns:
        psnr (dB), ssim, sam (degrees), mae (reflectance) and detail (gradient ratio).
    """
    ours, theirs = _reflectance(candidate), _reflectance(clear)
    return {
        "psnr": image.psnr(ours, theirs),
        "ssim": image.ssim(ours, theirs),
        "sam": image.sam_degrees(ours, theirs),
        "mae": image.mae(ours, theirs),
        "detail": detail.gradient_ratio(ours, theirs),
    }


def _shard(
    patches: Sequence[Quadruplet],
    split: str,
    removal: ModelFiles,
    judge: Judge,
    covers: Path,
    cleaned: Path,
    checkpoint: Callable[[int], None],
) -> Arrays:
    count = len(patches)
    names = [patch.name for patch in patches]
    columns: Arrays = {
        "patch": np.array(names),
        "split": np.array([patch.split for patch in patches]),
        "label": np.array([patch.label for patch in patches], np.int64),
        "cover": np.full(count, np.nan),
    }
    for name in INPUTS:
        columns[f"zero_pixels_{name}"] = np.full(count, np.nan)
        if name != "clear":
            columns |= {f"{figure}_{name}": np.full(count, np.nan) for figure in QUALITY}
    for row, patch in enumerate(patches):
        checkpoint(row)
        images = {"clear": read_patch(patch.files["s2"], "s2", patch.name)}
        if patch.split == split:
            columns["cover"][row] = read_cover(patch, covers).cover
            images |= read_cleaned(patch, removal, cleaned).images
            images["cloudy"] = read_patch(patch.files["s2_cloudy"], "s2_cloudy", patch.name)
        check_alike(patch, images)
        for name, values in images.items():
            columns[f"zero_pixels_{name}"][row] = int((~values.any(axis=0)).sum())
            if name != "clear":
                for figure, value in figures_of(values, images["clear"]).items():
                    columns[f"{figure}_{name}"][row] = value
        s1 = read_patch(patch.files["s1"], "s1", patch.name) if judge.card.uses_radar else None
        _put(columns, row, count, list(images), judge.answers([judge.inputs(values, s1) for values in images.values()]))
    width = columns["logits_clear"].shape[1], columns["features_clear"].shape[1]
    for name in INPUTS:
        columns.setdefault(f"logits_{name}", np.full((count, width[0]), np.nan, np.float32))
        columns.setdefault(f"features_{name}", np.full((count, width[1]), np.nan, np.float32))
    return columns


def _put(columns: Arrays, row: int, count: int, names: Sequence[str], answers: Answers) -> None:
    for index, name in enumerate(names):
        for kind, values in (("logits", answers.logits), ("features", answers.features)):
            column = columns.setdefault(f"{kind}_{name}", np.full((count, values.shape[1]), np.nan, np.float32))
            column[row] = values[index]


def check_alike(patch: Quadruplet, images: Mapping[str, NDArray[Any]]) -> None:
    """Refuse a patch whose images (band, row, column) differ in size from the clear one.

    Raises:
        InputError: They differ.
    """
    clear = images["clear"].shape
    for name, values in images.items():
        if values.shape != clear:
            raise InputError(
                f"{patch.files['s2']}: is {clear[2]} x {clear[1]} pixels, but the {name} image of "
                f"the patch is {values.shape[2]} x {values.shape[1]}.",
                f"Fetch the patch again, or leave it out with --exclude {patch.name}.",
                code="sizes-differ",
            )


def _reflectance(dn: NDArray[Any]) -> Image:
    return np.clip(dn.astype(np.float32) / _DN, 0, 1)


def _path(folder: Path, number: int) -> Path:
    return folder / f"shard_{number:05d}.npz"
