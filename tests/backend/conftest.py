"""Tiny data that several packages share: scenes on disk, a small network, a model of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.transform import from_origin

from sunbreak.models.registry import ModelFiles
from sunbreak.scene import S2_BANDS

sys.path.append(str(Path(__file__).parent / "support"))  # helpers that several test modules import

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"

WriteRaster = Callable[..., Path]


@pytest.fixture
def write_raster(tmp_path: Path) -> WriteRaster:
    """Write an array (band, row, column) as a GeoTIFF at 10 m in UTM 32N and give its path."""

    def write(name: str, values: np.ndarray, *, bands: tuple[str, ...] = (), **options: object) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        profile = {
            "driver": "GTiff",
            "count": values.shape[0],
            "height": values.shape[1],
            "width": values.shape[2],
            "dtype": values.dtype,
            "crs": "EPSG:32632",
            "transform": from_origin(500000, 5300000, 10, 10),
            **options,
        }
        with rasterio.open(path, "w", **profile) as target:
            target.write(values)
            for index, band in enumerate(bands, 1):
                target.set_band_description(index, band)
        return path

    return write


@pytest.fixture
def cloudy_dn() -> Callable[..., np.ndarray]:
    """Make DN (13, row, column): vegetation with texture, and a bright cloud in the given window."""

    def make(rows: int, columns: int, cloud: tuple[slice, slice] | None = None, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        ground = np.array([1200, 900, 850, 600, 900, 1900, 2300, 2200, 2500, 700, 12, 1500, 800], float)
        dn = ground[:, None, None] * rng.normal(1, 0.05, (13, rows, columns))
        if cloud is not None:
            white = np.array([5000, 5200, 5100, 5300, 5400, 5600, 5700, 5600, 5800, 3500, 60, 3500, 2500], float)
            dn[(slice(None), *cloud)] = white[:, None, None] * rng.normal(1, 0.02, dn[(slice(None), *cloud)].shape)
        return np.clip(dn, 1, 20000).astype(np.uint16)

    return make


@pytest.fixture
def radar_db() -> Callable[..., np.ndarray]:
    """Make S1 backscatter (2, row, column) in dB."""

    def make(rows: int, columns: int, seed: int = 1) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return rng.normal([[[-11.0]], [[-17.0]]], 1.5, (2, rows, columns)).astype(np.float32)

    return make


@pytest.fixture
def scene_files(write_raster, cloudy_dn, radar_db) -> tuple[Path, Path]:
    """S2 and S1 of a scene of 70 x 90 pixels with one cloud, no nodata."""
    s2 = write_raster("place.tif", cloudy_dn(70, 90, (slice(20, 50), slice(30, 70))), bands=S2_BANDS)
    s1 = write_raster("radar.tif", radar_db(70, 90), bands=("VV", "VH"))
    return s2, s1


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """A real but tiny UnCRtainTS (width 16, one block, 64 px tiles) with random weights, as a registry model, converted.

    Tiles of 32 px would do, but OpenVINO 2026.4 crashes while it compiles this width for them.
    """
    import torch

    from sunbreak.engine.conversion import convert_model
    from sunbreak.models.importing import save_uncrtaints
    from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig

    torch.manual_seed(3)
    module = UnCRtainTS(UnCRtainTSConfig(width=16, depth=1))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    saved = save_uncrtaints(
        module.eval(),
        "small",
        tmp_path_factory.mktemp("models"),
        title="A tiny network for tests",
        description="Random weights.",
        licence="GPL-2.0-or-later",
        tile=64,
        overlap=16,
        temperature=tuple(1.0 + 0.1 * band for band in range(13)),
        calibrated_on="nothing: made up for the test",
    )
    return convert_model(saved)[0]


@pytest.fixture(scope="session")
def small_pixels(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """A real but tiny per-pixel classifier with random weights, converted: cores of 32 px in tiles of 320."""
    from pixel_networks import save_small

    from sunbreak.engine.conversion import convert_model

    return convert_model(save_small(tmp_path_factory.mktemp("pixels")))[0]


def pytest_configure(config: pytest.Config) -> None:
    """Silence what tests provoke on purpose, and what rasterio does with newer affine releases."""
    config.addinivalue_line("filterwarnings", "ignore::rasterio.errors.NotGeoreferencedWarning")
    config.addinivalue_line("filterwarnings", "ignore:Use `@` matmul:PendingDeprecationWarning")


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the user's models and cache out of the tests."""
    monkeypatch.setenv("SUNBREAK_MODELS", str(tmp_path_factory.getbasetemp() / "user-models"))
    monkeypatch.setenv("SUNBREAK_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and references, or skip."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real data and references is not here")
    return SHARED


@pytest.fixture(scope="session")
def small_classifier(tmp_path_factory: pytest.TempPathFactory) -> ModelFiles:
    """A real but tiny ResNet-18 (width 8, 64 px patches) with random weights whose answers differ from place to place, converted."""
    import torch

    from sunbreak.engine.conversion import convert_model
    from sunbreak.models.importing import save_classifier
    from sunbreak.models.legends import SEN12MS_10, SIMPLIFIED_IGBP, TEN_BANDS
    from sunbreak.models.resnet import ResNet

    torch.manual_seed(5)
    module = ResNet(18, 10, 10, width=8).eval()
    with torch.no_grad():
        module.fc.weight *= 12
    saved = save_classifier(
        module,
        "small-landcover",
        tmp_path_factory.mktemp("classifiers"),
        title="A tiny classifier for tests",
        description="Random weights.",
        licence="GPL-2.0-or-later",
        bands=TEN_BANDS,
        standardisation=SEN12MS_10,
        classes=SIMPLIFIED_IGBP,
        depth=18,
        tile=64,
        temperature=(1.5,),
        calibrated_on="nothing: made up for the test",
    )
    return convert_model(saved)[0]


@pytest.fixture
def land_dn() -> Callable[..., np.ndarray]:
    """Make DN (13, row, column) of a simulated landscape, with different land from place to place."""
    from sunbreak.datasets.simulation import simulate_scene

    def make(rows: int, columns: int, seed: int = 4) -> np.ndarray:
        return simulate_scene((rows, columns), seed, cover=0.0).clear

    return make


@pytest.fixture(scope="session")
def small_bigearthnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve cloudy and twelve clear simulated patches of BigEarthNet v1 with radar and truth; not to be changed."""
    from sunbreak.datasets.bigearthnet.writing import write_bigearthnet

    return write_bigearthnet(tmp_path_factory.mktemp("data") / "bigearthnet", 24, 3, truth=True, cover=(0.2, 0.5))


UTM32 = "EPSG:32632"
ORIGIN = Affine(10, 0, 600_000, 0, -10, 5_200_000)

#: Typical L1C surface DN of the 13 bands in native order, B10 close to nothing.
DN = (1300, 1100, 950, 800, 1200, 2200, 2600, 2500, 2900, 900, 12, 1900, 1000)

Write = Callable[..., Path]


def save(path: Path, values: np.ndarray, **options: Any) -> Path:
    """Write (band, row, column) as GeoTIFF with a georeference unless told otherwise."""
    profile = {"crs": UTM32, "transform": ORIGIN, "driver": "GTiff", **options}
    names: Sequence[str | None] = profile.pop("names", ())
    tags = profile.pop("tags", {})
    band_tags = profile.pop("band_tags", {})
    scales, offsets = profile.pop("scales", None), profile.pop("offsets", None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", count=values.shape[0], height=values.shape[1], width=values.shape[2], dtype=values.dtype, **profile
    ) as dataset:
        dataset.write(values)
        dataset.update_tags(**tags)
        for index, name in enumerate(names, 1):
            if name:
                dataset.set_band_description(index, name)
        for index, values_of_band in band_tags.items():
            dataset.update_tags(index, **values_of_band)
        if scales:
            dataset.scales, dataset.offsets = scales, offsets
    return path


def surface(count: int = 13, rows: int = 40, columns: int = 50, seed: int = 0) -> np.ndarray:
    """uint16 DN without the baseline offset, 13 bands (or 12 without B10, or any number of the first ones)."""
    levels = np.array([level for index, level in enumerate(DN) if count != 12 or index != 10][:count], float)
    noise = np.random.default_rng(seed).uniform(0.7, 1.3, (count, rows, columns))
    return (levels[:, None, None] * noise).astype("uint16")


def backscatter(rows: int = 40, columns: int = 50, seed: int = 1) -> np.ndarray:
    """VV and VH in dB, float32."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.normal(-10, 3, (rows, columns)), rng.normal(-17, 3, (rows, columns))]).astype("float32")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """`write(name, values, **profile)` puts a raster into the test's folder."""

    def put(name: str, values: np.ndarray, **options: Any) -> Path:
        return save(tmp_path / name, values, **options)

    return put


@pytest.fixture
def make_surface() -> Callable[..., np.ndarray]:
    return surface


@pytest.fixture
def make_backscatter() -> Callable[..., np.ndarray]:
    return backscatter


class FieldPlace:
    """A place of fields: their colour on any day is a linear map of what grows there, so that the truth is known.

    Attributes:
        latent: (3, row, column), what grows; constant within a field but for some texture.
    """

    def __init__(self, rows: int, columns: int, seed: int = 0) -> None:
        import cv2
        from scipy.spatial import cKDTree

        rng = np.random.default_rng(seed)
        centres = rng.uniform(0, 1, (max(rows * columns // 400, 4), 2)) * (rows, columns)
        places = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1)
        field = cKDTree(centres).query(places)[1]
        grown = rng.uniform(-1, 1, (3, len(centres)))[:, field]
        texture = [cv2.GaussianBlur(rng.normal(0, 1, (rows, columns)), (0, 0), 1.5) for _ in range(3)]
        self.latent = grown + 0.5 * np.stack(texture)
        self.shape, self._seed = (rows, columns), seed
        mixed = np.random.default_rng(99).normal(0, 0.12, (3, len(DN), 3))
        self._still, self._rising, self._falling = mixed

    def truth(self, day: float, bands: Sequence[str] = S2_BANDS) -> np.ndarray:
        """Reflectance (band, row, column) without noise."""
        angle = 2 * np.pi * day / 365
        colour = self._still + np.sin(angle) * self._rising + np.cos(angle) * self._falling
        seen = 1 + np.tensordot(colour, self.latent, axes=1)
        chosen = [S2_BANDS.index(band) for band in bands]
        return np.asarray(np.maximum(seen, 0.05)[chosen] * np.array(DN, float)[chosen, None, None] / 1e4)

    def seen(self, day: float, bands: Sequence[str] = S2_BANDS, noise: float = 0.02) -> np.ndarray:
        """Reflectance (band, row, column) float32 with independent noise, relative to the mean of each band."""
        rng = np.random.default_rng((self._seed, int(day) % 1000, len(bands)))
        level = np.array([DN[S2_BANDS.index(band)] for band in bands])[:, None, None] / 1e4
        values = self.truth(day, bands) + noise * level * rng.standard_normal((len(bands), *self.shape))
        return np.maximum(values, 1e-4).astype(np.float32)

    def dn(self, day: float, bands: Sequence[str] = S2_BANDS, noise: float = 0.02) -> np.ndarray:
        """What `seen` gives as stored numbers, uint16."""
        return np.maximum(np.rint(1e4 * self.seen(day, bands, noise)), 1).astype(np.uint16)

    def radar(self, day: float) -> np.ndarray:
        """VV and VH in dB (2, row, column) with speckle."""
        rng = np.random.default_rng((self._seed, int(day) % 1000, 77))
        still = np.array([[[-11.0]], [[-17.0]]]) + 2 * self.latent[:2]
        return (still + rng.normal(0, 1.2, still.shape)).astype(np.float32)


@pytest.fixture(scope="session")
def field_place() -> type[FieldPlace]:
    """Makes places whose true reflectance on any day is known."""
    return FieldPlace
