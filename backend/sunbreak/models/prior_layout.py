"""The numbers that a guided network's card keeps of its prior, and how many of them there may be.

`sunbreak.removal.guide.Prior` reads and writes them. The networks check their number only.
"""

from __future__ import annotations

BANDS = 13
RADAR_FEATURES = 12  # backscatter of two polarisations at four scales, their squares and textures
OF_RADAR = RADAR_FEATURES + BANDS * RADAR_FEATURES
# a spectrum; with its weight; with that of water; with what radar tells; with both
PRIOR_SIZES = (BANDS, BANDS + 1, 2 * BANDS + 1, BANDS + 1 + OF_RADAR, 2 * BANDS + 1 + OF_RADAR)
