"""A product as it is downloaded, a zip archive, is read in place and is the same scene as its folder."""

from __future__ import annotations

import hashlib
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from sunbreak.batches.manifest import read_manifest
from sunbreak.batches.series import find_series
from sunbreak.errors import InputError
from sunbreak.jobs.options import DetectOptions
from sunbreak.jobs.spec import JobInputs, make_spec
from sunbreak.jobs.travel import inputs_of
from sunbreak.scene import S2_BANDS, Scene
from sunbreak.scene.discovery import find_bands
from sunbreak.scene.mask import find_mask
from sunbreak.scene.reference_files import find_references, search_folder
from sunbreak.scene.series_opening import open_series
from sunbreak.sources.fingerprint import fingerprint

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "safe_fixtures"
FOOT = "T32TQM_20220930T101649"
RUN = [sys.executable, "-I", "-m", "sunbreak"]


def refused(given: object, **options: object) -> InputError:
    with pytest.raises(InputError) as caught:
        Scene.open(given, **options)
    assert "\n" not in str(caught.value) and caught.value.hint
    return caught.value


def raw(scene: Scene) -> np.ndarray:
    with scene.reader() as reader:
        return reader.s2(scene.grid.window).raw


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("level", ["l1c", "l2a"])
def test_a_zipped_product_is_the_same_scene_as_its_folder(level, method, request, zipped):
    product = request.getfixturevalue(level)
    archive = zipped(product, method=method)
    folder, scene = Scene.open(product), Scene.open(archive)
    assert scene.grid == folder.grid and scene.bands == folder.bands
    assert (scene.level, scene.acquired, scene.radiometry) == (folder.level, folder.acquired, folder.radiometry)
    assert (scene.stem, scene.dtype, scene.nodata) == (FOOT, folder.dtype, folder.nodata)
    assert (scene.notes, scene.warnings) == (folder.notes, folder.warnings)
    assert scene.inputs == (archive,)
    assert scene.has_mask == (level == "l2a")
    np.testing.assert_array_equal(raw(scene), raw(folder))


