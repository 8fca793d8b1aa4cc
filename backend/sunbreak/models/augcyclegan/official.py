"""Weights of the public implementation (six networks, one direction stochastic), loaded strictly under its own names.

The public code registers the layers of its stochastic residual blocks twice, so its tables hold them under two names.
Here every tensor has one name; the second is checked and dropped on the way in, and added on the way out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor, nn

from sunbreak.errors import ModelError
from sunbreak.models.augcyclegan.cycle import AugCycleGAN
from sunbreak.models.augcyclegan.spectral import plain_state
from sunbreak.models.weights import load_strictly

_TWICE = re.compile(r"^(model\.\d+)\.conv_block\.(.*)$")


def load_official(model: AugCycleGAN, tables: Mapping[str, Mapping[str, Tensor]], source: Path) -> None:
    """Load all networks of a public checkpoint; its domain A is the cloudy one, B the clear one.

    Args:
        model: Without spectral normalisation, stochastic towards clear and deterministic towards cloudy.
        tables: The tensors of each network: netG_A_B, netG_B_A, netD_A, netD_B, netE_B, netD_z_B.
        source: Where they are from, for messages.

    Raises:
        ModelError: A network is missing or left over, or its tensors do not fit.
    """
    networks = official_networks(model)
    if set(networks) != set(tables):
        raise ModelError(
            f"{source}: holds the networks {', '.join(sorted(tables))} and should hold {', '.join(sorted(networks))}.",
            "Build the model with a latent towards clear and none towards cloudy.",
            code="weights-mismatch",
        )
    for name, network in networks.items():
        load_strictly(network, single_names(tables[name], source, name), source)


def single_names(table: Mapping[str, Tensor], source: Path, network: str = "it") -> dict[str, Tensor]:
    """The tensors of one network without the second names that some have.

    Args:
        table: As the public implementation names them.
        source: Where they are from, for messages.
        network: What the network is called, for messages.

    Raises:
        ModelError: A tensor differs from its second.
    """
    state = dict(table)
    for tensor in list(state):
        second = state.pop(_second_name(tensor) or "", None)
        if second is not None and not second.equal(state[tensor]):
            raise ModelError(f"{source}: {network} holds {tensor} twice, with different values.", code="bad-checkpoint")
    return state


def official_networks(model: AugCycleGAN) -> dict[str, nn.Module]:
    """The networks under the names that the public checkpoints give them; only those that the model has."""
    there, back = model.directions()
    named = {
        "netG_A_B": there.generator, "netG_B_A": back.generator,
        "netD_A": back.discriminator, "netD_B": there.discriminator,
        "netE_B": there.encoder, "netE_A": back.encoder,
        "netD_z_B": there.latent_discriminator, "netD_z_A": back.latent_discriminator,
    }  # fmt: skip
    return {name: network for name, network in named.items() if network is not None}


def official_state(network: nn.Module) -> dict[str, Tensor]:
    """The tensors of one network exactly as the public implementation names them, the doubled ones included."""
    state = plain_state(network)
    stochastic = any(".module1." in name for name in state)
    seconds = {_second_name(name): value for name, value in state.items()} if stochastic else {}
    return state | {name: value for name, value in seconds.items() if name is not None}


def _second_name(tensor: str) -> str | None:
    match = _TWICE.match(tensor)
    return f"{match[1]}.{match[2]}" if match else None
