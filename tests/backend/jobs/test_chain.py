"""The chain: one set of layers, classified on the cleaned scene, and a report that names its limits."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from sunbreak.errors import Cancelled, InputError
from sunbreak.events import Cancellation, Reporter, Silent
from sunbreak.jobs.chain import run_chain
from sunbreak.jobs.options import ChainOptions, ClassifyOptions, ExplainOptions
from sunbreak.jobs.single import classify, clean, explain
from sunbreak.landcover.reconstructed import ShareRaster
from sunbreak.landcover.trust import TrustThresholds
from sunbreak.models.registry import find_model
from sunbreak.scene import S2_BANDS, Scene

ROLES = {
    "cleaned", "reconstructed", "uncertainty", "cloud_mask", "landcover", "landcover_confidence",
    "landcover_entropy", "landcover_probabilities", "landcover_evidence", "trust", "landcover_cloudy_vs_cleaned",
    "saliency_predicted",
}  # fmt: skip


def read(path) -> np.ndarray:
    with rasterio.open(path) as source:
        return source.read()


@pytest.fixture
def make_place(write_raster, land_dn, radar_db):
    """Make a landscape whose right part is under a cloud."""

    def make(rows: int, columns: int, cloud: int) -> Scene:
        dn = land_dn(rows, columns)
        white = np.array([5000, 5200, 5100, 5300, 5400, 5600, 5700, 5600, 5800, 3500, 60, 3500, 2500], np.uint16)
        dn[:, :, cloud:] = white[:, None, None]
        mask = np.zeros((1, rows, columns), np.uint8)
        mask[:, :, cloud:] = 1
        s2 = write_raster("place.tif", dn, bands=S2_BANDS)
        s1 = write_raster("radar.tif", radar_db(rows, columns), bands=("VV", "VH"))
        return Scene.open(s2, s1, mask=write_raster("mask.tif", mask))

    return make


@pytest.fixture
def cloudy_place(make_place):
    """A landscape of 128 x 160 pixels whose right third is under a cloud."""
    return make_place(128, 160, 110)


def test_the_chain_writes_everything_and_classifies_the_cleaned_scene(
    cloudy_place, small_model, small_classifier, tmp_path
):
    options = ChainOptions(thresholds=TrustThresholds(0.3, 0.2))
    result = run_chain(cloudy_place, tmp_path / "chain", small_model, small_classifier, options, Silent())
    assert set(result.layers) == ROLES
    # the same by hand: clean, then classify what came out
    cleaned = clean(cloudy_place, tmp_path / "hand", small_model, options.clean, Silent()).layers
    np.testing.assert_array_equal(read(result.layers["cleaned"]), read(cleaned["cleaned"]))
    again = Scene.open(cleaned["cleaned"])
    share = ShareRaster(cleaned["reconstructed"], again)
    by_hand = classify(again, tmp_path / "hand", small_classifier, ClassifyOptions(), Silent(), share=share).layers
    for role in ("landcover", "landcover_probabilities", "landcover_evidence", "landcover_confidence"):
        np.testing.assert_allclose(read(result.layers[role]).astype(int), read(by_hand[role]), atol=1)


@pytest.mark.parametrize("method", ["gradcam", "hirescam", "integrated-gradients"])
def test_the_chain_explains_the_pixels_of_the_cleaned_scene(make_place, small_model, small_pixels, tmp_path, method):
    cloudy_place = make_place(48, 80, 50)  # two by three tiles of the network
    how = ExplainOptions("predicted", method, "layer3")
    result = run_chain(cloudy_place, tmp_path / "chain", small_model, small_pixels, ChainOptions(explain=how), Silent())
    again = Scene.open(result.layers["cleaned"])
    by_hand = explain(again, tmp_path / "hand", small_pixels, how, Silent())
    ours, theirs = (read(one.layers["saliency_predicted"])[0].astype(int) for one in (result, by_hand))
    assert ours.shape == ((24, 40) if method == "integrated-gradients" else (6, 10))
    assert ours.max() == 10000
    np.testing.assert_allclose(ours, theirs, atol=1)
    of_the_cloudy = explain(cloudy_place, tmp_path / "cloudy", small_pixels, how, Silent())
    assert np.abs(read(of_the_cloudy.layers["saliency_predicted"])[0].astype(int) - ours).max() > 500
    report = (tmp_path / "chain" / "place_report.html").read_text()
    said = "integrated gradients" if method == "integrated-gradients" else f"{method}, layer3"
    assert f"each pixel&#x27;s predicted class lies: its logits, summed over the pixels ({said})" in report
    assert result.numbers["explained_pixels"] == 48 * 80


def test_trust_follows_from_evidence_and_confidence(cloudy_place, small_model, small_classifier, tmp_path):
    options = ChainOptions(thresholds=TrustThresholds(0.25, 0.2))
    layers = run_chain(cloudy_place, tmp_path, small_model, small_classifier, options, Silent()).layers
    confidence = read(layers["landcover_confidence"])[0] / 1e4
    reconstructed = read(layers["landcover_evidence"])[1] / 1e4
    trust = read(layers["trust"])[0]
    expected = 1 + 2 * (reconstructed > 0.2) + (confidence < 0.25)
    clear_cut = (np.abs(reconstructed - 0.2) > 1e-3) & (np.abs(confidence - 0.25) > 1e-3)
    np.testing.assert_array_equal(trust[clear_cut], expected[clear_cut])
    assert {1, 2} & set(np.unique(trust[:, :4]))
    assert set(np.unique(trust[:, -2:])) <= {3, 4}
    with rasterio.open(layers["trust"]) as layer:
        assert "0.25" in layer.tags(1)["CLASS_1"]


def test_where_nothing_was_reconstructed_nothing_changes(cloudy_place, small_model, small_classifier, tmp_path):
    result = run_chain(cloudy_place, tmp_path, small_model, small_classifier, ChainOptions(), Silent())
    changed = read(result.layers["landcover_cloudy_vs_cleaned"])[0] == 2
    untouched = read(result.layers["landcover_evidence"])[1] == 0
    assert untouched.any()
    assert not changed[untouched].any()
    # both classifications, by classifying the cloudy scene too
    before = read(
        classify(cloudy_place, tmp_path / "b", small_classifier, ClassifyOptions(), Silent()).layers["landcover"]
    )
    np.testing.assert_array_equal(changed, (before != read(result.layers["landcover"]))[0])
    hectares = changed.ravel() @ np.full(changed.size, 1.0) / changed.size
    assert result.numbers["changed_share"] == pytest.approx(hectares, abs=0.1)


def test_the_report_is_self_contained_and_names_its_limits(cloudy_place, small_model, small_classifier, tmp_path):
    options = ChainOptions(explain=ExplainOptions("Water", "hirescam", "layer3"))
    result = run_chain(cloudy_place, tmp_path, small_model, small_classifier, options, Silent())
    text = (tmp_path / "place_report.html").read_text(encoding="utf-8")
    assert str(result.numbers["report"]) == str(tmp_path / "place_report.html")
    assert text.count("data:image/png;base64,") == 10
    share = result.numbers["cloud_share"]
    assert 0.1 < share < 0.9 and f"{share:.1%} of the valid pixels, of which thin 0.0%" in text
    item = json.loads((tmp_path / "place_cleaned.stac.json").read_text())["properties"]
    assert (item["eo:cloud_cover"], item["sunbreak:shadow_cover"]) == (round(100 * share, 2), 0.0)
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "What to be careful about" in text
    assert "are not recovered" in text
    for name in ("small", "small-landcover", "hirescam", "layer3"):
        assert name in text
    total = sum(float(value) for key, value in result.numbers.items() if key.startswith("hectares_"))
    assert total == pytest.approx(128 * 160 * 0.01)
    assert (tmp_path / "place_saliency_water_bands.csv").is_file()


def test_without_explanation_there_is_no_saliency(cloudy_place, small_model, small_classifier, tmp_path):
    result = run_chain(cloudy_place, tmp_path, small_model, small_classifier, ChainOptions(explain=None), Silent())
    assert set(result.layers) == ROLES - {"saliency_predicted"}


class Progress(Reporter):
    """Remembers the progress; stops when it has reached a limit."""

    def __init__(self, limit: float = 1e9) -> None:
        super().__init__(Cancellation())
        self.seen: list[tuple[float, float, str]] = []
        self.limit = limit

    def progress(self, done: float, total: float, unit: str = "tiles") -> None:
        self.seen.append((done, total, unit))
        if done >= self.limit:
            self.cancellation.request()


def test_one_progress_bar_covers_all_steps(cloudy_place, small_model, small_classifier, tmp_path):
    told = Progress()
    # without a mask, clouds are detected as well
    unmasked = Scene.open(cloudy_place.inputs[0], cloudy_place.inputs[1])
    run_chain(unmasked, tmp_path, small_model, small_classifier, ChainOptions(), told)
    done = [seen[0] for seen in told.seen]
    assert {seen[1:] for seen in told.seen} == {(100, "percent")}
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == 100


@pytest.mark.parametrize("limit", [3, 40, 65, 80])
def test_cancelled_in_any_stage_nothing_is_left(cloudy_place, small_model, small_classifier, tmp_path, limit):
    with pytest.raises(Cancelled):
        run_chain(cloudy_place, tmp_path / "out", small_model, small_classifier, ChainOptions(), Progress(limit))
    assert not (tmp_path / "out").exists()


def test_a_report_of_an_earlier_run_is_not_overwritten_unasked(cloudy_place, small_model, small_classifier, tmp_path):
    (tmp_path / "place_report.html").write_text("mine")
    from sunbreak.errors import OutputError

    with pytest.raises(OutputError, match=r"place_report\.html exists already"):
        run_chain(cloudy_place, tmp_path, small_model, small_classifier, ChainOptions(), Silent())
    assert (tmp_path / "place_report.html").read_text() == "mine"


def test_a_classifier_that_does_not_fit_is_refused_before_the_cleaning(
    write_raster, cloudy_dn, radar_db, small_model, small_classifier, tmp_path
):
    s2 = write_raster("x.tif", cloudy_dn(64, 64), bands=S2_BANDS)
    s1 = write_raster("r.tif", radar_db(64, 64), bands=("VV", "VH"))
    with pytest.raises(InputError, match="has no class"):
        run_chain(
            Scene.open(s2, s1), tmp_path / "out", small_model, small_classifier,
            ChainOptions(explain=ExplainOptions("Lava")), Silent(),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_the_chain_classifies_each_pixel_and_the_report_adjusts_the_areas(
    cloudy_place, small_model, small_pixels, tmp_path
):
    confusion = (np.eye(9, dtype=int) * 90 + 10).tolist()
    metrics = ({"data": "held-out <pixels>", "figures": {"confusion": confusion}},)
    for path in (small_pixels.weights, *small_pixels.converted):
        shutil.copy(path, tmp_path)
    files = find_model(str(replace(small_pixels.card, metrics=metrics).write(tmp_path)), "land-cover")
    options = ChainOptions(explain=None, thresholds=TrustThresholds(0.3, 0.1))
    result = run_chain(cloudy_place, tmp_path / "out", small_model, files, options, Silent())
    assert set(result.layers) == ROLES - {"saliency_predicted", "landcover_probabilities"}
    cover, evidence = read(result.layers["landcover"])[0], read(result.layers["landcover_evidence"])
    assert cover.shape == (128, 160)
    reconstructed = read(result.layers["reconstructed"])[0]
    np.testing.assert_array_equal(evidence[1], reconstructed)
    trust = read(result.layers["trust"])[0]
    np.testing.assert_array_equal(trust > 2, reconstructed > 1000)
    # the cloudy scene apart; pixels whose surroundings are the same keep their class
    before = read(classify(cloudy_place, tmp_path / "b", files, ClassifyOptions(), Silent()).layers["landcover"])[0]
    changed = read(result.layers["landcover_cloudy_vs_cleaned"])[0] == 2
    np.testing.assert_array_equal(changed, cover != before)
    assert changed.any()
    numbers = result.numbers
    assert numbers["changed_share"] == pytest.approx(changed.mean())
    mapped = np.bincount(cover.ravel(), minlength=10)[1:] * 0.01
    assert numbers["hectares_built"] == pytest.approx(mapped[6])
    assert numbers["adjusted_hectares_built"] == pytest.approx((90 * mapped[6] + 10 * mapped.sum()) / 180)
    assert 0 < numbers["adjusted_hectares_built_ci95"] < numbers["adjusted_hectares_built"]
    text = (tmp_path / "out" / "place_report.html").read_text(encoding="utf-8")
    assert "Olofsson et al. 2014, equations 9 to 11" in text
    assert "held-out &lt;pixels&gt;" in text
    assert f"{numbers['adjusted_hectares_built']:,.1f}</td>" in text
    assert "Most probable class of each pixel" in text
    share = reconstructed[cover == 7].mean() / 1e4
    assert re.search(rf"Built</td>.*?{share:.1%}", text, re.DOTALL)
