"""OpenVINO on the CPU, converted directly from the torch module: about five times plain eager torch, exact to about 3e-6.

The converted network is kept in the user's cache under the weights' checksum, so that later runs start without torch.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sunbreak.models.networks import TileNetwork
    from sunbreak.models.registry import ModelFiles

Array = NDArray[np.float32]

_EXAMPLE = 64
# of what is kept in the cache: to be raised when `convert` gives another network for the same weights
_FORM = 3


class OpenVinoRuntime:
    """A compiled network with requests enough that no stream waits for us: one that is filled, one whose results are read.

    Args:
        model: An `openvino.Model` with a fixed input shape (1, channel, row, column).
    """

    def __init__(self, model: Any) -> None:
        import openvino

        core = openvino.Core()
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        compiled = core.compile_model(model, "CPU", options)
        streams = int(compiled.get_property("NUM_STREAMS"))
        self._free = deque(compiled.create_infer_request() for _ in range(streams + 2))
        self._running: deque[Any] = deque()
        self._read: Any = None  # its results are in the caller's hands
        self._outputs = len(compiled.outputs)
        self.label = f"OpenVINO {openvino.__version__.split('-')[0]} on cpu ({streams} streams)"

    @classmethod
    def for_model(cls, files: ModelFiles) -> OpenVinoRuntime:
        """The runtime of a registry model, from the cache or converted now.

        Raises:
            ModelError: The weights do not have the card's checksum or do not load.
        """
        import openvino

        from sunbreak.models.registry import check_weights

        check_weights(files)
        version = openvino.__version__.split("-")[0]
        cached = cache_folder() / f"{files.card.sha256[:32]}-{files.card.tile}-{_FORM}-{version}.xml"
        if cached.is_file() and cached.with_suffix(".bin").is_file():
            return cls(openvino.Core().read_model(cached))
        from sunbreak.models.networks import load_network  # torch is wanted only now

        model = convert(load_network(files), files.card.tile)
        _keep(model, cached)
        return cls(model)

    @classmethod
    def for_network(cls, network: TileNetwork, tile: int) -> OpenVinoRuntime:
        """The runtime of a network for tiles of that side."""
        return cls(convert(network, tile))

    @property
    def pending(self) -> int:
        """See `Runtime`."""
        return len(self._running)

    @property
    def room(self) -> bool:
        """See `Runtime`."""
        return bool(self._free)

    def submit(self, tile: Array) -> None:
        """See `Runtime`."""
        request = self._free.popleft()
        request.start_async({0: tile[None]})
        self._running.append(request)

    def collect(self) -> tuple[Array, ...]:
        """See `Runtime`: views of the request's own memory."""
        request = self._running.popleft()
        if self._read is not None:
            self._free.append(self._read)
        self._read = request
        request.wait()
        outputs: tuple[Array, ...] = tuple(request.get_output_tensor(i).data[0] for i in range(self._outputs))
        return outputs


def convert(network: TileNetwork, tile: int) -> Any:
    """The network as an `openvino.Model` with input (1, channel, tile, tile).

    A small example is enough for tracing, because nothing in these networks depends on the size, and it keeps the memory of
    tracing small.
    """
    import warnings

    import openvino
    import torch

    example = torch.zeros(1, network.channels, _EXAMPLE, _EXAMPLE)
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(network.eval(), example_input=(example,))
    model.reshape([1, network.channels, tile, tile])
    return model


def cache_folder() -> Path:
    """Where converted networks are kept: `SUNBREAK_CACHE`, or the user's cache folder of this system."""
    named = os.environ.get("SUNBREAK_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "sunbreak" / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "sunbreak"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "sunbreak"


def _keep(model: Any, path: Path) -> None:
    """Store a converted network so that it stands there whole or not at all; a cache that cannot be written is no error."""
    import openvino

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".sunbreak-") as scratch:
            draft = Path(scratch) / path.name
            openvino.save_model(model, draft, compress_to_fp16=False)
            # the .xml is looked for first, so it comes last
            draft.with_suffix(".bin").replace(path.with_suffix(".bin"))
            draft.replace(path)
    except OSError:
        return
