"""A registry model from an Augmented CycleGAN's generator, cloudy to clear: one just trained, or one from a checkpoint.

Only the generator is stored: cleaning a scene needs nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sunbreak.errors import ModelError
from sunbreak.models.arguments import listed
from sunbreak.models.card import ModelCard
from sunbreak.models.card_removal import Scaling
from sunbreak.models.importing import NATIVE_BANDS, NO_DIGEST, check_free, save_model
from sunbreak.models.registry import ModelFiles, check_name, user_folder

if TYPE_CHECKING:
    from torch import Tensor

    from sunbreak.models.augcyclegan import Generator

RADAR_BANDS = ("VV", "VH")
DEFAULT_TILE, DEFAULT_OVERLAP, DEFAULT_SAMPLES = 256, 128, 8
_SMALLEST = 32
_BY_COUNT = {13: NATIVE_BANDS, 12: tuple(band for band in NATIVE_BANDS if band != "B10")}
_KEYS = {"bands", "conditioning", "reflectance", "radar", "level", "tile", "overlap", "samples", "seed"}
_FIRST, _LAST, _LATENT = "model.1.weight", "model.19.weight", "model.2.shift_conv.0.weight"


def save_augcyclegan(
    generator: Generator,
    name: str,
    folder: Path,
    *,
    title: str,
    description: str,
    licence: str,
    bands: Sequence[str],
    conditioning: Sequence[str] = (),
    reflectance: Scaling | None = None,
    radar: Scaling | None = None,
    level: str = "L2A",
    samples: int = DEFAULT_SAMPLES,
    seed: int = 1,
    tile: int = DEFAULT_TILE,
    overlap: int = DEFAULT_OVERLAP,
    **facts: object,
) -> ModelFiles:
    """Write the weights and the card of a generator from cloudy to clear into `folder`.

    Args:
        generator: From cloudy to clear: the moving average, or a direction's own (its spectral normalisation is
            applied).
        name: Name in the registry.
        folder: Created if missing.
        title: One line for people.
        description: What it is.
        licence: SPDX expression or a sentence.
        bands: Sentinel-2 bands of the images, in their order; they are the output.
        conditioning: What the conditioning channels are, in their order: bands (of the image or others), ``VV``,
            ``VH``.
        reflectance: Which reflectance -1 and 1 stand for, in images and conditioning; 0 and 1 if not given.
        radar: Which backscatter in dB -1 and 1 stand for; -25 and 0 if not given.
        level: Processing level it was trained on.
        samples: Latent vectors that an image is translated with.
        seed: Seed of the latent vectors.
        tile: Side of the tiles it is run on, even.
        overlap: Pixels shared by neighbouring tiles.
        facts: Further fields of `ModelCard`: temperature, calibrated_on, training, metrics, tolerance.

    Raises:
        ModelError: Bands, conditioning, samples or tile do not fit the generator.
    """
    from sunbreak.models.augcyclegan import plain_state

    config = generator.config
    _check_channels(config.source_bands, config.target_bands, config.conditioning, bands, conditioning)
    if not config.latent:
        samples = 1
    if samples < (2 if config.latent else 1):
        raise ModelError(f"{samples} sample(s) have no spread.", "Take at least 2.", code="bad-config")
    if tile < _SMALLEST or tile % 2:
        raise ModelError(
            f"The generator takes tiles of an even side of at least {_SMALLEST} pixels, not {tile}.", code="bad-config"
        )
    optical = [band for band in conditioning if band not in RADAR_BANDS and band not in bands]
    card = ModelCard(
        name=name,
        title=title,
        description=description,
        task="cloud-removal",
        architecture="AugCycleGAN",
        arguments={
            "image": list(bands),
            "conditioning": list(conditioning),
            "latent": config.latent,
            "generator_width": config.generator_width,
            "samples": samples,
            "seed": seed,
        },
        bands=(*bands, *optical),
        level=level,
        reflectance=reflectance or Scaling(0.0, 1.0),
        radar=(radar or Scaling(-25.0, 0.0)) if set(conditioning) & set(RADAR_BANDS) else None,
        dates=1,
        tile=tile,
        overlap=overlap,
        variance=_semantics(samples) if samples > 1 else "",
        licence=licence,
        sha256=NO_DIGEST,
        parameters=sum(parameter.numel() for parameter in generator.parameters()),
        **facts,  # type: ignore[arg-type]
    )
    return save_model(plain_state(generator), card, folder)


def import_augcyclegan(
    checkpoint: Path,
    name: str,
    *,
    config: Path | None = None,
    title: str | None = None,
    licence: str | None = None,
    folder: Path | None = None,
    overwrite: bool = False,
) -> ModelFiles:
    """Import a generator from cloudy to clear.

    Args:
        checkpoint: The public implementation's checkpoint (``netG_A_B``), the state of a training of ours (its averaged
            generator is taken), or safetensors of one generator.
        name: Name in the registry.
        config: JSON with any of `bands`, `conditioning`, `reflectance` and `radar` ([low, high]), `level`, `tile`,
            `overlap`, `samples`, `seed`, as in `save_augcyclegan`.
        title: One line for people.
        licence: Licence of the weights, as far as known.
        folder: Where to put it; the user's models otherwise.
        overwrite: Replace a model of that name.

    Raises:
        ModelError: The checkpoint or the configuration cannot be verified, or the name is taken.
    """
    from sunbreak.models.augcyclegan import DirectionConfig, Generator
    from sunbreak.models.weights import build_for, load_strictly, read_state_dict

    check_name(name)
    target = folder or user_folder()
    check_free(name, target, overwrite=overwrite)
    state = generator_state(read_state_dict(checkpoint), checkpoint)
    latent = state.get(_LATENT)
    if not all(tensor is not None and tensor.ndim == 4 for tensor in (state.get(_FIRST), state.get(_LAST))) or (
        latent is not None and latent.ndim != 4
    ):
        raise ModelError(f"{checkpoint}: is no generator of an Augmented CycleGAN.", code="bad-checkpoint")
    given = _read(config) if config is not None else {}
    taken, made = int(state[_FIRST].shape[1]), int(state[_LAST].shape[0])
    bands, conditioning, assumed = _input(given, taken, made, checkpoint)

    def make() -> Generator:
        return Generator(
            DirectionConfig(
                made,
                made,
                conditioning=taken - made,
                latent=0 if latent is None else int(latent.shape[1]),
                generator_width=int(state[_FIRST].shape[0]),
                spectral_norm=False,
            )
        )

    module = build_for(make, state, checkpoint)
    load_strictly(module, state, checkpoint)
    options: dict[str, Any] = {
        key: given[key] for key in ("level", "tile", "overlap", "samples", "seed") if key in given
    }
    options.setdefault("overlap", min(DEFAULT_OVERLAP, options.get("tile", DEFAULT_TILE) // 2))
    options |= {key: Scaling(*given[key]) for key in ("reflectance", "radar") if key in given}
    return save_augcyclegan(
        module,
        name,
        target,
        title=title or f"Augmented CycleGAN from {checkpoint.name}",
        description=f"Imported from {checkpoint.name}. Its figures and its calibration are not known here.",
        licence=licence or "unknown: ask the authors of the weights",
        bands=bands,
        conditioning=conditioning,
        training={"assumed": list(assumed)} if assumed else {},
        **options,
    )


def is_augcyclegan(state: Mapping[str, Tensor]) -> bool:
    """Whether the tensors look like a generator's, or like a pair of them."""
    return _FIRST in state or f"to_clear.{_FIRST}" in state


