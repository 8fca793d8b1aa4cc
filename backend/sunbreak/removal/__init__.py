"""Cloud removal.

Holds the task that replaces cloudy pixels, the cloud-filled guide of guided networks, the prior of a place, and the
smooth fields that are interpolated from the clear pixels of a scene.
"""
