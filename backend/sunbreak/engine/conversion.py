"""Conversion of a torch network for OpenVINO, and its files beside the model's card. Only this needs torch.

The converted network has named inputs and outputs. It computes what the torch module does up to rounding: group norms
are written channel by channel first, which OpenVINO computes without changing the layout of the image, and blocks of
UnCRtainTS for one image.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sunbreak.drafts import draft_files
from sunbreak.engine.network_cache import save
from sunbreak.engine.network_values import MAGNITUDE
from sunbreak.engine.openvino_core import openvino_core
from sunbreak.errors import ModelError
from sunbreak.models.architectures import load_network
from sunbreak.models.card_common import Converted
from sunbreak.models.registry import ModelFiles, file_sha256

if TYPE_CHECKING:
    from sunbreak.models.networks import TileNetwork

_EXAMPLE = 64


def convert(network: TileNetwork, tile: int) -> Any:
    """The network as an `openvino.Model` with input `x` (1, channel, tile, tile), and its further inputs by name.

    The last output is named `magnitude`, those before it by `TileNetwork.output_names`. Networks that do not depend on
    the tile size are traced with a small example, which saves memory.
    """
    import openvino
    import torch

    from sunbreak.models.folding import channelwise_group_norms
    from sunbreak.models.single_image import single_image_blocks

    side = tile if network.knows_size else _EXAMPLE
    module, others = network.eval().exported()
    example = (torch.zeros(1, network.channels, side, side), *others.values())
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")
        model = openvino.convert_model(single_image_blocks(channelwise_group_norms(module)), example_input=example)
    shapes = [(1, network.channels, tile, tile), *(tuple(other.shape) for other in others.values())]
    model.reshape(dict(enumerate(shapes)))
    outputs = (*network.output_names[: len(model.outputs) - 1], MAGNITUDE)
    for port, name in (*zip(model.inputs, ("x", *others), strict=True), *zip(model.outputs, outputs, strict=True)):
        port.get_tensor().set_names({name})
    return model


def convert_model(files: ModelFiles) -> tuple[ModelFiles, float]:
    """Convert a model for OpenVINO, write the network beside its card, and name it there with its checksums.

    Weights that are stored in half precision are so in the converted network too.

    Returns:
        The model with its new card, and the largest difference of its values from the torch module's on a random tile.

    Raises:
        ModelError: The weights cannot be loaded, or the difference is above the card's tolerance
            (``not-converted``).
    """
    network = load_network(files)
    model = convert(network, files.card.tile)
    with draft_files(files.path.parent) as folder:
        place = folder / files.path.with_suffix(".xml").name
        save(model, place, half=_stored_in_half(files))
        error = largest_error(network, place, files.card.tile)
        if not error <= files.card.tolerance:
            raise ModelError(
                f"{files.path}: the converted network differs by {error:.2g}, and the card allows "
                f"{files.card.tolerance:g}.",
                "Use the model with --runtime torch.",
                code="not-converted",
            )
        checksums = file_sha256(place), file_sha256(place.with_suffix(".bin"))
        card = replace(files.card, converted=Converted(*checksums, files.card.network_digest))
    card.write(files.path.parent)
    return replace(files, card=card), error


def largest_error(network: TileNetwork, place: Path, tile: int, seed: int = 0) -> float:
    """Largest difference of the values of a converted network from the torch module's, on a random tile.

    Args:
        network: The torch module.
        place: The `.xml` file of the converted network.
        tile: Side of the tile.
        seed: Of the tile.
    """
    import torch

    module, others = network.eval().exported()
    generator = torch.Generator().manual_seed(seed)
    tiles = {"x": network.example(tile, generator)["x"], **others}
    with torch.inference_mode():
        exact = module(*tiles.values())
    compiled = openvino_core().compile_model(str(place), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = compiled({name: value.numpy() for name, value in tiles.items()})
    return float(np.abs(found[0] - exact[0].numpy()).max())


def _stored_in_half(files: ModelFiles) -> bool:
    from sunbreak.models.weights import read_state_dict

    return all(tensor.dtype.itemsize == 2 for tensor in read_state_dict(files.weights).values() if tensor.dim() > 1)
