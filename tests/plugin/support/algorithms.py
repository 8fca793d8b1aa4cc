"""Writes rasters, runs an algorithm and reads its outputs, for most tests of the plugin."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).resolve().parents[3] / "resources" / "demo"


def run(algorithm, parameters, **keywords):
    """The outputs of a run of `sunbreak:<algorithm>`."""
    import processing

    return processing.run(f"sunbreak:{algorithm}", parameters, **keywords)


def read(path):
    """A raster's values, (band, row, column)."""
    from osgeo import gdal

    dataset = gdal.Open(str(path))
    return dataset.ReadAsArray().reshape(dataset.RasterCount, dataset.RasterYSize, dataset.RasterXSize)


def write_raster(path: Path, values, *, bands=(), nodata=None, epsg=32632) -> Path:
    """A GeoTIFF with 10 m pixels, written by the GDAL that QGIS has. `values` is (band, row, column)."""
    import numpy as np
    from osgeo import gdal, gdal_array, osr

    gdal.UseExceptions()
    kind = gdal_array.NumericTypeCodeToGDALTypeCode(values.dtype)
    count, height, width = values.shape
    dataset = gdal.GetDriverByName("GTiff").Create(str(path), width, height, count, kind, ["COMPRESS=DEFLATE"])
    dataset.SetGeoTransform((600_000.0, 10.0, 0.0, 5_200_000.0, 0.0, -10.0))
    crs = osr.SpatialReference()
    crs.ImportFromEPSG(epsg)
    dataset.SetProjection(crs.ExportToWkt())
    for index in range(count):
        band = dataset.GetRasterBand(index + 1)
        band.WriteArray(np.ascontiguousarray(values[index]))
        if bands:
            band.SetDescription(bands[index])
        if nodata is not None:
            band.SetNoDataValue(nodata)
    dataset.FlushCache()
    return path


def part_of_demo(name: str):
    """240 rows and 250 columns of a file of the demo scene, (band, row, column): one tile of the network."""
    from osgeo import gdal

    gdal.UseExceptions()
    return gdal.Open(str(DEMO / f"{name}.tif")).ReadAsArray(200, 320, 250, 240)
