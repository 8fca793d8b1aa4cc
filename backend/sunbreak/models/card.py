"""Model cards: what a network was built from, wants, gives, and was measured to do.

On disk a card is a STAC Item with the MLM extension (`<name>.json` beside `<name>.safetensors`). What MLM has no field
for stands under `sunbreak:`. The JSON schema in `card.schema.json` is what a card is validated against.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sunbreak import __version__
from sunbreak.errors import ModelError

_MLM = "https://stac-extensions.github.io/mlm/v1.5.0/schema.json"
_TASKS = {"cloud-removal": "generative", "land-cover": "scene-classification"}
_DIGEST = "sha256:"  # says what the digits are, also to scanners that look for secrets; older cards lack it


@dataclass(frozen=True)
class Scaling:
    """How stored or physical numbers become network input: clip to [low, high], then map that range to [0, 1]."""

    low: float
    high: float


@dataclass(frozen=True)
class Standardisation:
    """Network input as (value - mean) / deviation, nothing clipped, per input channel in order.

    Attributes:
        mean: In DN (reflectance x 10000, offset taken off) for Sentinel-2, in dB for Sentinel-1.
        deviation: In the same units, positive.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class LandCoverClass:
    """What a classifier tells apart: a name and a colour ``#rrggbb``."""

    name: str
    colour: str


