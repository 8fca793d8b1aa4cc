"""Makes a registry model from a foreign classifier: SEN12MS toolbox, torchgeo, torchvision or timm.

A checkpoint holds weights only. A configuration describes its input and the meaning of its outputs. Without one, the
conventions of SEN12MS are assumed where the shapes allow no other, and the card says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak.errors import ModelError
from sunbreak.models import legends
from sunbreak.models.arguments import listed
from sunbreak.models.card_landcover import LandCoverClass, Standardisation
from sunbreak.models.importing import NATIVE_BANDS, check_free, save_classifier
from sunbreak.models.registry import ModelFiles, check_name, user_folder

if TYPE_CHECKING:
    from torch import Tensor

_GREY = "#808080"


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(type(number) in (int, float) for number in value)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "bands": lambda value: isinstance(value, list) and all(isinstance(name, str) for name in value),
    "classes": lambda value: isinstance(value, list),
    "mean": _is_numbers,
    "std": _is_numbers,
    "tile": lambda value: type(value) is int and value > 0,
    "level": lambda value: value in ("L1C", "L2A"),
    "multi_label": lambda value: type(value) is bool,
    "depth": lambda value: type(value) is int and value in (18, 50),
}


@dataclass(frozen=True)
class _Input:
    """Input and output of a classifier."""

    bands: tuple[str, ...]
    standardisation: Standardisation
    classes: tuple[LandCoverClass, ...]
    assumed: tuple[str, ...]


def is_classifier(state: Mapping[str, Tensor]) -> bool:
    """Whether the tensors look like a ResNet's."""
    from sunbreak.models.resnet import common_names

    return "conv1.weight" in common_names(state)


def import_classifier(
    checkpoint: Path,
    name: str,
    *,
    config: Path | None = None,
    title: str | None = None,
    licence: str | None = None,
    folder: Path | None = None,
    overwrite: bool = False,
) -> ModelFiles:
    """Import a ResNet-18 or ResNet-50 classifier.

    Args:
        checkpoint: A checkpoint in one of the known namings, or safetensors.
        name: Name in the registry.
        config: JSON with any of `bands`, `classes` (names, or objects with name and colour), `mean`, `std` (per input
            channel, DN and dB), `tile`, `level`, `multi_label`, `depth`.
        title: One line for people.
        licence: Licence of the weights, as far as known.
        folder: Where to put it; the user's models otherwise.
        overwrite: Replace a model of that name.

    Raises:
        ModelError: The checkpoint or the configuration cannot be verified, or the name is taken.
    """
    from sunbreak.models.resnet import common_names, load_resnet
    from sunbreak.models.weights import read_state_dict

    check_name(name)
    target = folder or user_folder()
    check_free(name, target, overwrite=overwrite)
    state = common_names(read_state_dict(checkpoint))
    given = _read(config) if config is not None else {}
    first, head = state.get("conv1.weight"), state.get("fc.weight")
    if first is None or first.ndim != 4 or "layer4.0.conv1.weight" not in state:
        raise ModelError(f"{checkpoint}: is no ResNet (no conv1 or layer4).", code="bad-checkpoint")
    if head is None or head.ndim != 2:
        raise ModelError(
            f"{checkpoint}: is a backbone without a classification head (no fc.weight).",
            "Import a classifier that was trained to the end.",
            code="no-head",
        )
    depth: Any = given.get("depth", 50 if "layer1.0.conv3.weight" in state else 18)
    taken = _input(given, int(first.shape[1]), int(head.shape[0]), checkpoint)
    module = load_resnet(state, depth, int(first.shape[1]), len(taken.classes), checkpoint)
    return save_classifier(
        module,
        name,
        target,
        title=title or f"ResNet-{depth} from {checkpoint.name}",
        description=f"Imported from {checkpoint.name}. Its figures and its calibration are not known here.",
        licence=licence or "unknown: ask the authors of the weights",
        bands=tuple(band for band in taken.bands if band not in ("VV", "VH")),
        standardisation=taken.standardisation,
        classes=taken.classes,
        depth=depth,
        tile=given.get("tile", 224),
        multi_label=given.get("multi_label", False),
        level=given.get("level", "L1C"),
        training={"assumed": list(taken.assumed)} if taken.assumed else {},
    )