def generator_state(state: Mapping[str, Tensor], source: Path) -> dict[str, Tensor]:
    """The tensors of the generator to clear, each under one name."""
    from sunbreak.models.augcyclegan.official import single_names

    own = "to_clear."
    if f"{own}{_FIRST}" in state:
        return {name.removeprefix(own): value for name, value in state.items() if name.startswith(own)}
    return single_names(state, source)


def _semantics(samples: int) -> str:
    return (
        f"Spread of {samples} latent samples: their variance per band and pixel, in squared reflectance. It says how "
        "far the possible images differ from each other, not how far they are from the truth."
    )


def _check_channels(source: int, target: int, conditioning: int, bands: Sequence[str], names: Sequence[str]) -> None:
    said = ""
    if (source, target) != (len(bands), len(bands)):
        said = f"it translates {source} bands to {target}, and {len(bands)} are named"
    elif conditioning != len(names):
        said = f"it has {conditioning} conditioning bands, and {len(names)} are named"
    unknown = [band for band in bands if band not in NATIVE_BANDS]
    unknown += [band for band in names if band not in (*NATIVE_BANDS, *RADAR_BANDS)]
    if unknown:
        said = f"there is no band {', '.join(unknown)}"
    elif len(set(bands)) < len(bands) or len(set(names)) < len(names):
        said = "a band is named twice"
    if said:
        raise ModelError(
            f"The bands do not fit the generator: {said}.",
            "Bands are B01 to B12 and B8A; conditioning may also be VV and VH.",
            code="bad-config",
        )


