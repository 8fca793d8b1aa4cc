"""Foreign classifiers become registry models only when everything about them is known or fits."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from sunbreak.engine.runtime import make_runtime
from sunbreak.errors import ModelError
from sunbreak.models import legends
from sunbreak.models.architectures import load_classifier
from sunbreak.models.card import ModelCard
from sunbreak.models.importing_classifier import import_classifier
from sunbreak.models.registry import find_model
from sunbreak.models.resnet import ResNet


def network(depth=18, bands=10, classes=10, seed=0) -> ResNet:
    torch.manual_seed(seed)
    model = ResNet(depth, bands, classes, width=8).eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    return model


def toolbox_names(state: dict) -> dict:
    """The names of the SEN12MS toolbox, in which conv1 stands twice."""
    parts = {
        "conv1": "encoder.0",
        "bn1": "encoder.1",
        **{f"layer{i}": f"encoder.{i + 3}" for i in (1, 2, 3, 4)},
        "fc": "FC",
    }
    renamed = {f"{parts[name.split('.')[0]]}.{name.split('.', 1)[1]}": value for name, value in state.items()}
    return {**renamed, "conv1.weight": state["conv1.weight"]}


def same_answer(files, model: ResNet, bands: int) -> None:
    x = torch.randn(2, bands, 64, 64)
    torch.testing.assert_close(load_classifier(files)(x), model(x))


def test_a_toolbox_checkpoint_is_recognised_and_its_assumptions_are_listed(tmp_path):
    model = network()
    path = tmp_path / "best.pth"
    torch.save({"epoch": 3, "arch": "resnet50", "model_state_dict": toolbox_names(model.state_dict())}, path)
    files = import_classifier(path, "mine", folder=tmp_path / "models")
    card = files.card
    assert card.bands == legends.TEN_BANDS
    assert card.standardisation == legends.SEN12MS_10
    assert card.classes == legends.SIMPLIFIED_IGBP
    assert card.tile == 224
    assert card.task == "land-cover"
    assert len(card.training["assumed"]) == 3
    assert ModelCard.read(files.path) == card
    same_answer(files, model, 10)


@pytest.mark.parametrize(
    "prefix", ["model.", "model.backbone.model.", "module.encoder_q.", "module.backbone.", "backbone."]
)
def test_common_prefixes_are_dropped(tmp_path, prefix):
    model = network(50, 13)
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": {prefix + name: value for name, value in model.state_dict().items()}}, path)
    files = import_classifier(path, "mine", folder=tmp_path / "models")
    assert files.card.arguments["depth"] == 50
    assert files.card.standardisation == legends.SEN12MS_13
    same_answer(files, model, 13)


def test_a_configuration_names_bands_classes_and_statistics(tmp_path):
    model = network(18, 4, 3)
    path = tmp_path / "weights.pth"
    torch.save(model.state_dict(), path)
    config = tmp_path / "conf.json"
    config.write_text(
        json.dumps(
            {
                "bands": ["VV", "VH", "B04", "B08"],
                "classes": ["Forest", {"name": "Lava", "colour": "#ff0000"}, "Water"],
                "mean": [-12, -18, 1000, 2000],
                "std": [4, 4, 500, 800],
                "tile": 64,
                "multi_label": True,
                "level": "L2A",
            }
        )
    )
    files = import_classifier(path, "mine", config=config, folder=tmp_path / "models")
    card = files.card
    assert card.uses_radar
    assert card.inputs == ("VV", "VH", "B04", "B08")
    colours = {"Forest": "#009900", "Lava": "#ff0000", "Water": "#1c0dff"}
    assert {kind.name: kind.colour for kind in card.classes} == colours
    assert (card.multi_label, card.level, card.tile) == (True, "L2A", 64)
    assert card.training == {}
    x = np.random.default_rng(0).normal(size=(4, 64, 64)).astype(np.float32)
    for name in ("torch", "openvino"):
        runtime = make_runtime(files, "cpu", name)
        runtime.submit({"x": x[None]})
        with torch.inference_mode():
            expected = torch.sigmoid(model(torch.from_numpy(x)[None]))[0].numpy()
        np.testing.assert_allclose(runtime.collect()[0].ravel(), expected, atol=1e-5)


def bad(tmp_path, model: ResNet, state=None, **config):
    path = tmp_path / "weights.pth"
    torch.save(state if state is not None else model.state_dict(), path)
    conf = None
    if config:
        conf = tmp_path / "conf.json"
        conf.write_text(json.dumps(config))
    import_classifier(path, "mine", config=conf, folder=tmp_path / "models")


def test_what_cannot_be_verified_is_refused_by_name(tmp_path):
    with pytest.raises(ModelError, match="takes 12 channels"):
        bad(tmp_path, network(bands=12))
    with pytest.raises(ModelError, match="distinguishes 7 classes"):
        bad(tmp_path, network(classes=7))
    with pytest.raises(ModelError, match="backbone without a classification head"):
        model = network()
        bad(tmp_path, model, {k: v for k, v in model.state_dict().items() if not k.startswith("fc.")})
    with pytest.raises(ModelError, match=r"missing: layer3\.0\.bn1\.weight"):
        model = network()
        bad(tmp_path, model, {k: v for k, v in model.state_dict().items() if k != "layer3.0.bn1.weight"})
    with pytest.raises(ModelError, match=r"unexpected: stranger"):
        model = network()
        bad(tmp_path, model, {**model.state_dict(), "stranger": torch.zeros(1)})
    with pytest.raises(ModelError, match="must each have 10 numbers"):
        bad(tmp_path, network(), mean=[0] * 10, std=[1] * 9)
    with pytest.raises(ModelError, match="B14 cannot be used"):
        bad(tmp_path, network(bands=2), bands=["B04", "B14"])
    with pytest.raises(ModelError, match=r"no classifier configuration \(colour\)"):
        bad(tmp_path, network(), colour="red")
    assert not (tmp_path / "models").exists() or not list((tmp_path / "models").glob("mine*"))


def test_a_name_is_not_taken_twice_unasked(tmp_path, monkeypatch):
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path / "models"))
    bad(tmp_path, network())
    with pytest.raises(ModelError, match="a model 'mine' already"):
        bad(tmp_path, network(seed=1))
    assert find_model("mine", "land-cover").card.parameters > 100_000
