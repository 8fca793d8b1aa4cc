"""A synthetic table of patches with results as in the paper: clear is best, cloudy is confidently wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sunbreak.studies.downstream.table import PatchTable, columns_of, make_table

# fractions of the ten classes; no patch has Snow/Ice
SHARES = np.array([0.19, 0.03, 0.30, 0.12, 0.01, 0.20, 0.06, 0.0, 0.015, 0.075])
SAVANNA, URBAN, SNOW = 2, 6, 7


def made_table(
    patches: int = 400, train: int = 200, *, features: int = 0, seed: int = 1, raw: bool = True
) -> PatchTable:
    random = np.random.default_rng(seed)
    total = patches + train
    split = np.array(["test"] * patches + ["train"] * (train - train // 5) + ["val"] * (train // 5))
    label = random.choice(10, total, p=SHARES / SHARES.sum())
    cover = np.clip(random.beta(0.5, 0.4, total), 0, 1)
    cover[random.random(total) < 0.04] = 0.0
    cover = np.round(cover * 65536) / 65536
    hardness = random.normal(0, 1, (total, 10))
    # the classifier is fair on most classes and poor on shrubs and grassland
    skill = np.array([4.2, 0.8, 3.6, 1.4, 1.0, 3.4, 3.6, 1.0, 0.8, 5.0])
    clear = 1.3 * hardness
    clear[:, SNOW] -= 3
    clear[np.arange(total), label] += skill[label] + random.normal(0, 1.5, total)
    detail = np.clip(1 - 0.55 * cover + random.normal(0, 0.06, total), 0.1, 1.2)
    noise = random.normal(0, 1, (total, 10))

    def cleaned(strength: float) -> np.ndarray:
        loss = strength * (1 - detail)
        logits = clear * (1 - 0.5 * loss)[:, None] + (0.4 + loss)[:, None] * noise
        logits[:, SAVANNA] += 2.6 * loss
        return logits

    cloudy = clear * (1 - 0.85 * cover)[:, None] + (0.3 + cover)[:, None] * noise
    cloudy[:, URBAN] += 9 * cover**1.5
    columns = {
        "patch": [f"ROIs1158_spring_{31 + i % 5}_p{i}" for i in range(total)],
        "split": split,
        "label": label,
        "cover": cover,
        "logits_clear": clear.astype(np.float32),
        "logits_removed": cleaned(1.6).astype(np.float32),
        "logits_cloudy": cloudy.astype(np.float32),
        "psnr_removed": 34 - 9 * cover + random.normal(0, 1.5, total),
        "ssim_removed": np.clip(0.97 - 0.18 * cover + random.normal(0, 0.04, total), 0.4, 0.999),
        "sam_removed": np.clip(5 + 6 * cover + random.normal(0, 1, total), 0.5, 40),
        "detail_removed": detail,
        "zero_pixels_removed": np.where(random.random(total) < 0.01, 12, 0),
    }
    if raw:
        columns["logits_removed_raw"] = cleaned(2.2).astype(np.float32)
        columns["psnr_removed_raw"] = columns["psnr_removed"] - 1.5
        columns["ssim_removed_raw"] = columns["ssim_removed"] - 0.02
        columns["sam_removed_raw"] = columns["sam_removed"] + 0.8
        columns["detail_removed_raw"] = columns["detail_removed"] - 0.1
    if features:
        basis = random.normal(0, 1, (10, features))
        for name in [key.removeprefix("logits_") for key in columns if key.startswith("logits_")]:
            columns[f"features_{name}"] = columns[f"logits_{name}"] @ basis + random.normal(0, 0.3, (total, features))
    return make_table(columns)


@pytest.fixture(scope="session")
def table() -> PatchTable:
    return made_table()


@pytest.fixture(scope="session")
def make():
    return made_table


@pytest.fixture
def columns(table) -> dict[str, np.ndarray]:
    return columns_of(table)


@pytest.fixture(scope="session")
def data(tmp_path_factory) -> tuple[Path, Path]:
    """SEN12MS and SEN12MS-CR of 16 simulated patches of 64 px: 8 test, 2 validation, 6 training."""
    from sunbreak.datasets.simulation.sen12ms import Sen12msSimulation, write_sen12ms

    folders = write_sen12ms(tmp_path_factory.mktemp("data"), Sen12msSimulation(16, 64))
    return folders["sen12ms"], folders["sen12mscr"]


@pytest.fixture
def own_data(data, tmp_path) -> tuple[Path, Path]:
    """A copy of `data` that a test can change."""
    import shutil

    return tuple(Path(shutil.copytree(folder, tmp_path / "own" / folder.name)) for folder in data)
