"""The description of a job: everything that decides what it does, as plain values that travel as JSON.

A `JobSpec` names the files, the options, the models with their checksums and the output folder. It holds no open file,
no array and no network, so another process or machine that sees the same paths can do the job.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from sunbreak.errors import InputError, ModelError
from sunbreak.jobs.options import (
    ChainOptions,
    ClassifyOptions,
    CleanOptions,
    DetectOptions,
    ExplainOptions,
    Options,
    TaskName,
)
from sunbreak.jobs.spec_json import from_plain
from sunbreak.json_files import parse_json
from sunbreak.models.registry import DEFAULT_CLASSIFIER, DEFAULT_REMOVAL, ModelFiles, find_model
from sunbreak.scene import Scene, SceneSeries
from sunbreak.scene.mask_codings import CodingOption
from sunbreak.scene.radar_units import RadarUnitOption
from sunbreak.scene.radiometry import OffsetOption, UnitOption
from sunbreak.scene.series_opening import open_series
from sunbreak.scene.validity import NodataOption

VERSION = 2
"""Of the JSON form. It changes when an older Sunbreak could misread a newer description."""


_REMOVAL, _CLASSIFIER = "cloud-removal", "land-cover"
_DEFAULTS = {_REMOVAL: DEFAULT_REMOVAL, _CLASSIFIER: DEFAULT_CLASSIFIER}
_OPTIONS: dict[TaskName, type[Options]] = {
    "detect": DetectOptions, "clean": CleanOptions, "classify": ClassifyOptions, "explain": ExplainOptions,
    "run": ChainOptions,
}  # fmt: skip
_MODELS: dict[TaskName, tuple[str, ...]] = {
    "detect": (), "clean": (_REMOVAL,), "classify": (_CLASSIFIER,), "explain": (_CLASSIFIER,),
    "run": (_REMOVAL, _CLASSIFIER),
}  # fmt: skip
_ONLY = {"reconstructed": "classify", "point": "explain", "polygons": "explain"}
_OTHER_DATES = ("references", "reference_s1", "found_references", "found_s1")
_CLEANING = ("clean", "run")


@dataclass(frozen=True)
class JobInputs:
    """What a job reads, and how.

    Attributes:
        s2: Sentinel-2: a GeoTIFF, a ``.SAFE`` folder, a folder of bands, or several files.
        s1: Sentinel-1: none, one file with VV and VH, or two files.
        mask: A cloud mask.
        mask_coding: What the values of `mask` stand for.
        window: (column, row, width, height) in pixels: work on this part only.
        bbox: (left, bottom, right, top) in the scene's CRS: work on this part only.
        s2_unit: What the stored Sentinel-2 numbers are.
        s2_offset: Added to stored numbers; ``auto`` reads it from the product.
        s2_nodata: The stored number of pixels without data; ``auto`` takes what the files declare or show.
        s2_scale: Reflectance of one stored number, where the files do not say.
        s1_unit: What the stored Sentinel-1 numbers are.
        s2_bands: Names of the bands in the files' order, if the files do not say.
        reconstructed: To classify a cleaned scene: its layer `reconstructed`, if it does not lie beside the scene.
        point: To explain one patch: (x, y) in the scene's CRS.
        polygons: To explain a part: a GeoJSON file.
        references: To clean with other dates: Sentinel-2 of each, a file or folder.
        reference_s1: Sentinel-1 of the other dates, see `sunbreak.scene.series_opening.open_series`.
        found_references: Further other dates that a search found. One that cannot be used is left out.
        found_s1: Sentinel-1 that a search found, likewise.
    """

    s2: tuple[Path, ...]
    s1: tuple[Path, ...] = ()
    mask: Path | None = None
    window: tuple[int, int, int, int] | None = None
    bbox: tuple[float, float, float, float] | None = None
    s2_unit: UnitOption = "auto"
    s2_offset: OffsetOption = "auto"
    s1_unit: RadarUnitOption = "auto"
    s2_bands: tuple[str, ...] | None = None
    reconstructed: Path | None = None
    point: tuple[float, float] | None = None
    polygons: Path | None = None
    mask_coding: CodingOption = "auto"
    references: tuple[Path, ...] = ()
    reference_s1: tuple[Path, ...] = ()
    found_references: tuple[Path, ...] = ()
    found_s1: tuple[Path, ...] = ()
    s2_nodata: NodataOption = "auto"
    s2_scale: float | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files and folders that the scene and its other dates are read from, as they were given."""
        others = (path for name in _OTHER_DATES for path in getattr(self, name))
        return (*self.s2, *self.s1, *([self.mask] if self.mask else []), *others)

    def open(self) -> Scene:
        """Open the scene.

        Raises:
            InputError: See `sunbreak.scene.Scene.open`.
        """
        return Scene.open(
            self.s2[0] if len(self.s2) == 1 else self.s2,
            self.s1 or None,
            mask=self.mask,
            mask_coding=self.mask_coding,
            window=self.window,
            bbox=self.bbox,
            s2_unit=self.s2_unit,
            s2_offset=self.s2_offset,
            s2_nodata=self.s2_nodata,
            s2_scale=self.s2_scale,
            s1_unit=self.s1_unit,
            s2_bands=self.s2_bands,
        )

    def open_series(self, scene: Scene | None = None) -> SceneSeries:
        """Open the scene and its other dates.

        Args:
            scene: The scene, if it is opened already.

        Raises:
            InputError: See `sunbreak.scene.Scene.open` and `sunbreak.scene.series_opening.open_series`.
        """
        target = scene or self.open()
        if not any(getattr(self, name) for name in _OTHER_DATES):
            return SceneSeries(target)
        return open_series(
            target,
            self.references,
            self.reference_s1,
            found=self.found_references,
            found_s1=self.found_s1,
            s2_unit=self.s2_unit,
            s2_offset=self.s2_offset,
            s2_nodata=self.s2_nodata,
            s2_scale=self.s2_scale,
            s2_bands=self.s2_bands,
            s1_unit=self.s1_unit,
        )


