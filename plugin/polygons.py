"""Polygons of a vector layer as a GeoJSON file for the backend."""

from __future__ import annotations

from pathlib import Path

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeatureRequest,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsRectangle,
)

from .compat import ANY_GEOMETRY, tr
from .sources import SourceError

_DEGREES = "EPSG:4326"
_DECIMALS = 9  # 0.1 mm on the ground
_PIECES = 500


def write_geojson(
    source: QgsProcessingFeatureSource,
    path: Path,
    scene: QgsRectangle,
    scene_crs: QgsCoordinateReferenceSystem,
    context: QgsProcessingContext,
) -> None:
    """Write the polygons of a source in degrees (RFC 7946).

    Edges that are straight in the layer's CRS are densified to a 500th of the scene's extent first: in
    degrees a long edge would follow another line.

    Args:
        source: Polygons, or the selected polygons only.
        path: The file.
        scene: Extent of the scene.
        scene_crs: CRS of `scene`.
        context: Holds the user's datum transformations.

    Raises:
        SourceError: There is no polygon, or one cannot be transformed.
    """
    degrees = QgsCoordinateReferenceSystem(_DEGREES)
    crs = source.sourceCrs()
    if not crs.isValid():
        raise SourceError(
            tr(
                'The polygon layer "{name}" has no coordinate reference system. Set it in the layer\'s properties.'
            ).format(name=source.sourceName())
        )
    try:
        around = QgsCoordinateTransform(scene_crs, crs, context.transformContext()).transformBoundingBox(scene)
        turn = QgsCoordinateTransform(crs, degrees, context.transformContext())
        shapes = []
        request = QgsFeatureRequest().setNoAttributes()
        for feature in source.getFeatures(request, ANY_GEOMETRY):
            geometry = feature.geometry()
            if geometry.isEmpty():
                continue
            pieces = geometry.densifyByDistance(max(around.width(), around.height()) / _PIECES)
            pieces.transform(turn)
            shapes.append(pieces.asJson(_DECIMALS))
    except QgsCsException as error:
        raise SourceError(
            tr('The polygons of "{name}" cannot be transformed to the scene: {reason}.').format(
                name=source.sourceName(), reason=error
            )
        ) from error
    if not shapes:
        raise SourceError(
            tr('The layer "{name}" has no polygons. Select some, or untick "Selected features only".').format(
                name=source.sourceName()
            )
        )
    features = ",\n".join(f'{{"type": "Feature", "properties": {{}}, "geometry": {shape}}}' for shape in shapes)
    path.write_text(f'{{"type": "FeatureCollection", "features": [\n{features}\n]}}\n', encoding="utf-8")
