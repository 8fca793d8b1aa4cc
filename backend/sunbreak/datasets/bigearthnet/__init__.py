"""BigEarthNet v1 and v2: patches of Sentinel-2 and Sentinel-1 with land-cover labels, cloudy and clear."""

from sunbreak.datasets.bigearthnet.bands import BANDS, RADAR_BANDS, read_bands, read_reference_map
from sunbreak.datasets.bigearthnet.dataset import BigEarthNet, find_patches
from sunbreak.datasets.bigearthnet.labels import LABELS_19, LABELS_43, label_names, label_vector
from sunbreak.datasets.bigearthnet.patches import Collection, Patch, labelled

__all__ = [
    "BANDS",
    "LABELS_19",
    "LABELS_43",
    "RADAR_BANDS",
    "BigEarthNet",
    "Collection",
    "Patch",
    "find_patches",
    "label_names",
    "label_vector",
    "labelled",
    "read_bands",
    "read_reference_map",
]
