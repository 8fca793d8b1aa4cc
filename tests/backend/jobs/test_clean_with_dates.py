"""Cleaning a scene with other dates of its place, on tiny scenes whose ground under the clouds is known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.transform import from_origin
from rasterio.warp import Resampling, calculate_default_transform, reproject
from scipy import ndimage

from sunbreak.errors import Cancelled, InputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.execute import run
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.result import Result
from sunbreak.jobs.single import clean
from sunbreak.jobs.spec import JobInputs, make_spec
from sunbreak.layers.roles import NODATA, SCALE
from sunbreak.models.importing import save_uncrtaints
from sunbreak.models.uncrtaints import UnCRtainTS, UnCRtainTSConfig
from sunbreak.removal.other_dates import AROUND, FIRST_DATE, NETWORK, OBSERVED
from sunbreak.removal.task import CloudRemoval
from sunbreak.removal.temporal import change
from sunbreak.scene import S2_BANDS, Scene, SceneSeries

SHAPE = (150, 130)
FOUR = ("B02", "B03", "B04", "B08")
TWELVE = tuple(band for band in S2_BANDS if band != "B10")
OPTIONS = CleanOptions(runtime="torch", device="cpu")
TARGET = 100
shift = Affine.translation
CRS, TRANSFORM = "EPSG:32632", from_origin(500000, 5300000, 10, 10)


class Told(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[str, str]] = []

    def message(self, text, level="info"):
        self.said.append((level, text))


def read(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


def box(top: int, bottom: int, left: int, right: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    mask = np.zeros(shape, bool)
    mask[top:bottom, left:right] = True
    return mask


CLOUD = box(40, 90, 30, 90)


@dataclass
class Place:
    """Writes dates of one place, and cleans the target with others.

    Attributes:
        fields: The ground.
        put: Writes a raster.
        out: Where results go.
    """

    fields: object
    put: Callable[..., Path]
    out: Path
    runs: list[Result] = field(default_factory=list)

    def date(
        self, day: int, cloud: np.ndarray | None = None, *, bands: tuple[str, ...] = S2_BANDS, name: str = "place",
        radar: np.ndarray | None = None, values: np.ndarray | None = None, offset: float = 0, **grid: object,
    ) -> Scene:  # fmt: skip
        """A date with a mask of its clouds, which are white."""
        when = np.datetime64("2020-01-01") + day
        dn = self.fields.dn(day, bands) if values is None else values
        cloud = np.zeros(dn.shape[1:], bool) if cloud is None else cloud
        dn = np.where(cloud, np.uint16(7000), dn)
        s2 = self.put(f"{name}_{when}.tif", dn, bands=bands, **grid)
        s1 = None if radar is None else self.put(f"radar_{name}_{when}.tif", radar, bands=("VV", "VH"))
        mask = self.put(f"mask_{name}_{when}.tif", cloud[None].astype(np.uint8), **grid)
        return Scene.open(s2, s1, mask=mask, mask_coding="omnicloudmask", s2_unit="dn", s2_offset=offset)

    def clean(self, target: Scene, *others: Scene, model, told: Reporter | None = None, **options) -> Result:
        made = CleanOptions(runtime="torch", device="cpu", **options)
        self.runs.append(
            clean(SceneSeries(target, others), self.out / str(len(self.runs)), model, made, told or Silent())
        )
        return self.runs[-1]

    def error(self, result: Result, where: np.ndarray, bands: tuple[str, ...] = S2_BANDS) -> float:
        """Root mean square error in reflectance."""
        apart = read(result.layers["cleaned"]) / 1e4 - self.fields.truth(TARGET, bands)
        return float(np.sqrt((apart[:, where] ** 2).mean()))


@pytest.fixture
def place(field_place, write_raster, tmp_path) -> Place:
    return Place(field_place(*SHAPE), write_raster, tmp_path / "out")


@pytest.fixture
def radar(place) -> np.ndarray:
    """Of the target: the small network needs it."""
    return place.fields.radar(TARGET)


@pytest.fixture
def target(place, radar) -> Scene:
    return place.date(TARGET, CLOUD, radar=radar)


def test_clear_pixels_stay_bit_for_bit_and_clouds_are_filled_from_other_dates(place, target, small_model):
    before = read(target.inputs[0])
    left, right = box(0, 150, 0, 45), box(0, 150, 75, 130)
    result = place.clean(target, place.date(80, left), place.date(140, right), model=small_model)
    cleaned, source, changed, sigma = (
        read(result.layers[role]) for role in ("cleaned", "source", "changed", "uncertainty")
    )
    np.testing.assert_array_equal(cleaned[:, ~CLOUD], before[:, ~CLOUD])
    assert (source[0][~CLOUD] == OBSERVED).all()
    assert (source[0][CLOUD & right] == FIRST_DATE).all()
    assert (source[0][CLOUD & left] == FIRST_DATE + 1).all()
    assert (sigma[:, CLOUD] > 0).all()
    assert (sigma[:, ~CLOUD] == 0).all()
    # there is radar of the target
    assert (changed[0][CLOUD] == change.UNCHANGED).mean() > 0.97
    error = place.error(result, CLOUD)
    assert error < 0.15 * place.fields.truth(TARGET)[:, CLOUD].std(axis=1).mean()
    assert result.numbers["other_dates_share"] == pytest.approx(CLOUD.mean(), rel=0.01)


def test_sigma_covers_the_errors(place, target, small_model):
    result = place.clean(target, place.date(80), place.date(140), model=small_model)
    apart = np.abs(read(result.layers["cleaned"]) / 1e4 - place.fields.truth(TARGET))[:, CLOUD]
    sigma = read(result.layers["uncertainty"])[:, CLOUD] * SCALE
    assert (np.delete(apart < 1.96 * sigma, 10, axis=0)).mean() > 0.93
    assert result.numbers["mean_sigma"] == pytest.approx(sigma.mean(), rel=0.1)


def test_what_no_date_shows_is_left_to_the_network(place, target, small_model, monkeypatch):
    # with random weights the answer depends on where a tile lies: keep the fixed raster in both runs
    monkeypatch.setattr(CloudRemoval, "place", lambda *_: None)
    covered = box(60, 150, 60, 130)
    told = Told()
    result = place.clean(target, place.date(80, covered), model=small_model, told=told)
    source, sigma = read(result.layers["source"])[0], read(result.layers["uncertainty"])
    assert (source[CLOUD & covered] == NETWORK).all()
    assert (source[CLOUD & ~covered] == FIRST_DATE).mean() > 0.85
    assert set(np.unique(source[CLOUD])) == {NETWORK, FIRST_DATE}
    assert (sigma[:, CLOUD] > 0).all()
    alone = place.clean(target, model=small_model)
    # deep inside, it is the network's answer
    deep = CLOUD & box(75, 90, 75, 90)
    assert np.abs(read(result.layers["cleaned"]).astype(int) - read(alone.layers["cleaned"]))[:, deep].mean() < 400


def test_tiles_lie_where_no_date_shows_the_ground(place, radar, small_model, monkeypatch):
    hidden = box(40, 90, 100, 126)
    target = place.date(TARGET, box(40, 90, 4, 14) | hidden, radar=radar)
    other = place.date(80, hidden)
    placed = place.clean(target, other, model=small_model).numbers["tiles_computed"]
    monkeypatch.setattr(CloudRemoval, "place", lambda *_: None)
    # one in each of three rows; the raster has two there
    assert (placed, place.clean(target, other, model=small_model).numbers["tiles_computed"]) == (3, 6)


def test_a_date_may_show_a_part_of_the_scene_alone(place, target, small_model):
    part = place.date(80, values=place.fields.dn(80)[:, 10:, :70], name="part", transform=TRANSFORM @ shift(0, 10))
    result = place.clean(target, part, model=small_model)
    source = read(result.layers["source"])[0]
    assert (source[CLOUD & box(0, 150, 70, 130)] == NETWORK).all()
    shown = CLOUD & box(0, 150, 0, 62)
    assert (source[shown] == FIRST_DATE).all()
    assert place.error(result, shown) < 0.2 * place.fields.truth(TARGET)[:, CLOUD].std(axis=1).mean()


def test_the_legend_and_the_messages_name_the_dates(place, target, small_model):
    told = Told()
    result = place.clean(target, place.date(80), place.date(140, np.ones(SHAPE, bool)), model=small_model, told=told)
    assert ("info", "Other dates that are used: 2020-03-21 (20 days before).") in told.said
    style = result.layers["source"].with_suffix(".qml").read_text()
    assert "2020-03-21 (20 days before)" in style
    assert (read(result.layers["source"])[0][CLOUD] == FIRST_DATE).all()


def test_a_date_that_is_wholly_cloudy_changes_nothing(place, target, small_model):
    near = place.date(80)
    one = place.clean(target, near, model=small_model)
    two = place.clean(target, place.date(90, np.ones(SHAPE, bool)), near, model=small_model)
    for role in ("cleaned", "uncertainty", "changed"):
        np.testing.assert_array_equal(read(two.layers[role]), read(one.layers[role]), err_msg=role)
    assert (read(two.layers["source"])[0][CLOUD] == FIRST_DATE + 1).all()


def test_if_no_date_is_clear_there_the_scene_is_cleaned_alone_and_that_is_said(place, target, small_model):
    told = Told()
    result = place.clean(target, place.date(80, CLOUD), model=small_model, told=told)
    text = "None of the other dates shows what the clouds hide: the scene is cleaned alone."
    assert ("warning", text) in told.said
    alone = place.clean(target, model=small_model)
    for role in ("cleaned", "uncertainty", "reconstructed", "cloud_mask"):
        np.testing.assert_array_equal(read(result.layers[role]), read(alone.layers[role]), err_msg=role)
    assert (read(result.layers["source"])[0][CLOUD] == NETWORK).all()
    assert (read(result.layers["changed"]) == change.HIDDEN).all()


def test_without_other_dates_there_are_the_layers_of_before_byte_for_byte(place, target, small_model, tmp_path):
    series = place.clean(target, model=small_model)
    plain = clean(target, tmp_path / "plain", small_model, OPTIONS, Silent())
    assert set(series.layers) == set(plain.layers)
    assert not {"source", "changed"} & set(plain.layers)
    for role, path in plain.layers.items():
        assert series.layers[role].read_bytes() == path.read_bytes(), role


def test_four_bands_are_enough_without_a_network(place, small_model):
    target = place.date(TARGET, CLOUD, bands=FOUR)
    covered, told = box(60, 150, 60, 130), Told()
    result = place.clean(target, place.date(80, covered, bands=FOUR), model=small_model, told=told)
    assert any("Other dates alone are used" in text for _, text in told.said)
    source = read(result.layers["source"])[0]
    assert set(np.unique(source[CLOUD])) == {AROUND, FIRST_DATE}
    assert (source[CLOUD & covered] == AROUND).all()
    before, sigma = read(target.inputs[0]), read(result.layers["uncertainty"])
    np.testing.assert_array_equal(read(result.layers["cleaned"])[:, ~CLOUD], before[:, ~CLOUD])
    assert (sigma[:, CLOUD] > 0).all()
    seen = CLOUD & ~covered
    assert place.error(result, seen, FOUR) < 0.2 * place.fields.truth(TARGET, FOUR)[:, CLOUD].std(axis=1).mean()
    # what is filled from around is uncertain
    assert sigma[:, CLOUD & covered].mean() > 2 * sigma[:, seen].mean()


def test_without_a_network_clear_pixels_stay_even_if_everything_is_replaced(place, tmp_path):
    # without a guided network no mask is looked at if everything is replaced
    config = UnCRtainTSConfig(width=16, depth=1, guided=True, prior=tuple(0.1 + 0.01 * band for band in range(13)))
    guided = save_uncrtaints(UnCRtainTS(config).eval(), "guided", tmp_path / "model", title="t", description="d",
                             licence="CC0-1.0", tile=64, overlap=16)  # fmt: skip
    target = place.date(TARGET, CLOUD, bands=FOUR)
    result = place.clean(target, place.date(80, bands=FOUR), model=guided, replace_all=True)
    np.testing.assert_array_equal(read(result.layers["cleaned"])[:, ~CLOUD], read(target.inputs[0])[:, ~CLOUD])
    np.testing.assert_array_equal(read(result.layers["reconstructed"])[0], CLOUD * 10000)
    assert (read(result.layers["source"])[0][~CLOUD] == OBSERVED).all()
    assert place.error(result, CLOUD, FOUR) < 0.2 * place.fields.truth(TARGET, FOUR)[:, CLOUD].std(axis=1).mean()


def test_four_bands_without_a_date_that_helps_are_refused(place, small_model):
    target = place.date(TARGET, CLOUD, bands=FOUR)
    with pytest.raises(InputError) as caught:
        place.clean(target, place.date(80, CLOUD, bands=FOUR), model=small_model)
    assert caught.value.code == "no-date-clear"
    assert not (place.out / "0").exists()


@pytest.mark.parametrize("bands", [FOUR, S2_BANDS], ids=["four", "thirteen"])
def test_a_scene_without_clouds_stays_as_it_is(place, radar, small_model, bands):
    target = place.date(TARGET, bands=bands, radar=radar)
    told = Told()
    result = place.clean(target, place.date(80, bands=bands), model=small_model, told=told)
    assert not any("None of the other dates" in text for _, text in told.said)
    np.testing.assert_array_equal(read(result.layers["cleaned"]), read(target.inputs[0]))
    assert (read(result.layers["source"]) == OBSERVED).all()
    assert not read(result.layers["uncertainty"]).any()
    assert (read(result.layers["changed"]) == change.UNCHANGED).mean() > 0.98


def test_a_scene_with_hardly_a_clear_pixel_follows_the_nearest_date(place, radar, small_model):
    cloud = ~box(70, 74, 60, 64)
    told = Told()
    result = place.clean(
        place.date(TARGET, cloud, radar=radar), place.date(90), place.date(250), model=small_model, told=told
    )
    assert ("warning", "The scene has hardly a clear pixel: its colours follow the other dates and the days "
                       "between.") in told.said  # fmt: skip
    cleaned, truth = read(result.layers["cleaned"]), place.fields.truth(TARGET)
    near = [np.corrcoef(cleaned[band][cloud], truth[band][cloud])[0, 1] for band in range(10)]
    assert min(near) > 0.7
    assert (read(result.layers["source"])[0][cloud] == FIRST_DATE).all()
    sigma = read(result.layers["uncertainty"])[:, cloud] * SCALE
    covered = np.abs(cleaned / 1e4 - truth)[:, cloud] < 1.96 * sigma
    assert covered[:10].mean() > 0.9


def test_a_date_may_lie_half_a_pixel_off(place, radar, field_place, small_model):
    # ground of 5 m, whose means are seen by pixels of 10 m of either grid
    fine = ndimage.uniform_filter(field_place(SHAPE[0] * 2 + 2, SHAPE[1] * 2 + 2, 7).latent, (0, 5, 5))

    def pixels(first: int) -> np.ndarray:
        part = fine[:, first : first + 2 * SHAPE[0], first : first + 2 * SHAPE[1]]
        return part.reshape(3, SHAPE[0], 2, SHAPE[1], 2).mean(axis=(2, 4))

    place.fields.latent = pixels(0)
    target, straight = place.date(TARGET, CLOUD, radar=radar), place.date(80)
    place.fields.latent = pixels(1)
    shifted = place.date(80, name="shifted", transform=TRANSFORM @ shift(0.5, 0.5))
    place.fields.latent = pixels(0)
    best, result = (place.clean(target, other, model=small_model) for other in (straight, shifted))
    assert (read(result.layers["source"])[0][CLOUD] == FIRST_DATE).all()
    assert place.error(result, CLOUD) < 1.5 * place.error(best, CLOUD)
    assert place.error(result, CLOUD) < 0.2 * place.fields.truth(TARGET)[:, CLOUD].std(axis=1).mean()


def test_a_date_may_lie_in_another_zone(place, target, small_model):
    straight = place.clean(target, place.date(80), model=small_model)
    dn = place.fields.dn(80)
    bounds = rasterio.transform.array_bounds(*SHAPE, TRANSFORM)
    transform, width, height = calculate_default_transform(CRS, "EPSG:32631", SHAPE[1], SHAPE[0], *bounds,
                                                           resolution=10)  # fmt: skip
    there = np.zeros((13, height, width), np.uint16)
    reproject(dn, there, src_transform=TRANSFORM, src_crs=CRS, dst_transform=transform, dst_crs="EPSG:32631",
              resampling=Resampling.bilinear)  # fmt: skip
    grid = {"transform": transform, "crs": "EPSG:32631", "nodata": 0}
    other = place.date(80, values=there, name="zone31", **grid)
    result = place.clean(target, other, model=small_model)
    assert (read(result.layers["source"])[0][CLOUD] == FIRST_DATE).all()
    # the test itself has resampled the date to get it there, which blurs it once more
    assert place.error(result, CLOUD) < 2.5 * place.error(straight, CLOUD)
    assert place.error(result, CLOUD) < 0.25 * place.fields.truth(TARGET)[:, CLOUD].std(axis=1).mean()


def test_a_date_of_the_other_level_with_other_numbers_serves_as_well(place, target, small_model):
    same = place.clean(target, place.date(80), model=small_model)
    gains = np.linspace(0.7, 1.2, 12)[:, None, None]
    surface = np.rint(gains * place.fields.dn(80, TWELVE) + 60 + 1000).astype(np.uint16)
    other = place.date(80, values=surface, bands=TWELVE, name="surface", offset=-1000)
    assert (target.level, other.level) == ("L1C", "L2A")
    result = place.clean(target, other, model=small_model)
    assert place.error(result, CLOUD) < 1.2 * place.error(same, CLOUD)


def test_the_numbers_of_the_target_may_have_an_offset(place, radar, small_model):
    dn = place.fields.dn(TARGET)
    plain = place.clean(place.date(TARGET, CLOUD, radar=radar), place.date(80), model=small_model)
    # B10 has values near 0, which with an offset are stored well
    moved = place.date(TARGET, CLOUD, values=dn + np.uint16(1000), radar=radar, name="moved", offset=-1000)
    result = place.clean(moved, place.date(80), model=small_model)
    apart = read(result.layers["cleaned"]).astype(int) - 1000 - read(plain.layers["cleaned"])
    assert np.abs(apart[:, CLOUD]).max() <= 2


def test_ground_that_changed_is_in_the_layer(place, small_model, radar):
    harvest = box(110, 126, 20, 40)
    values = place.fields.dn(TARGET)
    values[:, harvest] = values[:, harvest] * np.linspace(1.8, 0.5, 13)[:, None]
    flood = box(50, 74, 45, 70)
    radar[:, flood] -= 8
    target = place.date(TARGET, CLOUD, values=values, radar=radar)
    other = place.date(80, radar=place.fields.radar(80))
    result = place.clean(target, other, model=small_model)
    changed, sigma = read(result.layers["changed"])[0], read(result.layers["uncertainty"])
    assert (changed[harvest] == change.SEEN).mean() > 0.9
    assert (changed[~CLOUD & ~box(107, 129, 17, 43)] == change.SEEN).mean() < 0.02
    assert (changed[flood] == change.BY_RADAR).mean() > 0.9
    assert sigma[:, flood].mean() > 3 * sigma[:, CLOUD & ~box(45, 79, 40, 75)].mean()
    assert result.numbers["ground_changed_share"] == pytest.approx(harvest.mean(), rel=0.3)
    # backscatter is averaged over windows, which reach two pixels further
    assert result.numbers["ground_changed_by_radar_share"] == pytest.approx(box(48, 76, 43, 72).mean(), rel=0.15)


def test_pixels_without_data_stay_without(place, radar, small_model):
    values = place.fields.dn(TARGET)
    values[:, :, :20] = 0
    target = place.date(TARGET, CLOUD & ~box(0, 150, 0, 20), values=values, radar=radar, nodata=0)
    result = place.clean(target, place.date(80), model=small_model)
    assert (read(result.layers["cleaned"])[:, :, :20] == 0).all()
    assert (read(result.layers["source"])[0, :, :20] == 255).all()
    assert (read(result.layers["changed"])[0, :, :20] == 255).all()
    assert (read(result.layers["uncertainty"])[:, :, :20] == NODATA).all()
    assert (read(result.layers["source"])[0][CLOUD] == FIRST_DATE).all()


def test_between_two_sources_there_is_no_seam(field_place, write_raster, tmp_path, small_model):
    """Mean step across the border of two dates over that in the truth, against the same some pixels beside it."""
    shape = (190, 150)
    place = Place(field_place(*shape, 3), write_raster, tmp_path / "out")
    cloud = box(20, 170, 30, 120, shape)
    # with little noise, which the dates would average out where there are two
    target, left, right = (
        place.date(day, mask, values=place.fields.dn(day, noise=0.002), radar=radar)
        for day, mask, radar in (
            (TARGET, cloud, place.fields.radar(TARGET)),
            (80, box(0, 190, 0, 55, shape), None),
            (170, box(0, 190, 95, 150, shape), None),
        )
    )
    result = place.clean(target, left, right, model=small_model)
    source = read(result.layers["source"])[0]
    cleaned, truth = read(result.layers["cleaned"]) / 1e4, place.fields.truth(TARGET)
    steps = [np.abs(np.diff(image, axis=2)) / image.mean(axis=(1, 2), keepdims=True) for image in (cleaned, truth)]
    inside = cloud[:, 1:] & cloud[:, :-1]
    border = (source[:, 1:] != source[:, :-1]) & inside
    assert border.sum() == 150
    near, far = (ndimage.binary_dilation(border, np.ones((1, 2 * reach + 1))) for reach in (3, 18))
    ratios = [steps[0][:10, where].mean() / steps[1][:10, where].mean() for where in (near, far & ~near & inside)]
    assert 0.95 < ratios[0] / ratios[1] < 1.05, ratios


def test_it_can_be_cancelled_in_the_first_pass(place, target, small_model):
    class Impatient(Told):
        def message(self, text, level="info"):
            if "Other date" in text:
                self.cancellation.request()

    impatient = Impatient()
    impatient.cancellation = Cancellation()
    with pytest.raises(Cancelled):
        place.clean(target, place.date(80), model=small_model, told=impatient)
    assert not (place.out / "0").exists()


def test_files_alone_describe_the_job_and_clouds_of_other_dates_are_detected(place, target, small_model, tmp_path):
    """Without masks: the detector looks at the target and at the other dates."""
    told = Told()
    seen = place.date(80, box(70, 150, 0, 130), name="clear")
    s2, s1 = target.inputs[:2]
    inputs = JobInputs((s2,), (s1,), references=(seen.inputs[0],), s2_unit="dn", s2_offset=0)
    options = CleanOptions(detector="s2cloudless", runtime="torch", device="cpu")
    result = run(make_spec("clean", inputs, tmp_path / "job", options, removal=str(small_model.path)), told)
    assert ("info", "Clouds: s2cloudless on blocks of 3 x 3 pixels.") in told.said
    assert any(
        "clear_2020-03-21.tif: 5" in text and "cloud or shadow there and around" in text for _, text in told.said
    )
    source = read(result.layers["source"])[0]
    assert (source[42:56, 35:85] == FIRST_DATE).mean() > 0.95
    assert (source[78:86, 35:85] == NETWORK).mean() > 0.95
    # eight pixels from the clouds of the other date the network, which knows nothing here, begins to count
    assert place.error(result, box(42, 52, 35, 85)) < 0.3 * place.fields.truth(TARGET)[:, CLOUD].std(axis=1).mean()


# kills itself after the n-th line of the journal that speaks of something
SUICIDE = """
import os, signal, sys
from pathlib import Path
from sunbreak.events import Silent
from sunbreak.jobs.options import CleanOptions
from sunbreak.jobs.single import clean
from sunbreak.layers import journal
from sunbreak.models.registry import find_model
from sunbreak.scene import Scene, SceneSeries
word, number, model, out, s1, *files = sys.argv[1:]
journal._SHARE = 1e9
whole, seen = journal.Journal._line, []
def line(self, content):
    whole(self, content)
    if word in repr(content):
        seen.append(1)
        if len(seen) == int(number):
            os.kill(os.getpid(), signal.SIGKILL)
