"""Forward and backward passes of a classifier: saliency maps of a class, and the attribution of each band.

Gradients need torch, whichever other runtimes are installed.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sunbreak.engine.network_values import check_magnitude
from sunbreak.engine.rows import Inputs
from sunbreak.errors import ModelError

if TYPE_CHECKING:
    import torch

    from sunbreak.models.cam import Method
    from sunbreak.models.resnet import ResNet

Array = NDArray[np.float32]

_PIXELS_CPU, _PIXELS_GPU = 32 * 64 * 64, 64 * 256 * 256


class SaliencyRuntime:
    """Grad-CAM or HiResCAM of patches, with the engine's runtime interface.

    The outputs per patch are: positive evidence (side, side), not normalised; gradient x input summed over the pixels
    of each band (band,); logits (class,). Batch norms are folded: the same function with fewer operations.

    Args:
        module: The classifier in evaluation mode.
        device: The device to run on.
        tile: Side of a patch in pixels.
        side: Side of the maps.
        target: Index of the class to explain; None explains the predicted class of each patch.
        block: The residual stage to map, ``layer1`` to ``layer4``.
        method: The kind of map.
        bands: Whether to compute gradient x input; it needs a backward pass through the whole network.
        source: Where the network is from, for messages.

    Raises:
        ModelError: There is no such block.
    """

    def __init__(
        self,
        module: ResNet,
        device: torch.device,
        tile: int,
        side: int,
        *,
        target: int | None,
        block: str,
        method: Method,
        bands: bool = True,
        source: Path | None = None,
    ) -> None:
        import torch

        from sunbreak.models.folding import fold_batch_norms
        from sunbreak.models.resnet import STAGES

        if block not in STAGES:
            raise ModelError(f"There is no block {block!r}.", f"Choose {', '.join(STAGES)}.", code="unknown-block")
        self._torch = torch
        folded: Any = fold_batch_norms(module).to(device)
        self.module: ResNet = folded.to(memory_format=torch.channels_last).requires_grad_(False)
        self.device, self.side, self.target, self.block, self.method = device, side, target, block, method
        self.bands, self.source = bands, source
        pixels = _PIXELS_CPU if device.type == "cpu" else _PIXELS_GPU
        self.batch = max(1, pixels // tile**2)
        self.label = f"torch {torch.__version__} on {device.type}, {method} at {block}"
        self._done: deque[tuple[Array, ...]] = deque()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return len(self._done)

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`."""
        return not self._done

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`.

        Raises:
            ModelError: A map, an attribution or a logit is not finite (``model-output``).
        """
        from sunbreak.models.cam import explain, to_image

        x = self._torch.from_numpy(inputs["x"]).to(self.device, memory_format=self._torch.channels_last)
        found = explain(self.module, x, self.target, self.block, self.method, bands=self.bands)
        for part in (found.raw, found.bands, found.logits):  # before a ReLU hides what is not finite
            check_magnitude(part.float().abs().mean().cpu().numpy(), self.source, largest=np.inf)
        maps = to_image(found.raw, self.side, self.side)
        self._done.append(tuple(part.float().cpu().numpy() for part in (maps, found.bands, found.logits)))

    def collect(self) -> tuple[Array, ...]:
        """See `sunbreak.engine.Runtime`."""
        return self._done.popleft()
