"""Samples for the training of cloud removal: radar, cloudy image and clear image of one place.

The samples of this module come from simulated scenes and from real clear scenes under simulated clouds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sunbreak.array_files import read_arrays
from sunbreak.drafts import STATE_LIMIT, draft, open_stored
from sunbreak.errors import InputError
from sunbreak.training.disk import writing
from sunbreak.training.removal.stored_samples import recalled, unpacked
from sunbreak.training.state_files import restoring
from sunbreak.training.workers import map_in_processes

_DN = 10000.0
_PATCH = re.compile(r"_p\d+$")
_FEW = 32  # fewer jobs than this run in the same process

Item = TypeVar("Item")
Ground = Callable[[NDArray[np.float32], Sequence[str]], tuple[NDArray[np.float32], NDArray[np.bool_]]]


@dataclass(frozen=True)
class Sample:
    """Radar, cloudy image and clear image of one place.

    Attributes:
        name: Origin of the sample.
        s1: (2, row, column) dB float32, or None without radar.
        clear: (13, row, column) DN.
        cloudy: (13, row, column) DN.
        hidden: (row, column), the dilated cloud mask of `sunbreak clean`; None before the clouds are detected.
        opaque: (row, column), thick cloud, whose bands say nothing about the ground; None for a network that sees them.
        known: (row, column), True where `clear` is the truth; None if it is the truth everywhere.
        bands: (13,), True for the bands of `clear` that are the truth; the others only fill the network input. None if
            all bands are the truth.
    """

    name: str
    s1: NDArray[np.float32] | None
    clear: NDArray[np.uint16]
    cloudy: NDArray[np.uint16]
    hidden: NDArray[np.bool_] | None = None
    opaque: NDArray[np.bool_] | None = None
    known: NDArray[np.bool_] | None = None
    bands: NDArray[np.bool_] | None = None


def simulated_samples(count: int, size: int, first_seed: int, cache: Path, workers: int = 2) -> list[Sample]:
    """Simulated scenes with the seeds from `first_seed` on, cached as files in `cache`.

    Raises:
        RunError: The disk is full or the folder cannot be written, or a worker process is lost.
    """
    with writing(cache):
        cache.mkdir(parents=True, exist_ok=True)
    jobs = [(seed, size, cache / f"simulated-{size}-{seed}.npz") for seed in range(first_seed, first_seed + count)]
    missing = [job for job in jobs if not job[2].is_file()]
    if workers == 1 or len(missing) < _FEW:
        for job in missing:
            _simulate(job)
    else:
        map_in_processes(_simulate, missing, workers, chunk=4)
    samples = []
    for seed, _, path in jobs:
        with restoring(path, "file of simulated samples"), open_stored(path, limit=STATE_LIMIT) as file:
            stored = read_arrays(file)
            samples.append(Sample(f"simulated {seed}", stored["s1"], stored["clear"], stored["cloudy"]))
    return samples


def _simulate(job: tuple[int, int, Path]) -> None:
    from sunbreak.datasets.simulation import simulate_scene

    seed, size, path = job
    scene = simulate_scene(size, seed)
    with writing(path), draft(path) as place, place.open("wb") as file:
        np.savez(file, s1=scene.s1, clear=scene.clear, cloudy=scene.cloudy)


def with_masks(
    samples: Sequence[Sample], workers: int = 2, *, opaque: bool = False, cache: Path | None = None
) -> list[Sample]:
    """The samples with the dilated cloud masks of `sunbreak clean`.

    Args:
        samples: Samples without masks.
        workers: Processes.
        opaque: Also mark what is opaque. Clouds and shadows are then those of the default detector, else the clouds of
            `REFERENCE_DETECTOR`.
        cache: Folder where masks are kept, by the content of the images.
    """
    one = partial(_masked, opaque=opaque, cache=cache)
    if workers == 1 or len(samples) < _FEW:
        return [one(sample) for sample in samples]
    return map_in_processes(one, samples, workers, chunk=8)


def masks(cloudy: NDArray[Any], *, opaque: bool, path: Path | None, key: str = "") -> dict[str, NDArray[np.bool_]]:
    """The fields `hidden` and, if asked for, `opaque` of a sample, computed once if there is a file to keep them in.

    Args:
        cloudy: (13, row, column) DN.
        opaque: See `with_masks`.
        path: The file; None computes them without one.
        key: Fingerprint of the image.
    """

    def make() -> dict[str, NDArray[np.bool_]]:
        if not opaque:
            return {"hidden": hidden_by_clouds(cloudy)}
        hidden, thick = hidden_and_opaque(cloudy)
        return {"hidden": hidden, "opaque": thick}

    if path is None:
        return make()
    version = "classes 2" if opaque else "clean 2"
    kept = recalled(path, f"{version} {key}", lambda: {name: np.packbits(mask) for name, mask in make().items()})
    with restoring(path, "file of a mask"):
        return {name: unpacked(bits, cloudy.shape[1:]) for name, bits in kept.items()}


def hidden_and_opaque(cloudy: NDArray[Any]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """What the default detector finds in DN (13, row, column): what `sunbreak clean` replaces, and thick cloud.

    Without the networks of ukis-csmask, the clouds of s2cloudless, all of them thick, as in `sunbreak clean`.
    """
    from sunbreak.clouds import ukis_networks
    from sunbreak.clouds.classes import THICK_CLOUD, dilated_classes, replaced
    from sunbreak.clouds.detector import detect_in
    from sunbreak.clouds.margins import Margins
    from sunbreak.clouds.registry import detector
    from sunbreak.defaults import CLOUD_DETECTOR, REFERENCE_DETECTOR
    from sunbreak.removal.task import DEFAULT_BUFFER

    name = CLOUD_DETECTOR if ukis_networks.available() else REFERENCE_DETECTOR
    classes = detect_in(detector(name), cloudy.astype(np.float32) / np.float32(_DN)).classes
    return replaced(dilated_classes(classes, Margins.all(DEFAULT_BUFFER))), classes == THICK_CLOUD


def detect_clouds(cloudy: NDArray[Any]) -> NDArray[np.bool_]:
    """The cloud mask (row, column) that `sunbreak clean` detects in DN (13, row, column)."""
    from sunbreak.clouds.classes import replaced
    from sunbreak.clouds.detector import detect_in
    from sunbreak.clouds.registry import detector
    from sunbreak.defaults import REFERENCE_DETECTOR

    return replaced(detect_in(detector(REFERENCE_DETECTOR), cloudy.astype(np.float32) / np.float32(_DN)).classes)


def hidden_by_clouds(cloudy: NDArray[Any]) -> NDArray[np.bool_]:
    """The cloud mask, dilated as `sunbreak clean` dilates it."""
    from sunbreak.removal.edges import dilated
    from sunbreak.removal.task import DEFAULT_BUFFER

    return dilated(detect_clouds(cloudy), DEFAULT_BUFFER)


def _masked(sample: Sample, opaque: bool, cache: Path | None) -> Sample:
    path, key = None, ""
    if cache is not None:
        key = hashlib.sha256(sample.cloudy.tobytes()).hexdigest()
        path = cache / ("classes" if opaque else "clouds") / key[:2] / f"{key[2:]}.npz"
    found = masks(sample.cloudy, opaque=opaque, path=path, key=key)
    return replace(sample, hidden=found["hidden"], opaque=found.get("opaque"))


def clouded_samples(
    s2: Path, s1: Path | None, per_place: int, size: int, seed: int, ground: Ground | None = None
) -> list[Sample]:
    """Real clear ground, with its radar if given, under simulated clouds.

    Args:
        s2: A clear Sentinel-2 scene.
        s1: Its Sentinel-1 raster, or None.
        per_place: Number of different clouds over each square.
        size: Side of the squares in pixels; an incomplete square at the edge is left out.
        seed: Seed of the clouds.
        ground: Makes Level-1C with thirteen bands of a square, for a scene of Level-2A: its reflectance (band, row,
            column) and the names of its bands to reflectance (13, row, column) and the bands that are the truth (13,).

    Raises:
        InputError: The scene is of Level-2A, and there is no `ground`.
    """
    from rasterio.windows import Window

    from sunbreak.scene import Scene

    scene = Scene.open(s2, s1)
    complete = "B10" in scene.bands
    if not complete and ground is None:
        raise InputError(f"{s2}: it has no B10.", "Give a scene of Level-1C with 13 bands.", code="missing-band")
    samples = []
    with scene.reader() as reader:
        for row in range(0, scene.grid.height - size + 1, size):
            for col in range(0, scene.grid.width - size + 1, size):
                window = Window(col, row, size, size)
                clear, true = reader.s2(window).reflectance(), None
                if ground is not None and not complete:
                    clear, true = ground(clear, scene.bands)
                radar = reader.s1(window) if s1 is not None else None
                stored = to_dn(clear)
                for number in range(per_place):
                    name = f"{scene.stem} at {row}, {col} under simulated clouds {number}"
                    rng = np.random.default_rng([seed, row, col, number])
                    samples.append(Sample(name, radar, stored, under_clouds(clear, rng), bands=true))
    return samples


def under_clouds(clear: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint16]:
    """A clear image (13, row, column) of reflectance under simulated clouds of a random cover, as DN."""
    from sunbreak.datasets.simulation.clouds import Sun, cover_with, draw_clouds

    cover = float(np.clip(rng.beta(0.6, 0.6) * 1.1 - 0.05, 0, 1))
    sun = Sun(rng.uniform(25, 60), rng.normal(155, 15))
    cloudy, _, _ = cover_with(clear, draw_clouds(rng, (clear.shape[1], clear.shape[2]), cover), sun)
    return to_dn(cloudy)


def place_of(name: str) -> str:
    """The scene or site of a sample, from its name: patches, dates and clouds of one place have the same."""
    ground = name.split(" under ")[0].split(" to ")[0].split(" at ")[0]
    first, _, rest = ground.partition(" ")
    if first == "worldcereal":
        return f"{first} {rest.split(' ')[0]}"
    return _PATCH.sub("", ground)


def to_dn(reflectance: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Reflectance as DN."""
    dn: NDArray[np.uint16] = np.clip(np.rint(reflectance * _DN), 0, 65535).astype(np.uint16)
    return dn


def spread(samples: Sequence[Item], most: int) -> list[Item]:
    """At most `most` of the samples, evenly spread."""
    if len(samples) <= most:
        return list(samples)
    return [samples[int(index)] for index in np.linspace(0, len(samples) - 1, most).round()]
