"""OpenVINO on the CPU, converted from the torch module: about five times plain eager torch, exact to about 3e-6.

The converted network is kept in the user's cache under the weights' checksum, so that later runs start without torch.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import deque
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from sunbreak.drafts import draft_files
from sunbreak.engine.batch_size import batch_on
from sunbreak.engine.rows import Inputs
from sunbreak.models.architectures import architecture_of, load_network
from sunbreak.models.registry import ModelFiles, check_weights
from sunbreak.models.sampling import RunningMoments, draw_latents

if TYPE_CHECKING:
    from sunbreak.models.card import ModelCard
    from sunbreak.models.networks import TileNetwork

Array = NDArray[np.float32]

_EXAMPLE = 64
# of what is kept in the cache: to be raised when `convert` gives another network for the same weights
_FORM = 5
# groups of small tiles that wait for a stream
_READY = 3


class _Compiled:
    """A compiled network and its requests that are free.

    Args:
        model: An `openvino.Model`; it is not used elsewhere.
    """

    def __init__(self, model: Any) -> None:
        import openvino

        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "f32"}
        self._compiled = openvino.Core().compile_model(model, "CPU", options)
        self.streams = int(self._compiled.get_property("NUM_STREAMS"))
        self.outputs = len(self._compiled.outputs)
        self._free: deque[Any] = deque()

    def take(self) -> Any:
        """A request that nobody uses."""
        return self._free.popleft() if self._free else self._compiled.create_infer_request()

    def give_back(self, request: Any) -> None:
        """Nobody uses it any more."""
        self._free.append(request)


class OpenVinoRuntime:
    """A compiled network with enough requests that no stream waits: some that are ready, one whose results are read.

    Classifiers take tiles with their channels together in memory, which is how OpenVINO computes convolutions. It saves
    the reordering only where it knows how many tiles come, and tiles that overlap need not be copied one by one. So
    a network has several forms, each compiled when the first group for it comes: for neighbours in one array, which
    it cuts out itself, in whole groups and in groups of one smaller size, such as the last one of every row; for whole
    groups of other tiles; and for any number of them. The results are the same to the bit.

    Args:
        model: An `openvino.Model` with named inputs of fixed shapes: `x` (1, channel, row, column), with `latents` also
            `latent` (1, length), and whatever else its network takes.
        latents: Latent vectors (sample, length): every tile goes through once for each, and what comes out are the
            moments.
        batch: Tiles that may go in together; more than one is only for networks without latent vectors.
        channels_last: Whether the channels of a tile that is put in should lie together in memory. Others are copied.
        stride: Columns from one tile to the next in the groups that are expected.
    """

    def __init__(
        self,
        model: Any,
        latents: Array | None = None,
        batch: int = 1,
        *,
        channels_last: bool = False,
        stride: int | None = None,
    ) -> None:
        import openvino

        self.batch = batch
        self._channels_last = channels_last
        self._model = model
        self._forms: dict[tuple[int, int | None], _Compiled] = {}
        self._tail: int | None = None  # the size of smaller groups of neighbours that have a network of their own
        self._latents = latents
        self._passes = 1 if latents is None else len(latents)
        streams = self._form(batch, stride).streams
        # groups of small tiles take so little time that more of them lie ready. The passes of one tile run while
        # those of the next one wait
        ready = _READY if batch > 1 else 1
        self._requests = streams + ready + 1 if latents is None else 2 * self._passes
        # with their input, which they read where it lies
        self._running: deque[tuple[_Compiled, Any, Inputs]] = deque()
        self._read: tuple[_Compiled, Any] | None = None  # its results are in the caller's hands
        self.label = f"OpenVINO {openvino.__version__.split('-')[0]} on cpu ({streams} streams)"

    @classmethod
    def for_model(cls, files: ModelFiles) -> OpenVinoRuntime:
        """The runtime of a registry model, from the cache or converted now.

        Raises:
            ModelError: The weights do not have the card's checksum or do not load.
        """
        import openvino

        check_weights(files)
        latents = draw_latents(files.card)
        version = openvino.__version__.split("-")[0]
        cached = cache_folder() / f"{_key(files.card)}-{files.card.tile}-{_FORM}-{version}.xml"
        if cached.is_file() and cached.with_suffix(".bin").is_file():
            return cls(openvino.Core().read_model(cached), latents, **_groups(files.card))

        model = convert(load_network(files), files.card.tile)
        _keep(model, cached)
        # one that was just converted differs in the last bit from what later runs read
        if cached.is_file():
            model = openvino.Core().read_model(cached)
        return cls(model, latents, **_groups(files.card))

    @classmethod
    def for_network(cls, network: TileNetwork, tile: int) -> OpenVinoRuntime:
        """The runtime of a network for tiles of that side."""
        latents: Any = getattr(network, "latents", None)
        return cls(convert(network, tile), None if latents is None else latents.numpy())

    @property
    def pending(self) -> int:
        """See `Runtime`."""
        return len(self._running) // self._passes

    @property
    def room(self) -> bool:
        """See `Runtime`."""
        return len(self._running) + (self._read is not None) + self._passes <= self._requests

    def submit(self, inputs: Inputs) -> None:
        """See `Runtime`."""
        import openvino

        tiles = inputs["x"]
        stride = neighbours_stride(tiles) if self._channels_last else None
        if stride is not None and len(tiles) < self.batch:
            # rows of a scene end alike, but for those at the edge of its data
            self._tail = self._tail or len(tiles)
            stride = stride if len(tiles) == self._tail else None
        compiled = self._form(len(tiles), stride)
        if stride is not None:
            tiles = _window(tiles, stride)
        else:
            tiles = np.ascontiguousarray(np.moveaxis(tiles, 1, -1) if self._channels_last else tiles)
        given = {**{name: np.ascontiguousarray(values) for name, values in inputs.items() if name != "x"}, "x": tiles}
        for number in range(self._passes):
            request = compiled.take()
            if self._latents is not None:
                given["latent"] = self._latents[number, None]
            for name, values in given.items():
                request.set_tensor(name, openvino.Tensor(values, shared_memory=True))
            request.start_async()
            self._running.append((compiled, request, dict(given)))

    def collect(self) -> tuple[Array, ...]:
        """See `Runtime`: views of the request's own memory, or the moments over the latent vectors."""
        if self._latents is not None:
            return (self._moments()[None],)
        compiled, request, _ = self._running.popleft()
        if self._read is not None:
            reader, read = self._read
            reader.give_back(read)
        self._read = compiled, request
        request.wait()
        outputs: tuple[Array, ...] = tuple(request.get_output_tensor(i).data for i in range(compiled.outputs))
        return outputs

    def __del__(self) -> None:
        """Requests of a run that was broken off still read their tiles, which must not go before they are done."""
        for _, request, _ in getattr(self, "_running", ()):
            request.wait()

    def _moments(self) -> Array:
        running = RunningMoments()
        for _ in range(self._passes):
            compiled, request, _ = self._running.popleft()
            request.wait()
            running.add(request.get_output_tensor(0).data[0])
            compiled.give_back(request)
        return running.moments()

    def _form(self, tiles: int, stride: int | None) -> _Compiled:
        """The network for groups of that size, whose tiles are that many columns apart in one array."""
        # smaller groups of tiles that lie apart have one network in common, whatever their size
        known = tiles == self.batch or stride is not None
        key = (tiles if known else 0), stride
        if key not in self._forms:
            model = self._model.clone()
            if self.batch > 1:
                _regroup(model, tiles if known else (1, self.batch))
            if self._channels_last:
                model = _taking_channels_last(model)
            if stride is not None:
                _cut_from_window(model, stride)
            self._forms[key] = _Compiled(model)
        return self._forms[key]


