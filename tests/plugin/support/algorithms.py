"""Runs an algorithm and reads its outputs, for most tests of the plugin."""

from __future__ import annotations


def run(algorithm, parameters, **keywords):
    """The outputs of a run of `sunbreak:<algorithm>`."""
    import processing

    return processing.run(f"sunbreak:{algorithm}", parameters, **keywords)


def read(path):
    """A raster's values, (band, row, column)."""
    from osgeo import gdal

    dataset = gdal.Open(str(path))
    return dataset.ReadAsArray().reshape(dataset.RasterCount, dataset.RasterYSize, dataset.RasterXSize)
