"""Simulated landscapes, radar images and clouds with known truth."""

from sunbreak.datasets.simulation.files import write_demo, write_scene
from sunbreak.datasets.simulation.scene import SimulatedScene, simulate_scene

__all__ = ["SimulatedScene", "simulate_scene", "write_demo", "write_scene"]
