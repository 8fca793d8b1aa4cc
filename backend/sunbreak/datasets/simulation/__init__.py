"""Simulated landscapes, radar images and clouds with known truth."""

from sunbreak.datasets.simulation.dates import OtherDate, acquired_in, draw_dates, simulate_dates
from sunbreak.datasets.simulation.files import check_scene, write_demo, write_scene
from sunbreak.datasets.simulation.scene import SimulatedScene, simulate_scene

__all__ = [
    "OtherDate",
    "SimulatedScene",
    "acquired_in",
    "check_scene",
    "draw_dates",
    "simulate_dates",
    "simulate_scene",
    "write_demo",
    "write_scene",
]
