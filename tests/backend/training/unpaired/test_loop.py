"""Training of the Augmented CycleGAN: random draws, resuming, and NaN values."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils.data import Dataset, TensorDataset

from sunbreak.errors import Cancelled, InputError, RunError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models.augcyclegan import AugCycleGANConfig, DirectionConfig
from sunbreak.training.unpaired.batches import Piles, batches, epoch_order, latent_generator, validation_pairs
from sunbreak.training.unpaired.loop import AugCycleGANTraining, Trained, learning_rate_factor, train

SMALL: dict[str, Any] = {
    "latent": 3, "generator_width": 2, "discriminator_width": 2, "encoder_width": 2, "latent_width": 4,
}  # fmt: skip
CONFIG = AugCycleGANConfig.alike(3, 1, **SMALL)
RECIPE = AugCycleGANTraining(epochs=2, batch=2, average=0.9, seed=5)


class Pile(Dataset[Any]):
    """Smooth images with new noise on each access. This randomness must not change a resumed run."""

    def __init__(self, count: int, seed: int, side: int = 32, poison: int | None = None) -> None:
        draw = np.random.default_rng(seed)
        self.images = draw.uniform(-0.5, 0.5, (count, 3, side, side)).astype(np.float32)
        if poison is not None:
            self.images[poison, 0, 0, 0] = np.nan

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = torch.from_numpy(self.images[index])
        return image + 0.1 * torch.rand(image.shape), image[:1] / 2


CLOUDY, CLEAR = Pile(7, 1), Pile(5, 2)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open() as stream:
        return list(csv.DictReader(stream))


# the order of the data


def test_an_epoch_has_every_cloudy_image_once_in_new_pairs():
    first, second = (epoch_order(3, epoch, 10, 4, 3) for epoch in (0, 1))
    assert [len(batch) for batch in first] == [3, 3, 3]
    cloudy = [item[0] for batch in first for item in batch]
    assert len(set(cloudy)) == 9
    assert {item[1] for batch in first for item in batch} <= set(range(4))
    assert first != second
    assert first == epoch_order(3, 0, 10, 4, 3)


def test_validation_pairs_are_fixed_and_ordered():
    pairs = validation_pairs(3, 5, 9, 5)
    assert pairs == validation_pairs(3, 5, 9, 5)
    assert [pair[0] for pair in pairs] == [0, 1, 2, 3, 4]


def test_latent_vectors_depend_only_on_seed_and_step():
    draws = [torch.randn(4, generator=latent_generator(seed, step)) for seed, step in ((1, 0), (1, 0), (1, 1), (2, 0))]
    assert draws[0].equal(draws[1])
    assert not draws[0].equal(draws[2]) and not draws[0].equal(draws[3])


def test_reader_processes_give_the_same_batches():
    order = epoch_order(3, 0, 7, 5, 2)[:2]
    here, there = (list(batches(Piles(CLOUDY, CLEAR), order, torch.device("cpu"), workers)) for workers in (0, 1))
    for ours, theirs in zip(here, there, strict=True):
        assert all(a.equal(b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("workers", [0, 1])
def test_images_of_two_sizes_are_refused(workers):
    piles = Piles(CLOUDY, Pile(5, 2, side=34))
    with pytest.raises(InputError, match=r"^The images of a batch have sides 32 x 32, 34 x 34") as caught:
        list(batches(piles, epoch_order(3, 0, 7, 5, 2), torch.device("cpu"), workers))
    assert "\n" not in caught.value.message


def test_the_learning_rate_falls_over_the_second_half():
    assert [learning_rate_factor(epoch, 4) for epoch in range(4)] == [1, 1, 1, 0.5]
    assert learning_rate_factor(99, 100) == pytest.approx(0.02)


# the loop


class StopAfter(Reporter):
    """Requests a stop after a number of steps of this call."""

    def __init__(self, steps: int) -> None:
        super().__init__(Cancellation())
        self.left = steps

    def checkpoint(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.cancellation.request()
        super().checkpoint()


def run(folder: Path, reporter: Reporter | None = None, **options: Any) -> Trained:
    recipe, cloudy = options.pop("recipe", RECIPE), options.pop("cloudy", CLOUDY)
    options.setdefault("after_epoch", lambda epoch, average: {"draw": float(torch.rand(1))})
    return train(CONFIG, recipe, cloudy, CLEAR, folder, reporter or Silent(), **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Trained]:
    """An uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, run(folder)


def test_a_run_writes_log_state_and_a_picture_per_epoch(whole):
    folder, trained = whole
    assert trained.steps == 6
    log = rows(folder / "log.csv")
    assert [int(row["step"]) for row in log] == list(range(6))
    assert [int(row["epoch"]) for row in log] == [1, 1, 1, 2, 2, 2]
    assert all(np.isfinite(float(value)) for row in log for value in row.values())
    assert [row["epoch"] for row in rows(folder / "epochs.csv")] == ["1", "2"]
    pictures = sorted((folder / "samples").iterdir())
    assert [path.name for path in pictures] == ["epoch_0001.png", "epoch_0002.png"]
    # 3 rows of 8 images: cloudy, two draws, back, clear, two draws, back; gaps of 4 pixels
    assert Image.open(pictures[0]).size == (8 * 36, 3 * 36)
    assert np.asarray(Image.open(pictures[0])).std() > 10


