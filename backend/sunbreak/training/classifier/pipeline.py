"""The whole training of a land-cover classifier: gather patches, train, calibrate, measure, write model and card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sunbreak.events import Reporter
from sunbreak.models import legends
from sunbreak.models.registry import ModelFiles
from sunbreak.training.classifier.labelled_patches import LEAST_SHARE, balanced, eurosat_patches, simulated_patches
from sunbreak.training.classifier.loop import ClassifierTraining, finish, train
from sunbreak.training.state_files import minutes_of

_HELD_OUT_SEED = 900_000
_PER_CLASS = 30


@dataclass(frozen=True)
class ClassifierOrder:
    """A whole training: its data, its network, and the model that it makes.

    Attributes:
        name: Name of the model.
        output: Folder for the model.
        work: Folder for simulated scenes, state and log.
        scenes: Number of simulated scenes in the training set.
        held_out: Number of simulated scenes for calibration and measurement.
        eurosat: Folder of EuroSAT; two thirds of its patches are in the training set, the rest is measured on.
        depth: Depth of the ResNet, 18 or 50.
        width: Channels of the first stage.
        steps: Number of training steps.
        batch: Patches per batch.
        real_share: Fraction of real patches in a batch, if there are real patches.
        seed: Seed of all random numbers.
        device: ``cpu`` or ``cuda``.
    """

    name: str
    output: Path
    work: Path
    scenes: int = 500
    held_out: int = 500
    eurosat: Path | None = None
    depth: int = 18
    width: int = 20
    steps: int = 1800
    batch: int = 48
    real_share: float = 0.5
    seed: int = 1
    device: str = "cpu"

    @property
    def recipe(self) -> ClassifierTraining:
        """How the network is trained."""
        standard = legends.SEN12MS_10
        return ClassifierTraining(
            legends.TEN_BANDS, standard.mean, standard.deviation, depth=self.depth, width=self.width,
            steps=self.steps, batch=self.batch, real_share=self.real_share, seed=self.seed,
        )  # fmt: skip

    @property
    def command(self) -> str:
        """The command that repeats the training."""
        return (
            f"sunbreak train classifier -o models --name {self.name} --scenes {self.scenes} --held-out {self.held_out}"
            f" --depth {self.depth} --width {self.width} --steps {self.steps} --batch {self.batch}"
            f" --real-share {self.real_share:g} --seed {self.seed}" + (" --eurosat EUROSAT" if self.eurosat else "")
        )


def train_classifier(order: ClassifierOrder, reporter: Reporter) -> ModelFiles:
    """Train a classifier of the ten simplified IGBP classes, or resume its training; calibrate and measure it.

    Raises:
        InputError: The data cannot be used.
        RunError: The loss is not a number.
        Cancelled: The reporter asked to stop; the last saved state stays in the work folder.
    """
    recipe, scenes, cache = order.recipe, order.scenes, order.work / "landcover"
    reporter.message(f"Simulating the missing ones of {scenes + order.held_out} scenes in {order.work}.")
    simulated = simulated_patches(scenes, recipe.patch, 1, cache)
    kept_back = simulated_patches(order.held_out, recipe.patch, _HELD_OUT_SEED, cache, least_share=0.5)
    real, real_held = eurosat_patches(order.eurosat) if order.eurosat is not None else ([], [])
    reporter.message(f"Training on {len(simulated)} simulated and {len(real)} real patches.")
    folder = order.work / order.name
    module = train(recipe, simulated, real, len(legends.SIMPLIFIED_IGBP), folder, reporter, device=order.device)
    half = len(kept_back) // 2
    held = balanced(kept_back[half:], _PER_CLASS)
    checks = [(f"held-out simulated scenes, at most {_PER_CLASS} patches per class, each at least half of it", held)]
    if real_held:
        checks.append(("held-out patches of EuroSAT, five mapped classes", real_held))
    facts: dict[str, object] = {
        "command": order.command,
        "simulated_patches": (
            f"{len(simulated)} of {scenes} scenes, seeds 1 to {scenes}, {LEAST_SHARE:.0%} of one class"
        ),
        "real_patches": f"{len(real)} of EuroSAT" if real else "none",
        "minutes": round(minutes_of(folder / "log.csv"), 1),
        "device": order.device,
        "description": (
            "A first classifier so that everything runs out of the box, trained by `sunbreak train classifier` on "
            "simulated landscapes and a few real patches; see the figures before you rely on it. Shrubland, "
            "Savanna, Wetlands, Snow/Ice and Barren were never seen on real images."
        ),
    }
    return finish(module, recipe, legends.SIMPLIFIED_IGBP, kept_back[:half], checks, order.name, order.output, facts)