@dataclass(frozen=True)
class ModelChoice:
    """A model of a job.

    Attributes:
        name: Its name, or the path of its card.
        sha256: Checksum of its weights, as hexadecimal digits.
        card: Checksum of all that its card says, see `sunbreak.models.card.ModelCard.digest`.
    """

    name: str
    sha256: str
    card: str


@dataclass(frozen=True)
class JobSpec:
    """A job on one scene. Make it with `make_spec`, run it with `sunbreak.jobs.execute.run`.

    Attributes:
        task: What is done; ``run`` is the chain of clean, classify and explain.
        inputs: What is read.
        output: Folder for the layers.
        options: How: `DetectOptions`, `CleanOptions`, `ClassifyOptions`, `ExplainOptions` or `ChainOptions`, by task.
        models: The models that the task needs, the removal first.
        overwrite: Replace existing layers.
        resume: Resume a job on the same output that was killed.
        version: Version of the description.

    Raises:
        InputError: The parts do not fit the task (``bad-job``).
    """

    task: TaskName
    inputs: JobInputs
    output: Path
    options: Options
    models: tuple[ModelChoice, ...] = ()
    overwrite: bool = False
    resume: bool = False
    version: int = VERSION

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise _other_version(self.version)
        if self.task not in _OPTIONS:
            raise _bad(f"there is no task {self.task!r}", f"Choose {', '.join(_OPTIONS)}.")
        if type(self.options) is not _OPTIONS[self.task]:
            raise _bad(f"options of {self.task} are {_OPTIONS[self.task].__name__}, not {type(self.options).__name__}")
        if len(self.models) != len(_MODELS[self.task]):
            raise _bad(f"{self.task} needs {len(_MODELS[self.task])} models, not {len(self.models)}")
        if not self.inputs.s2:
            raise _bad("it names no Sentinel-2 file")
        for name, task in _ONLY.items():
            if getattr(self.inputs, name) is not None and self.task != task:
                raise _bad(f"{name} is an input of {task}, not of {self.task}")
        dates = next((name for name in _OTHER_DATES if getattr(self.inputs, name)), None)
        if dates is not None and self.task not in _CLEANING:
            raise _bad(f"{dates} are inputs of {' and '.join(_CLEANING)}, not of {self.task}")
        if self.inputs.reference_s1 and not (self.inputs.references or self.inputs.found_references):
            raise _bad("it names Sentinel-1 of other dates (reference_s1) and no other date", "Give references too.")
        if self.inputs.point is not None and self.inputs.polygons is not None:
            raise _bad("both a point and polygons are given", "Give one of them.")

    def find_models(self) -> tuple[ModelFiles, ...]:
        """The models on this machine, in the order of `models`.

        Raises:
            ModelError: One is not there, is for another task, or has other weights or another card
                (``checksum-mismatch``).
        """
        return tuple(
            _checked(find_model(choice.name, task), choice)
            for choice, task in zip(self.models, _MODELS[self.task], strict=True)
        )

    def to_json(self) -> str:
        """The description as JSON text; `from_json` reads it."""
        return json.dumps(_plain(self), indent=2, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> JobSpec:
        """Read a description.

        Raises:
            InputError: It is no JSON, or has an unknown, missing or wrong field (``bad-job``), or an option is out of
                its range.
        """
        try:
            plain = parse_json(text, "the job")
        except InputError as error:
            raise _bad(f"it is no JSON ({error.message.rstrip('.')})") from error
        if isinstance(plain, dict) and plain.get("version", VERSION) != VERSION:
            raise _other_version(plain["version"])
        task = plain.get("task") if isinstance(plain, dict) else None
        options = _OPTIONS.get(task) if isinstance(task, str) else None  # type: ignore[call-overload]
        spec: JobSpec = from_plain(cls, plain, {"options": options} if options else {})
        return spec


def make_spec(
    task: TaskName,
    inputs: JobInputs,
    output: Path,
    options: Options,
    *,
    removal: str | None = None,
    classifier: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
) -> JobSpec:
    """Describe a job: find its models and record their checksums.

    Args:
        task: What is done.
        inputs: What is read.
        output: Folder for the layers.
        options: How.
        removal: Name or path of the model that removes clouds, if the task uses one; None is the default model.
        classifier: Name or path of the classifier, likewise.
        overwrite: Replace existing layers.
        resume: Resume a job on the same output that was killed.

    Raises:
        InputError: The parts do not fit each other (``bad-job``).
        ModelError: There is no such model, or it is for another task.
    """
    choices = []
    for wanted in _MODELS[task]:
        name = removal if wanted == _REMOVAL else classifier
        files = find_model(name or _DEFAULTS[wanted], wanted)
        by_path = name is not None and name != files.card.name
        where = str(files.path.absolute()) if by_path else files.card.name
        choices.append(ModelChoice(where, files.card.sha256, files.card.digest))
    return JobSpec(task, inputs, output, options, tuple(choices), overwrite, resume)


def _checked(files: ModelFiles, choice: ModelChoice) -> ModelFiles:
    if files.card.sha256 != choice.sha256:
        raise ModelError(
            f"The model {choice.name} has the checksum {files.card.sha256[:12]}..., the job was described with "
            f"{choice.sha256[:12]}....",
            "Use the original model, or describe the job again.",
            code="checksum-mismatch",
        )
    if files.card.digest != choice.card:
        raise ModelError(
            f"The card of the model {choice.name} has changed since the job was described (checksum "
            f"{files.card.digest[:12]}..., not {choice.card[:12]}...).",
            "Use the original card, or describe the job again.",
            code="checksum-mismatch",
        )
    return files


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value


def _other_version(version: object) -> InputError:
    return _bad(f"its version is {str(version)[:20]}, not {VERSION}", "Make it with this version of Sunbreak.")


def _bad(what: str, hint: str = "") -> InputError:
    return InputError(f"The job description is wrong: {what}.", hint, code="bad-job")
