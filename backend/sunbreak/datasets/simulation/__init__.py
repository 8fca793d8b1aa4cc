"""Simulated landscapes, radar images and clouds whose truth is known."""
