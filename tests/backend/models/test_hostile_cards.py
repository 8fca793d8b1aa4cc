"""A card that is wrong anywhere is refused in one line that names it, or harmless: it never fails inside, hangs or asks for much memory."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from sunbreak.engine.runtime import make_runtime
from sunbreak.errors import ModelError
from sunbreak.models.augcyclegan import DirectionConfig, Generator
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.importing_augcyclegan import save_augcyclegan
from sunbreak.models.registry import find_model
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig

WRONG: list[Any] = [None, True, "x", "\x1b[31m", 0, -1e30, 64.0, 10**9, float("nan"), ["x"], {}]
FACTS = {"title": "t", "description": "d", "licence": "CC0-1.0", "tile": 64, "overlap": 16}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of a card's fields and of the objects that hold them; of a list the first entry."""
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, held in items:
        yield from leaves(held, (*path, key))


def with_value(item: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(item)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


@pytest.fixture(scope="module")
def models(small_model, small_classifier, tmp_path_factory):
    """One model of each kind: the paths of their cards, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("kinds")
    torch.manual_seed(1)
    guided = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=tuple(0.1 + 0.01 * band for band in range(13)))
    several = UnCRtainTSConfig(width=16, depth=1, multi_temporal=True, model_width=64)
    generator = Generator(DirectionConfig(2, 2, conditioning=2, latent=2, generator_width=4, spectral_norm=False))
    made = {
        "guided": save_uncrtaints(UnCRtainTS(guided).eval(), "guided", folder / "a", **FACTS),
        "several": save_uncrtaints(UnCRtainTS(several).eval(), "several", folder / "b", dates=2, **FACTS),
        "translation": save_augcyclegan(
            generator, "translation", folder / "c", bands=["B02", "B03"], conditioning=["VV", "VH"], samples=2, **FACTS
        ),
    }
    return {"plain": small_model, "classifier": small_classifier, **made}


def refusal(item: object, files, folder) -> str:
    """What is said about a card, or nothing where the model runs as well with it."""
    card = folder / files.path.name
    card.write_text(item if isinstance(item, str) else json.dumps(item), encoding="utf-8")
    try:
        # `auto` and `openvino` load the network by the same function
        runtime = make_runtime(find_model(str(card)), "cpu", "torch")
        side, channels = find_model(str(card)).card.tile, runtime._module.network.channels
        x = {"x": np.full((1, channels, side, side), 0.5, np.float32)}
        if find_model(str(card)).card.dates > 1:
            x["days"] = np.full((1, find_model(str(card)).card.dates), 1000, np.float32)
        runtime.submit(x)
        runtime.collect()
        return ""
    except ModelError as error:
        refused = error
    assert str(refused).startswith(str(folder)), str(refused)
    assert str(refused).isprintable() and len(str(refused)) < 700
    assert refused.hint
    return refused.message


@pytest.mark.parametrize("kind", ["plain", "guided", "several", "translation", "classifier"])
def test_any_value_in_any_field_is_refused_by_name_or_harmless(models, kind, tmp_path):
    files = models[kind]
    shutil.copy(files.weights, tmp_path)
    item = files.card.to_item()
    assert refusal(item, files, tmp_path) == ""
    tried = refused = 0
    for path in leaves(item):
        if path[-1] in ("sunbreak:training", "sunbreak:metrics") or path[1:2] in (("mlm:input",), ("mlm:output",)):
            continue
        for value in WRONG:
            tried += 1
            began = time.monotonic()
            refused += bool(refusal(with_value(item, path, value), files, tmp_path))
            assert time.monotonic() - began < 5, (path, value)
    assert refused > tried / 2


# what the issue names, and its siblings
ARGUMENTS = {
    "width": [0, -1, "x", 10**7, 15, 16.0, True, None, [16], 1028],
    "depth": [0, -1, 10**4, 10**9, "1", 1.0, True, None],
    "heads": [0, -16, 3, 10**6, "16"],
    "key_width": [0, 10**9, None],
    "model_width": [0, 10**9, 100],
    "outputs": [0, 12, 15, 27, 10**9, "26", 26.0],
    "covmode": ["iso", "full", 1, None],
    "scale_by": [0, -10, 1e30, "10", None, True, float("nan"), float("inf")],
    "encoder_norm": ["layer", "instance", 0, None],
    "decoder_norm": ["layer", {}, None],
    "padding_mode": ["nonsense", "", 0, None, "REFLECT"],
    "guided": ["yes", "false", 1, 0, None],
    "multi_temporal": ["no", 0, 1],
    "positions": ["no", 1, None],
    "use_sar": ["no", 0, 1, None],
    "prior": [None, [0.1] * 12, ["a"] * 13, [float("nan")] * 13, {"spectrum": [1] * 12}, {"spectrum": None}, 5, "x", [[1]] * 13],
    "groups": [4],
}  # fmt: skip


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_of_the_wrong_type_or_size_is_refused(models, name, tmp_path):
    files = models["several"] if name in ("heads", "key_width", "model_width", "positions") else models["guided"]
    shutil.copy(files.weights, tmp_path)
    for value in ARGUMENTS[name]:
        began = time.monotonic()
        changed = with_value(files.card.to_item(), ("properties", "sunbreak:arguments", name), value)
        assert refusal(changed, files, tmp_path), value
        assert time.monotonic() - began < 2, value


@pytest.mark.parametrize(
    ("kind", "field", "values"),
    [
        ("plain", "sunbreak:tile", [0, 1, -64, 10**9, 64.0, "64", True, None, 1025]),
        ("plain", "sunbreak:overlap", [64, 65, 63, 10**9, -1, 1.5, None]),
        ("classifier", "sunbreak:tile", [0, 1, 10**9, None]),
        ("classifier", "sunbreak:overlap", [64, 63, 10**9]),
        ("plain", "sunbreak:dates", [0, 2, 10**9, 1.0, True]),
        ("several", "sunbreak:dates", [1, 33, 10**9]),
        ("plain", "sunbreak:bands", [[], ["B02"], ["B14"] * 13, None, [*(f"B{n:02}" for n in range(1, 14))]]),
        ("plain", "sunbreak:tolerance", [0, -1, float("nan"), float("inf"), 2, "x", True]),
        ("plain", "sunbreak:reflectance", [None, {"low": 1, "high": 1}, {"low": 0}, {"low": 0, "high": float("inf")}]),
        ("plain", "sunbreak:radar", [None, {"low": 0, "high": -25}, {"low": -25, "high": "0"}]),
        ("plain", "mlm:total_parameters", [0, -1, 10**30, "x", True]),
        ("plain", "mlm:architecture", ["resnet", "AugCycleGAN", "", None, 1]),
        ("plain", "sunbreak:training", [None, [], {"recipe": 1}, {"recipe": {"no_radar": "x"}}, {"assumed": 5}]),
        ("plain", "sunbreak:metrics", [None, {}, [1], [{"data": "d", "figures": {"a": float("nan")}}]]),
        ("plain", "title", ["", "two\nlines", "\x1b[2J", 5, None, "x" * 1000]),
        ("classifier", "sunbreak:multi_label", [1, 0, "true", None]),
        ("classifier", "sunbreak:arguments", [{}, {"depth": 34}, {"depth": 18.0}, {"depth": 18, "width": 10**7}, {"depth": True}]),
        ("classifier", "sunbreak:threshold", [{"rule": "fixed", "value": 2}, {"rule": "x", "value": 0.5}, {"rule": "fixed"}]),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_type_or_size_is_refused(models, kind, field, values, tmp_path):
    shutil.copy(models[kind].weights, tmp_path)
    for value in values:
        changed = with_value(models[kind].card.to_item(), ("properties", field), value)
        assert refusal(changed, models[kind], tmp_path), value


def test_temperatures_that_do_not_fit_are_refused(models, tmp_path):
    shutil.copy(models["classifier"].weights, tmp_path)
    for value in ([0], [-1.0], [float("nan")], [1e30], [1e-30], [1.0, 1.0], ["1"], [None], 1.5, None):
        changed = with_value(
            models["classifier"].card.to_item(), ("properties", "sunbreak:variance", "temperature"), value
        )
        assert refusal(changed, models["classifier"], tmp_path), value


def test_classes_that_cannot_be_told_apart_are_refused(models, tmp_path):
    shutil.copy(models["classifier"].weights, tmp_path)
    item = models["classifier"].card.to_item()
    for name in ("Forest", "FOREST", "forest!", "!!!", "", "a" * 1000, "x\ny"):
        changed = with_value(item, ("properties", "sunbreak:classes", 3, "name"), name)
        assert refusal(changed, models["classifier"], tmp_path), name
    for colour in ("red", "#12345", "#1234567", "#ffffff\n", 0, None):
        changed = with_value(item, ("properties", "sunbreak:classes", 3, "colour"), colour)
        assert refusal(changed, models["classifier"], tmp_path), colour


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000, '{"a":' * 100_000, "[" * 100_000 + "]" * 100_000, "", "null", "[]", '"x"', "1" + "0" * 400, "NaN",
        '{"id": ' + "1" * 5000 + "}", "{" + " " * 2**19 + "}", '{"id": "\\ud800"}',
    ],
    ids=range(12),
)  # fmt: skip
def test_json_that_is_no_card_is_refused(models, text, tmp_path):
    began = time.monotonic()
    assert refusal(text, models["plain"], tmp_path)
    assert time.monotonic() - began < 2


def test_a_card_of_half_the_layout_is_refused(models, tmp_path):
    item = models["plain"].card.to_item()
    for path in leaves(item):
        if path[0] in ("properties", "assets", "id") and path[1:2] not in (("mlm:input",), ("mlm:output",)):
            changed = copy.deepcopy(item)
            place = changed
            for key in path[:-1]:
                place = place[key]
            del place[path[-1]]
            refusal(changed, models["plain"], tmp_path)  # asserts the form of the message
