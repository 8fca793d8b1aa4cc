"""Many short trainings in a row: none may hang, and trainings of one kind and seed must give the same weights.

python benchmarks/training_repeats.py [REPEATS] [KIND ...]

Kinds: classifier, removal, adapt, augcyclegan. Every second training is stopped half way and resumed. A training that
takes longer than two minutes stops the program with the stacks of all threads. To emulate an older processor:

ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2 python benchmarks/training_repeats.py
"""

from __future__ import annotations

import faulthandler
import hashlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
import torch
from rasterio.transform import from_origin

from sunbreak.datasets.simulation import simulate_scene
from sunbreak.errors import Cancelled
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.models import legends
from sunbreak.models.augcyclegan import AugCycleGANConfig
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.uncrtaints import UnCRtainTS
from sunbreak.models.uncrtaints_config import UnCRtainTSConfig
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.training.classifier import loop as classifier
from sunbreak.training.classifier.labelled_patches import LabelledPatch
from sunbreak.training.removal import adaptation
from sunbreak.training.removal import loop as removal
from sunbreak.training.removal.samples import simulated_samples
from sunbreak.training.unpaired import loop as augcyclegan

STEPS, LIMIT_S = 8, 120
Train = Callable[[Path, Reporter], torch.nn.Module]


class StopHalfWay(Reporter):
    """Cancels when half of the steps are done."""

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        """See `Reporter`."""
        if unit == "steps" and 2 * done >= total:
            self.cancellation.request()


def classifier_training(folder: Path) -> Train:
    """ResNet-18 whose strided 1x1 convolutions have fewer channels than a SIMD vector."""
    rng = np.random.default_rng(0)
    patches = [LabelledPatch(f"{i}", rng.normal(2000, 300, (13, 64, 64)).astype(np.float32), i % 10) for i in range(20)]
    standardisation = legends.SEN12MS_10
    recipe = classifier.ClassifierTraining(
        legends.TEN_BANDS, standardisation.mean, standardisation.deviation, width=4, steps=STEPS, batch=4, seed=3
    )
    return lambda work, reporter: classifier.train(recipe, patches, [], 10, work, reporter)


def removal_training(folder: Path) -> Train:
    """UnCRtainTS, small."""
    samples = simulated_samples(8, 32, 1, folder / "cache", workers=1)
    recipe = removal.RemovalTraining(steps=STEPS, batch=4, patch=16, width=16, depth=1, tile=32, seed=3)
    return lambda work, reporter: removal.train(recipe, removal.TrainingSamples(samples), work, reporter)


def adapting(folder: Path) -> Train:
    """Adapting a small guided network to a simulated place."""
    made = simulate_scene((192, 192), 4, cover=0.0)
    for name, values, bands in (("s2", made.clear, S2_BANDS), ("s1", made.s1, ("VV", "VH"))):
        profile = {"driver": "GTiff", "count": len(values), "height": 192, "width": 192, "dtype": values.dtype}
        place = {"crs": "EPSG:32632", "transform": from_origin(500000, 5300000, 10, 10)}
        with rasterio.open(folder / f"{name}.tif", "w", **profile, **place) as target:
            target.write(values)
            for index, band in enumerate(bands, 1):
                target.set_band_description(index, band)
    mask = np.zeros((1, 192, 192), np.uint8)
    mask[0, :10, :10] = 1
    with rasterio.open(folder / "mask.tif", "w", **{**profile, "count": 1, "dtype": "uint8"}, **place) as target:
        target.write(mask)
    torch.manual_seed(0)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1, guided=True, prior=(0.15,) * 13)).eval()
    base = save_uncrtaints(
        module, "base", folder, title="t", description="d", licence="CC0-1.0", tile=64, overlap=16
    )  # fmt: skip
    scene = Scene.open(folder / "s2.tif", folder / "s1.tif", mask=folder / "mask.tif")

    def train(work: Path, reporter: Reporter) -> torch.nn.Module:
        from sunbreak.models.architectures import load_model

        return load_model(
            adaptation.adapt(
                [scene], base, adaptation.Adaptation("mine", work / "models", work, steps=STEPS, seed=2), reporter
            )[0]
        )

    return train


def translation_training(folder: Path) -> Train:
    """The Augmented CycleGAN, small, one epoch."""
    config = AugCycleGANConfig.alike(
        3, 1, latent=3, generator_width=2, discriminator_width=2, encoder_width=2, latent_width=4
    )
    recipe = augcyclegan.AugCycleGANTraining(epochs=1, batch=2, average=0.9, seed=5)
    draw = torch.Generator().manual_seed(1)
    images = torch.rand((2, 2 * STEPS, 3, 32, 32), generator=draw) - 0.5
    cloudy, clear = (torch.utils.data.TensorDataset(pile, pile[:, :1] / 2) for pile in images)
    return lambda work, reporter: augcyclegan.train(config, recipe, cloudy, clear, work, reporter).model


KINDS: dict[str, Callable[[Path], Train]] = {
    "classifier": classifier_training,
    "removal": removal_training,
    "adapt": adapting,
    "augcyclegan": translation_training,
}


def checksum(module: torch.nn.Module) -> str:
    """Checksum of all weights and statistics."""
    digest = hashlib.sha256()
    for _, value in sorted(module.state_dict().items()):
        digest.update(value.contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def main() -> None:
    """Repeat the trainings and count their checksums."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    classifier._SAVE_EVERY = STEPS // 2
    adaptation._SAMPLES = 4  # fewer samples to prepare, which is most of the time of so few steps
    print(f"{torch.backends.cpu.get_cpu_capability()}, {torch.get_num_threads()} threads")
    failed = False
    for kind in sys.argv[2:] or KINDS:
        with tempfile.TemporaryDirectory() as root:
            train = KINDS[kind](Path(root))
            found: dict[str, Counter[str]] = {"whole": Counter(), "resumed": Counter()}
            start = time.monotonic()
            for number in range(repeats):
                faulthandler.dump_traceback_later(LIMIT_S, exit=True)
                work = Path(root) / f"work-{number}"
                stopped = number % 2 == 1
                if stopped:
                    try:
                        train(work, StopHalfWay(Cancellation()))
                    except Cancelled:
                        pass
                    else:
                        raise SystemExit(f"{kind}: it was to be stopped half way and was not")
                found["resumed" if stopped else "whole"][checksum(train(work, Silent()))] += 1
                faulthandler.cancel_dump_traceback_later()
            same = len(found["whole"] | found["resumed"]) == 1
            failed = failed or not same
            seconds = (time.monotonic() - start) / repeats
            print(f"{kind}: {'one checksum' if same else 'DIFFERENT CHECKSUMS'}, {seconds:.1f} s each")
            for name, counts in found.items():
                print(f"  {name}: {', '.join(f'{count} x {value}' for value, count in counts.items())}")
    raise SystemExit(int(failed))


if __name__ == "__main__":
    main()
