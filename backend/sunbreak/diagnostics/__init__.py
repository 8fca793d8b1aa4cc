"""Checks of the installation.

Holds the checks of `sunbreak doctor` and the self-test, which cleans a small simulated scene.
"""
