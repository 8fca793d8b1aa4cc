"""Cloud detection.

Holds the s2cloudless detector as a task of the engine, and the smoothing, threshold and dilation of its mask.
"""
