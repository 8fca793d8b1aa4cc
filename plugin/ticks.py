"""What is ticked in the result of a search: one scene, other dates, and radar for each of them."""

from __future__ import annotations

from .bridge.catalogue import Choice
from .found import REFERENCE, SCENE, Found


class Ticks:
    """Starts with what the backend proposes; a date that is ticked later gets the radar that fits it best.

    Args:
        found: The result.
    """

    def __init__(self, found: Found) -> None:
        self._found = found
        self.scene = next((one.id for one in found.scenes if one.use == SCENE), "")
        self.others = [one.id for one in found.scenes if one.use == REFERENCE]
        self.radar = {one.scene: one.id for one in found.radar if one.use and one.scene}

    def use(self, key: str) -> str:
        """What a date is ticked as: ``scene``, ``reference`` or nothing."""
        if key == self.scene:
            return SCENE
        return REFERENCE if key in self.others else ""

    def take_scene(self, key: str) -> None:
        """Make a date the scene, of which there is one."""
        self.scene = key
        self.others = [other for other in self.others if other != key]
        self._give_radar(key)

    def take_other(self, key: str, taken: bool) -> None:
        """Tick or untick another date; the scene itself is none."""
        self.others = [other for other in self.others if other != key]
        if taken and key != self.scene:
            self.others.append(key)
            self._give_radar(key)

    def take_radar(self, key: str, radar: str) -> None:
        """Set the radar of a date; an empty one is none."""
        self.radar[key] = radar

    def takes_radar(self, radar: str) -> bool:
        """Whether a radar overpass is loaded for one of the ticked dates."""
        return any(self.radar.get(key) == radar for key in (self.scene, *self.others) if key)

    def choice(self) -> Choice:
        """What is loaded."""
        known = [one.id for one in self._found.scenes]
        others = sorted(self.others, key=known.index)
        radar = (self.radar.get(key, "") for key in others)
        return Choice(
            self.scene, self.radar.get(self.scene, ""), tuple(others), tuple(dict.fromkeys(filter(None, radar)))
        )

    def _give_radar(self, key: str) -> None:
        scene = self._found.scene(key)
        if scene is not None and key not in self.radar:
            self.radar[key] = self._found.best_radar(scene)
