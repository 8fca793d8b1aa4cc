"""Training of land-cover classifiers.

Holds the loop for one label per patch, and that for several labels on BigEarthNet.
"""
