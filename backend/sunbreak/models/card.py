"""Model cards: the architecture, inputs, outputs, training and metrics of a network.

On disk a card is a STAC Item with the MLM extension (`<name>.json` beside `<name>.safetensors`). What MLM has no field
for stands under `sunbreak:`. The JSON schema in `card.schema.json` is what a card is validated against. The fields
of all models, of cloud removal and of land cover are in a module each.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sunbreak import __version__
from sunbreak.drafts import write_text
from sunbreak.errors import InputError, ModelError
from sunbreak.json_files import read_json
from sunbreak.models.card_checks import card_fault, schema_fault
from sunbreak.models.card_common import LAYOUT, Converted
from sunbreak.models.card_facts import CardFacts
from sunbreak.models.card_landcover import is_per_pixel, landcover_fields, landcover_properties, probabilities
from sunbreak.models.card_removal import (
    Scaling,
    images,
    read_arguments,
    removal_fields,
    removal_properties,
    written_arguments,
)

_MLM = "https://stac-extensions.github.io/mlm/v1.5.0/schema.json"
_TASKS = {"cloud-removal": "generative", "land-cover": "scene-classification"}
_HINT = "Write the card with `sunbreak models import`."
_LIMIT_BYTES = 2**18  # cards have 20 kB
_DIGEST = "sha256:"  # names the algorithm, also for scanners that search for secrets; older cards lack it


@dataclass(frozen=True, kw_only=True)
class ModelCard(CardFacts):
    """A model card. Fields that its task does not have are empty."""

    @property
    def digest(self) -> str:
        """SHA-256 of everything that the card says, the checksum of its weights included, as hexadecimal digits.

        Results are stored under it: two cards that share their weights are two models.
        """
        item = self.to_item()
        for written_by in ("sunbreak:layout", "sunbreak:version"):
            del item["properties"][written_by]
        return hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()

    def to_item(self) -> dict[str, Any]:
        """The card as a STAC Item, in the current layout."""
        removal = removal_properties(self)
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
                "mlm:tasks": [self._task],
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
                "sunbreak:layout": LAYOUT,
                "sunbreak:version": __version__,
                "sunbreak:task": self.task,
                "sunbreak:arguments": written_arguments(self.arguments),
                "sunbreak:bands": list(self.bands),
                "sunbreak:level": self.level,
                "sunbreak:reflectance": removal["sunbreak:reflectance"],
                "sunbreak:radar": removal["sunbreak:radar"],
                "sunbreak:dates": self.dates,
                "sunbreak:tile": self.tile,
                "sunbreak:overlap": self.overlap,
                "sunbreak:tolerance": self.tolerance,
                "sunbreak:variance": removal["sunbreak:variance"],
                "sunbreak:training": _without_nan(dict(self.training)),
                "sunbreak:metrics": [_without_nan(dict(group)) for group in self.metrics],
                **(landcover_properties(self) if self.task == "land-cover" else {}),
            },
            "links": [],
            "assets": {
                "weights": {
                    "href": f"./{self.name}.safetensors",
                    "type": "application/vnd.safetensors",
                    "roles": ["mlm:model", "mlm:weights"],
                    "mlm:artifact_type": "safetensors",
                    "sunbreak:sha256": _DIGEST + self.sha256,
                },
                **self._converted_assets(),
            },
        }

    @property
    def network_digest(self) -> str:
        """SHA-256 of what the card says of the network itself, its weights included, as hexadecimal digits."""
        classifier = [self.temperature, self.multi_label] if self.task == "land-cover" else []
        margin = self.overlap if is_per_pixel(self) else 0
        facts = [
            self.sha256, self.architecture, written_arguments(self.arguments), self.channels, self.tile, margin,
            self.dates, classifier,
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

    def _converted_assets(self) -> dict[str, Any]:
        """The files of the network converted for OpenVINO."""
        if self.converted is None:
            return {}
        about = {"roles": ["mlm:model"], "mlm:artifact_type": "openvino"}
        return {
            "openvino": {
                "href": f"./{self.name}.xml",
                "type": "text/xml",
                **about,
                "sunbreak:sha256": _DIGEST + self.converted.xml,
                "sunbreak:network": _DIGEST + self.converted.network,
            },
            "openvino-weights": {
                "href": f"./{self.name}.bin",
                "type": "application/octet-stream",
                **about,
                "sunbreak:sha256": _DIGEST + self.converted.bin,
            },
        }

    @property
    def _task(self) -> str:
        return "semantic-segmentation" if is_per_pixel(self) else _TASKS[self.task]

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
        tasks = [self._task]
        return probabilities(self, tasks) if self.task == "land-cover" else images(self, tasks)

    @classmethod
    def from_item(cls, item: Any, source: Path) -> ModelCard:
        """Read a card from its STAC Item.

        Raises:
            ModelError: The item does not validate; the message says where.
        """
        _refuse(source, schema_fault(item))
        p = item["properties"]
        try:
            arguments = read_arguments(p["sunbreak:arguments"])
        except ValueError as error:
            _refuse(source, str(error))
            raise
        card = cls(
            name=item["id"],
            title=p["title"],
            description=p["description"],
            task=p["sunbreak:task"],
            architecture=p["mlm:architecture"],
            arguments=arguments,
            bands=tuple(p["sunbreak:bands"]),
            level=p["sunbreak:level"],
            dates=p["sunbreak:dates"],
            tile=p["sunbreak:tile"],
            overlap=p["sunbreak:overlap"],
            tolerance=p["sunbreak:tolerance"],
            training=p["sunbreak:training"],
            metrics=tuple(p["sunbreak:metrics"]),
            licence=p["license"],
            sha256=_checksum(item, "weights"),
            converted=_converted(item),
            parameters=p["mlm:total_parameters"],
            layout=p.get("sunbreak:layout", 1),
            **removal_fields(p),
            **landcover_fields(p),
        )
        _refuse(source, card_fault(card))
        return card

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read and validate `<name>.json`.

        Raises:
            ModelError: The file cannot be read, does not validate, or is named otherwise than the card inside.
        """
        try:
            item = read_json(path, limit_bytes=_LIMIT_BYTES, hint=_HINT)
        except InputError as error:
            raise ModelError(error.message, error.hint, code="bad-card") from error
        card = cls.from_item(item, path)
        if card.name != path.stem:
            raise ModelError(f"{path}: holds the card of {card.name!r}.", f"Name it {card.name}.json.", code="bad-card")
        return card

    def write(self, directory: Path) -> Path:
        """Write `<name>.json` into `directory` and return its path."""
        path = directory / f"{self.name}.json"
        write_text(path, json.dumps(self.to_item(), indent=2, ensure_ascii=False) + "\n")
        return path


def _checksum(item: Mapping[str, Any], asset: str) -> str:
    checksum: str = item["assets"][asset]["sunbreak:sha256"]
    return checksum.removeprefix(_DIGEST)


def _converted(item: Mapping[str, Any]) -> Converted | None:
    if not {"openvino", "openvino-weights"} <= set(item["assets"]):
        return None
    network: str = item["assets"]["openvino"].get("sunbreak:network", "")
    return Converted(_checksum(item, "openvino"), _checksum(item, "openvino-weights"), network.removeprefix(_DIGEST))


def _without_nan(value: Any) -> Any:
    """The value with None for numbers that are not finite, which JSON has not: figures that could not be measured."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _without_nan(held) for key, held in value.items()}
    return [_without_nan(held) for held in value] if isinstance(value, (list, tuple)) else value


def _refuse(source: Path, fault: str) -> None:
    """Raise `ModelError` if there is a fault."""
    if fault:
        raise ModelError(f"{source}: is not a valid model card ({fault}).", _HINT, code="bad-card")
