"""Model cards, weights and checkpoints of others: nothing in them runs, blocks, or passes for another model."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from bad_input_frame import Place, Row, run_here
from safetensors.torch import load_file, save_file


class Code:
    """Writes a file when it is unpickled without care."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return (Path.touch, (self.marker,))


def card(change: Callable[[dict], object], *, name: str = "small", text: str | None = None, verify: bool = False):
    """A model with a changed card: verified, or used."""

    def make(place: Place) -> list:
        path = place.copied_models() / f"{name}.json"
        item = json.loads(path.read_text())
        change(item)
        path.write_text(text or json.dumps(item))
        if verify:
            return ["models", "verify", path]
        return place.clean(model=path) if name == "small" else place.classify(model=path)

    return make


def argument(name: str, value: object, *, verify: bool = False):
    def change(item: dict) -> None:
        item["properties"]["sunbreak:arguments"][name] = value

    return card(change, verify=verify)


def field(name: str, value: object, *, model: str = "small", verify: bool = False):
    def change(item: dict) -> None:
        item["properties"][f"sunbreak:{name}"] = value

    return card(change, name=model, verify=verify)


def keep(item: dict) -> None:
    pass


def weights(change: Callable[[dict], dict], *more: object, name: str = "small", checked: bool = True, out: bool = True):
    """A model with changed tensors, whose card has their checksum."""

    def make(place: Place) -> list:
        folder = place.copied_models()
        path = folder / f"{name}.safetensors"
        save_file(change(load_file(path)), path)
        if checked:
            sign(folder / f"{name}.json")
        return place.clean(*more, model=path) if name == "small" else place.classify(*more, model=path)

    return make


def sign(path: Path) -> None:
    item = json.loads(path.read_text())
    digest = hashlib.sha256(path.with_suffix(".safetensors").read_bytes()).hexdigest()
    item["assets"]["weights"]["sunbreak:sha256"] = f"sha256:{digest}"
    path.write_text(json.dumps(item))


def last(value: float, half: slice = slice(None)):
    """Set the bias of the last layer, or of its half for the variance."""

    def change(state: dict) -> dict:
        name = next(key for key in state if key.startswith("out_conv") and key.endswith("bias"))
        state[name][half] = value
        return state

    return change


def last_of_classifier(value: float):
    def change(state: dict) -> dict:
        state["fc.bias"][:] = value
        return state

    return change


def other_shape(state: dict) -> dict:
    return {name: value if value.ndim != 4 else value[:1].clone() for name, value in state.items()}


def raw_weights(content: Callable[[bytes], bytes]):
    def make(place: Place) -> list:
        folder = place.copied_models()
        path = folder / "small.safetensors"
        path.write_bytes(content(path.read_bytes()))
        sign(folder / "small.json")
        return place.clean(model=path)

    return make


def checkpoint(write: Callable[[Path, Place], object], name: str = "model.pth", *more: object):
    def make(place: Place) -> list:
        path = place.folder / name
        write(path, place)
        return ["models", "import", path, "--name", "x", *more]

    return make


def with_code(path: Path, place: Place) -> None:
    torch.save({"state_dict": Code(place.folder / "it-ran")}, path)


def plain_pickle_with_code(path: Path, place: Place) -> None:
    path.write_bytes(pickle.dumps({"state_dict": Code(place.folder / "it-ran")}))


def bytes_of(content: bytes):
    return lambda path, place: path.write_bytes(content)


def packed(path: Path, place: Place) -> None:
    """300 MB of zeros in 300 kB."""
    torch.save({"state_dict": {"w": torch.zeros(4)}}, path)
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, bytes(300 * 2**20) if name.endswith("data/0") else content)


def huge_claim(path: Path, place: Place) -> None:
    """A tensor whose strides repeat one number a thousand million times."""
    torch.save({"state_dict": {"w": torch.zeros(1).expand(1_000_000_000)}}, path)


def pickled(change: Callable[[bytes], bytes]):
    """A checkpoint with a changed pickle and correct checksums of the zip file."""

    def write(path: Path, place: Place) -> None:
        torch.save({"state_dict": {"w": torch.zeros(4)}}, path)
        with zipfile.ZipFile(path) as archive:
            members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, change(content) if name.endswith("data.pkl") else content)

    return write


def saved(content: object):
    return lambda path, place: torch.save(content, path)


def configured(conf: object):
    """A checkpoint of the small network with a configuration beside it."""

    def make(place: Place) -> list:
        path = place.folder / "model.pth"
        torch.save({"state_dict": load_file(place.models / "small.safetensors")}, path)
        (place.folder / "conf.json").write_text(conf if isinstance(conf, str) else json.dumps(conf))
        return ["models", "import", path, "--name", "x"]

    return make