def _input(given: Mapping[str, Any], channels: int, outputs: int, source: Path) -> _Input:
    """The configured values, and the conventions of SEN12MS for the others where they fit.

    Raises:
        ModelError: A value is neither configured nor clear from the shapes.
    """
    assumed = []
    bands = tuple(given["bands"]) if "bands" in given else {10: legends.TEN_BANDS, 13: NATIVE_BANDS}.get(channels, ())
    if "bands" not in given and bands:
        assumed.append(f"The {channels} input bands are taken to be {', '.join(bands)}.")
    if len(bands) != channels:
        raise ModelError(
            f"{source}: takes {channels} channels, and {len(bands) or 'no'} bands are named.",
            'Name them in --config: {"bands": ["B02", ...]}, VV and VH first.',
            code="bad-config",
        )
    radar = [band for band in bands if band in ("VV", "VH")]
    unknown = [band for band in bands if band not in (*NATIVE_BANDS, "VV", "VH")]
    if unknown or (radar and bands[:2] != ("VV", "VH")):
        raise ModelError(
            f"{source}: {listed(unknown) or 'radar'} cannot be used as named.",
            "Bands are B01 to B12 and B8A; VV and VH come first, together.",
            code="bad-config",
        )
    if "mean" in given or "std" in given:
        standard = Standardisation(tuple(given.get("mean", ())), tuple(given.get("std", ())))
        if not len(standard.mean) == len(standard.deviation) == channels or not all(
            value > 0 for value in standard.deviation
        ):
            raise ModelError(
                f"{source}: mean and std must each have {channels} numbers, std above 0.", code="bad-config"
            )
    else:
        statistics = dict(zip(NATIVE_BANDS, zip(*_parts(legends.SEN12MS_13), strict=True), strict=True))
        statistics |= (
            dict(zip(legends.TEN_BANDS, zip(*_parts(legends.SEN12MS_10), strict=True), strict=True))
            if (channels - len(radar) == len(legends.TEN_BANDS))
            else {}
        )
        statistics |= dict(zip(("VV", "VH"), zip(*_parts(legends.SEN12MS_RADAR), strict=True), strict=True))
        mean, deviation = zip(*(statistics[band] for band in bands), strict=True)
        standard = Standardisation(mean, deviation)
        assumed.append("The input is taken to be standardised with the statistics of SEN12MS, in DN and dB.")
    if "classes" in given:
        classes = tuple(_class(entry, source) for entry in given["classes"])
    elif outputs == len(legends.SIMPLIFIED_IGBP):
        classes = legends.SIMPLIFIED_IGBP
        assumed.append("The ten classes are taken to be those of simplified IGBP.")
    else:
        classes = ()
    if len(classes) != outputs:
        raise ModelError(
            f"{source}: distinguishes {outputs} classes, and {len(classes) or 'none'} are named.",
            'Name them in --config: {"classes": ["Forest", ...]}.',
            code="no-classes",
        )
    return _Input(bands, standard, classes, tuple(assumed))


def _parts(standard: Standardisation) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return standard.mean, standard.deviation


def _class(entry: Any, source: Path) -> LandCoverClass:
    if isinstance(entry, str):
        known = {kind.name: kind.colour for kind in legends.SIMPLIFIED_IGBP}
        return LandCoverClass(entry, known.get(entry, _GREY))
    if isinstance(entry, dict) and isinstance(entry.get("name"), str):
        return LandCoverClass(entry["name"], str(entry.get("colour", _GREY)))
    raise ModelError(
        f"{source}: {ascii(entry)[:60]} is no class.", "Give names, or objects with name and colour.", code="bad-config"
    )


def _read(path: Path) -> dict[str, Any]:
    """A configuration of the right keys and types; ranges are checked with the card.

    Raises:
        ModelError: It is none.
    """
    from sunbreak.models.weights import read_configuration

    content = read_configuration(path)
    unknown = sorted(set(content) - set(_CHECKS))
    if unknown:
        raise ModelError(
            f"{path}: is no classifier configuration ({listed(unknown)}).",
            f"It may hold {', '.join(sorted(_CHECKS))}.",
            code="bad-config",
        )
    wrong = [key for key in sorted(content) if not _CHECKS[key](content[key])]
    if wrong:
        raise ModelError(
            f"{path}: {wrong[0]} cannot be {ascii(content[wrong[0]])[:60]}.",
            "bands and classes are lists, mean and std lists of numbers, level L1C or L2A, multi_label true or false, "
            "depth 18 or 50, tile a whole number.",
            code="bad-config",
        )
    return content
