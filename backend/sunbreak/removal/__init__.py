"""Cloud removal.

Holds the task that replaces cloudy pixels, the guide of guided networks, the prior of a place, and the fields of what
is clear around each place of a scene.
"""
