"""The marker in the folder of a finished scene: its task, input files and results."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sunbreak.batches.manifest import MARKER
from sunbreak.drafts import read_stored

_LIMIT = 2**24


def read_marker(folder: Path) -> dict[str, Any] | None:
    """The marker of an earlier batch, or None if it is missing or damaged."""
    try:
        marker = json.loads(read_stored(folder / MARKER, limit=_LIMIT).decode("utf-8"))
        seconds, numbers = float(marker["seconds"]), dict(marker["numbers"])
        if not math.isfinite(seconds) or not all(isinstance(value, (int, float, str)) for value in numbers.values()):
            return None
        text = {key: str(marker[key]) for key in ("task", "parameters_sha256")}
        layers = {str(role): str(name) for role, name in marker["layers"].items()}
        if any(Path(name).name != name for name in layers.values()):  # they lie beside the marker
            return None
        return {**text, "inputs": marker["inputs"], "layers": layers, "numbers": numbers, "seconds": seconds}
    except (OSError, ValueError, OverflowError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def layers_of(marker: Mapping[str, Any], folder: Path) -> dict[str, Path]:
    """The layers that a marker in this folder names, by role."""
    return {role: folder / name for role, name in marker["layers"].items()}
