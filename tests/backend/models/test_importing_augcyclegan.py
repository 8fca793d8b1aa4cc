"""The generator of an Augmented CycleGAN as a model: its card, refusals, and samples equal to the generator's."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from sunbreak.errors import ModelError
from sunbreak.models.architectures import AUGCYCLEGAN, load_any, load_model, load_network
from sunbreak.models.augcyclegan import (
    AugCycleGAN,
    AugCycleGANConfig,
    Direction,
    DirectionConfig,
    Generator,
    official_state,
    plain_state,
)
from sunbreak.models.card import ModelCard
from sunbreak.models.card_removal import Scaling
from sunbreak.models.importing_augcyclegan import import_augcyclegan, save_augcyclegan
from sunbreak.models.networks import TranslationNetwork
from sunbreak.models.registry import find_model, list_models, user_folder
from sunbreak.models.sampling import RunningMoments, draw_latents

L2A = tuple(band for band in ("B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B09", "B11", "B12"))
WORDS = {"title": "Random weights", "description": "For tests.", "licence": "CC0-1.0"}


def direction(bands: int = 12, conditioning: int = 0, latent: int = 3, *, spectral_norm: bool = True) -> Direction:
    """Networks of random weights whose images differ from vector to vector."""
    torch.manual_seed(4)
    config = DirectionConfig(
        bands, bands, conditioning, latent, generator_width=4, discriminator_width=4, encoder_width=4,
        latent_width=8, spectral_norm=spectral_norm,
    )  # fmt: skip
    made = Direction(config).eval()
    with torch.no_grad():
        for parameter in made.generator.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return made


def saved(folder, made: Direction, **options):
    return save_augcyclegan(
        made.generator, "aug", folder, **{**WORDS, "bands": L2A, "tile": 64, "overlap": 32, **options}
    )


def test_the_card_comes_back_as_it_was_written_and_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path))
    files = saved(tmp_path, direction(conditioning=3), conditioning=("B11", "B12", "VV"), samples=5, seed=11)
    card = ModelCard.read(files.path)
    assert card == files.card
    assert find_model("aug", "cloud-removal").card == card
    assert [item.card.name for item in list_models("cloud-removal")[0]][-1] == "aug"
    assert (card.architecture, card.level, card.inputs[:2], card.bands, card.outputs) == (
        "AugCycleGAN", "L2A", ("VV", "VH"), L2A, L2A,
    )  # fmt: skip
    assert card.variance.startswith("Spread of 5 latent samples")
    assert isinstance(load_any(files), Generator)


def test_spectral_normalisation_is_applied_to_the_saved_weights(tmp_path):
    made = direction()
    loaded = AUGCYCLEGAN.load(saved(tmp_path, made))
    x, z = torch.rand(1, 12, 64, 64) * 2 - 1, torch.randn(1, 3)
    with torch.inference_mode():
        torch.testing.assert_close(loaded(x, None, z), made.generator(x, None, z), atol=1e-6, rtol=0)
    assert not any("parametrizations" in name for name in loaded.state_dict())


def test_mean_and_spread_are_those_of_the_generators_own_images(tmp_path):
    made = direction(conditioning=2)
    options = {"conditioning": ("VH", "B12"), "samples": 4, "reflectance": Scaling(-0.1, 1.2)}
    files = saved(tmp_path, made, **options)
    network = load_network(files)
    assert isinstance(network, TranslationNetwork)
    x = torch.rand(2, 14, 64, 64)
    scaled, images = x * 2 - 1, []
    with torch.inference_mode():
        (moments,) = network(x)
        for latent in torch.from_numpy(draw_latents(files.card)):
            z = latent.repeat(2, 1)
            images.append(made.generator(scaled[:, 2:], scaled[:, [1, 13]], z) * 0.65 + 0.55)
    stack = torch.stack(images)
    torch.testing.assert_close(moments[:, :12], stack.mean(0), atol=2e-6, rtol=0)
    torch.testing.assert_close(moments[:, 12:] - moments[:, :12] ** 2, stack.var(0), atol=5e-6, rtol=0)
    assert stack.std(0).mean() > 0.01


def test_the_latent_vectors_depend_on_the_cards_seed_alone(tmp_path):
    card = saved(tmp_path / "a", direction(), seed=5, samples=6).card
    again = saved(tmp_path / "b", direction(), seed=5, samples=8).card
    other = saved(tmp_path / "c", direction(), seed=6, samples=6).card
    first = draw_latents(card)
    assert first is not None
    assert first.shape == (6, 3)
    np.testing.assert_array_equal(first, draw_latents(again)[:6])
    assert not np.array_equal(first, draw_latents(other))


def test_running_moments_are_those_of_all_images_at_once():
    images = np.random.default_rng(0).random((7, 3, 4, 5), dtype=np.float32)
    running = RunningMoments()
    for image in images:
        running.add(image)
    mean, second = np.split(running.moments(), 2)
    np.testing.assert_allclose(mean, images.mean(0), atol=1e-6)
    np.testing.assert_allclose(second - mean**2, images.var(0, ddof=1), atol=1e-6)


def test_a_generator_without_latent_gives_one_image_and_no_uncertainty(tmp_path):
    files = saved(tmp_path, direction(latent=0))
    assert not files.card.has_variance
    assert files.card.arguments["samples"] == 1
    with torch.inference_mode():
        (mean,) = load_network(files)(torch.rand(1, 12, 64, 64))
    assert mean.shape == (1, 12, 64, 64)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"bands": L2A[:4]}, "12 bands to 12, and 4 are named"),
        ({"conditioning": ("VV",)}, "0 conditioning bands, and 1"),
        ({"bands": (*L2A[:11], "B99")}, "no band B99"),
        ({"bands": (*L2A[:11], "B01")}, "named twice"),
        ({"samples": 1}, "no spread"),
        ({"tile": 63}, "even side"),
    ],
)
def test_what_does_not_fit_the_generator_is_refused(tmp_path, options, named):
    with pytest.raises(ModelError, match=named):
        saved(tmp_path, direction(), **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda p: p["sunbreak:arguments"].pop("seed"), "seed"),
        (lambda p: p["sunbreak:arguments"].update(samples="many"), "samples"),
        (lambda p: p["sunbreak:arguments"].update(conditioning=["B10"]), "B10"),
        (lambda p: p["sunbreak:arguments"].update(image=list(L2A[:6])), "B8A"),
        (lambda p: p.update({"sunbreak:tile": 63}), "even sides"),
    ],
)
def test_a_card_that_contradicts_itself_is_refused(tmp_path, change, where):
    path = saved(tmp_path, direction()).path
    item = json.loads(path.read_text())
    change(item["properties"])
    path.write_text(json.dumps(item))
    with pytest.raises(ModelError, match=where):
        ModelCard.read(path)


def test_weights_that_do_not_fit_the_card_are_refused(tmp_path):
    path = saved(tmp_path, direction()).path
    item = json.loads(path.read_text())
    item["properties"]["sunbreak:arguments"]["generator_width"] = 8
    path.write_text(json.dumps(item))
    with pytest.raises(ModelError, match="do not fit"):
        load_any(find_model(str(path)))


def test_what_only_an_uncrtaints_can_do_is_refused_in_one_line(tmp_path):
    with pytest.raises(ModelError, match="aug is AugCycleGAN; only uncrtaints"):
        load_model(saved(tmp_path, direction()))


def test_the_public_implementations_checkpoint_is_imported(tmp_path):
    made = direction(bands=3, spectral_norm=False)
    checkpoint, config = tmp_path / "latest.pth", tmp_path / "config.json"
    torch.save({"netG_A_B": official_state(made.generator), "netD_B": official_state(made.discriminator)}, checkpoint)
    config.write_text(json.dumps({"bands": ["B04", "B03", "B02"], "reflectance": [0, 0.4], "level": "L1C", "tile": 96}))
    card = import_augcyclegan(checkpoint, "public", config=config).card
    assert (card.outputs, card.level, card.tile) == (("B04", "B03", "B02"), "L1C", 96)
    assert (card.reflectance, card.arguments["latent"], card.training) == (Scaling(0, 0.4), 3, {})
    loaded = AUGCYCLEGAN.load(find_model("public"))
    x, z = torch.rand(1, 3, 64, 64), torch.randn(1, 3)
    with torch.inference_mode():
        assert torch.equal(loaded(x, None, z), made.generator(x, None, z))


def test_the_state_of_a_training_gives_its_averaged_generator(tmp_path):
    from sunbreak.training.unpaired.state import save_state
    from sunbreak.training.unpaired.step import GeneratorAverage, Optimizers

    torch.manual_seed(1)
    small = {"latent": 3, "generator_width": 4, "discriminator_width": 4, "encoder_width": 4, "latent_width": 8}
    model = AugCycleGAN(AugCycleGANConfig.alike(12, **small))
    average = GeneratorAverage(model, 0.9)
    save_state(tmp_path, {}, 0, model, average, Optimizers(model, 1e-4, 0.5, 0.2, 500.0))
    files = import_augcyclegan(tmp_path / "state.pt", "half-way")
    assert files.card.training["assumed"][0].startswith("The 12 bands are taken to be B01")
    for name, value in AUGCYCLEGAN.load(files).state_dict().items():
        assert torch.equal(value, plain_state(model.to_clear.generator)[name])


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"bands": ["B04"]}, "makes 5 bands with 0 for conditioning; 1 and none"),
        ({}, "no and none are named"),
        ({"bands": 5}, "bands cannot be 5"),
        ({"reflectance": [1, 0]}, "reflectance cannot be"),
        ({"tile": "big"}, "tile cannot be 'big'"),
        ({"colour": 1}, r"no configuration of an Augmented CycleGAN \(colour\)"),
    ],
)
def test_a_refused_import_says_why_and_leaves_nothing(tmp_path, content, named):
    checkpoint, config = tmp_path / "a.pth", tmp_path / "config.json"
    torch.save({"netG_A_B": official_state(direction(bands=5, spectral_norm=False).generator)}, checkpoint)
    config.write_text(json.dumps(content))
    with pytest.raises(ModelError, match=named):
        import_augcyclegan(checkpoint, "odd", config=config)
    assert not (user_folder() / "odd.json").exists()
