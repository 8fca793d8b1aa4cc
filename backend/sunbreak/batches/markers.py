"""The marker in the folder of a finished scene: its task, input files and results."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sunbreak.batches.manifest import MARKER
from sunbreak.errors import InputError
from sunbreak.jobs.spec import JobSpec
from sunbreak.json_files import read_json
from sunbreak.sources.fingerprint import fingerprint


def inputs_of(spec: JobSpec) -> list[list[object]]:
    """Path, size and time of every file that a scene is read from, folders expanded."""
    found: list[list[object]] = []
    for given in spec.inputs.paths:
        # GDAL and QGIS leave .aux.xml files when a raster is only viewed
        inside = sorted(given.rglob("*")) if given.is_dir() else [given]
        files = (path for path in inside if path.is_file() and not path.name.endswith(".aux.xml"))
        found += [[str(path), *fingerprint(path)] for path in files]
    return found


def read_marker(folder: Path) -> dict[str, Any] | None:
    """The marker of an earlier batch, or None if it is missing or damaged."""
    try:
        marker: Any = read_json(folder / MARKER)
        seconds, numbers = float(marker["seconds"]), dict(marker["numbers"])
        text = {key: str(marker[key]) for key in ("task", "parameters_sha256")}
        layers = {str(role): str(name) for role, name in marker["layers"].items()}
        return {**text, "inputs": marker["inputs"], "layers": layers, "numbers": numbers, "seconds": seconds}
    except (InputError, ValueError, KeyError, TypeError, AttributeError):
        return None


def layers_of(marker: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """The layers that a marker in this folder names, by role."""
    return {role: folder / name for role, name in marker["layers"].items()}
