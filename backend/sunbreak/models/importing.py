"""Making a registry model from a foreign checkpoint: verified weights, and a card that claims only what is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sunbreak.errors import ModelError
from sunbreak.models.card import ModelCard, Scaling
from sunbreak.models.registry import ModelFiles, check_name, file_sha256, user_folder

if TYPE_CHECKING:
    from sunbreak.models.uncrtaints import UnCRtainTS

NATIVE_BANDS = ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B10", "B11", "B12")
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
        config: `conf.json` of the training; one beside the checkpoint is found by itself.
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
    if (target / f"{name}.json").exists() and not overwrite:
        raise ModelError(
            f"There is a model {name!r} already.", "Choose another name or pass --overwrite.", code="name-taken"
        )
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
    )


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
        facts: Further fields of `ModelCard`: temperature, calibrated_on, training, metrics.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    weights, scratch = folder / f"{name}.safetensors", folder / f".sunbreak-{name}.safetensors"
    state = {key: value.detach().contiguous().cpu() for key, value in module.network.state_dict().items()}
    save_file(state, scratch)
    scratch.chmod(0o644)
    scratch.replace(weights)
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
        dates=3 if config.multi_temporal else 1,
        tile=tile,
        overlap=overlap,
        exact_tiling=False,
        variance=VARIANCE if config.has_variance else "",
        licence=licence,
        sha256=file_sha256(weights),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
        **facts,  # type: ignore[arg-type]
    )
    return ModelFiles(card, card.write(folder), bundled=False)
