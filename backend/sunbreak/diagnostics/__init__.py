"""Checks of the installation and of scenes, without doing a job.

Holds the checks of `sunbreak doctor`, the self-test, which cleans a small simulated scene, and `sunbreak inspect`.
"""
