"""Training of land cover per pixel, from class labels of each pixel and of whole patches."""