def neighbours_stride(tiles: Array) -> int | None:
    """Columns from one tile to the next, where tiles (tile, channel, row, column) are overlapping views of one array.

    None where they lie apart, or where the channels of a pixel do not lie together.
    """
    count, channels, _, columns = tiles.shape
    by_tile, by_channel, by_row, by_column = tiles.strides
    together = by_channel == tiles.itemsize and by_column == channels * by_channel
    if count < 2 or not together or by_tile % by_column or not 0 < by_tile < columns * by_column:
        return None
    stride = by_tile // by_column
    return stride if by_row == ((count - 1) * stride + columns) * by_column else None


def _window(tiles: Array, stride: int) -> Array:
    """What the tiles were cut from, (1, row, column, channel)."""
    count, channels, rows, columns = tiles.shape
    shape = (1, rows, (count - 1) * stride + columns, channels)
    _, by_channel, by_row, by_column = tiles.strides
    return as_strided(tiles, shape, (rows * by_row, by_row, by_column, by_channel))


def _regroup(model: Any, tiles: int | tuple[int, int]) -> None:
    """Let that many tiles go in at once, with all that goes with them."""
    import openvino

    count = tiles if isinstance(tiles, int) else openvino.Dimension(*tiles)
    shapes = [list(one.get_partial_shape())[1:] for one in model.inputs]
    model.reshape({index: openvino.PartialShape([count, *shape]) for index, shape in enumerate(shapes)})


