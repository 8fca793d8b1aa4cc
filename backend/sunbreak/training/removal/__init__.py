"""Training of cloud removal networks.

Holds samples, losses, the training loop, the calibration and model card, and the adaptation to a place.
"""
