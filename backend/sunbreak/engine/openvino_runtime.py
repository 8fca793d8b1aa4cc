"""OpenVINO on the CPU: several times as fast as eager torch, with an error of about 3e-6.

A network that was converted beforehand is read from the files beside its card. Others are converted from the torch
module when they are first needed and kept in `sunbreak.engine.network_cache`. Only that conversion needs torch.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.batch_size import batch_on
from sunbreak.engine.compiled_networks import compile_network
from sunbreak.engine.neighbours import (
    cut_from_window,
    neighbours_stride,
    regroup,
    taking_channels_last,
    window_of,
)
from sunbreak.engine.network_cache import as_stored, compiles, forget, place_of, read_network, store, stored
from sunbreak.engine.network_values import MAGNITUDE, check_magnitude
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.engine.rows import Inputs
from sunbreak.engine.threads import compute_threads, openvino_threads
from sunbreak.errors import ModelError
from sunbreak.extras import require
from sunbreak.models.architectures import architecture_of
from sunbreak.models.registry import ModelFiles, check_converted, check_weights
from sunbreak.models.sampling import RunningMoments, draw_latents

if TYPE_CHECKING:
    from sunbreak.models.card import ModelCard

Array = NDArray[np.float32]

NOT_COMPILED = "not-compiled"
"""Code of the error for a network that OpenVINO cannot compile."""
_VALUES = ("values", "variance", "probabilities")
# queued groups of small tiles
_QUEUED = 3
_CORES_OF_STREAM = 4
_SHARED_SIDE = 256  # of the smallest tile that several threads share


class _Compiled:
    """A compiled network and its pool of free inference requests.

    Args:
        make: Makes the `openvino.Model`, which nothing else may use.
        made_from: See `compile_network`.
        streams: Groups that are computed at a time; None leaves it to OpenVINO.
        half: Whether to compute in bfloat16.
    """

    def __init__(
        self, make: Callable[[], Any], made_from: object, *, streams: int | None = None, half: bool = False
    ) -> None:
        options = {"PERFORMANCE_HINT": "THROUGHPUT", "INFERENCE_PRECISION_HINT": "bf16" if half else "f32"}
        options |= {} if streams is None else {"NUM_STREAMS": str(streams)}
        options |= openvino_threads()
        self._compiled = compile_network(openvino_core(), make, options, made_from)
        self.streams = int(self._compiled.get_property("NUM_STREAMS"))
        self.outputs = len(self._compiled.outputs)
        self._free: deque[Any] = deque()

    def take(self) -> Any:
        """Take a free request from the pool, or create one."""
        return self._free.popleft() if self._free else self._compiled.create_infer_request()

    def give_back(self, request: Any) -> None:
        """Return a request to the pool."""
        self._free.append(request)


class OpenVinoRuntime:
    """A compiled network with enough requests for all streams: running, queued, and one whose results are read.

    Classifiers take channels-last tiles, the layout in which OpenVINO computes convolutions. OpenVINO avoids reordering
    only if the batch size is static, and overlapping neighbours can be passed as one window without copies. So a
    network has several variants, each compiled when first needed:

    - neighbours in one window, which the network slices itself: full groups, and groups of one smaller size, such as
      the last group of each row;
    - full groups of other tiles;
    - other tiles with a dynamic batch size.

    The results are identical to the bit.

    Args:
        model: An `openvino.Model` with named inputs of fixed shapes: `x` (1, channel, row, column), with `latents` also
            `latent` (1, length), and whatever else its network takes. Its last output is the magnitude, see
            `sunbreak.models.networks.TileNetwork.measured`.
        latents: Latent vectors (sample, length): every tile goes through the network once per vector, and the outputs
            are the moments over the vectors.
        batch: Largest number of tiles in a group; must be 1 with latent vectors.
        channels_last: Whether the network takes channels-last tiles. Tiles in another layout are copied.
        stride: Columns between neighbouring tiles in the expected groups.
        alone: Whether one group is computed at a time, by all cores: as fast for large tiles, in less memory.
        half: Whether to compute in bfloat16.
        source: Where the network is from, for messages.
        identity: What the network is made from, under which it is kept compiled; None keeps it in memory only.
    """

    def __init__(
        self,
        model: Any,
        latents: Array | None = None,
        batch: int = 1,
        *,
        channels_last: bool = False,
        stride: int | None = None,
        alone: bool = False,
        half: bool = False,
        source: Path | None = None,
        identity: Sequence[str] | None = None,
    ) -> None:
        import openvino

        self._identity = identity
        self.batch, self._source = batch, source
        self._channels_last, self._alone, self._half = channels_last, alone, half
        self._model = model
        self._variants: dict[tuple[int, int | None], _Compiled] = {}
        self._tail: int | None = None  # the one smaller size of groups of neighbours that has its own variant
        self._latents = latents
        self._passes = 1 if latents is None else len(latents)
        streams = self._variant(batch, stride).streams
        # groups of small tiles are fast, so more of them are queued. With latent vectors, the passes of one tile run
        # while those of the next tile are queued
        queued = _QUEUED if batch > 1 else 1
        self._requests = streams + queued + 1 if latents is None else 2 * self._passes
        # with the inputs, because requests read them without a copy
        self._running: deque[tuple[_Compiled, Any, Inputs]] = deque()
        self._read: tuple[_Compiled, Any] | None = None  # the caller holds views of its results
        how = f"{streams} stream{'s' * (streams > 1)}" + (", bfloat16" if half else "")
        self.label = f"OpenVINO {openvino.__version__.split('-')[0]} on cpu ({how})"

    @classmethod
    def for_model(
        cls, files: ModelFiles, outputs: Sequence[str] | None = None, *, fast: bool = False
    ) -> OpenVinoRuntime:
        """The runtime of a model of the registry: of the files beside its card, from the cache, or newly converted.

        Args:
            files: The model.
            outputs: Names of the outputs to compute, see `sunbreak.models.networks.TileNetwork.output_names`; by
                default the values of a network for cloud removal, and the probabilities of a classifier.
            fast: Compute in bfloat16 if this processor has instructions for it.

        Raises:
            InputError: The network is not converted, and torch is not installed (``missing-extra``).
            ModelError: The weights do not match the card's checksum or cannot be loaded, or OpenVINO cannot compile the
                network.
        """
        latents = draw_latents(files.card)
        core = openvino_core()
        given, converted = check_converted(files), files.card.converted
        if given is not None and converted is not None:
            model, identity = read_network(core, given), [converted.xml, converted.bin]
        else:
            model, identity = _converted(files, core), [place_of(files.card, core).name]
        wanted = (*(outputs or _VALUES), MAGNITUDE)
        _keep_outputs(model, wanted)
        how = {"source": files.weights, "identity": [*identity, *wanted], **_groups(files.card)}
        try:
            if fast and computes_half(core):
                with contextlib.suppress(RuntimeError):  # the processor can, but OpenVINO was told not to use it
                    return cls(model.clone(), latents, half=True, **how)
            return cls(model, latents, **how)
        except RuntimeError as error:
            raise _not_compiled(files) from error

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
            # most rows of a scene end with a group of the same size
            self._tail = self._tail or len(tiles)
            stride = stride if len(tiles) == self._tail else None
        compiled = self._variant(len(tiles), stride)
        if stride is not None:
            tiles = window_of(tiles, stride)
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
        """See `Runtime`: views of the request's output memory, or the moments over the latent vectors."""
        if self._latents is not None:
            return (self._moments()[None],)
        compiled, request, _ = self._running.popleft()
        if self._read is not None:
            reader, read = self._read
            reader.give_back(read)
        self._read = compiled, request
        request.wait()
        *outputs, magnitude = (request.get_output_tensor(i).data for i in range(compiled.outputs))
        check_magnitude(magnitude, self._source)
        return tuple(outputs)

    def __del__(self) -> None:
        """Wait for running requests of a cancelled run: they still read their input arrays."""
        for _, request, _ in getattr(self, "_running", ()):
            request.wait()

    def _moments(self) -> Array:
        running = RunningMoments()
        for _ in range(self._passes):
            compiled, request, _ = self._running.popleft()
            request.wait()
            check_magnitude(request.get_output_tensor(1).data, self._source)
            running.add(request.get_output_tensor(0).data[0])
            compiled.give_back(request)
        return running.moments()

    def _at_once(self) -> int | None:
        """Streams: one for the largest tiles, and one for each `_CORES_OF_STREAM` cores for those of cloud removal.

        A second stream on two cores makes many tiles faster by a twentieth, but a single one takes twice as long, and
        it needs 0.23 GB. The outputs are the same to the bit; those of small tiles are not, if several threads share
        them.
        """
        small = self._model.inputs[0].get_partial_shape()[-1].get_length() < _SHARED_SIDE
        if self._alone or small:
            return 1 if self._alone else None
        return max(1, (compute_threads() or os.cpu_count() or 1) // _CORES_OF_STREAM)

    def _variant(self, tiles: int, stride: int | None) -> _Compiled:
        """The variant for groups of `tiles` tiles, in one window at `stride` columns if `stride` is not None."""
        # smaller groups of separate tiles share the variant with a dynamic batch size
        known = tiles == self.batch or stride is not None
        key = (tiles if known else 0), stride
        if key not in self._variants:
            made_from = None if self._identity is None else [self._identity, self.batch, self._channels_last, key]
            make = partial(self._grouped, tiles if known else (1, self.batch), stride)
            self._variants[key] = _Compiled(make, made_from, streams=self._at_once(), half=self._half)
        return self._variants[key]

    def _grouped(self, tiles: int | tuple[int, int], stride: int | None) -> Any:
        """The `openvino.Model` of a variant."""
        model = self._model.clone()
        if self.batch > 1:
            regroup(model, tiles)
        if self._channels_last:
            model = taking_channels_last(model)
        if stride is not None:
            cut_from_window(model, stride)
        return model


def computes_half(core: Any) -> bool:
    """Whether the processor has instructions for bfloat16, which are faster than those for single precision."""
    return "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def _converted(files: ModelFiles, core: Any) -> Any:
    """The network from the cache, or newly converted with torch and stored there."""
    check_weights(files)
    place = place_of(files.card, core)
    model = stored(core, place)
    if model is not None:
        return model
    require("torch", "torch", f"The model {files.card.name}, which is not converted for OpenVINO,")
    from sunbreak.engine.conversion import convert
    from sunbreak.models.architectures import load_network

    converted = convert(load_network(files), files.card.tile)
    store(converted, place)
    # use the stored copy: the network just converted differs from it in the last bit
    model = stored(core, place) or as_stored(core, converted) or converted
    if not files.bundled and not compiles(place):
        forget(place)
        raise _not_compiled(files)
    return model


def _keep_outputs(model: Any, names: Sequence[str]) -> None:
    """Remove the outputs of a model that have other names."""
    for result in model.get_results():
        if not result.output(0).get_names() & set(names):
            model.remove_result(result)


def _not_compiled(files: ModelFiles) -> ModelError:
    return ModelError(
        f"{files.path}: OpenVINO cannot compile a network of this size.", "Use --runtime torch.", code=NOT_COMPILED
    )


def _groups(card: ModelCard) -> dict[str, Any]:
    """How tiles of a model are computed: batches of small ones, large ones alone, channels-last for classifiers."""
    groups = architecture_of(card).groups
    batch = batch_on("cpu", card.tile) if groups.several else 1
    stride = card.tile - card.overlap if batch > 1 and card.overlap else None
    return {"batch": batch, "channels_last": groups.channels_last, "stride": stride, "alone": groups.alone}