def _taking_channels_last(model: Any) -> Any:
    """The network with input (tile, row, column, channel)."""
    import openvino
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input("x").tensor().set_layout(openvino.Layout("NHWC"))
    steps.input("x").model().set_layout(openvino.Layout("NCHW"))
    return steps.build()


def _cut_from_window(model: Any, stride: int) -> None:
    """Let a network of tiles (tile, row, column, channel) take the window that they lie in, `stride` columns apart."""
    from openvino import opset13 as operations

    (tiles,) = model.get_parameters()
    count, rows, columns, channels = tiles.get_shape()
    window = operations.parameter([1, rows, (count - 1) * stride + columns, channels], np.float32)
    across, one = np.array([2]), np.array([1])
    cut = [
        operations.slice(window, np.array([left]), np.array([left + columns]), one, across)
        for left in range(0, count * stride, stride)
    ]
    joined = operations.concat(cut, 0).output(0)
    for taker in list(tiles.output(0).get_target_inputs()):
        taker.replace_source_output(joined)
    model.remove_parameter(tiles)
    window.output(0).get_tensor().set_names({"x"})
    model.add_parameters([window])
    model.validate_nodes_and_infer_types()


def convert(network: TileNetwork, tile: int) -> Any:
    """The network as an `openvino.Model` with input `x` (1, channel, tile, tile), and its further inputs by name.

    A small example is enough for tracing where nothing in a network depends on the size, and it keeps the memory of
    tracing small.
    """
    import warnings

    import openvino
    import torch

    side = tile if network.knows_size else _EXAMPLE
    module, others = network.eval().exported()
    example = (torch.zeros(1, network.channels, side, side), *others.values())
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(module.eval(), example_input=example)
    shapes = [(1, network.channels, tile, tile), *(tuple(other.shape) for other in others.values())]
    model.reshape(dict(enumerate(shapes)))
    for taken, name in zip(model.inputs, ("x", *others), strict=True):
        taken.get_tensor().set_names({name})
    return model


def _groups(card: ModelCard) -> dict[str, Any]:
    """How tiles go in: several where they are small, and as classifiers want them, where a network takes them as is."""
    groups = architecture_of(card).groups
    batch = batch_on("cpu", card.tile) if groups.several else 1
    stride = card.tile - card.overlap if batch > 1 and card.overlap else None
    return {"batch": batch, "channels_last": groups.channels_last, "stride": stride}


def _key(card: ModelCard) -> str:
    """What a converted network depends on: the weights, and what the card says about them."""
    facts = [dict(card.arguments), asdict(card.reflectance) if card.reflectance else None]
    said = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"{card.sha256[:32]}-{said[:8]}"


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
    """Store a converted network so that it is there whole or not at all; a cache that cannot be written is no error."""
    import openvino

    try:
        # a run that finds the .xml needs the .bin: in the order of their names the .xml comes last
        with draft_files(path.parent) as folder:
            openvino.save_model(model, folder / path.name, compress_to_fp16=False)
    except OSError:
        return
