"""The networks of ukis-csmask (DLR, Apache-2.0; Wieland et al. 2019, 2022): cloud, shadow or neither on a 30 m grid.

There is one network per processing level for six bands and one for four, without the SWIR. Where a scene has all six
bands, both networks run and their log-odds are averaged: they err in different places.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.ahead import Ahead
from sunbreak.engine.compiled_networks import compile_network
from sunbreak.engine.network_values import bad_output
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.engine.threads import openvino_threads
from sunbreak.errors import InputError
from sunbreak.tiling import BlendedLayout, StripMosaic

#: Bands of the larger network in its order; the smaller one takes the first four.
BANDS = ("B02", "B03", "B04", "B08", "B11", "B12")
VISIBLE_AND_NIR = BANDS[:4]
#: Side of a tile in cells, which is fixed in the networks, and cells that neighbouring tiles share.
TILE, OVERLAP = 256, 64
PACKAGE = "ukis-csmask"

_OUTPUTS = 3  # neither, cloud, shadow
_LEAST = 1e-4  # probabilities are kept this far from 0 and 1

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """What the networks say, each (row, column) in cells.

    Attributes:
        cloud: Probability of cloud.
        clear: Probability of neither cloud nor shadow.
        cloud_odds: Log-odds of cloud, plus log-odds of anything that covers the ground.
        shadow_odds: The same for shadow.
    """

    cloud: Array
    clear: Array
    cloud_odds: Array
    shadow_odds: Array


def available() -> bool:
    """Whether the networks and something that runs them are installed."""
    return _folder() is not None and any(importlib.util.find_spec(name) for name in ("openvino", "onnxruntime"))


def version() -> str:
    """The installed version of the networks' package.

    Raises:
        InputError: ``no-cloud-network``: it is not installed.
    """
    from importlib.metadata import version as installed

    if not available():
        raise missing()
    return installed(PACKAGE)


def missing() -> InputError:
    """The error if `available` is False."""
    return InputError(
        f"The cloud networks of {PACKAGE} are not installed.",
        "Install them: pip install 'sunbreak[clouds]'. Or use --detector s2cloudless (Level-1C), or --mask.",
        code="no-cloud-network",
    )


class UkisNetworks:
    """The networks for one processing level.

    Args:
        level: ``L1C`` or ``L2A``.
        bands: The bands that there are.

    Raises:
        InputError: ``no-cloud-network``, or ``no-cloud-bands`` if one of B02, B03, B04 and B08 is missing.
    """

    def __init__(self, level: str, bands: Sequence[str]) -> None:
        if not available():
            raise missing()
        lacking = [band for band in VISIBLE_AND_NIR if band not in bands]
        if lacking:
            raise InputError(
                f"Clouds cannot be detected without {', '.join(lacking)}.",
                "Give these bands, or a cloud mask with --mask.",
                code="no-cloud-bands",
            )
        self.bands = BANDS if set(BANDS) <= set(bands) else VISIBLE_AND_NIR
        sizes = (6, 4) if self.bands == BANDS else (4,)
        self.label = f"{PACKAGE} ({level}, {' and '.join(str(size) for size in sizes)} bands)"
        self._names = [f"model_{size}b_{level.lower()}" for size in sizes]
        self._coming: list[Ahead[_Network]] | None = None

    def load_ahead(self) -> None:
        """Begin to load the networks, each in a thread: compiling one takes longer than running it over a tile."""
        self._coming = [Ahead(partial(_network, name)) for name in self._names]

    def evidence(self, cells: Array) -> Evidence:
        """What the networks say about an image.

        Args:
            cells: Reflectance of `bands` (band, row, column) in cells of about 30 m, without gaps.

        Returns:
            The evidence for each cell. An image smaller than a tile is continued by reflection.
        """
        if self._coming is None:
            self.load_ahead()
        for coming in self._coming or ():
            coming.get()
        self._coming = []  # `forget` could not free what is held here
        probabilities = [class_probabilities(name, cells) for name in self._names]
        odds = [_log_odds(part) for part in probabilities]
        neither, cloud, shadow = np.mean(odds, axis=0)
        mean = np.mean(probabilities, axis=0)
        return Evidence(mean[1], mean[0], cloud - neither, shadow - neither)


def class_probabilities(name: str, cells: Array) -> Array:
    """Probabilities of neither, cloud and shadow by one network alone, (class, row, column).

    Args:
        name: The network, such as ``model_6b_l1c``.
        cells: See `UkisNetworks.evidence`; the first bands are used.

    Raises:
        InputError: ``no-cloud-network``: it is not installed.
    """
    return _blended(_network(name), cells)


@dataclass(frozen=True)
class _Network:
    name: str
    run: Any
    mean: Array
    deviation: Array

    def probabilities(self, tile: Array) -> Array:
        """(class, row, column) of a tile (band, row, column)."""
        bands = len(self.mean)
        logits = self.run(((tile[:bands] - self.mean) / self.deviation)[None])
        if not np.isfinite(logits.sum()):  # a sum is finite only if all its terms are
            raise bad_output(f"The cloud network {self.name}", "values that are not finite")
        powers = np.exp(logits - logits.max(axis=0))
        shares: Array = powers / powers.sum(axis=0)
        return shares


def _folder() -> Path | None:
    # found without importing the package: its modules need onnxruntime
    found = importlib.util.find_spec("ukis_csmask")
    places = found.submodule_search_locations if found is not None else None
    return Path(next(iter(places))) if places else None


def forget() -> None:
    """Free the networks that are loaded; the next prediction loads what it needs again, which takes about a second."""
    _network.cache_clear()


@lru_cache(maxsize=4)
def _network(name: str) -> _Network:
    folder = _folder()
    if folder is None:
        raise missing()
    facts = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["data"]
    if facts["target_size"] != [TILE, TILE]:
        raise InputError(
            f"{folder / name}: tiles of {facts['target_size']} are not known.",
            f"Install the version of {PACKAGE} that Sunbreak asks for.",
            code="no-cloud-network",
        )
    mean, deviation = (np.array(part, np.float32)[:, None, None] for part in facts["dataset_statistics"]["img"])
    return _Network(name, _session(folder / f"{name}.onnx"), mean, deviation)


def _session(path: Path) -> Any:
    """A function from the normalised tile (1, band, row, column) to the logits (class, row, column)."""
    if importlib.util.find_spec("openvino"):
        options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"} | openvino_threads()
        facts = path.stat()
        made_from = [PACKAGE, version(), path.name, facts.st_size, facts.st_mtime_ns]
        network = compile_network(openvino_core(), lambda: str(path), options, made_from)
        request = network.create_infer_request()
        return lambda tile: request.infer([tile])[0][0]
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda tile: session.run(None, {session.get_inputs()[0].name: tile})[0][0]


def _blended(network: _Network, cells: Array) -> Array:
    """Probabilities (class, row, column) of an image of any size: overlapping tiles, blended."""
    rows, columns = cells.shape[1:]
    above, left = max(TILE - rows, 0) // 2, max(TILE - columns, 0) // 2
    below, right = max(TILE - rows, 0) - above, max(TILE - columns, 0) - left
    image = np.pad(cells, [(0, 0), (above, below), (left, right)], mode="symmetric")
    height, width = image.shape[1:]
    layout = BlendedLayout(height, width, TILE, OVERLAP)
    mosaic = StripMosaic(_OUTPUTS, height, width, height)
    for strip in layout.strips():
        for tile in strip.tiles:
            mosaic.add(tile, network.probabilities(image[:, tile.slices[0], tile.slices[1]]))
    whole = mosaic.take(height)[0]
    result: Array = whole[:, above : above + rows, left : left + columns]
    return result


def _log_odds(probability: Array) -> Array:
    bounded = np.clip(probability, _LEAST, 1 - _LEAST)
    odds: Array = np.log(bounded) - np.log1p(-bounded)
    return odds
