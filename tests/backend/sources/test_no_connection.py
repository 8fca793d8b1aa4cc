"""Nothing that a file holds, or that lies beside it, makes GDAL open another file or call a server."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.vrt import WarpedVRT

from sunbreak.errors import InputError
from sunbreak.landcover.reconstructed import ShareRaster, beside
from sunbreak.scene import Scene
from sunbreak.scene.points_and_polygons import burn
from sunbreak.scene.reference_files import find_references
from sunbreak.sources import LocalRaster, unread_sidecars
from sunbreak.sources.gdal import environment


def vrt(source: str) -> str:
    return f"""<VRTDataset rasterXSize="50" rasterYSize="40"><SRS>EPSG:32632</SRS>
<GeoTransform>600000, 10, 0, 5200000, 0, -10</GeoTransform>
<VRTRasterBand dataType="UInt16" band="1"><SimpleSource><SourceFilename>{source}</SourceFilename><SourceBand>1</SourceBand>
<SrcRect xOff="0" yOff="0" xSize="50" ySize="40"/><DstRect xOff="0" yOff="0" xSize="50" ySize="40"/></SimpleSource>
</VRTRasterBand></VRTDataset>"""


def pam(file: str) -> str:
    return f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">{file}</MDI></Metadata></PAMDataset>'


def use_everything(path: Path) -> None:
    """All that a run could ask of a raster, and more: overviews, small pictures, masks, other pixels."""
    with LocalRaster(path).open() as dataset, environment():
        assert dataset.overviews(1) == []
        small = dataset.read(1, out_shape=(5, 5))
        assert small.any()
        assert dataset.dataset_mask().all()
        with WarpedVRT(dataset, crs=dataset.crs, transform=dataset.transform, width=25, height=20) as warped:
            assert warped.read(1).any()
        assert dataset.files in ([], [str(path)])


@pytest.mark.parametrize("suffix", [".ovr", ".OVR", ".msk", ".MSK"])
def test_a_vrt_beside_a_raster_is_refused_or_left_alone(write, make_surface, listener, suffix):
    path = write("a.tif", make_surface())
    path.with_name(path.name + suffix).write_text(vrt(f"/vsicurl/{listener}/x.tif"))
    with pytest.raises(InputError, match="is not a TIFF file"):
        Scene.open(path)


@pytest.mark.parametrize("suffix", [".ovr", ".OVR", ".msk", ".MSK"])
def test_overviews_and_masks_beside_a_raster_are_not_read(write, make_surface, listener, suffix):
    path = write("a.tif", make_surface())
    other = write("b.tif", np.zeros_like(make_surface()))
    other.rename(path.with_name(path.name + suffix))
    use_everything(path)


@pytest.mark.parametrize("name", ["a.tif.aux.xml", "a.aux", "a.rrd", "a.tfw", "a.tifw", "a.wld", "a.tab", "a.TFW"])
def test_no_file_beside_a_raster_changes_it(write, make_surface, listener, name):
    path = write("a.tif", make_surface())
    scene = Scene.open(path)
    text = pam(f"/vsicurl/{listener}/x.tif") if name.endswith(("xml", "aux", "rrd")) else "1\n0\n0\n-1\n7\n7\n"
    path.with_name(name).write_text(text)
    use_everything(path)
    assert Scene.open(path).grid == scene.grid


@pytest.mark.parametrize("place", ["/vsicurl/{}/x.tif", "{}/x.tif", "/etc/hostname", ":::BASE:::other.tif"])
def test_a_tag_that_names_a_file_of_overviews_is_refused(write, make_surface, listener, place):
    path = write("a.tif", make_surface())
    with rasterio.open(path, "r+") as dataset:
        dataset.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=place.format(listener))
    with pytest.raises(InputError, match="name another file for its overviews"):
        Scene.open(path)


def test_nodata_and_place_beside_a_raster_are_reported_and_not_used(write, make_surface):
    path = write("a.tif", make_surface())
    sidecar = path.with_name("a.tif.aux.xml")
    sidecar.write_text("<PAMDataset><PAMRasterBand band='1'><NoDataValue>7</NoDataValue></PAMRasterBand></PAMDataset>")
    scene = Scene.open(path)
    assert scene.stack.declared_nodata is None
    (warning,) = (text for text in scene.warnings if "aux.xml" in text)
    assert "states the nodata value of a.tif and is not read" in warning
    # statistics, as programs leave them when a raster is only looked at, matter to nobody
    sidecar.write_text("<PAMDataset><PAMRasterBand band='1'><Histograms/></PAMRasterBand></PAMDataset>")
    assert unread_sidecars(path) == []
    bare = write("bare.tif", make_surface(), crs=None, transform=None)
    bare.with_name("bare.tif.aux.xml").write_text("<PAMDataset><SRS>EPSG:32632</SRS></PAMDataset>")
    with pytest.raises(InputError, match=r"states the coordinate reference system of bare\.tif and is not read"):
        Scene.open(bare)
    # names of bands matter where the raster has none
    sidecar.write_text(
        "<PAMDataset><PAMRasterBand band='1'><Description>B8A</Description></PAMRasterBand></PAMDataset>"
    )
    assert unread_sidecars(path) == []
    assert any("the names of the bands" in text for text in Scene.open(path).warnings)


def test_vrts_and_addresses_are_refused_for_every_input(write, make_surface, listener, tmp_path):
    good = write("good.tif", make_surface())
    hidden = tmp_path / "hidden.tif"
    hidden.write_text(vrt(f"/vsicurl/{listener}/x.tif"))
    given = [hidden, f"/vsicurl/{listener}/x.tif", f"{listener}/x.tif", f"/vsizip//vsicurl/{listener}/x.zip/x.tif"]
    given += [f"WMS:{listener}", f"<VRTDataset>{listener}", f"//vsicurl/{listener}/x.tif", f"STACTA:{listener}"]
    for one in given:
        for open_it in (
            lambda one: Scene.open(one),
            lambda one: Scene.open(good, one),
            lambda one: Scene.open(good, mask=one),
            lambda one: Scene.open([good, one]),
        ):
            with pytest.raises(InputError) as caught:
                open_it(one)
            assert caught.value.code in ("not-local", "unsupported-driver", "missing-file"), one


def test_a_reconstructed_layer_that_is_a_vrt_is_not_read(write, make_surface, listener):
    path = write("x_cleaned.tif", make_surface())
    layer = path.with_name("x_reconstructed.tif")
    assert beside(path) is None
    scene = Scene.open(path)
    for content in (vrt(f"/vsicurl/{listener}/x.tif"), vrt(str(path))):
        layer.write_text(content)
        assert beside(path) == layer
        with pytest.raises(InputError, match="virtual raster"):
            ShareRaster(layer, scene)
    with pytest.raises(InputError, match="not a local path"):
        ShareRaster(Path(f"/vsicurl/{listener}/x.tif"), scene)


def test_a_stac_item_leads_nowhere(write, make_surface, listener, tmp_path):
    path = write("a.tif", make_surface(1), names=["B03"])
    (tmp_path / "a.stac.json").write_text(
        f'{{"assets": {{"x": {{"href": "{listener}/a.tif", "bands": [{{"name": "B04", "eo:center_wavelength": []}}]}}}},'
        f' "links": [{{"rel": "root", "href": "{listener}/catalog.json"}}]}}'
    )
    assert Scene.open(path).bands == ("B04",)


def test_references_that_are_vrts_are_not_read(write, make_surface, listener, tmp_path):
    folder = tmp_path / "dates"
    folder.mkdir()
    (folder / "S2_20200101.tif").write_text(vrt(f"/vsicurl/{listener}/x.tif"))
    (reference,) = find_references(folder)  # opening it says what is wrong
    with pytest.raises(InputError, match="virtual raster"):
        Scene.open(reference)


POLYGON = (
    '{"type": "Polygon", "coordinates": [[[600000, 5199900], [600100, 5199900], [600100, 5200000], [600000, 5199900]]]'
)


@pytest.mark.parametrize(
    "crs", ["{}/crs", "/vsicurl/{}/crs", "/etc/hostname", "+init={}/crs:1", "+proj=utm +nadgrids={}"]
)
def test_a_crs_in_a_vector_file_that_is_no_code_is_refused(write, make_surface, listener, tmp_path, crs):
    grid = Scene.open(write("a.tif", make_surface())).grid
    path = tmp_path / "p.geojson"
    path.write_text(f'{POLYGON}, "crs": {{"properties": {{"name": "{crs.format(listener)}"}}}}}}')
    with pytest.raises(InputError, match="coordinate reference system"):
        burn(path, grid)


@pytest.mark.parametrize(
    "crs", ["urn:ogc:def:crs:EPSG::32632", "EPSG:32632", "http://www.opengis.net/def/crs/EPSG/0/32632"]
)
def test_codes_of_crs_are_read_in_all_spellings(write, make_surface, tmp_path, crs):
    grid = Scene.open(write("a.tif", make_surface())).grid
    path = tmp_path / "p.geojson"
    path.write_text(f'{POLYGON}, "crs": {{"properties": {{"name": "{crs}"}}}}}}')
    assert burn(path, grid).sum() == pytest.approx(50, abs=10)
