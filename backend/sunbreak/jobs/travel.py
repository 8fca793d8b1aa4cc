"""What a job needs on another machine: absolute paths, the same models and the same files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from sunbreak.cluster.calls import WorkerDiffers
from sunbreak.errors import InputError, ModelError
from sunbreak.jobs.spec import JobSpec
from sunbreak.sources import on_disk, raster_at
from sunbreak.sources.fingerprint import fingerprint


def inputs_of(spec: JobSpec) -> list[list[object]]:
    """Path, size and time of every file that a scene is read from, folders expanded."""
    found: list[list[object]] = []
    for given in spec.inputs.paths:
        # GDAL and QGIS leave .aux.xml files when a raster is only viewed
        inside = sorted(given.rglob("*")) if given.is_dir() else [on_disk(given)]
        files = (path for path in inside if path.is_file() and not path.name.endswith(".aux.xml"))
        found += [[str(path), *fingerprint(path)] for file in files for path in _read(file)]
    return found


def _read(path: Path) -> tuple[Path, ...]:
    """A file, and what a virtual raster takes pixels from."""
    try:
        return raster_at(path).files
    except InputError:  # opening it says what is wrong
        return (path,)


def absolute(spec: JobSpec) -> JobSpec:
    """The job with absolute paths: a worker has another working folder."""
    inputs = spec.inputs
    several = ("s2", "s1", "references", "reference_s1", "found_references", "found_s1")
    single = ("mask", "reconstructed", "polygons")
    paths: dict[str, Any] = {name: tuple(path.absolute() for path in getattr(inputs, name)) for name in several}
    paths |= {name: None if (path := getattr(inputs, name)) is None else path.absolute() for name in single}
    return replace(spec, inputs=replace(inputs, **paths), output=spec.output.absolute())


def check_models(spec: JobSpec) -> None:
    """Check that this machine has the models of a job.

    Raises:
        WorkerDiffers: It lacks one, or has another one of that name.
    """
    try:
        spec.find_models()
    except ModelError as error:
        raise WorkerDiffers(error.message.rstrip(".")) from error


def check_files(spec: JobSpec, inputs: list[list[object]], shared: Path) -> None:
    """Check that this machine sees the same files as the client.

    Args:
        spec: The job, with absolute paths.
        inputs: What the client sees, see `inputs_of`.
        shared: A folder that the client made.

    Raises:
        WorkerDiffers: It does not.
    """
    if not shared.is_dir():
        raise WorkerDiffers(f"it does not see the folder {shared.parent}")
    for path in spec.inputs.paths:
        if not path.exists():
            raise WorkerDiffers(f"it does not see {path}")
    try:
        found = inputs_of(spec)
    except (OSError, InputError) as error:
        raise WorkerDiffers(f"it cannot read the input files ({error})") from error
    if len(found) != len(inputs):
        raise WorkerDiffers(f"it sees {len(found)} input files of {spec.output.name}, not {len(inputs)}")
    for here, there in zip(found, inputs, strict=True):
        if list(here[1:]) != list(there[1:]):
            raise WorkerDiffers(f"its {here[0]} has another size or time")
