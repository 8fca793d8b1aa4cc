"""Model cards: what a network was built from, wants, gives, and was measured to do.

On disk a card is a STAC Item with the MLM extension (`<name>.json` beside `<name>.safetensors`). What MLM has no field for
stands under `sunbreak:`. The JSON schema in `card.schema.json` is what a card is validated against.
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
_TASKS = {"cloud-removal": "generative"}


@dataclass(frozen=True)
class Scaling:
    """How stored or physical numbers become network input: clip to [low, high], then map that range to [0, 1]."""

    low: float
    high: float


@dataclass(frozen=True)
class ModelCard:
    """A model card.

    Attributes:
        name: Name in the registry and stem of both files.
        title: One line for people.
        description: What it is, what it was trained on, when not to use it.
        task: ``cloud-removal``.
        architecture: Key of the network's builder, such as ``uncrtaints``.
        arguments: The builder's arguments.
        bands: Sentinel-2 bands in input order, which are also the output bands.
        level: Processing level the network was trained on (``L1C`` or ``L2A``).
        reflectance: Scaling of reflectance.
        radar: Scaling of radar backscatter in dB (VV, VH), or None for a network without it.
        dates: Dates that go in at once.
        tile: Side of a tile in pixels.
        overlap: Pixels shared by neighbouring tiles.
        exact_tiling: Whether the network is local, so that tiles with a halo equal the whole image.
        tolerance: Largest error in reflectance that a faster runtime may make.
        variance: What the second output means, in words; empty when there is none.
        temperature: Factor on sigma per band, fitted on the data named in `calibrated_on`; empty means 1.
        calibrated_on: The data the temperature was fitted on.
        training: Data, recipe and cost of the training, and the command that repeats it.
        metrics: Figures, each group with the data it was measured on.
        licence: SPDX expression or a sentence.
        sha256: Checksum of the weights file.
        parameters: Number of weights.
    """

    name: str
    title: str
    description: str
    task: str
    architecture: str
    arguments: Mapping[str, Any]
    bands: tuple[str, ...]
    level: str
    reflectance: Scaling
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

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the input channels of one date in order."""
        return (("VV", "VH") if self.radar else ()) + self.bands

    @property
    def has_variance(self) -> bool:
        """Whether the network says how sure it is."""
        return bool(self.variance)

    def to_item(self) -> dict[str, Any]:
        """The card as a STAC Item."""
        shape = [-1, self.dates, len(self.inputs), self.tile, self.tile]
        bands = [{"name": name} for name in self.inputs]
        scaling = [
            {"type": "clip-min-max", "minimum": s.low, "maximum": s.high}
            for s in (*[self.radar] * (2 if self.radar else 0), *[self.reflectance] * len(self.bands))
            if s is not None
        ]
        result_shape = [-1, len(self.bands), self.tile, self.tile]
        outputs = ["mean"] + (["variance"] if self.has_variance else [])
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
                        "name": "dates of radar and optical bands" if self.radar else "dates of optical bands",
                        "bands": bands,
                        "input": {
                            "shape": shape,
                            "dim_order": ["batch", "time", "bands", "height", "width"],
                            "data_type": "float32",
                        },
                        "value_scaling": scaling,
                    }
                ],
                "mlm:output": [
                    {
                        "name": name,
                        "tasks": [_TASKS[self.task]],
                        "bands": [{"name": band} for band in self.bands],
                        "result": {
                            "shape": result_shape,
                            "dim_order": ["batch", "bands", "height", "width"],
                            "data_type": "float32",
                        },
                    }
                    for name in outputs
                ],
                "sunbreak:version": __version__,
                "sunbreak:task": self.task,
                "sunbreak:arguments": dict(self.arguments),
                "sunbreak:bands": list(self.bands),
                "sunbreak:level": self.level,
                "sunbreak:reflectance": {"low": self.reflectance.low, "high": self.reflectance.high},
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
            },
            "links": [],
            "assets": {
                "weights": {
                    "href": f"./{self.name}.safetensors",
                    "type": "application/vnd.safetensors",
                    "roles": ["mlm:model", "mlm:weights"],
                    "mlm:artifact_type": "safetensors",
                    "sunbreak:sha256": self.sha256,
                }
            },
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
        radar, variance = p["sunbreak:radar"], p["sunbreak:variance"]
        return cls(
            name=item["id"],
            title=p["title"],
            description=p["description"],
            task=p["sunbreak:task"],
            architecture=p["mlm:architecture"],
            arguments=p["sunbreak:arguments"],
            bands=tuple(p["sunbreak:bands"]),
            level=p["sunbreak:level"],
            reflectance=Scaling(p["sunbreak:reflectance"]["low"], p["sunbreak:reflectance"]["high"]),
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
            sha256=item["assets"]["weights"]["sunbreak:sha256"],
            parameters=p["mlm:total_parameters"],
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
