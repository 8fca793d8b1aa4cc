"""Finds scenes of a place and a date in STAC catalogues, with their radar and other dates, and fetches the area."""
