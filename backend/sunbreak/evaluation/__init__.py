"""Metrics over rasters, folders of rasters and whole data sets.

Holds the comparison of two rasters with its page, of cloud masks, and the features of images for the Frechet distance.
"""