@pytest.mark.parametrize("steps", [3, 4])
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(whole, tmp_path, steps):
    folder, expected = whole
    with pytest.raises(Cancelled):
        run(tmp_path, StopAfter(steps))
    torch.manual_seed(999)
    resumed = run(tmp_path)
    assert_same(resumed, expected)
    for name in ("log.csv", "epochs.csv", "samples/epoch_0002.png"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_a_killed_run_resumes_from_its_last_state(whole, tmp_path):
    """After a kill, the log is ahead of the state, and its last row may be incomplete."""
    folder, expected = whole

    class Killed(Exception):
        pass

    class Kill(StopAfter):
        def checkpoint(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise Killed

    with pytest.raises(Killed):
        run(tmp_path, Kill(5), save_every=4)
    with (tmp_path / "log.csv").open("a") as stream:
        stream.write("5,2,0.12")
    assert_same(run(tmp_path), expected)
    for name in ("log.csv", "epochs.csv"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def assert_same(ours: Trained, theirs: Trained) -> None:
    for a, b in ((ours.model, theirs.model), (ours.average, theirs.average)):
        states = a.state_dict(), b.state_dict()
        assert states[0].keys() == states[1].keys()
        assert all(value.equal(states[1][name]) for name, value in states[0].items())


def test_a_finished_run_is_not_trained_further(whole, tmp_path):
    folder, expected = whole
    (tmp_path / "state.pt").write_bytes((folder / "state.pt").read_bytes())
    assert_same(run(tmp_path), expected)
    assert not (tmp_path / "log.csv").exists()


def test_another_seed_gives_another_network(whole, tmp_path):
    other = run(tmp_path, recipe=AugCycleGANTraining(epochs=1, batch=2, seed=6))
    state = whole[1].average.state_dict()
    assert any(not value.equal(state[name]) for name, value in other.average.state_dict().items())


def test_a_folder_of_another_run_is_refused_with_the_differences(whole):
    with pytest.raises(InputError, match=r"other settings \(learning_rate\)"):
        run(whole[0], recipe=AugCycleGANTraining(epochs=2, batch=2, average=0.9, seed=5, learning_rate=1e-3))


def test_a_damaged_state_is_refused_by_name(tmp_path):
    (tmp_path / "state.pt").write_bytes(b"not a state")
    with pytest.raises(InputError, match=r"state\.pt"):
        run(tmp_path)


def test_nan_in_the_data_stops_the_run_and_the_valid_state_stays(tmp_path):
    poisoned = Pile(7, 1, poison=3)
    with pytest.raises(RunError, match=r"at step \d: the cloudy images hold NaN") as caught:
        run(tmp_path, cloudy=poisoned, save_every=1)
    assert caught.value.code == "nan-loss"
    assert "\n" not in str(caught.value)
    step = int(caught.value.message.partition("at step ")[2][0])
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert state["step"] == step
    tensors = [*state["model"].values(), *state["average"].values()]
    assert all(bool(torch.isfinite(value).all()) for value in tensors)
    written = rows(tmp_path / "log.csv") if step else []
    assert len(written) == step


def test_a_diverging_training_stops_and_a_valid_state_stays(tmp_path):
    wild = AugCycleGANTraining(epochs=2, batch=2, learning_rate=1e38, seed=5)
    with pytest.raises(RunError, match="is not a number at step") as caught:
        run(tmp_path, recipe=wild)
    assert "lower learning rate" in caught.value.hint
    state = torch.load(tmp_path / "state.pt", weights_only=True)
    assert all(bool(torch.isfinite(value).all()) for value in state["model"].values())


def test_unsuitable_data_are_refused_before_anything_is_written(tmp_path):
    plain = torch.zeros(4, 3, 32, 32)
    for cloudy, recipe, named in (
        (TensorDataset(plain, plain[:, :1]), AugCycleGANTraining(batch=8), "4 cloudy and 5 clear"),
        (TensorDataset(plain[:, :2], plain[:, :1]), RECIPE, r"cloudy images have shape \(2, 32, 32\)"),
        (TensorDataset(plain, plain[:, :0]), RECIPE, r"conditioning \(0, 32, 32\)"),
        (TensorDataset(plain + 3, plain[:, :1]), RECIPE, r"outside \[-1, 1\]"),
    ):
        with pytest.raises(InputError, match=named):
            train(CONFIG, recipe, cloudy, CLEAR, tmp_path / "run", Silent())
    with pytest.raises(InputError, match="pictures show bands"):
        run(tmp_path / "run", picture_bands=(3, 2, 1))
    assert not (tmp_path / "run").exists()


def test_a_training_without_conditioning_and_latents_works(tmp_path):
    way: dict[str, Any] = {"source_bands": 3, "target_bands": 3, **SMALL}
    config = AugCycleGANConfig(DirectionConfig(**way), DirectionConfig(**{**way, "latent": 0}))
    images = torch.rand(4, 3, 32, 32) - 0.5
    pile: Dataset[Any] = TensorDataset(images, images[:, :0])
    trained = train(config, AugCycleGANTraining(epochs=1, batch=2), pile, pile, tmp_path, Silent())
    assert "fool_latent_clear" in rows(tmp_path / "log.csv")[0]
    assert "fool_latent_cloudy" not in rows(tmp_path / "log.csv")[0]
    assert not isinstance(trained.model.to_cloudy.encoder, nn.Module)
