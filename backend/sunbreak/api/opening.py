"""Opening a scene, and doing one job on a scene that is given as paths, arrays or opened."""

from __future__ import annotations

import inspect
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sunbreak.api.arrays import Array, Paths, Reading, ScratchFolder, located
from sunbreak.errors import InputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs import execute
from sunbreak.jobs.fetched_inputs import with_fetched
from sunbreak.jobs.options import Options, TaskName, task_options
from sunbreak.jobs.result import Result
from sunbreak.jobs.spec import JobInputs, make_spec
from sunbreak.scene import Scene, SceneSeries
from sunbreak.scene.reference_files import is_acquisition, search_folder

if TYPE_CHECKING:
    from typing_extensions import Unpack


def open_scene(
    s2: Paths | Array,
    s1: Paths | Array | None = None,
    *,
    mask: str | Path | Array | None = None,
    **reading: Unpack[Reading],
) -> Scene:
    """Open and check a scene without doing anything with it.

    Args:
        s2: Sentinel-2: a GeoTIFF, a ``.SAFE`` folder or its zip, a folder of bands or several files; or an array
            (band, row, column) of DN or reflectance, with ``transform`` and ``crs``; or a folder of `sunbreak get`.
        s1: Sentinel-1 of the same place: one file with VV and VH, or two files; or an array (2, row, column) in dB or
            linear power on the grid of `s2`.
        mask: Cloud mask: a file, or an array (row, column) on the grid of `s2`. An array has no name that tells its
            coding; say it with `mask_coding` unless it is 0 and 1.
        reading: How it is read; see `sunbreak.api.arrays.Reading`.

    Returns:
        The scene: `grid`, `bands`, `level`, `radiometry`, `notes` and `warnings`. The other functions take it in place
        of the files. The files of arrays are deleted together with it.

    Raises:
        InputError: The files cannot be understood; the code says why.

    Example:
        >>> scene = sunbreak.open_scene("S2_L1C.tif", "S1.tif", window=(0, 0, 1024, 1024))
        >>> scene.grid.shape, scene.radiometry.offset
        ((1024, 1024), -1000.0)
    """
    scratch = ScratchFolder()
    inputs, notes = with_fetched(located(scratch.path, s2, s1, mask, reading), "classify")
    scene = inputs.open()
    scene = replace(scene, notes=(*notes, *scene.notes))
    # a file that was written from an array stays as long as the scene
    weakref.finalize(scene, lambda kept: None, scratch)
    return scene


@contextmanager
def opened_series(
    s2: Paths | Array, s1: Paths | Array | None, mask: str | Path | Array | None, reading: Reading
) -> Iterator[SceneSeries]:
    """A scene as `open_scene` gives it, with the other dates of its folder if it is one of `sunbreak get`.

    Raises:
        InputError: The files cannot be understood.
    """
    with TemporaryDirectory(prefix="sunbreak-") as written:
        inputs, notes = with_fetched(located(Path(written), s2, s1, mask, reading))
        series = inputs.open_series()
        yield replace(series, notes=(*notes, *series.notes))


def checked_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options by name, as `task_options` takes them.

    Raises:
        InputError: There is no option of that name (``bad-option``).
    """
    known = [name for name in inspect.signature(task_options).parameters if name not in ("task", "explained")]
    unknown = [name for name in options if name not in known]
    if unknown:
        raise InputError(f"There is no option {unknown[0]!r}.", f"There are {', '.join(known)}.", code="bad-option")
    return dict(options)


def other_dates(references: Paths | None, reference_s1: Paths | None, *own: object) -> dict[str, tuple[Path, ...]]:
    """The fields of `JobInputs` that name other dates.

    Args:
        references: Files and folders of other dates; folders that hold several are searched.
        reference_s1: Their Sentinel-1.
        own: What the scene is made of: paths, which are left out of the folders, arrays or an opened scene.

    Raises:
        InputError: A folder holds no acquisition (``no-reference``).
    """
    given: list[Path] = []
    found: list[Path] = []
    found_s1: list[Path] = []
    for path in _as_paths(references):
        if path.is_dir() and not is_acquisition(path):
            optical, radar = search_folder(path, [one for part in own for one in _as_paths(part)])
            found += optical
            found_s1 += radar
        else:
            given.append(path)
    radar_of_others = _as_paths(reference_s1)
    return {
        "references": tuple(given),
        "reference_s1": tuple(radar_of_others),
        "found_references": tuple(found),
        "found_s1": tuple(path for path in found_s1 if path not in radar_of_others),
    }


def _as_paths(given: object) -> list[Path]:
    """Paths among what is given as paths, an array, an opened scene or nothing."""
    if isinstance(given, Scene):
        return list(given.inputs)
    if isinstance(given, (str, Path)):
        return [Path(given)]
    return [Path(one) for one in given] if isinstance(given, (list, tuple)) else []


def do_job(
    task: TaskName,
    s2: Paths | Array | Scene,
    s1: Paths | Array | None,
    mask: str | Path | Array | None,
    reading: Reading,
    output: str | Path | None,
    options: Options,
    models: Mapping[str, str | Path | None],
    overwrite: bool,
    resume: bool,
    reporter: Reporter | None,
    more: Mapping[str, Any] | None = None,
) -> Result:
    """Do a job on one scene; see `sunbreak.api.one_scene` for the arguments.

    Args:
        task: What is done.
        s2: Sentinel-2, or an opened scene.
        s1: Sentinel-1.
        mask: Cloud mask.
        reading: How the scene is read.
        output: Folder for the layers; a temporary one if None.
        options: How it is done.
        models: Names or paths of the models by role.
        overwrite: Replace existing layers.
        resume: Resume a killed run.
        reporter: Told about everything.
        more: Further fields of `JobInputs`.

    Raises:
        SunbreakError: See `sunbreak.jobs.execute.run`.
    """
    if output is None and resume:
        raise InputError(
            "resume is given without an output folder.", "Give the folder of the killed run.", code="bad-option"
        )
    scratch = ScratchFolder() if output is None else None
    folder = Path(output) if output is not None else scratch.path  # type: ignore[union-attr]
    further = dict(more or {})
    told = reporter or Silent()
    named = {role: None if name is None else str(name) for role, name in models.items()}
    with TemporaryDirectory(prefix="sunbreak-") as written:
        if isinstance(s2, Scene):
            if s1 is not None or mask is not None or reading:
                raise InputError(
                    "The scene is opened already.", "Give Sentinel-1, the mask and the reading to open_scene.",
                    code="bad-option",
                )  # fmt: skip
            inputs = JobInputs((s2.inputs[0],), **further)
        else:
            inputs, notes = with_fetched(located(Path(written), s2, s1, mask, reading, **further), task)
            for text in notes:
                told.message(text)
        spec = make_spec(task, inputs, folder, options, overwrite=overwrite, resume=resume, **named)
        result = execute.run(spec, told, scene=s2 if isinstance(s2, Scene) else None)
    return replace(result, folder=scratch)