@dataclass(frozen=True)
class ModelCard:
    """A model card.

    Attributes:
        name: Name in the registry and stem of both files.
        title: One line for people.
        description: What it is, what it was trained on, when not to use it.
        task: ``cloud-removal`` or ``land-cover``.
        architecture: Key of the network's builder, such as ``uncrtaints``.
        arguments: The builder's arguments.
        bands: Sentinel-2 bands in input order.
        level: Processing level the network was trained on (``L1C`` or ``L2A``).
        reflectance: Scaling of reflectance, for cloud removal.
        radar: Scaling of radar backscatter in dB (VV, VH), or None for a network without it or with a standardisation.
        dates: Dates that go in at once.
        tile: Side of a tile in pixels; of the patch that a classifier judges.
        overlap: Pixels shared by neighbouring tiles; for a classifier, tile less stride.
        exact_tiling: Whether the network is local, so that tiles with a halo equal the whole image.
        tolerance: Largest error in reflectance that a faster runtime may make.
        variance: What the second output means, in words; empty when there is none.
        temperature: Factor on sigma per band, or one divisor of a classifier's logits, fitted on the data named in
            `calibrated_on`; empty means 1.
        calibrated_on: The data the temperature was fitted on.
        training: Data, recipe and cost of the training, and the command that repeats it.
        metrics: Figures, each group with the data it was measured on.
        licence: SPDX expression or a sentence.
        sha256: Checksum of the weights file.
        parameters: Number of weights.
        standardisation: How a classifier's input is standardised: first VV and VH where it has radar, then `bands`.
        classes: What a classifier tells apart, in the order of its logits.
        multi_label: Whether a patch may have several of the classes (sigmoid), or has one (softmax).
        threshold: How a softmax over the labels of a patch becomes several labels: `rule` and `value` as in
            `sunbreak.metrics.multilabel.Threshold`, and how they were chosen. Empty where a patch has one class.
    """

    name: str
    title: str
    description: str
    task: str
    architecture: str
    arguments: Mapping[str, Any]
    bands: tuple[str, ...]
    level: str
    reflectance: Scaling | None
    radar: Scaling | None
    dates: int
    tile: int
    overlap: int
    exact_tiling: bool
    variance: str
    licence: str
    sha256: str
    parameters: int
    tolerance: float = 1e-3
    temperature: tuple[float, ...] = ()
    calibrated_on: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Sequence[Mapping[str, Any]] = ()
    standardisation: Standardisation | None = None
    classes: tuple[LandCoverClass, ...] = ()
    multi_label: bool = False
    threshold: Mapping[str, Any] = field(default_factory=dict)

    @property
    def uses_radar(self) -> bool:
        """Whether the network wants Sentinel-1."""
        standard = self.standardisation
        return self.radar is not None or (standard is not None and len(standard.mean) > len(self.bands))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input channels of one date in order."""
        return (("VV", "VH") if self.uses_radar else ()) + self.bands

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of all input channels of one date: the inputs, and for a guided network those of its guide."""
        guide = (*(f"{band} filled" for band in self.bands), "filled") if self.guided else ()
        return self.inputs + guide

    @property
    def outputs(self) -> tuple[str, ...]:
        """Bands that cloud removal gives: those that go in, but for bands that a translation is only conditioned on."""
        return tuple(self.arguments.get("image", self.bands))

    @property
    def radar_optional(self) -> bool:
        """Whether radar was left out of some of the training, so that a scene without it can be given."""
        recipe = self.training.get("recipe", {})
        return self.radar is not None and recipe.get("no_radar", 0) > 0

    @property
    def guided(self) -> bool:
        """Whether the network wants the image with its clouds filled as well, see `sunbreak.removal.guide`."""
        return bool(self.arguments.get("guided", False))

    @property
    def has_variance(self) -> bool:
        """Whether the network says how sure it is."""
        return bool(self.variance)

    def to_item(self) -> dict[str, Any]:
        """The card as a STAC Item."""
        bands = [{"name": name} for name in self.channels]
        return {
            "type": "Feature",
            "stac_version": "1.1.0",
            "stac_extensions": [_MLM],
            "id": self.name,
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[-180, -90], [180, -90], [180, 90], [-180, 90], [-180, -90]]],
            },
            "bbox": [-180, -90, 180, 90],
            "properties": {
                "datetime": None,
                "start_datetime": "2015-06-23T00:00:00Z",
                "end_datetime": "9999-12-31T23:59:59Z",
                "title": self.title,
                "description": self.description,
                "license": self.licence,
                "mlm:name": self.name,
                "mlm:architecture": self.architecture,
                "mlm:tasks": [_TASKS[self.task]],
                "mlm:framework": "pytorch",
                "mlm:total_parameters": self.parameters,
                "mlm:input": [
                    {
                        "name": "radar and optical bands" if self.uses_radar else "optical bands",
                        "bands": bands,
                        "input": self._shape(self.dates if self.task == "cloud-removal" else None),
                        "value_scaling": self._value_scaling(),
                    }
                ],
                "mlm:output": self._outputs(),
                "sunbreak:version": __version__,
                "sunbreak:task": self.task,
                "sunbreak:arguments": dict(self.arguments),
                "sunbreak:bands": list(self.bands),
                "sunbreak:level": self.level,
                "sunbreak:reflectance": {"low": self.reflectance.low, "high": self.reflectance.high}
                if self.reflectance
                else None,
                "sunbreak:radar": {"low": self.radar.low, "high": self.radar.high, "unit": "dB"}
                if self.radar
                else None,
                "sunbreak:dates": self.dates,
                "sunbreak:tile": self.tile,
                "sunbreak:overlap": self.overlap,
                "sunbreak:exact_tiling": self.exact_tiling,
                "sunbreak:tolerance": self.tolerance,
                "sunbreak:variance": {
                    "semantics": self.variance,
                    "temperature": list(self.temperature),
                    "calibrated_on": self.calibrated_on,
                },
                "sunbreak:training": dict(self.training),
                "sunbreak:metrics": [dict(group) for group in self.metrics],
                **self._classifier(),
            },
            "links": [],
            "assets": {
                "weights": {
                    "href": f"./{self.name}.safetensors",
                    "type": "application/vnd.safetensors",
                    "roles": ["mlm:model", "mlm:weights"],
                    "mlm:artifact_type": "safetensors",
                    "sunbreak:sha256": _DIGEST + self.sha256,
                }
            },
        }

    def _shape(self, dates: int | None) -> dict[str, Any]:
        time = {"time": dates} if dates is not None else {}
        sizes = {"batch": -1, **time, "bands": len(self.channels), "height": self.tile, "width": self.tile}
        return {"shape": list(sizes.values()), "dim_order": list(sizes), "data_type": "float32"}

    def _value_scaling(self) -> list[dict[str, Any]]:
        if self.standardisation is not None:
            pairs = zip(self.standardisation.mean, self.standardisation.deviation, strict=True)
            return [{"type": "z-score", "mean": mean, "stddev": deviation} for mean, deviation in pairs]
        scalings = [*[self.radar] * (2 if self.radar else 0), *[self.reflectance] * len(self.bands)]
        if self.guided:  # reflectance again, and a mask of 0 and 1
            scalings += [self.reflectance] * len(self.bands) + [Scaling(0.0, 1.0)]
        return [{"type": "clip-min-max", "minimum": s.low, "maximum": s.high} for s in scalings if s is not None]

    def _outputs(self) -> list[dict[str, Any]]:
        if self.task == "land-cover":
            return [
                {
                    "name": "probabilities",
                    "tasks": [_TASKS[self.task]],
                    "bands": [],
                    "result": {
                        "shape": [-1, len(self.classes)],
                        "dim_order": ["batch", "class"],
                        "data_type": "float32",
                    },
                    "classification:classes": [
                        {"value": value, "name": kind.name, "color_hint": kind.colour.lstrip("#").upper()}
                        for value, kind in enumerate(self.classes, 1)
                    ],
                }
            ]
        return [
            {
                "name": name,
                "tasks": [_TASKS[self.task]],
                "bands": [{"name": band} for band in self.outputs],
                "result": {
                    "shape": [-1, len(self.outputs), self.tile, self.tile],
                    "dim_order": ["batch", "bands", "height", "width"],
                    "data_type": "float32",
                },
            }
            for name in ["mean"] + (["variance"] if self.has_variance else [])
        ]

    def _classifier(self) -> dict[str, Any]:
        if self.task != "land-cover":
            return {}
        standard = self.standardisation
        return {
            "sunbreak:standardisation": {
                "mean": list(standard.mean),
                "deviation": list(standard.deviation),
                "units": "DN (reflectance x 10000) and dB",
            }
            if standard
            else None,
            "sunbreak:classes": [{"name": kind.name, "colour": kind.colour} for kind in self.classes],
            "sunbreak:multi_label": self.multi_label,
            **({"sunbreak:threshold": dict(self.threshold)} if self.threshold else {}),
        }

    @classmethod
    def from_item(cls, item: Mapping[str, Any], source: Path) -> ModelCard:
        """Read a card from its STAC Item.

        Raises:
            ModelError: The item does not validate; the message says where.
        """
        import jsonschema

        problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(_schema()).iter_errors(item))
        if problem is not None:
            where = "/".join(str(part) for part in problem.absolute_path) or "the card"
            raise ModelError(
                f"{source}: is not a valid model card ({where}: {problem.message[:200]}).",
                "Write the card with `sunbreak models import`.",
                code="bad-card",
            )
        p = item["properties"]
        reflectance, radar, variance = p["sunbreak:reflectance"], p["sunbreak:radar"], p["sunbreak:variance"]
        standard = p.get("sunbreak:standardisation")
        card = cls(
            name=item["id"],
            title=p["title"],
            description=p["description"],
            task=p["sunbreak:task"],
            architecture=p["mlm:architecture"],
            arguments=p["sunbreak:arguments"],
            bands=tuple(p["sunbreak:bands"]),
            level=p["sunbreak:level"],
            reflectance=Scaling(reflectance["low"], reflectance["high"]) if reflectance else None,
            radar=Scaling(radar["low"], radar["high"]) if radar else None,
            dates=p["sunbreak:dates"],
            tile=p["sunbreak:tile"],
            overlap=p["sunbreak:overlap"],
            exact_tiling=p["sunbreak:exact_tiling"],
            tolerance=p["sunbreak:tolerance"],
            variance=variance["semantics"],
            temperature=tuple(variance["temperature"]),
            calibrated_on=variance["calibrated_on"],
            training=p["sunbreak:training"],
            metrics=tuple(p["sunbreak:metrics"]),
            licence=p["license"],
            sha256=item["assets"]["weights"]["sunbreak:sha256"].removeprefix(_DIGEST),
            parameters=p["mlm:total_parameters"],
            standardisation=Standardisation(tuple(standard["mean"]), tuple(standard["deviation"]))
            if standard
            else None,
            classes=tuple(LandCoverClass(kind["name"], kind["colour"]) for kind in p.get("sunbreak:classes", ())),
            multi_label=p.get("sunbreak:multi_label", False),
            threshold=p.get("sunbreak:threshold", {}),
        )
        card._check_numbers(source)
        return card

    def _check_numbers(self, source: Path) -> None:
        """What the schema cannot say: that the lists fit each other.

        Raises:
            ModelError: They do not.
        """
        said = ""
        if self.standardisation is not None:
            channels = {len(self.standardisation.mean), len(self.standardisation.deviation)}
            if len(channels) > 1 or not channels <= {len(self.bands), len(self.bands) + 2}:
                said = f"the standardisation does not fit {len(self.bands)} bands"
        if self.task == "land-cover" and len({kind.name for kind in self.classes}) < len(self.classes):
            said = "two classes have the same name"
        if "conditioning" in self.arguments:
            strange = sorted({*self.outputs, *self.arguments["conditioning"]} ^ {*self.inputs})
            if strange and strange not in (["VH"], ["VV"]):  # radar comes as a pair, but one of it may do
                said = f"{', '.join(strange)} stands in the image, the conditioning or the bands, and not in the others"
            elif self.tile % 2:
                said = "tiles of an Augmented CycleGAN have even sides"
        if said:
            raise ModelError(
                f"{source}: is not a valid model card ({said}).",
                "Write the card with `sunbreak models import`.",
                code="bad-card",
            )

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read and validate `<name>.json`.

        Raises:
            ModelError: The file cannot be read, does not validate, or is named otherwise than the card inside.
        """
        try:
            item = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{path}: cannot be read as a model card ({error}).", code="bad-card") from error
        card = cls.from_item(item, path)
        if card.name != path.stem:
            raise ModelError(f"{path}: holds the card of {card.name!r}.", f"Name it {card.name}.json.", code="bad-card")
        return card

    def write(self, directory: Path) -> Path:
        """Write `<name>.json` into `directory` and return its path."""
        path = directory / f"{self.name}.json"
        scratch = directory / f".sunbreak-{self.name}.json"
        scratch.write_text(json.dumps(self.to_item(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return scratch.replace(path)


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(Path(__file__).with_name("card.schema.json").read_text(encoding="utf-8"))
    return schema
