"""One scene in parts on the workers of a cluster: the same bytes as in one process, and resumable part by part."""

from __future__ import annotations

import numpy as np
import pytest
from dask_cluster import layers_in, left_in
from hypothesis import given
from hypothesis import strategies as st

from sunbreak.cluster.connection import Connection
from sunbreak.errors import Cancelled, InputError, OutputError
from sunbreak.events import Reporter, Silent
from sunbreak.jobs.execute import run
from sunbreak.jobs.options import task_options
from sunbreak.jobs.parts.spread import Spread, cut
from sunbreak.jobs.spec import JobInputs, make_spec
from sunbreak.scene import S2_BANDS


@pytest.fixture
def spec_of(small_model):
    def make(found, out, *, resume: bool = False, references=(), mask=None, **options):
        inputs = JobInputs(
            found.s2, found.s1, s2_unit="dn", s2_offset=0.0, references=references, mask=mask, mask_coding="binary"
        )
        chosen = task_options("clean", runtime="openvino", device="cpu", **options)
        return make_spec("clean", inputs, out, chosen, removal=str(small_model.path), resume=resume)

    return make


def in_parts(cluster, spec, parts: int, reporter: Reporter | None = None):
    told = reporter or Silent()
    with Spread(lambda to: Connection(to, scheduler=cluster.address), spec, told, parts) as spread:
        return run(spec, told, sharing=spread)


def test_the_chain_in_parts_has_the_layers_of_one_process(cluster, scenes, small_model, small_classifier, tmp_path):
    (found,) = scenes(1, rows=230)
    inputs = JobInputs(found.s2, found.s1, s2_unit="dn", s2_offset=0.0)
    chosen = task_options("run", runtime="openvino", device="cpu")

    def spec(name: str):
        models = {"removal": str(small_model.path), "classifier": str(small_classifier.path)}
        return make_spec("run", inputs, tmp_path / name, chosen, **models)

    run(spec("here"), Silent())
    in_parts(cluster, spec("there"), 3)
    layers = layers_in(tmp_path / "here")
    assert {"a0_cleaned.tif", "a0_landcover.tif", "a0_trust.tif"} <= set(layers)
    assert layers_in(tmp_path / "there") == layers


def test_a_chain_that_was_killed_after_the_cleaning_is_resumed_without_the_workers_parts(
    cluster, scenes, small_model, small_classifier, tmp_path, monkeypatch
):
    from sunbreak.layers.output import LayerSet

    (found,) = scenes(1, rows=150)
    inputs = JobInputs(found.s2, found.s1, s2_unit="dn", s2_offset=0.0)
    chosen = task_options("run", runtime="openvino", device="cpu")

    def spec(name: str, **how):
        models = {"removal": str(small_model.path), "classifier": str(small_classifier.path)}
        return make_spec("run", inputs, tmp_path / name, chosen, **models, **how)

    run(spec("here"), Silent())
    monkeypatch.setattr(LayerSet, "finish", _die)
    monkeypatch.setattr(LayerSet, "_discard", lambda self: self._lock.release())
    with pytest.raises(_Killed):
        in_parts(cluster, spec("there"), 2)
    monkeypatch.undo()
    told = _Calls()
    in_parts(cluster, spec("there", resume=True), 2, told)
    assert not any(part.startswith(("clean-", "clouds-")) for part in told.parts)
    assert layers_in(tmp_path / "there") == layers_in(tmp_path / "here")


@given(count=st.integers(1, 200), parts=st.integers(1, 300))
def test_parts_follow_one_another_and_differ_by_one_strip_at_most(count, parts):
    found = cut("clean", count, parts)
    assert [part.first for part in found] == [0, *(part.stop for part in found[:-1])]
    assert found[-1].stop == count
    sizes = [part.stop - part.first for part in found]
    assert min(sizes) >= 1
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == min(count, parts)


@pytest.mark.parametrize("parts", [1, 2, 5])
def test_the_layers_and_figures_are_those_of_one_process(cluster, scenes, spec_of, tmp_path, parts):
    (found,) = scenes(1, rows=230)
    here = run(spec_of(found, tmp_path / "here"), Silent())
    there = in_parts(cluster, spec_of(found, tmp_path / "there"), parts)
    layers = layers_in(tmp_path / "here")
    assert {"a0_cleaned.tif", "a0_uncertainty.tif", "a0_cloud_probability.tif", "a0_quicklook.png"} <= set(layers)
    assert layers_in(tmp_path / "there") == layers
    assert {**there.numbers, "seconds": 0} == {**here.numbers, "seconds": 0}
    assert left_in(tmp_path / "there") == []


def test_a_given_mask_and_replacing_everything_give_the_same_bytes_too(
    cluster, scenes, spec_of, write_raster, tmp_path
):
    (found,) = scenes(1, rows=200)
    cloud = np.zeros((1, 200, 90), np.uint8)
    cloud[:, 60:150, 20:70] = 1
    mask = write_raster("mask.tif", cloud)
    for name, options in (("mask", {"mask": mask}), ("all", {"mask": mask, "replace_all": True})):
        run(spec_of(found, tmp_path / name / "here", **options), Silent())
        in_parts(cluster, spec_of(found, tmp_path / name / "there", **options), 3)
        assert layers_in(tmp_path / name / "there") == layers_in(tmp_path / name / "here")