def _input(
    given: Mapping[str, Any], taken: int, made: int, source: Path
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Bands, conditioning, and what was assumed about them.

    Raises:
        ModelError: They are neither in the configuration nor clear from the shapes.
    """
    assumed = []
    bands = tuple(given["bands"]) if "bands" in given else _BY_COUNT.get(made, ())
    conditioning = tuple(given.get("conditioning", ()))
    if len(bands) != made or len(conditioning) != taken - made:
        raise ModelError(
            f"{source}: makes {made} bands with {taken - made} for conditioning; {len(bands) or 'no'} and "
            f"{len(conditioning) or 'none'} are named.",
            'Name them in --config: {"bands": ["B02", ...], "conditioning": ["B11", "VV", ...]}.',
            code="bad-config",
        )
    if "bands" not in given:
        assumed.append(f"The {made} bands are taken to be {', '.join(bands)}.")
    if "reflectance" not in given:
        assumed.append("-1 and 1 are taken to be reflectance 0 and 1.")
    if "level" not in given:
        assumed.append("The level is taken to be L2A.")
    return bands, conditioning, assumed


def _read(path: Path) -> dict[str, Any]:
    """A configuration of the right keys and types.

    Raises:
        ModelError: It is none.
    """
    from sunbreak.models.weights import read_configuration

    content = read_configuration(path)
    unknown = sorted(set(content) - _KEYS)
    if unknown:
        raise ModelError(
            f"{path}: is no configuration of an Augmented CycleGAN ({listed(unknown)}).",
            f"It may hold {', '.join(sorted(_KEYS))}.",
            code="bad-config",
        )
    checks: dict[str, Callable[[Any], bool]] = {
        **dict.fromkeys(("bands", "conditioning"), _is_names),
        **dict.fromkeys(("reflectance", "radar"), _is_range),
        **dict.fromkeys(("tile", "overlap", "samples", "seed"), lambda value: type(value) is int and value >= 0),
        "level": lambda value: value in ("L1C", "L2A"),
    }
    wrong = [key for key in sorted(content) if not checks[key](content[key])]
    if wrong:
        raise ModelError(
            f"{path}: {wrong[0]} cannot be {ascii(content[wrong[0]])[:60]}.",
            "bands and conditioning are lists of names, reflectance and radar [low, high], level L1C or L2A, the rest "
            "whole numbers.",
            code="bad-config",
        )
    return content


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_range(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in value)
        and value[0] < value[1]
    )
