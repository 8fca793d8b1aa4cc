"""Reads the JSON file of a patch of BigEarthNet v1. Sentinel-1 files have two other keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sunbreak.datasets.bigearthnet.labels import LABELS_43, unknown_label
from sunbreak.errors import InputError
from sunbreak.json_files import read_json


@dataclass(frozen=True)
class Metadata:
    """Content of the JSON file.

    Attributes:
        labels: Labels of the 43 classes, in the order of the file.
        bounds: Left, bottom, right, top in metres of the projection.
        projection: Projection as WKT.
        acquired: Time of acquisition; the name of a patch may have an invalid time.
        source: The Sentinel product.
        s2: Name of the corresponding Sentinel-2 patch of a Sentinel-1 patch, else empty.
    """

    labels: tuple[str, ...]
    bounds: tuple[float, float, float, float]
    projection: str
    acquired: datetime
    source: str
    s2: str


def read_metadata(path: Path) -> Metadata:
    """Read the JSON of a Sentinel-2 or Sentinel-1 patch.

    Raises:
        InputError: ``missing-metadata``, ``bad-metadata`` (no JSON, or a key is missing or wrong), or
            ``unknown-label``.
    """
    content = _read(path)
    labels = content.get("labels")
    if not isinstance(labels, list) or not labels or not all(isinstance(label, str) for label in labels):
        raise _bad(path, "'labels' is not a list of names")
    for label in labels:
        if label not in LABELS_43:
            raise unknown_label(label, 43, path)
    try:
        corners = content["coordinates"]
        # Sentinel-1 files use the key lly for this corner
        lower = corners["lry"] if "lry" in corners else corners["lly"]
        bounds = (float(corners["ulx"]), float(lower), float(corners["lrx"]), float(corners["uly"]))
        acquired = content["acquisition_date"] if "acquisition_date" in content else content["acquisition_time"]
        return Metadata(
            labels=tuple(labels),
            bounds=bounds,
            projection=str(content["projection"]),
            acquired=datetime.fromisoformat(acquired),
            source=str(content.get("tile_source", content.get("scene_source", ""))),
            s2=str(content.get("corresponding_s2_patch", "")),
        )
    except KeyError as error:
        raise _bad(path, f"the key {error} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise _bad(path, str(error)) from error


def corresponding_s2(path: Path) -> str:
    """The corresponding Sentinel-2 patch of a Sentinel-1 patch, from its JSON file.

    Raises:
        InputError: ``missing-metadata`` or ``bad-metadata``.
    """
    name = _read(path).get("corresponding_s2_patch")
    if not isinstance(name, str):
        raise _bad(path, "'corresponding_s2_patch' is missing")
    return name


def _read(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path, limit_bytes=2**20, hint="Unpack the patch again.")
    except InputError as error:
        if error.code == "not-json":
            raise _bad(path, f"it {error.message.removeprefix(str(path)).strip(' .')}") from error
        raise InputError(error.message, "Unpack the patch again.", code="missing-metadata") from error
    if not isinstance(content, dict):
        raise _bad(path, "it is not a JSON object")
    return content


def _bad(path: Path, why: str) -> InputError:
    return InputError(f"{path} is broken: {why}.", "Unpack the patch again.", code="bad-metadata")
