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
from sunbreak.models.saliency_methods import INTEGRATED

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from sunbreak.models.cam import Method
    from sunbreak.models.resnet import ResNet
    from sunbreak.models.resnet_fpn import ResNetFPN
    from sunbreak.models.saliency_methods import PixelMethod

Array = NDArray[np.float32]

_PIXELS_CPU, _PIXELS_GPU = 32 * 64 * 64, 64 * 256 * 256


class _Maps:
    """What both runtimes share: the network on its device, the size of batches, and the outputs that wait."""

    def __init__(
        self, module: nn.Module, device: torch.device, tile: int, block: str, method: PixelMethod, source: Path | None
    ) -> None:
        import torch

        from sunbreak.models.folding import fold_batch_norms
        from sunbreak.models.resnet import STAGES

        if block not in STAGES:
            raise ModelError(f"There is no block {block!r}.", f"Choose {', '.join(STAGES)}.", code="unknown-block")
        self._torch = torch
        folded: Any = fold_batch_norms(module).to(device)
        self.module: Any = folded.to(memory_format=torch.channels_last).requires_grad_(False)
        self.device, self.block, self.method, self.source = device, block, method, source
        pixels = _PIXELS_CPU if device.type == "cpu" else _PIXELS_GPU
        self.batch = max(1, pixels // tile**2)
        how = method if method == INTEGRATED else f"{method} at {block}"
        self.label = f"torch {torch.__version__} on {device.type}, {how}"
        self._done: deque[tuple[Array, ...]] = deque()

    @property
    def pending(self) -> int:
        """See `sunbreak.engine.Runtime`."""
        return len(self._done)

    @property
    def room(self) -> bool:
        """See `sunbreak.engine.Runtime`."""
        return not self._done

    def collect(self) -> tuple[Array, ...]:
        """See `sunbreak.engine.Runtime`."""
        return self._done.popleft()

    def _on_device(self, x: Array) -> Tensor:
        return self._torch.from_numpy(x).to(self.device, memory_format=self._torch.channels_last)

    def _check(self, *parts: Tensor) -> None:
        for part in parts:  # before a ReLU hides what is not finite
            check_magnitude(part.float().abs().mean().cpu().numpy(), self.source, largest=np.inf)

    def _keep(self, *parts: Tensor) -> None:
        self._done.append(tuple(part.float().cpu().numpy() for part in parts))


class SaliencyRuntime(_Maps):
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
        super().__init__(module, device, tile, block, method, source)
        self.side, self.target, self.bands = side, target, bands
        self._kind: Method = method

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`.

        Raises:
            ModelError: A map, an attribution or a logit is not finite (``model-output``).
        """
        from sunbreak.models.cam import explain, to_image

        found = explain(
            self.module, self._on_device(inputs["x"]), self.target, self.block, self._kind, bands=self.bands
        )
        self._check(found.raw, found.bands, found.logits)
        self._keep(to_image(found.raw, self.side, self.side), found.bands, found.logits)


class PixelSaliencyRuntime(_Maps):
    """Saliency of the sum of a class's logits over pixels of tiles, with the engine's runtime interface.

    The inputs are `x` and `counted` (tile, row, column), 1 where a pixel's logits are summed. The outputs per tile add
    up over tiles, see `sunbreak.models.cam_segmentation.PixelEvidence`: for HiResCAM the signed map at the stage's
    resolution (row, column), for Grad-CAM the sums of the gradient (channel,); gradient x input of each band (band,);
    sums of the logits (class,); the number of pixels (1,). Grad-CAM needs a second run, see `weigh`. For integrated
    gradients the first is the attribution (row, column) in cells, and the second the attribution of each band, see
    `sunbreak.models.input_attribution.InputEvidence`. Batch norms are folded.

    Args:
        module: The per-pixel classifier in evaluation mode.
        device: The device to run on.
        tile: Side of a tile in pixels.
        target: Index of the class to explain; None explains each pixel's predicted class.
        block: The residual stage to map, ``layer1`` to ``layer4``; integrated gradients do not use it.
        method: The kind of map.
        only_predicted: Sum over those pixels only whose predicted class is the target.
        source: Where the network is from, for messages.

    Raises:
        ModelError: There is no such block.
    """

    def __init__(
        self,
        module: ResNetFPN,
        device: torch.device,
        tile: int,
        *,
        target: int | None,
        block: str,
        method: PixelMethod,
        only_predicted: bool = False,
        source: Path | None = None,
    ) -> None:
        super().__init__(module, device, tile, block, method, source)
        self.target, self.only_predicted = target, only_predicted
        self._weights: Tensor | None = None

    def weigh(self, weights: NDArray[np.float64]) -> None:
        """From now on give the signed map of Grad-CAM (row, column) at the stage's resolution, and nothing else.

        Args:
            weights: (channel,), the means of the gradients over the whole scene.
        """
        self._weights = self._torch.from_numpy(weights.astype(np.float32)).to(self.device)

    def submit(self, inputs: Inputs) -> None:
        """See `sunbreak.engine.Runtime`.

        Raises:
            ModelError: A map, a gradient, an attribution or a logit is not finite (``model-output``).
        """
        from sunbreak.models.cam_segmentation import explain_pixels, weighted_map
        from sunbreak.models.input_attribution import integrated_gradients

        x = self._on_device(inputs["x"])
        if self._weights is not None:
            raw = weighted_map(self.module, x, self._weights, self.block)
            self._check(raw)
            self._keep(raw)
            return
        counted = self._torch.from_numpy(inputs["counted"]).to(self.device) > 0
        if self.method == INTEGRATED:
            whole = integrated_gradients(self.module, x, counted, self.target, only_predicted=self.only_predicted)
            self._check(whole.raw, whole.bands, whole.logits)
            self._keep(whole.raw, whole.bands, whole.logits, whole.pixels[:, None])
            return
        found = explain_pixels(
            self.module, x, counted, self.target, self.block, only_predicted=self.only_predicted, bands=True
        )
        evidence = found.raw if self.method == "hirescam" else found.gradients
        self._check(evidence, found.bands, found.logits)
        self._keep(evidence, found.bands, found.logits, found.pixels[:, None])