CONF = {"out_conv": [26], "encoder_widths": [16], "decoder_widths": [16]}
CARD = ("small.json", r"\w+", r"\w+")
BAD = ("model.pth", r"\w+", r"\w+")
ROWS = (
    Row("a card with width 0", argument("width", 0), CARD),
    Row("a card with width -1", argument("width", -1), CARD),
    Row("a card with width x", argument("width", "x"), CARD),
    Row("a card with width 10^7", argument("width", 10**7), CARD),
    Row("a card with width 1.5", argument("width", 1.5), CARD),
    Row("a card with width true", argument("width", True), CARD),
    Row("a card with depth 10^4", argument("depth", 10**4), CARD),
    Row("a card with depth 10^9", argument("depth", 10**9, verify=True), CARD),
    Row("a card with 10^9 heads", argument("heads", 10**9), (), None),
    Row("a card without a prior", argument("prior", None), CARD),
    Row("a card with a prior of text", argument("prior", "x"), CARD),
    Row("a card with nonsense as padding", argument("padding_mode", "nonsense"), CARD),
    Row("a card with guided yes", argument("guided", "yes"), CARD),
    Row("a card with nonsense as norm", argument("encoder_norm", "nonsense"), CARD),
    Row("a card with outputs 10^8", argument("outputs", 10**8), CARD),
    Row("a card with scale nan", argument("scale_by", float("nan")), CARD),
    Row("a card with scale 0", argument("scale_by", 0), CARD),
    Row("a card with an unknown argument", argument("__class__", "x"), CARD),
    Row("a card with tile 1", field("tile", 1), CARD),
    Row("a card with tile 0", field("tile", 0), CARD),
    Row("a card with tile 10^9", field("tile", 10**9), CARD),
    Row("a card with an overlap of the tile", field("overlap", 64), CARD),
    Row("a card with an overlap above the tile", field("overlap", 65), CARD),
    Row("a card with a negative overlap", field("overlap", -1), CARD),
    Row("a card with dates 10^9", field("dates", 10**9, verify=True), (), None),
    Row("a classifier with tile 10^9", field("tile", 10**9, model="small-landcover"), ("small-landcover.json", r"\w+", r"\w+")),
    Row("a classifier with tile 1", field("tile", 1, model="small-landcover"), ("small-landcover.json", r"\w+", r"\w+")),
    Row("a classifier of depth 19", card(lambda item: item["properties"]["sunbreak:arguments"].update(depth=19), name="small-landcover"), ("small-landcover.json", r"\w+", r"\w+")),
    Row("a card nested 100000 deep", card(keep, text="[" * 100_000 + "]" * 100_000), CARD),
    Row("a card with a number of 5000 digits", card(keep, text='{"a": 1' + "0" * 5000 + "}"), CARD),
    Row("a card that is a list", card(keep, text="[]"), CARD),
    Row("a card of zero bytes", card(keep, text=" "), CARD, kinds=(2,)),
    Row("a card of another name", card(lambda item: item.update(id="other")), CARD),
    Row("weights of another checksum", weights(last(1.0), checked=False), ("small", "checksum", r"\w+"), kinds=(44,)),
    Row("weights of another shape", weights(other_shape), ("small", r"(do not fit|shape)", r"\w+"), kinds=(45,)),
    Row("weights that are cut off", raw_weights(lambda content: content[:3000]), ("small.safetensors", "not a readable", r"\w+"), kinds=(4,)),
    Row("weights whose header claims 2^63 bytes", raw_weights(lambda content: struct.pack("<Q", 2**63) + content[8:]), ("small.safetensors", "not a readable", r"\w+"), kinds=(36,)),
    Row("a network that gives NaN", weights(last(float("nan"))), ("small", "not finite|NaN", r"\w+"), kinds=(46,)),
    Row("a network that gives NaN in OpenVINO", weights(last(float("nan")), "--runtime", "openvino"), ("small", "not finite|NaN", r"\w+"), kinds=(46,), seconds=30),
    Row("a network that gives infinity", weights(last(float("inf"), slice(0, 13)), "--runtime", "openvino"), ("small", "not finite|NaN", r"\w+"), None, kinds=(46,), seconds=30),
    Row("a variance of NaN", weights(last(float("nan"), slice(13, 26))), ("small", "not finite|NaN", r"\w+"), kinds=(46,)),
    Row("a variance of NaN in OpenVINO", weights(last(float("nan"), slice(13, 26)), "--runtime", "openvino"), ("small", "not finite|NaN", r"\w+"), kinds=(46,), seconds=30),
    Row("a classifier that gives NaN", weights(last_of_classifier(float("nan")), name="small-landcover"), ("small-landcover", "not finite|NaN", r"\w+"), kinds=(46,)),
    Row("a classifier that gives NaN in OpenVINO", weights(last_of_classifier(float("nan")), "--runtime", "openvino", name="small-landcover"), ("small-landcover", "not finite|NaN", r"\w+"), kinds=(46,), seconds=30),
    Row("a checkpoint with code in it", checkpoint(with_code), ("model.pth", "more than tensors", "safetensors"), kinds=(43,)),
    Row("a pickle with code in it", checkpoint(plain_pickle_with_code), ("model.pth", "not opened|not a readable", r"\w+"), kinds=(43,)),
    Row("code under a safe ending", checkpoint(with_code, "model.safetensors"), ("model.safetensors", "not a readable", r"\w+"), kinds=(43,)),
    Row("a checkpoint of zero bytes", checkpoint(bytes_of(b"")), BAD, kinds=(2,)),
    Row("a text as a checkpoint", checkpoint(bytes_of(b"no weights" * 100)), BAD, kinds=(3,)),
    Row("a checkpoint that unpacks to gigabytes", checkpoint(packed), ("model.pth", r"(unpack|claim|large|memory|packed|compress)", r"\w+"), megabytes=150, kinds=(37,)),
    Row("a tensor that repeats one number", checkpoint(huge_claim), BAD, kinds=(36,)),
    Row("a checkpoint without its storage", checkpoint(pickled(lambda text: text.replace(b"X\x01\x00\x00\x000", b"X\x01\x00\x00\x009"))), BAD),
    Row("a checkpoint whose pickle stops early", checkpoint(pickled(lambda text: text[:-6] + b"."))  , BAD),
    Row("a checkpoint that names something in 95000 letters", checkpoint(pickled(lambda text: b"\x80\x02c" + b"onv.conv.0.n_" * 7_300 + b"\nx\n.")), ("model.pth", "text of 94902 letters", r"\w+")),
    Row("a checkpoint whose pickle pops nothing", checkpoint(pickled(lambda text: b"\x80\x020000.")), BAD),
    Row("a checkpoint of a number", checkpoint(saved(7)), BAD),
    Row("a checkpoint of nested tables", checkpoint(saved({"state_dict": {"a": {"b": torch.zeros(1)}}})), BAD),
    Row("a checkpoint with numbers as names", checkpoint(saved({1: torch.zeros(1), "a": torch.zeros(1)})), BAD),
    Row("a name of a model with a way out", checkpoint(saved({"a": torch.zeros(1)}), "model.pth", "--name", "../../x"), ("x", "name", r"\w+"), kinds=(38,)),
    Row("a configuration without its widths", configured({}), ("conf.json", r"\w+", r"\w+")),
    Row("a configuration with a list as depth", configured({**CONF, "n_head": [1]}), ("conf.json", r"\w+", r"\w+"), None),
    Row("a configuration with a number as widths", configured({**CONF, "decoder_widths": 7}), ("conf.json", r"\w+", r"\w+")),
    Row("a configuration with width 10^9", configured({**CONF, "encoder_widths": [10**9], "decoder_widths": [10**9]}), ("conf.json", r"\w+", r"\w+")),
    Row("a configuration nested 100000 deep", configured("[" * 100_000), ("conf.json", r"\w+", r"\w+")),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_model_that_cannot_be_trusted_is_refused(row, judged, monkeypatch, place):
    monkeypatch.setenv("SUNBREAK_MODELS", str(place.out / "own"))
    judged(row)
    assert not (place.folder / "it-ran").exists()


def test_a_negative_variance_passes_for_no_certainty(place, warm):
    """-1e30 before the last function is the variance 0 as far as numbers go: refused, or no pixel has a sigma of 0."""
    import rasterio

    status = run_here(weights(last(-1e30, slice(13, 26)))(place))
    if status == 0:
        with (
            rasterio.open(place.out / "s2_uncertainty.tif") as source,
            rasterio.open(place.out / "s2_reconstructed.tif") as part,
        ):
            assert source.read()[:, part.read(1) > 0].min() > 0
    else:
        assert status == 2


def test_a_card_that_shares_the_weights_of_another_leaves_that_one_as_it_was(place, warm):
    """The compiled networks are cached: the key must hold everything that the card adds to the weights."""
    import rasterio

    def confidence(model: Path) -> float:
        shutil.rmtree(place.out, ignore_errors=True)
        arguments = place.classify("--runtime", "openvino", model=model)
        assert run_here(arguments) == 0
        with rasterio.open(place.out / "s2_landcover_confidence.tif") as source:
            return float(source.read(1, masked=True).mean())

    folder = place.copied_models()
    original = confidence(place.models / "small-landcover.json")
    path = folder / "small-landcover.json"
    item = json.loads(path.read_text())
    item["properties"]["sunbreak:variance"]["temperature"] = [50.0]
    path.write_text(json.dumps(item))
    hot = confidence(path)
    assert hot < 0.95 * original
    assert confidence(place.models / "small-landcover.json") == original
    np.testing.assert_allclose(confidence(path), hot)