def test_a_zipped_product_is_cleaned_to_the_same_bytes_and_nothing_is_unpacked(
    l1c, zipped, write, make_backscatter, tmp_path, small_model
):
    place = {"transform": Affine(10, 0, 600_000, 0, -10, 5_200_000), "names": ("VV", "VH")}
    radar = write("s1.tif", make_backscatter(120, 120), **place)
    archive = zipped(l1c)
    there = sorted(path for path in tmp_path.rglob("*"))
    for given, out in ((l1c, "folder"), (archive, "zip")):
        how = ["--detector", "s2cloudless", "--model", small_model.path, "--device", "cpu", "-o", tmp_path / out]
        done = subprocess.run([*RUN, "clean", given, "--s1", radar, *how], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
    images = []
    for out in ("folder", "zip"):
        with rasterio.open(tmp_path / out / f"{FOOT}_cleaned.tif") as dataset:
            images.append(dataset.read())
            tags = dataset.tags()
            if out == "zip":
                assert tags["SUNBREAK_INPUTS"] == f"{archive.name}, s1.tif"
                granule = "GRANULE/L1C_T32TQM_A029072_20220930T101649/IMG_DATA"
                assert tags["SUNBREAK_ARCHIVED"] == f"{l1c.name}/{granule}"
    assert np.array_equal(images[0], images[1]) and images[0].any()
    left = [path for path in tmp_path.rglob("*") if path.relative_to(tmp_path).parts[0] not in ("folder", "zip")]
    assert sorted(left) == there


def test_a_band_that_is_missing_in_the_archive_is_named(l1c, zipped):
    for band in ("B01", "B10"):
        (l1c / "GRANULE" / "L1C_T32TQM_A029072_20220930T101649" / "IMG_DATA" / f"{FOOT}_{band}.jp2").unlink()
    scene = Scene.open(zipped(l1c))
    assert len(scene.bands) == 11
    assert any(f"lists {FOOT}_B01, {FOOT}_B10" in text for text in scene.warnings)


def test_the_scene_travels_and_its_sources_change_with_the_archive(l1c, zipped):
    archive = zipped(l1c)
    scene = pickle.loads(pickle.dumps(Scene.open(archive)))
    source = scene.stack.sources[0].file
    assert source.container == archive and source.fingerprint() == fingerprint(archive)
    assert source.identity == str(source.path) and source.path.is_relative_to(archive)
    np.testing.assert_array_equal(raw(scene), raw(Scene.open(l1c)))


@pytest.mark.parametrize("inside", ["", "downloads"])
def test_the_product_may_lie_in_a_folder_of_the_archive_or_at_its_top(l1c, zipped, inside):
    archive = zipped(l1c, inside=inside and f"{inside}/{l1c.name}", to="my scene.zip")
    scene = Scene.open(archive)
    assert (scene.bands, scene.level, scene.radiometry.offset) == (S2_BANDS, "L1C", -1000.0)


def test_files_that_macos_adds_to_archives_are_left_out(l1c, zipped):
    archive = zipped(l1c)
    with zipfile.ZipFile(archive, "a") as more:
        image = f"GRANULE/L1C_T32TQM_A029072_20220930T101649/IMG_DATA/._{FOOT}_B02.jp2"
        more.writestr(f"__MACOSX/{l1c.name}/._MTD_MSIL1C.xml", "x")
        more.writestr(f"{l1c.name}/{image}", "x")
        more.writestr(f"{l1c.name}/.DS_Store", "x")
    assert Scene.open(archive).bands == S2_BANDS


def test_a_folder_around_an_unzipped_product_stands_for_it(l1c, tmp_path):
    around = tmp_path / "unzipped"
    around.mkdir()
    shutil.move(l1c, around / l1c.name)
    assert (Scene.open(around).bands, Scene.open(around).stem) == (S2_BANDS, FOOT)
    shutil.copytree(around / l1c.name, around / l1c.name.replace("T32TQM_20220930T12", "T32TQM_20220930T13"))
    error = refused(around)
    assert (error.code, "2 products" in str(error), l1c.name[:30] in error.hint) == ("safe-product", True, True)


def test_of_several_products_in_an_archive_one_is_chosen_by_its_path(l1c, zipped, tmp_path):
    both = tmp_path / "both"
    both.mkdir()
    shutil.copytree(l1c, both / l1c.name)
    shutil.copytree(l1c, both / l1c.name.replace("T124210", "T134210"))
    archive = zipped(both, inside="")
    error = refused(archive)
    assert (error.code, "2 products" in str(error)) == ("safe-product", True)
    chosen = archive / l1c.name
    assert str(chosen) in error.hint
    scene = Scene.open(chosen)
    assert (scene.bands, scene.inputs, scene.stem) == (S2_BANDS, (archive,), FOOT)
    gone = refused(archive / "nowhere.SAFE")
    assert (gone.code, "nowhere.SAFE" in str(gone)) == ("missing-file", True)


def test_of_a_product_with_several_granules_one_is_given_by_its_folder(l1c, zipped):
    granule = l1c / "GRANULE" / "L1C_T32TQM_A029072_20220930T101649"
    shutil.copytree(granule, granule.with_name("L1C_T32TQN_A029072_20220930T101649"))
    archive = zipped(l1c)
    for given in (l1c, archive):
        error = refused(given)
        assert (error.code, "2 granules" in str(error)) == ("safe-product", True)
        first = (l1c if given == l1c else archive / l1c.name) / "GRANULE" / granule.name
        assert str(first) in error.hint
        for one in (first, first / "IMG_DATA"):
            scene = Scene.open(one)
            assert (scene.bands, scene.level, scene.radiometry.offset) == (S2_BANDS, "L1C", -1000.0)
            assert scene.acquired is not None


def test_a_mask_inside_the_archive_is_offered_and_can_be_given(l1c, zipped, write_image):
    opaque = np.zeros((3, 20, 20), np.uint8)
    opaque[0, :5] = 1
    name = "GRANULE/L1C_T32TQM_A029072_20220930T101649/QI_DATA/MSK_CLASSI_B00.jp2"
    write_image(l1c / name, opaque)
    for given in (l1c, zipped(l1c)):
        scene = Scene.open(given)
        (note,) = (text for text in scene.notes if "MSK_CLASSI" in text)
        mask = Path(note.rpartition("--mask ")[2].removesuffix("."))
        assert mask == (l1c if given == l1c else given / l1c.name) / name
        masked = Scene.open(given, mask=mask)
        assert masked.has_mask and masked.cloud_mask.coding.name == "msk-classi"
        assert not any("which is not used" in text for text in masked.notes)
        assert all(path.exists() for path in masked.inputs)


def test_zipped_products_are_other_dates_and_are_found_in_folders(l1c, zipped, write, make_surface, tmp_path):
    dates = tmp_path / "dates"
    dates.mkdir()
    archive = zipped(l1c).rename(dates / f"{l1c.name}.zip")
    with zipfile.ZipFile(dates / "project.zip", "w") as other:
        other.writestr("notes.txt", "x")
    place = {"transform": Affine(10, 0, 600_000, 0, -10, 5_200_000)}
    scene = Scene.open(write("scene_20220920.tif", make_surface(13, 60, 60) + 1000, names=S2_BANDS, **place))
    assert find_references(dates, scene.inputs) == [archive]
    for how in ({"references": [archive]}, {"references": [], "found": [archive]}):
        series = open_series(scene, **how)
        assert (series.days, series.others[0].bands, series.warnings) == ((10,), S2_BANDS, ())
    with pytest.raises(InputError, match="is the scene itself"):
        open_series(Scene.open(l1c), [archive])
    assert find_references(tmp_path, [archive])  # the folder of the product
    assert archive not in find_references(tmp_path, [archive])


def test_a_table_and_a_series_take_zipped_products(make_product, l1c_xml, zipped, tmp_path):
    archives = []
    (tmp_path / "dates").mkdir()
    for day in ("20220930", "20221010"):
        name = f"S2B_MSIL1C_{day}T101649_N0400_R065_T32TQM_{day}T124210.SAFE"
        granule = f"GRANULE/L1C_T32TQM_A029072_{day}T101649/IMG_DATA"
        xml = l1c_xml(name, granule, f"T32TQM_{day}T101649").replace("2022-09-30", f"{day[:4]}-{day[4:6]}-{day[6:]}")
        archives.append(zipped(make_product(name, xml)).rename(tmp_path / "dates" / f"{name}.zip"))
    found = find_series([tmp_path / "dates"])
    named = [("2022-09-30", (archives[0],)), ("2022-10-10", (archives[1],))]
    assert [(one.name, one.s2) for one in found.scenes] == named
    assert [one.found_references for one in found.scenes] == [(archives[1],), (archives[0],)]
    table = tmp_path / "table.csv"
    table.write_text("s2,references\n" + "\n".join(f"dates/{one.name},dates" for one in archives))
    scenes, _ = read_manifest(table)
    assert [one.name for one in scenes] == [one.name.removesuffix(".SAFE.zip") for one in archives]
    assert scenes[0].s2 == (archives[0],)
    spec = make_spec("detect", JobInputs(scenes[0].s2, mask=archives[0] / "x.tif"), tmp_path, DetectOptions())
    assert [path for path, *_ in inputs_of(spec)] == [str(archives[0])] * 2


def test_an_archive_of_loose_bands_is_a_folder_of_them(write, make_surface, zipped, tmp_path):
    for band, values in zip(S2_BANDS, make_surface(), strict=True):
        write(f"download/2022-09-30_Sentinel-2_L1C_{band}_(Raw).tiff", values[None])
    scene = Scene.open(zipped(tmp_path / "download", inside=""))
    assert (scene.bands, scene.level, scene.stem) == (S2_BANDS, "L1C", "download")
    assert f"{scene.acquired:%Y-%m-%d}" == "2022-09-30"


def test_an_archive_around_one_raster_is_that_raster(write, make_surface, zipped, tmp_path):
    write("download/S2_20220930.tif", make_surface(), names=S2_BANDS)
    archive = zipped(tmp_path / "download", inside="")
    scene = Scene.open(archive)
    assert (scene.bands, scene.inputs, scene.stem) == (S2_BANDS, (archive,), "download")
    np.testing.assert_array_equal(raw(scene), make_surface())
    assert Scene.open(archive / "S2_20220930.tif").bands == S2_BANDS


def test_radar_in_an_archive_is_its_vv_and_vh(write, make_surface, make_backscatter, zipped, tmp_path):
    for name, values in zip(("VV", "VH"), make_backscatter(), strict=True):
        write(f"S1A_RTC30/S1A_RTC30_{name}.tif", values[None])
    write("S1A_RTC30/S1A_RTC30_dem.tif", make_backscatter()[:1])
    archive = zipped(tmp_path / "S1A_RTC30")
    scene = Scene.open(write("s2.tif", make_surface(), names=S2_BANDS), archive)
    assert scene.has_s1 and archive in scene.inputs
    assert [band.file.path.name for band in scene.radar.bands] == ["S1A_RTC30_VV.tif", "S1A_RTC30_VH.tif"]
    (tmp_path / "S1A_RTC30" / "S1A_RTC30_VH.tif").unlink()
    error = refused(write("s2.tif", make_surface(), names=S2_BANDS), s1=zipped(tmp_path / "S1A_RTC30"))
    assert (error.code, "zip archive" in str(error)) == ("s1-not-projected", True)


def test_zipped_radar_is_found_among_other_dates(write, make_surface, make_backscatter, zipped, tmp_path):
    for name, values in zip(("VV", "VH"), make_backscatter(), strict=True):
        write(f"S1A_IW_20220928T051122_RTC30/S1A_IW_20220928T051122_RTC30_{name}.tif", values[None])
    (tmp_path / "dates").mkdir()
    archive = zipped(tmp_path / "S1A_IW_20220928T051122_RTC30").rename(tmp_path / "dates" / "S1A_IW_20220928.zip")
    other = write("dates/S2_20220930.tif", make_surface(), names=S2_BANDS)
    scene = Scene.open(write("S2_20221010.tif", make_surface(seed=1), names=S2_BANDS))
    references, radar = search_folder(tmp_path / "dates")
    assert (references, radar) == ([other], [archive])
    series = open_series(scene, [], found=references, found_s1=radar)
    assert (series.others[0].has_s1, series.warnings) == (True, ())
    assert archive in series.inputs


def test_a_zipped_radar_product_given_as_sentinel_2_is_called_so(write, make_backscatter, zipped, tmp_path):
    name = "S1A_IW_GRDH_1SDV_20220930T051122_20220930T051147_030148_039993_5371.SAFE"
    write(f"{name}/measurement/s1a-iw-grd-vv-20220930t051122.tif", make_backscatter()[:1])
    error = refused(zipped(tmp_path / name))
    assert (error.code, "Sentinel-1" in str(error), "--s1" in error.hint) == ("safe-product", True, True)


def test_an_archive_without_rasters_and_one_with_several_folders_are_refused(write, make_surface, zipped, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.txt").write_text("x")
    assert refused(zipped(tmp_path / "docs")).code == "missing-file"
    for name in ("one", "two"):
        write(f"both/{name}/B02.tif", make_surface(1))
    archive = zipped(tmp_path / "both")
    error = refused(archive)
    assert (error.code, str(archive / "both" / "one") in error.hint) == ("several-folders", True)


def test_a_folder_with_nothing_but_an_archive_names_it(l1c, zipped, tmp_path):
    (tmp_path / "downloads").mkdir()
    archive = zipped(l1c).rename(tmp_path / "downloads" / "x.zip")
    error = refused(tmp_path / "downloads")
    assert (error.code, str(archive) in error.hint) == ("missing-file", True)
    nested = refused(zipped(tmp_path / "downloads"))
    assert (nested.code, "Extract it and give x.zip" in nested.hint) == ("missing-file", True)


def test_an_interrupted_download_is_said_to_be_one(l1c, zipped):
    archive = zipped(l1c)
    whole = archive.read_bytes()
    for keep in (0.1, 0.5, 0.9, 0.999):
        archive.write_bytes(whole[: int(len(whole) * keep)])
        error = refused(archive)
        assert (error.code, "truncated" in str(error), "download" in error.hint) == ("truncated", True, True)
    archive.write_bytes(b"<html>Unauthorized</html>")
    assert refused(archive).code == "not-a-raster"


def test_a_flipped_byte_in_a_band_or_in_the_metadata_is_damage(l1c, zipped):
    archive = zipped(l1c)
    whole = archive.read_bytes()
    with zipfile.ZipFile(archive) as stored:
        places = {info.filename.rpartition("/")[2]: info for info in stored.infolist()}
    for name in (f"{FOOT}_B04.jp2", "MTD_MSIL1C.xml"):
        info = places[name]
        at = info.header_offset + 30 + len(info.filename) + info.compress_size // 2
        archive.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        error = refused(archive)
        assert error.code in ("damaged", "truncated") and "download" in error.hint.lower()


def test_many_reads_of_a_deflated_raster_in_any_order_are_right(write, zipped, tmp_path):
    from sunbreak.sources.places import open_bytes

    content = np.random.default_rng(0).integers(0, 40, 12_000_000, np.uint8).tobytes()
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.bin").write_bytes(content)
    with open_bytes(zipped(tmp_path / "a") / "a" / "x.bin") as file:
        assert file.seek(0, 2) == len(content)
        for at in (11_999_990, 0, 5_000_000, 4_999_999, 11_000_000, 1, 8_000_000, 12_000_000):
            file.seek(at)
            assert file.read(100_000) == content[at : at + 100_000]
        file.seek(0)
        assert hashlib.md5(file.read()).digest() == hashlib.md5(content).digest()


@pytest.mark.parametrize("path", sorted(SHARED.glob("eo_tools/*.zip")) or [None])
def test_a_real_download_has_the_facts_of_its_metadata_and_is_refused_for_its_empty_pixels(path):
    if path is None:
        pytest.skip("the shared data is not there")
    finding = find_bands(path)
    facts = finding.facts
    assert (facts.level, facts.baseline, facts.offset, facts.quantification) == ("L1C", 5.09, -1000.0, 10000.0)
    assert (facts.nodata, facts.saturated, f"{facts.acquired:%Y-%m-%dT%H:%M:%S}") == (0, 65535, "2023-06-05T11:06:19")
    assert finding.stack.bands == S2_BANDS and finding.stack.grid.shape == (10980, 10980)
    assert finding.inputs == (path,) and finding.quality_mask.name == "MSK_CLASSI_B00.jp2"
    mask, notes, _ = find_mask(finding.quality_mask, finding.stack.grid, finding.stack.grid.window)
    assert mask.coding.name == "msk-classi" and "opaque cloud and cirrus" in notes[0]
    error = refused(path, window=(5000, 5000, 64, 64))
    assert (error.code, path.name in str(error)) == ("all-nodata", True)


def test_a_run_with_another_mask_of_the_same_archive_is_another_run(scene_files, zipped, tmp_path, small_model):
    masks = tmp_path / "masks"
    masks.mkdir()
    with rasterio.open(scene_files[0]) as dataset:
        profile = dataset.profile | {"count": 1, "dtype": "uint8", "nodata": None}
        shape = dataset.shape
    for name, rows in (("one", slice(10, 30)), ("two", slice(40, 60))):
        values = np.zeros((1, *shape), np.uint8)
        values[:, rows] = 1
        with rasterio.open(masks / f"{name}.tif", "w", **profile) as dataset:
            dataset.write(values)
    archive = zipped(masks)
    found = []
    for name in ("one", "two"):
        how = ["--model", small_model.path, "--device", "cpu", "-o", tmp_path / "out", "--resume", "--overwrite"]
        mask = archive / "masks" / f"{name}.tif"
        call = [*RUN, "clean", scene_files[0], "--s1", scene_files[1], "--mask", mask, *how]
        done = subprocess.run(call, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        with rasterio.open(tmp_path / "out" / "place_reconstructed.tif") as dataset:
            found.append(dataset.read(1))
    assert found[0][20].any() and not found[0][50].any()
    assert found[1][50].any() and not found[1][20].any()
