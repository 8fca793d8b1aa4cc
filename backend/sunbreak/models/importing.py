"""Makes a registry model from a foreign checkpoint: verified weights, and a card that states only known facts."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.drafts import draft
from sunbreak.errors import ModelError
from sunbreak.models.arguments import check_whole, naming
from sunbreak.models.card import ModelCard
from sunbreak.models.card_checks import card_fault, schema_fault
from sunbreak.models.card_common import MAX_DATES
from sunbreak.models.card_landcover import PER_PIXEL, RADIUS, LandCoverClass, Standardisation
from sunbreak.models.card_removal import Scaling
from sunbreak.models.registry import ModelFiles, check_name, file_sha256, user_folder

if TYPE_CHECKING:
    from torch import Tensor

    from sunbreak.models.resnet import ResNet
    from sunbreak.models.resnet_fpn import ResNetFPN
    from sunbreak.models.uncrtaints import UnCRtainTS

NATIVE_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
NO_DIGEST = "0" * 64
"""Stands in a card until its weights are written."""
DATES = 3
"""Of the published multi-temporal networks."""
VARIANCE = "Gaussian variance of the cloud-free reflectance per band and pixel, in squared reflectance."


def import_uncrtaints(
    checkpoint: Path,
    name: str,
    *,
    config: Path | None = None,
    title: str | None = None,
    licence: str | None = None,
    folder: Path | None = None,
    overwrite: bool = False,
) -> ModelFiles:
    """Import an official UnCRtainTS checkpoint.

    The card has no temperature and no figures, because nothing was measured here.

    Args:
        checkpoint: `model.pth.tar` in either official naming, or safetensors.
        name: Name in the registry.
        config: `conf.json` of the training; by default the one beside the checkpoint.
        title: One line for people.
        licence: Licence of the weights, as far as known.
        folder: Where to put it; the user's models otherwise.
        overwrite: Replace a model of that name.

    Raises:
        ModelError: The checkpoint cannot be verified, or the name is taken.
    """
    from sunbreak.models.uncrtaints import UnCRtainTS

    check_name(name)
    target = folder or user_folder()
    check_free(name, target, overwrite=overwrite)
    module = UnCRtainTS.from_checkpoint(checkpoint, config)
    description = (
        f"UnCRtainTS (Ebel et al. 2023), imported from {checkpoint.name}. "
        "Its figures and its calibration are not known here."
    )
    return save_uncrtaints(
        module,
        name,
        target,
        title=title or f"UnCRtainTS from {checkpoint.name}",
        description=description,
        licence=licence or "unknown: ask the authors of the weights",
        dates=_dates(checkpoint, config),
    )


def _dates(checkpoint: Path, config: Path | None) -> int:
    """Dates that a checkpoint was trained on; those of the published multi-temporal networks if it does not say."""
    from sunbreak.models.weights import configuration_of

    conf = configuration_of(checkpoint, config) or {}
    dates = conf.get("input_t", DATES)
    with naming(config or checkpoint.with_name("conf.json")):
        check_whole("The configuration", "input_t", dates, 1, MAX_DATES)
    return int(dates)


def save_uncrtaints(
    module: UnCRtainTS,
    name: str,
    folder: Path,
    *,
    title: str,
    description: str,
    licence: str,
    tile: int = 256,
    overlap: int = 32,
    dates: int = DATES,
    **facts: object,
) -> ModelFiles:
    """Write weights and card into `folder`.

    Args:
        module: The network.
        name: Name in the registry.
        folder: Created if missing.
        title: One line for people.
        description: What it is.
        licence: SPDX expression or a sentence.
        tile: Side of the tiles it is run on.
        overlap: Pixels shared by neighbouring tiles.
        dates: Dates that a multi-temporal network was trained on.
        facts: Further fields of `ModelCard`: temperature, calibrated_on, training, metrics.
    """
    config = module.config
    card = ModelCard(
        name=name,
        title=title,
        description=description,
        task="cloud-removal",
        architecture="uncrtaints",
        arguments=config.to_dict(),
        bands=NATIVE_BANDS,
        level="L1C",
        reflectance=Scaling(0.0, 1.0),
        radar=Scaling(-25.0, 0.0) if config.use_sar else None,
        dates=dates if config.multi_temporal else 1,
        tile=tile,
        overlap=overlap,
        variance=VARIANCE if config.has_variance else "",
        licence=licence,
        sha256=NO_DIGEST,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        **facts,  # type: ignore[arg-type]
    )
    return save_model(module.network.state_dict(), card, folder)


def save_classifier(
    module: ResNet,
    name: str,
    folder: Path,
    *,
    title: str,
    description: str,
    licence: str,
    bands: tuple[str, ...],
    standardisation: Standardisation,
    classes: tuple[LandCoverClass, ...],
    depth: int,
    tile: int = 224,
    stride: int | None = None,
    multi_label: bool = False,
    level: str = "L1C",
    half: bool = False,
    **facts: object,
) -> ModelFiles:
    """Write a classifier's weights and card into `folder`.

    Args:
        module: The network.
        name: Name in the registry.
        folder: Created if missing.
        title: One line for people.
        description: What it is.
        licence: SPDX expression or a sentence.
        bands: Sentinel-2 bands in input order.
        standardisation: Of the input; two channels more than bands for a network with radar.
        classes: Classes that it distinguishes, in the order of its logits.
        depth: 18 or 50.
        tile: Side of a patch in pixels.
        stride: Pixels from one patch to the next over a scene; a quarter of the patch if not given.
        multi_label: Whether a patch may have several classes.
        level: Processing level it was trained on.
        half: Store the weights as float16, at half the size.
        facts: Further fields of `ModelCard`: temperature, calibrated_on, training, metrics.
    """
    card = ModelCard(
        name=name,
        title=title,
        description=description,
        task="land-cover",
        architecture="resnet",
        arguments={"depth": depth, "width": module.conv1.out_channels},
        bands=bands,
        level=level,
        reflectance=None,
        radar=None,
        dates=1,
        tile=tile,
        overlap=tile - (stride if stride is not None else max(1, tile // 4)),
        variance="",
        licence=licence,
        sha256=NO_DIGEST,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        standardisation=standardisation,
        classes=classes,
        multi_label=multi_label,
        **facts,  # type: ignore[arg-type]
    )
    return save_model(module.state_dict(), card, folder, half=half)


def save_segmentation(
    module: ResNetFPN,
    name: str,
    folder: Path,
    *,
    title: str,
    description: str,
    licence: str,
    bands: tuple[str, ...],
    standardisation: Standardisation,
    classes: tuple[LandCoverClass, ...],
    tile: int = 576,
    level: str = "any",
    half: bool = False,
    **facts: object,
) -> ModelFiles:
    """Write the weights and card of a per-pixel classifier into `folder`.

    Args:
        module: The network.
        name: Name in the registry.
        folder: Created if missing.
        title: One line for people.
        description: What it is.
        licence: SPDX expression or a sentence.
        bands: Sentinel-2 bands in input order.
        standardisation: Of the input.
        classes: Classes that it distinguishes, in the order of its logits.
        tile: Side of a tile in pixels, a multiple of 16; neighbours overlap by twice the receptive radius.
        level: Processing level it was trained on, or ``any``.
        half: Store the weights as float16, at half the size.
        facts: Further fields of `ModelCard`: standardisation_l1c, temperature, calibrated_on, training, metrics.
    """
    card = ModelCard(
        name=name,
        title=title,
        description=description,
        task="land-cover",
        architecture=PER_PIXEL,
        arguments=module.arguments,
        bands=bands,
        level=level,
        reflectance=None,
        radar=None,
        dates=1,
        tile=tile,
        overlap=2 * RADIUS,
        variance="",
        licence=licence,
        sha256=NO_DIGEST,
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        standardisation=standardisation,
        classes=classes,
        **facts,  # type: ignore[arg-type]
    )
    return save_model(module.state_dict(), card, folder, half=half)


def check_free(name: str, folder: Path, *, overwrite: bool) -> None:
    """Refuse the name of a model whose card or weights are there already, unless they may be replaced.

    Raises:
        ModelError: ``name-taken``.
    """
    taken = any(os.path.lexists(folder / f"{name}{suffix}") for suffix in (".json", ".safetensors"))
    if taken and not overwrite:
        raise ModelError(
            f"There is a model {name!r} already.", "Choose another name or pass --overwrite.", code="name-taken"
        )


def save_model(state: Mapping[str, Tensor], card: ModelCard, folder: Path, *, half: bool = False) -> ModelFiles:
    """Write the weights of a network and its card, which gets their checksum.

    Args:
        state: The tensors of the network.
        card: The card; its checksum is replaced.
        folder: Created if missing.
        half: Store the weights as float16, at half the size.

    Raises:
        ModelError: The card would not be valid; nothing is written.
    """
    fault = schema_fault(json.loads(json.dumps(card.to_item()))) or card_fault(card)
    if fault:
        raise ModelError(
            f"The model {card.name} cannot be written ({fault}).", "Correct the configuration.", code="bad-config"
        )
    weights = save_weights(state, card.name, folder, half=half)
    card = replace(card, sha256=file_sha256(weights))
    return ModelFiles(card, card.write(folder), bundled=False)


def save_weights(state: Mapping[str, Tensor], name: str, folder: Path, *, half: bool = False) -> Path:
    """Write the tensors of a network as safetensors, whole or not at all."""
    from safetensors.torch import save_file

    def stored(tensor: Tensor) -> Tensor:
        plain = tensor.detach().contiguous().cpu()
        return plain.half() if half and plain.is_floating_point() else plain

    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / f"{name}.safetensors"
    with draft(weights) as place:
        save_file({key: stored(value) for key, value in state.items()}, place)
        place.chmod(0o644)
    return weights
