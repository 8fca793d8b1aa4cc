"""What comes out: layer roles, GeoTIFF/COG files, styles, STAC items, quicklook."""