def test_with_other_dates_the_bytes_are_the_same(cluster, field_place, write_raster, spec_of, tmp_path):
    from sunbreak.batches.manifest import BatchScene

    fields = field_place(180, 130)
    days = {}
    for day in (100, 80, 140):
        dn = fields.dn(day)
        dn[:, 40 + day % 7 : 110, 20:90] = 7000 if day == 100 else dn[:, 40 + day % 7 : 110, 20:90]
        days[day] = write_raster(f"place_{np.datetime64('2020-01-01') + day}.tif", dn, bands=S2_BANDS)
    radar = write_raster("radar_2020-04-10.tif", fields.radar(100), bands=("VV", "VH"))
    found = BatchScene("place", (days[100],), (radar,))
    others = (days[80], days[140])
    here = run(spec_of(found, tmp_path / "here", references=others), Silent())
    there = in_parts(cluster, spec_of(found, tmp_path / "there", references=others), 3)
    assert here.numbers["other_dates_share"] > 0.05
    assert {**there.numbers, "seconds": 0} == {**here.numbers, "seconds": 0}
    layers = layers_in(tmp_path / "here")
    assert layers_in(tmp_path / "there") == layers
    assert any(name.endswith("_source.tif") for name in layers)


class _StopsAt(Reporter):
    """Cancels once the network has begun on so many tiles."""

    def __init__(self, tiles: float) -> None:
        super().__init__()
        self.tiles = tiles

    def progress(self, done, total, unit="tiles"):
        if unit == "tiles" and done >= self.tiles:
            self.cancellation.request()


def test_a_cancelled_run_leaves_nothing_behind(cluster, scenes, spec_of, tmp_path):
    (found,) = scenes(1, rows=400)
    with pytest.raises(Cancelled):
        in_parts(cluster, spec_of(found, tmp_path / "out"), 4, _StopsAt(0))
    assert not (tmp_path / "out").exists()


def test_a_killed_run_computes_the_missing_parts_only(cluster, scenes, spec_of, tmp_path, monkeypatch):
    (found,) = scenes(1, rows=230)
    out = tmp_path / "out"
    run(spec_of(found, tmp_path / "here"), Silent())
    from sunbreak.layers.output import LayerSet

    # the process ends after the last part, before it records that: nothing of it is removed
    keep = LayerSet.keep
    monkeypatch.setattr(
        LayerSet, "keep", lambda self, point, state: _die() if point.step == "clean" else keep(self, point, state)
    )
    monkeypatch.setattr(LayerSet, "_discard", lambda self: self._lock.release())
    with pytest.raises(_Killed):
        in_parts(cluster, spec_of(found, out), 4)
    monkeypatch.undo()
    parts = out / ".sunbreak-a0.tmp" / "parts"
    times = {path.name: path.stat().st_mtime_ns for path in sorted(parts.glob("clean-*"))}
    assert len(times) == 4
    (gone,) = [path for path in parts.glob("clean-*") if path.name == "clean-2-3"] or [sorted(parts.glob("clean-*"))[2]]
    for path in gone.iterdir():
        path.unlink()
    gone.rmdir()
    told = _Calls()
    in_parts(cluster, spec_of(found, out, resume=True), 4, told)
    assert told.parts == {gone.name}
    assert layers_in(out) == layers_in(tmp_path / "here")
    assert left_in(out) == []


class _Killed(Exception):
    pass


def _die(*_: object, **__: object) -> None:
    raise _Killed


class _Calls(Reporter):
    """The parts that were worked on."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: set[str] = set()

    def working_on(self, things):
        self.parts |= {text.partition(":")[0] for text in things}


def test_a_run_in_parts_is_resumed_in_parts_only(cluster, scenes, spec_of, tmp_path, monkeypatch):
    (found,) = scenes(1, rows=150)
    from sunbreak.layers.output import LayerSet

    monkeypatch.setattr(LayerSet, "finish", _die)
    monkeypatch.setattr(LayerSet, "_discard", lambda self: self._lock.release())
    with pytest.raises(_Killed):
        in_parts(cluster, spec_of(found, tmp_path / "out"), 2)
    monkeypatch.undo()
    with pytest.raises(OutputError, match="in parts") as error:
        run(spec_of(found, tmp_path / "out", resume=True), Silent())
    assert error.value.code == "other-run"


def test_an_unreadable_scene_is_one_line_and_leaves_nothing(cluster, scenes, spec_of, tmp_path):
    (found,) = scenes(1)
    spec = spec_of(found, tmp_path / "out")
    found.s2[0].write_bytes(found.s2[0].read_bytes()[:3000])
    with pytest.raises(InputError, match=r"a0\.tif"):
        in_parts(cluster, spec, 2)
    assert not (tmp_path / "out").exists()
