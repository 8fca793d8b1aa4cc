"""The file behind a raster layer of QGIS, as the backend opens it."""

from __future__ import annotations

import re
from pathlib import Path

from qgis.core import QgsRasterLayer

from .compat import tr

_SENTINEL2 = re.compile(r"SENTINEL2_L[12][ABC]:(?P<metadata>.+\.xml):[^:]+:EPSG_\d+", re.IGNORECASE)
_PRODUCT_METADATA = re.compile(r"MTD_MSIL\w+\.xml|S2\w_\w+_MTD_SAF\w*\.xml", re.IGNORECASE)
# GDAL puts the archive in braces where its name does not end in .zip
_ZIP = re.compile(r"/vsizip/(?:\{(?P<braced>[^{}]+)\}/?(?P<inside>.*)|(?P<plain>[^{].*))", re.DOTALL)


class SourceError(Exception):
    """A layer is not a local raster file or product. The text names the layer and the fix."""


def backend_path(layer: QgsRasterLayer) -> Path:
    """The file or product folder behind a layer.

    A raster in a zip archive is the path of the archive with that in it, as the backend takes it. A layer of a
    Sentinel-2 product (`SENTINEL2_L1C:/.../MTD_MSIL1C.xml:10m:EPSG_32630`) gives the whole product: the backend reads
    the bands of all resolutions from its folder or zip.

    Raises:
        SourceError: A web layer, a database, a virtual file system, or a part of a container.
    """
    source = layer.source()
    if layer.dataProvider() is None or layer.dataProvider().name() != "gdal":
        provider = layer.providerType() or "?"
        raise SourceError(
            tr('The layer "{name}" is not a raster file (data provider: "{provider}").').format(
                name=layer.name(), provider=provider
            )
            + _advice()
        )
    product = _SENTINEL2.fullmatch(source)
    if product:
        return _product(product["metadata"], layer)
    if "|option:" in source:
        raise SourceError(
            tr(
                'The layer "{name}" was opened with driver options ({source}), which the backend does not support.'
            ).format(name=layer.name(), source=source)
            + _advice()
        )
    path, archive = _in_archive(source)
    if not (path if archive is None else archive).exists():
        raise SourceError(
            tr('The layer "{name}" is not a single local file: {source}.').format(name=layer.name(), source=source)
            + _advice()
        )
    return _product(source, layer) if _PRODUCT_METADATA.fullmatch(path.name) else path.absolute()


def _in_archive(source: str) -> tuple[Path, Path | None]:
    """The path in a source of GDAL, and the zip archive that it leads into; None for a file on disk."""
    found = _ZIP.fullmatch(source)
    if found is None:
        return Path(source), None
    if found["braced"]:
        return Path(found["braced"]) / found["inside"], Path(found["braced"])
    path = Path(found["plain"])
    archives = [one for one in (path, *path.parents) if one.suffix.lower() == ".zip"]
    return path, next((one for one in archives if one.is_file()), archives[-1] if archives else path)


def _product(metadata: str, layer: QgsRasterLayer) -> Path:
    """The .SAFE folder, or the zip, that a product's metadata file lies in."""
    path, archive = _in_archive(metadata)
    path = path if archive is None else archive
    if not path.exists():
        raise SourceError(
            tr('The Sentinel-2 product of the layer "{name}" does not exist: {path}.').format(
                name=layer.name(), path=path
            )
        )
    return path.absolute() if archive else path.absolute().parent


def _advice() -> str:
    return " " + tr("Save it as a GeoTIFF (Export > Save As...) and use that file.")
