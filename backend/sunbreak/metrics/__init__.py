"""Metrics on arrays: image quality, classification, calibration, saliency. They do not read rasters."""
