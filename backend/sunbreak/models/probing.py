"""Tries a network once, in torch, before another runtime computes with it.

OpenVINO turns NaN into 0 wherever values are limited, in each ReLU too, so that a network that overflows inside can
give finite values. Torch keeps NaN, and here every layer is looked at.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from sunbreak.errors import ModelError
from sunbreak.models.checkpoint_files import first_line

if TYPE_CHECKING:
    from sunbreak.models.networks import TileNetwork

_SIDE = 64
_LARGEST = 1e6  # of the mean absolute value that the network gives, as in `sunbreak.engine.network_values`


class _NotFinite(Exception):
    """A layer gave values that are not finite."""


def probe(network: TileNetwork, tile: int, card: Path, weights: Path) -> None:
    """Run a network over one small tile of random numbers.

    Args:
        network: The network, in evaluation mode.
        tile: Side of its tiles in pixels.
        card: Its card, for messages.
        weights: Its weights, for messages.

    Raises:
        ModelError: It cannot be run with the arguments of its card (``bad-config``), or a layer gives values that are
            not finite or far too large (``model-output``).
    """
    side = min(tile, _SIDE)
    x = torch.rand((1, network.channels, side, side), generator=torch.Generator().manual_seed(0))
    module, others = network.exported()
    hooks = [part.register_forward_hook(_refuse) for part in module.modules()]
    try:
        with torch.inference_mode():
            size = module(x, *others.values())[-1]
        if not bool((size < _LARGEST).all()):
            raise _NotFinite
    except _NotFinite as error:
        raise ModelError(
            f"{weights}: the network gives values that are not finite or far too large.",
            "Use another model; this one's weights are damaged.",
            code="model-output",
        ) from error
    except Exception as error:  # torch raises whatever arguments that do not fit lead to
        raise ModelError(
            f"{card}: the network cannot be run with these arguments ({first_line(error)}).",
            "Correct the card.",
            code="bad-config",
        ) from error
    finally:
        for hook in hooks:
            hook.remove()


def _refuse(_: object, __: object, given: Any) -> None:
    outputs = given if isinstance(given, tuple) else (given,)
    if not all(bool(torch.isfinite(output).all()) for output in outputs if isinstance(output, Tensor)):
        raise _NotFinite
