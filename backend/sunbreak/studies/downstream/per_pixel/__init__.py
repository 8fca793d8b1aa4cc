"""The downstream study with a per-pixel classifier: the clear image is the reference of each pixel."""
