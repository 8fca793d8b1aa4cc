"""Top-of-atmosphere reflectance of the materials in a Sentinel-2 pixel.

The numbers are rounded typical L1C values, including the path radiance of a clear day. The thirteen bands are in native
order: B01 B02 B03 B04 B05 B06 B07 B08 B8A B09 B10 B11 B12.
"""

from __future__ import annotations

import numpy as np

MATERIALS = {
    "crop": [0.125, 0.098, 0.092, 0.056, 0.105, 0.285, 0.365, 0.370, 0.405, 0.140, 0.0015, 0.205, 0.105],
    "broadleaf": [0.121, 0.090, 0.077, 0.046, 0.085, 0.240, 0.300, 0.300, 0.330, 0.115, 0.0014, 0.155, 0.070],
    "needleleaf": [0.117, 0.085, 0.066, 0.041, 0.062, 0.150, 0.180, 0.182, 0.200, 0.072, 0.0013, 0.090, 0.045],
    "dry grass": [0.138, 0.118, 0.120, 0.128, 0.160, 0.220, 0.250, 0.260, 0.285, 0.105, 0.0018, 0.300, 0.205],
    "grass": [0.128, 0.102, 0.100, 0.075, 0.125, 0.250, 0.300, 0.310, 0.335, 0.120, 0.0016, 0.230, 0.130],
    "soil": [0.139, 0.122, 0.124, 0.138, 0.158, 0.178, 0.192, 0.200, 0.215, 0.085, 0.0018, 0.290, 0.240],
    "sand": [0.168, 0.175, 0.205, 0.255, 0.275, 0.285, 0.295, 0.305, 0.315, 0.135, 0.0025, 0.420, 0.370],
    "rock": [0.140, 0.122, 0.118, 0.125, 0.135, 0.145, 0.150, 0.155, 0.165, 0.070, 0.0018, 0.200, 0.175],
    "water": [0.113, 0.083, 0.059, 0.034, 0.031, 0.027, 0.026, 0.023, 0.021, 0.010, 0.0012, 0.011, 0.007],
    "turbid": [0.120, 0.100, 0.092, 0.070, 0.062, 0.040, 0.036, 0.030, 0.026, 0.011, 0.0012, 0.015, 0.010],
    "concrete": [0.150, 0.138, 0.138, 0.143, 0.152, 0.168, 0.178, 0.188, 0.198, 0.090, 0.0018, 0.220, 0.195],
    "roof": [0.215, 0.225, 0.240, 0.265, 0.280, 0.292, 0.302, 0.312, 0.318, 0.140, 0.0025, 0.320, 0.290],
    "asphalt": [0.126, 0.106, 0.096, 0.090, 0.095, 0.101, 0.106, 0.110, 0.116, 0.052, 0.0015, 0.130, 0.118],
    "snow": [0.740, 0.715, 0.700, 0.695, 0.690, 0.675, 0.660, 0.645, 0.620, 0.350, 0.0080, 0.105, 0.085],
}
SPECTRA = {name: np.array(values, np.float32) for name, values in MATERIALS.items()}

# path reflectance of the atmosphere, which shading and cloud shadows do not change
PATH = np.array(
    [0.105, 0.072, 0.042, 0.022, 0.018, 0.014, 0.012, 0.010, 0.008, 0.002, 0.0008, 0.002, 0.001], np.float32
)

# reflectance of a thick low cloud, and its optical thickness in each band relative to the visible bands
CLOUD = np.array([0.54, 0.56, 0.55, 0.57, 0.58, 0.60, 0.61, 0.59, 0.62, 0.34, 0.006, 0.38, 0.29], np.float32)
OPACITY = np.array([1.05, 1.02, 1.0, 1.0, 1.0, 0.99, 0.98, 0.98, 0.97, 1.3, 3.0, 0.85, 0.75], np.float32)
# fraction of the light that reaches the ground in the shadow of a thick cloud (skylight)
SKYLIGHT = np.array([0.62, 0.58, 0.50, 0.44, 0.42, 0.38, 0.37, 0.35, 0.34, 0.34, 0.34, 0.28, 0.26], np.float32)
CIRRUS_IN_B10 = 0.16
