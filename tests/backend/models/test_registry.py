"""Cards and the registry: a model is usable if card, checksum and weights all hold."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
import torch
from typer.testing import CliRunner

from sunbreak.cli.models import app, describe
from sunbreak.errors import ModelError
from sunbreak.models.architectures import load_model
from sunbreak.models.card import ModelCard
from sunbreak.models.importing import import_uncrtaints, save_uncrtaints
from sunbreak.models.prior_layout import PRIOR_SIZES
from sunbreak.models.registry import DEFAULT_REMOVAL, ModelFiles, delete_model, find_model, list_models, user_folder
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig


@pytest.fixture
def copied(small_model, tmp_path) -> ModelFiles:
    for path in (small_model.path, small_model.weights):
        shutil.copy(path, tmp_path)
    return ModelFiles(small_model.card, tmp_path / small_model.path.name, bundled=False)


def test_a_card_is_read_as_it_was_written(small_model):
    assert ModelCard.read(small_model.path) == small_model.card


def test_a_card_is_a_stac_item_with_the_mlm_extension(small_model):
    item = json.loads(small_model.path.read_text())
    assert item["type"] == "Feature"
    assert any("/mlm/" in extension for extension in item["stac_extensions"])
    (wanted,) = item["properties"]["mlm:input"]
    assert [band["name"] for band in wanted["bands"]][:3] == ["VV", "VH", "B01"]
    assert wanted["input"]["shape"] == [-1, 1, 15, 64, 64]
    assert [output["name"] for output in item["properties"]["mlm:output"]] == ["mean", "variance"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda item: item["properties"].pop("sunbreak:tile"), "sunbreak:tile"),
        (lambda item: item["properties"].update({"sunbreak:level": "L3"}), "sunbreak:level"),
        (lambda item: item["assets"]["weights"].update({"sunbreak:sha256": "x"}), "sha256"),
        (lambda item: item.update({"id": "other"}), "other"),
    ],
)
def test_the_error_of_an_invalid_card_says_where(copied, change, where):
    item = json.loads(copied.path.read_text())
    change(item)
    copied.path.write_text(json.dumps(item))
    with pytest.raises(ModelError, match=where):
        ModelCard.read(copied.path)


def test_a_card_with_a_bare_checksum_is_read_like_one_that_names_the_algorithm(copied):
    item = json.loads(copied.path.read_text())
    weights = item["assets"]["weights"]
    assert weights["sunbreak:sha256"] == f"sha256:{copied.card.sha256}"
    weights["sunbreak:sha256"] = copied.card.sha256
    copied.path.write_text(json.dumps(item))
    assert ModelCard.read(copied.path) == copied.card


def test_changed_weights_are_refused(copied):
    content = bytearray(copied.weights.read_bytes())
    content[-1] ^= 1
    copied.weights.write_bytes(content)
    with pytest.raises(ModelError, match="checksum") as caught:
        load_model(copied)
    assert caught.value.code == "checksum-mismatch"


def test_missing_weights_are_refused(copied):
    copied.weights.unlink()
    with pytest.raises(ModelError, match="missing"):
        load_model(copied)


def test_an_imported_checkpoint_is_listed_found_and_gives_the_same_output(tmp_path):
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1)).eval()
    torch.save({"state_dict": {f"netG.{k}": v for k, v in module.network.state_dict().items()}}, tmp_path / "a.pth.tar")
    files = import_uncrtaints(tmp_path / "a.pth.tar", "mine")
    assert files.path.parent == user_folder()
    assert "mine" in [found.card.name for found in list_models("cloud-removal")[0]]
    x = torch.rand(1, 1, 15, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(load_model(find_model("mine"))(x)[0], module(x)[0])
    with pytest.raises(ModelError, match="already"):
        import_uncrtaints(tmp_path / "a.pth.tar", "mine")


def test_an_import_that_fails_leaves_nothing(tmp_path):
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, tmp_path / "a.pth.tar")
    with pytest.raises(ModelError, match="not UnCRtainTS"):
        import_uncrtaints(tmp_path / "a.pth.tar", "stranger", folder=tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_broken_card_does_not_hide_the_others(tmp_path, small_model, monkeypatch):
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path))
    for path in (small_model.path, small_model.weights):
        shutil.copy(path, tmp_path)
    (tmp_path / "broken.json").write_text("{")
    found, broken = list_models()
    assert "small" in [files.card.name for files in found]
    assert ["broken.json" in str(error) for error in broken] == [True]


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ModelError, match=DEFAULT_REMOVAL):
        find_model("nobody")


@pytest.mark.parametrize("name", ["../up", "a b", "", ".hidden"])
def test_a_name_that_is_no_file_name_is_refused(tmp_path, name):
    with pytest.raises(ModelError, match="name"):
        import_uncrtaints(tmp_path / "a.pth.tar", name)


def test_the_bundled_model_is_usable_and_names_the_data_of_its_metrics():
    files = find_model(DEFAULT_REMOVAL)
    module = load_model(files)
    assert files.bundled
    assert module.config.has_variance
    assert files.card.metrics
    assert all(group["data"] and group["figures"] for group in files.card.metrics)
    assert len(files.card.temperature) == 13


def test_an_imported_model_can_be_deleted_and_a_bundled_one_cannot(copied):
    bundled = find_model(DEFAULT_REMOVAL)
    with pytest.raises(ModelError, match="is bundled and cannot be deleted"):
        delete_model(bundled)
    assert bundled.path.is_file()
    delete_model(copied)
    assert not copied.path.exists()
    assert not copied.weights.exists()


def guided_item(numbers, tmp_path) -> dict:
    config = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=numbers)
    files = save_uncrtaints(
        UnCRtainTS(config).eval(), "guided", tmp_path, title="t", description="d", licence="l", tile=64, overlap=16
    )
    return json.loads(files.path.read_text())


@pytest.mark.parametrize("size", PRIOR_SIZES)
def test_a_card_names_the_parts_of_a_prior_and_is_read_as_the_same_numbers(size, tmp_path):
    numbers = tuple(round(0.001 * (1 + value), 6) for value in range(size))
    item = guided_item(numbers, tmp_path)
    prior = item["properties"]["sunbreak:arguments"]["prior"]
    assert prior["spectrum"] == list(numbers[:13])
    assert prior.get("weight") == (numbers[13] if size > 13 else None)
    assert ("slopes" in prior) == ("backscatter" in prior) == (size in (182, 195, 376))
    assert ("wetness" in prior) == ("land_slopes" in prior) == ("land_backscatter" in prior) == (size in (208, 376))
    assert ("water" in prior) == (size in (27, 195, 208, 376))
    assert tuple(ModelCard.read(tmp_path / "guided.json").arguments["prior"]) == numbers


def test_a_card_of_the_older_layout_is_read_and_reported_as_such(tmp_path):
    numbers = tuple(0.1 for _ in range(27))
    item = guided_item(numbers, tmp_path)
    newer = ModelCard.read(tmp_path / "guided.json")
    older = item["properties"]
    del older["sunbreak:layout"]
    older["sunbreak:arguments"]["prior"] = list(numbers)
    older["sunbreak:exact_tiling"] = False
    (tmp_path / "guided.json").write_text(json.dumps(item))
    card = ModelCard.read(tmp_path / "guided.json")
    assert (card.layout, newer.layout) == (1, 2)
    assert replace(card, layout=2) == newer
    assert "card          older layout 1; this version writes layout 2" in describe(card)
    assert not any("layout" in line for line in describe(newer))
    done = CliRunner().invoke(app, ["verify", str(tmp_path / "guided.json")])
    assert done.exit_code == 0
    assert "card valid (older layout 1), checksum correct" in done.output


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda prior: prior.pop("spectrum"), "prior"),
        (lambda prior: prior["water"].pop(), "prior"),
        (lambda prior: prior.pop("weight"), "prior"),
        (lambda prior: prior.update(snow=[0.9] * 13), "prior"),
    ],
)
def test_a_prior_whose_parts_do_not_fit_is_refused(change, where, tmp_path):
    item = guided_item((0.1,) * 27, tmp_path)
    change(item["properties"]["sunbreak:arguments"]["prior"])
    (tmp_path / "guided.json").write_text(json.dumps(item))
    with pytest.raises(ModelError, match=where):
        ModelCard.read(tmp_path / "guided.json")


def test_the_bundled_cards_have_the_current_layout():
    found, _ = list_models()
    assert {files.card.layout for files in found if files.bundled} == {2}
