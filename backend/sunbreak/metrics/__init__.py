"""Figures of merit on arrays: image quality and calibration. Knows nothing of rasters."""