journal.Journal._line = line
how = {"mask_coding": "omnicloudmask", "s2_unit": "dn", "s2_offset": 0}
scenes = [Scene.open(s2, s1 if i == 0 else None, mask=mask, **how)
          for i, (s2, mask) in enumerate(zip(files[::2], files[1::2]))]
clean(SceneSeries(scenes[0], tuple(scenes[1:])), Path(out), find_model(model, "cloud-removal"),
      CleanOptions(runtime="torch", device="cpu"), Silent())
"""


def test_a_killed_run_resumes_and_ends_with_the_same_bytes(field_place, write_raster, tmp_path, small_model):
    shape = (330, 70)
    place = Place(field_place(*shape, 1), write_raster, tmp_path / "out")
    cloud = box(20, 310, 10, 60, shape)
    target = place.date(TARGET, cloud, radar=place.fields.radar(TARGET))
    others = place.date(80, box(0, 150, 0, 70, shape)), place.date(140, box(120, 260, 0, 70, shape))
    whole = place.clean(target, *others, model=small_model)
    out = tmp_path / "killed"
    files = [str(path) for scene in (target, *others) for path in (scene.inputs[0], scene.cloud_mask.file.path)]
    arguments = ["'step': 'clean'", "3", str(small_model.path), str(out), str(target.inputs[1]), *files]
    done = subprocess.run([sys.executable, "-c", SUICIDE, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == -9, done.stderr
    assert [path.name for path in out.iterdir() if not path.name.startswith(".")] == []
    told = Told()
    result = clean(SceneSeries(target, others), out, small_model, OPTIONS, told, resume=True)
    assert any("Resuming the unfinished run" in text for _, text in told.said), told.said
    for role, path in whole.layers.items():
        assert result.layers[role].read_bytes() == path.read_bytes(), role
    for name in ("other_dates_share", "reconstructed_share", "ground_changed_share"):
        assert result.numbers[name] == pytest.approx(whole.numbers[name]), name
