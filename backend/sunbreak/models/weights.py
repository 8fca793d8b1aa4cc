"""The tensors of weights files and foreign checkpoints, which are not trusted, and their strict loading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from sunbreak.errors import InputError, ModelError
from sunbreak.json_files import read_json
from sunbreak.models.arguments import listed, naming
from sunbreak.models.card_common import MAX_PARAMETERS
from sunbreak.models.checkpoint_files import first_line, read_checkpoint
from sunbreak.regular_files import open_regular

_LENGTH_BYTES = 8
# 100 bytes a tensor; networks have some hundreds
_MAX_HEADER_BYTES = 4 * 2**20
_MAX_CONFIGURATION_BYTES = 2**20
_REAL = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE = (torch.uint8, torch.int16, torch.int32, torch.int64)

Network = TypeVar("Network", bound=nn.Module)


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file or of a checkpoint, those of UnCRtainTS in their current official names.

    Of a checkpoint with several networks it is the generator: the one from cloudy to clear, or the averaged ones.

    Raises:
        ModelError: The file is missing, damaged, holds code, or holds no tensors.
    """
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    content = read_checkpoint(path)
    return _tensors(content, path)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a `.safetensors` file.

    Raises:
        ModelError: The file is missing, damaged, or claims more than it holds.
    """
    from safetensors.torch import load_file

    try:
        _check_header(path)
        return load_file(path)
    except InputError as error:
        raise ModelError(error.message, "Give the path of a checkpoint.", code=error.code) from error
    except Exception as error:  # SafetensorError, and whatever torch raises for the shapes in a damaged header
        raise ModelError(
            f"{path}: is not a readable safetensors file ({first_line(error)}).",
            "Download it again.",
            code="bad-checkpoint",
        ) from error


def _check_header(path: Path) -> None:
    """Bound the header of a safetensors file before it is parsed.

    Raises:
        InputError: The path leads to no regular file.
        ValueError: The header is longer than the file or than any of a network.
    """
    with open_regular(path, "safetensors file") as file:
        start = file.read(_LENGTH_BYTES)
        length, size = int.from_bytes(start, "little"), file.seek(0, 2)
    if len(start) < _LENGTH_BYTES or length > min(size - _LENGTH_BYTES, _MAX_HEADER_BYTES):
        raise ValueError(f"a header of {length} bytes in a file of {size}")


def read_configuration(path: Path) -> dict[str, Any]:
    """The JSON object that lies beside a foreign checkpoint.

    Raises:
        ModelError: The file cannot be read or holds something else.
    """
    try:
        values = read_json(path, limit_bytes=_MAX_CONFIGURATION_BYTES)
    except InputError as error:
        raise ModelError(error.message, error.hint, code="bad-config") from error
    if not isinstance(values, dict):
        raise ModelError(f"{path}: is not a configuration (no JSON object).", "Give the right file.", code="bad-config")
    return values


def configuration_of(checkpoint: Path, given: str | Path | None = None) -> dict[str, Any] | None:
    """The configuration of a foreign checkpoint: the file that is given, or `conf.json` beside it; None without one.

    Raises:
        ModelError: As `read_configuration`.
    """
    beside = checkpoint.with_name("conf.json")
    source = Path(given) if given is not None else beside if beside.is_file() else None
    return None if source is None else read_configuration(source)


def build_for(
    make: Callable[[], Network],
    state: Mapping[str, Tensor],
    weights: Path,
    *,
    arguments: Path | None = None,
    part: Callable[[Network], nn.Module] = lambda network: network,
) -> Network:
    """Build a network for weights, if they fit it. It takes no memory before that is known.

    Args:
        make: Builds it, with the memory that its arguments ask for.
        state: Its weights.
        weights: Where they are from, for messages.
        arguments: Where the arguments are from, if that is another file.
        part: The part of the network that the weights are for.

    Raises:
        ModelError: The arguments are not possible or ask for too many weights (``bad-config``), or tensors are missing,
            left over, or of another shape or type (``weights-mismatch``).
    """
    try:
        with naming(arguments or weights), torch.device("meta"):  # shapes without numbers
            outline = make()
        count = sum(parameter.numel() for parameter in outline.parameters())
        if count > MAX_PARAMETERS:
            raise ValueError(f"{count:,} weights, of {MAX_PARAMETERS:,} at most")
    except ModelError:
        raise
    except Exception as error:  # torch raises whatever impossible arguments lead to
        raise ModelError(
            f"{arguments or weights}: no network can be built from these arguments ({first_line(error)}).",
            "Correct the card or the configuration.",
            code="bad-config",
        ) from error
    _check_fit(part(outline), state, weights)
    return make()


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    """Load every tensor or none.

    Raises:
        ModelError: Tensors are missing, left over, of another shape or type, or hold values that are not finite; the
            message names them.
    """
    _check_fit(module, state, source)
    module.load_state_dict(dict(state), strict=True)
    damaged = sorted(name for name, value in module.state_dict().items() if not bool(torch.isfinite(value).all()))
    if damaged:
        raise ModelError(
            f"{source}: the weights hold values that are not finite ({listed(damaged)}).",
            "The network was damaged in its training or afterwards: use another one.",
            code="bad-weights",
        )


def _check_fit(module: nn.Module, state: Mapping[str, Tensor], source: Path) -> None:
    wanted = module.state_dict()
    missing = sorted(set(wanted) - set(state))
    extra = sorted(set(state) - set(wanted))
    both = sorted(set(wanted) & set(state))
    shapes = [
        f"{name} is {tuple(state[name].shape)} and should be {tuple(wanted[name].shape)}"
        for name in both
        if state[name].shape != wanted[name].shape
    ]
    types = [
        f"{name} is {str(state[name].dtype).removeprefix('torch.')}"
        for name in both
        if state[name].dtype not in (_REAL if wanted[name].is_floating_point() else _WHOLE)
    ]
    problems = [
        f"{what}: {listed(names)}"
        for what, names in (("missing", missing), ("unexpected", extra), ("shape", shapes), ("type", types))
        if names
    ]
    if problems:
        raise ModelError(
            f"{source}: the weights do not fit the configuration ({'; '.join(problems)}).",
            "Give the configuration that the checkpoint was trained with.",
            code="weights-mismatch",
        )


def _tensors(content: Any, path: Path) -> dict[str, Tensor]:
    if isinstance(content, Mapping):
        for key in ("state_dict_G", "model_state_dict", "state_dict", "netG_A_B", "average"):
            if isinstance(content.get(key), Mapping):
                content = content[key]
                break
    if not isinstance(content, Mapping) or not content:
        raise ModelError(f"{path}: holds no weights.", "Give a checkpoint with a state_dict.", code="bad-checkpoint")
    if not all(isinstance(name, str) for name in content):
        raise ModelError(
            f"{path}: its tensors have no names.", "Give a checkpoint with a state_dict.", code="bad-checkpoint"
        )
    strays = [name for name, value in content.items() if not isinstance(value, Tensor)]
    if strays:
        raise ModelError(
            f"{path}: {listed(sorted(strays))} are not tensors, so this is not a table of weights.",
            "Give a checkpoint with a state_dict.",
            code="bad-checkpoint",
        )
    return {_current_name(name): value for name, value in content.items()}


def _current_name(name: str) -> str:
    """Drop the wrapper's prefix and map the older block names (`in_block1`, `out_block5`) to lists."""
    name = name.removeprefix("netG.")
    return re.sub(r"^(in_block|out_block)(\d{1,6})\.", lambda m: f"{m[1]}.{int(m[2]) - 1}.", name)
