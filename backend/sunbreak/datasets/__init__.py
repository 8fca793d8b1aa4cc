"""Data sets to train on and to check against."""
