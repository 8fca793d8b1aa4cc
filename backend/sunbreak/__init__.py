"""Sunbreak: cloud removal for Sentinel-2 scenes, with calibrated uncertainty.

The headless side. It runs from the shell (``sunbreak``), as a library, and behind the QGIS plugin.
Importing this package is cheap: heavy libraries are imported where they are used.
"""

__version__ = "0.1.0"
