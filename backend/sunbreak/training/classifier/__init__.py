"""Training of land-cover classifiers.

Holds the training with one label per patch, and the multi-label training on BigEarthNet.
"""
