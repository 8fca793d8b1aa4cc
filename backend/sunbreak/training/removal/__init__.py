"""Training of cloud removal networks.

Holds samples, losses, the loop, the calibration and card of the finished model, and the adaptation to a place.
"""
