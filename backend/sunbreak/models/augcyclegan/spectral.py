"""Spectral normalisation (Miyato et al., ICLR 2018) of every convolution, and plain weights of a network that has it.

torch's own parametrization runs its matrix products in bf16 under autocast and writes them to float32 buffers; this one
keeps them in float32.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

_FIRST_ITERATIONS = 15


class SpectralNorm(nn.Module):
    """A weight divided by its largest singular value, which a power iteration per call (while training) follows."""

    u: Tensor
    v: Tensor

    def __init__(self, weight: Tensor, output_axis: int) -> None:
        super().__init__()
        self.output_axis = output_axis
        matrix = self._matrix(weight.detach())
        self.register_buffer("u", F.normalize(torch.randn(matrix.shape[0]), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(matrix.shape[1]), dim=0))
        for _ in range(_FIRST_ITERATIONS):
            self._iterate(matrix)

    def forward(self, weight: Tensor) -> Tensor:
        """The normalised weight, after one power iteration while training."""
        if self.training:
            with torch.no_grad(), torch.autocast(weight.device.type, enabled=False):
                self._iterate(self._matrix(weight))
        return self.normalise(weight)

    def normalise(self, weight: Tensor) -> Tensor:
        """The normalised weight by the singular vectors as they stand."""
        with torch.autocast(weight.device.type, enabled=False):
            # copies, because a later call moves the vectors on while the backward pass still needs these
            u, v = self.u.clone(), self.v.clone()
            return weight / torch.dot(u, torch.mv(self._matrix(weight), v))

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.transpose(0, self.output_axis).flatten(1)

    def _iterate(self, matrix: Tensor) -> None:
        self.v.copy_(F.normalize(torch.mv(matrix.t(), self.u), dim=0))
        self.u.copy_(F.normalize(torch.mv(matrix, self.v), dim=0))


def add_spectral_norm(network: nn.Module) -> None:
    """Normalise every convolution of a network, in place."""
    for module in list(network.modules()):
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            axis = 1 if isinstance(module, nn.ConvTranspose2d) else 0
            parametrize.register_parametrization(module, "weight", SpectralNorm(module.weight, axis))


def plain_readers(network: nn.Module) -> dict[str, Callable[[], Tensor]]:
    """For each tensor that a network has once the normalisation is applied to the weights, a function that reads it.

    Values are what evaluation mode computes with; reading makes no power iteration. The readers stay valid while the
    network learns, which spares the search for them.
    """
    tensors = network.state_dict(keep_vars=True)
    readers: dict[str, Callable[[], Tensor]] = {
        name: partial(_itself, tensor) for name, tensor in tensors.items() if "parametrizations." not in name
    }
    for prefix, module in network.named_modules():
        if parametrize.is_parametrized(module, "weight"):
            parts = cast("nn.ModuleDict", module.parametrizations)
            chain = cast("parametrize.ParametrizationList", parts["weight"])
            norm = cast("SpectralNorm", chain[0])
            readers[f"{prefix}.weight" if prefix else "weight"] = partial(norm.normalise, chain.original)
    return readers


@torch.no_grad()
def plain_state(network: nn.Module) -> dict[str, Tensor]:
    """The tensors of a network with the normalisation applied to the weights, under the names it has without."""
    return {name: read().detach() for name, read in plain_readers(network).items()}


def _itself(tensor: Tensor) -> Tensor:
    return tensor
