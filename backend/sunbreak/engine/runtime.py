"""Where a network runs: torch on CPU, CUDA or MPS, or OpenVINO on CPU.

A runtime takes groups of tiles and returns their outputs in the same order, while it computes the following groups in
the background. The fixed order makes runs reproducible to the byte.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.batch_size import batch_on
from sunbreak.engine.network_values import check_magnitude
from sunbreak.engine.rows import Inputs
from sunbreak.errors import InputError, ModelError, RunError
from sunbreak.extras import is_installed, require

if TYPE_CHECKING:
    import torch

    from sunbreak.models.networks import TileNetwork
    from sunbreak.models.registry import ModelFiles

Array = NDArray[np.float32]
DeviceName = Literal["auto", "cpu", "cuda", "mps"]
RuntimeName = Literal["auto", "torch", "openvino"]
Precision = Literal["exact", "fast"]
PRECISIONS: tuple[Precision, ...] = ("exact", "fast")


class Runtime(Protocol):
    """Runs a network over groups of tiles and returns the outputs in the order of submission.

    Attributes:
        label: Runtime, version and device, for reports.
        batch: Largest number of tiles in a group, which is also the most efficient one.
    """

    label: str
    batch: int

    @property
    def pending(self) -> int:
        """Number of groups submitted and not yet collected."""
        ...

    @property
    def room(self) -> bool:
        """Whether `submit` can start a group now."""
        ...

    def submit(self, inputs: Inputs) -> None:
        """Submit a group of tiles: every input of the network by name, each (tile, ...).

        All networks take `x` (tile, channel, row, column). The arrays must not be changed afterwards.
        """
        ...

    def collect(self) -> tuple[Array, ...]:
        """Wait for the oldest group and return its outputs, each (tile, ...).

        The caller may modify them. They are overwritten when the next group is collected.

        Raises:
            ModelError: The network gave values that are not finite (``model-output``).
        """
        ...


def choose_device(name: DeviceName) -> torch.device:
    """The torch device of that name; ``auto`` takes CUDA, then MPS, then the CPU.

    Raises:
        InputError: The device is not available.
    """
    require("torch", "torch", "Computing with gradients or on a GPU")
    import torch

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = "cuda" if there["cuda"] else "mps" if there["mps"] else "cpu"
    if not there.get(name, False):
        raise InputError(
            f"The device {name!r} is not available to torch {torch.__version__}.",
            "Use --device cpu, or install a torch build for this device.",
            code="no-device",
        )
    return torch.device(name)


def make_runtime(
    files: ModelFiles, device: DeviceName = "auto", runtime: RuntimeName = "auto", precision: Precision = "exact"
) -> Runtime:
    """The fastest runtime for a model on this machine whose numerical error is within the card's tolerance.

    On the CPU this is OpenVINO if installed (error about 3e-6), else torch.

    Args:
        files: The model.
        device: Where it runs.
        runtime: What runs it.
        precision: ``fast`` lets OpenVINO compute in bfloat16 on processors that have instructions for it. The model's
            card says what error that makes.

    Raises:
        InputError: The requested device or runtime is not available.
        ModelError: The model cannot be loaded.
    """
    installed = is_installed("openvino")
    if runtime == "openvino" and not installed:
        raise InputError("OpenVINO is not installed.", "Install Sunbreak again.", code="no-openvino")
    if runtime == "openvino" and device not in ("auto", "cpu"):
        raise InputError(f"OpenVINO runs on the CPU here, not on {device}.", "Use --runtime torch.", code="no-device")
    if runtime == "torch":
        return _torch_runtime(files, device)
    if runtime == "openvino" or runs_compiled(device):
        from sunbreak.engine.openvino_runtime import NOT_COMPILED, OpenVinoRuntime

        try:
            return OpenVinoRuntime.for_model(files, fast=precision == "fast")
        except ModelError as error:
            if runtime == "openvino" or error.code != NOT_COMPILED:
                raise
    return _torch_runtime(files, device)


def check_runtime(device: DeviceName, runtime: RuntimeName) -> None:
    """Refuse a device or runtime that needs torch where torch is not installed, before other work is done.

    Raises:
        InputError: ``missing-extra``.
    """
    if runtime == "torch":
        require("torch", "torch", "The runtime torch")
    if device in ("cuda", "mps"):
        require("torch", "torch", f"The device {device}")


def runs_compiled(device: DeviceName) -> bool:
    """Whether OpenVINO is what runs networks on a device: it is installed, and the device is the CPU."""
    return is_installed("openvino") and (device == "cpu" or (device == "auto" and not _gpu()))


def _torch_runtime(files: ModelFiles, device: DeviceName) -> TorchRuntime:
    check_runtime(device, "torch")
    from sunbreak.models.architectures import load_network

    card, place = files.card, choose_device(device)
    return TorchRuntime(load_network(files), place, card.tile, card.tolerance, source=files.weights)


class NoRuntime:
    """Stands in for a network in a run that sends no tile through one."""

    label, batch, pending, room = "no network", 1, 0, True

    def submit(self, inputs: Inputs) -> None:
        """See `Runtime`; a tile that comes here is an error of ours."""
        raise RuntimeError("a run without a network sent a tile through it")

    def collect(self) -> tuple[Array, ...]:
        """See `Runtime`."""
        raise RuntimeError("a run without a network waits for a tile")


class TorchRuntime:
    """A network in torch: folded norms, channels-last layout; on a GPU in batches, in bfloat16 if it is exact enough.

    Args:
        network: The network.
        device: The device to run on.
        tile: Side of the tiles in pixels.
        tolerance: Largest allowed error of the first output in bfloat16. The error is measured on a random tile; above
            the tolerance the network runs in float32.
        batch: Batch size; halved whenever the device runs out of memory.
        source: Where the network is from, for messages.
    """

    def __init__(
        self,
        network: TileNetwork,
        device: torch.device,
        tile: int,
        tolerance: float = 0.0,
        batch: int | None = None,
        source: Path | None = None,
    ) -> None:
        import torch

        from sunbreak.models.networks import Measured

        self._torch = torch
        self.device, self._source = device, source
        folded: Any = Measured(network.folded()).to(device)
        self._module = folded.to(memory_format=torch.channels_last)
        self._running: deque[list[tuple[torch.Tensor, ...]]] = deque()
        self.batch = batch or batch_on(device.type, tile)
        self.half = device.type == "cuda" and torch.cuda.is_bf16_supported() and self.half_error(tile) <= tolerance
        self.label = f"torch {torch.__version__} on {device.type}" + (" (bfloat16)" if self.half else "")

    def half_error(self, tile: int) -> float:
        """Largest error of the first output in bfloat16 autocast, measured on one random tile."""
        torch = self._torch
        generator = torch.Generator().manual_seed(0)
        example = self._module.network.example(tile, generator)
        exact, rough = self._run(example, half=False)[0], self._run(example, half=True)[0]
        return float((exact.float() - rough.float()).abs().max())

    @property
    def pending(self) -> int:
        """See `Runtime`."""
        return len(self._running)

    @property
    def room(self) -> bool:
        """See `Runtime`: on a GPU, a second group is prepared while the first one runs."""
        return len(self._running) < (1 if self.device.type == "cpu" else 2)

    def submit(self, inputs: Inputs) -> None:
        """See `Runtime`: on a GPU this returns before the outputs are computed. Out of memory halves the batch size."""
        parts: list[tuple[torch.Tensor, ...]] = []
        first, count = 0, len(inputs["x"])
        while first < count:
            taken = min(self.batch, count - first)
            some = {name: self._torch.from_numpy(values[first : first + taken]) for name, values in inputs.items()}
            try:
                parts.append(self._run(some, half=self.half))
            except self._torch.OutOfMemoryError as error:
                if self.batch == 1:
                    raise RunError(
                        f"The {self.device.type} device ran out of memory on a single tile.",
                        "Use --device cpu.",
                        code="out-of-memory",
                    ) from error
                self.batch //= 2
                if self.device.type == "cuda":
                    self._torch.cuda.empty_cache()
                continue
            first += taken
        self._running.append(parts)

    def collect(self) -> tuple[Array, ...]:
        """See `Runtime`."""
        parts = self._running.popleft()
        outputs = [self._torch.cat(output) if len(parts) > 1 else output[0] for output in zip(*parts, strict=True)]
        *results, size = (output.float().cpu().numpy() for output in outputs)
        check_magnitude(size, self._source)
        return tuple(results)

    def _run(self, inputs: Mapping[str, torch.Tensor], *, half: bool) -> tuple[torch.Tensor, ...]:
        torch = self._torch
        there = {name: values.to(self.device, non_blocking=True) for name, values in inputs.items()}
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            return tuple(self._module(there.pop("x"), **there))


def _gpu() -> bool:
    """Whether torch finds a GPU. Imports torch, unless the machine has no GPU driver."""
    import shutil
    import sys

    if not is_installed("torch"):
        return False
    if sys.platform == "linux" and not Path("/dev/nvidiactl").exists() and shutil.which("nvidia-smi") is None:
        return False
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()
