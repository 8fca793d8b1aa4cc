"""The images that the server has: dates of Sentinel-2 and Sentinel-1 around the demo scene of 2021-06-05.

All lie around the bundled demo, which is 7,680 m wide at the upper left corner (600000, 5400000) of EPSG:32632. A tile
has the name of a real one of the Sentinel-2 grid but is only a part of it, 20 km wide in most cases.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEMO_EPSG = 32632
DEMO_LEFT, DEMO_TOP = 600_000, 5_400_000
DEMO_PIXELS = 768
_MIDDLE = 5_396_160  # northing of the middle of the demo


@dataclass(frozen=True)
class Edge:
    """The edge of a swath, a slanted line; there is data on one side of it.

    Attributes:
        easting: Of the line at the northing of the middle of the demo, in metres.
        side: The side with data.
        slope: Metres east per metre north.
    """

    easting: float
    side: str = "west"
    slope: float = 0.2

    def at(self, northing: float) -> float:
        """Easting of the line at a northing."""
        return self.easting + self.slope * (northing - _MIDDLE)


@dataclass(frozen=True)
class Tile:
    """The grid of an image at 10 m.

    Attributes:
        name: Such as ``32UPU``.
        left: Easting of the left edge.
        top: Northing of the upper edge.
        columns: Width in pixels of 10 m, a multiple of 6.
        rows: Height in pixels of 10 m, a multiple of 6.
        epsg: Of its coordinates.
        filled: Columns and rows from the upper left corner that have data; all if 0.
    """

    name: str
    left: int
    top: int
    columns: int = 2040
    rows: int = 2040
    epsg: int = DEMO_EPSG
    filled: int = 0

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and upper edge of the part that has data."""
        columns, rows = (self.filled or size for size in (self.columns, self.rows))
        return self.left, self.top - 10 * rows, self.left + 10 * columns, self.top


UPU = Tile("32UPU", 593_640, 5_406_360)
UPU_WHOLE = Tile("32UPU", 600_000, 5_400_000, 10_980, 10_980, filled=2040)  # as large as a real one, mostly no data
UPU_EAST = Tile("32UPU", 602_400, 5_406_360, 1500)  # these two cover the demo only together
UNU_WEST = Tile("32UNU", 588_000, 5_406_360, 1620)
UPV_NORTH = Tile("32UPV", 593_640, 5_410_800, rows=1680)  # ends 6 km south of the demo's upper edge
UTP_EAST = Tile("33UTP", 161_040, 5_411_400, epsg=32633)  # of the next UTM zone


@dataclass(frozen=True)
class OpticalDate:
    """An overpass of Sentinel-2.

    Attributes:
        day: ``YYYY-MM-DD``.
        unit: A or B.
        base: The demo file below the clouds: ``clear``, ``cloudy``, ``before`` or ``after``.
        layers: Clouds of the demo laid over it: shift in rows and columns, and the fraction of columns they take.
        gain: Factor of the ground.
        tiles: Images of this overpass.
        edge: Edge of the swath; None if the tiles are full.
        orbit: Relative orbit.
        time: Of day, ``HHMMSS``.
        baseline: Processing baseline.
        again: Baseline of a second, later processing of the same image; empty if there is none.
    """

    day: str
    unit: str
    base: str = "clear"
    layers: tuple[tuple[int, int, float], ...] = ()
    gain: float = 1.0
    tiles: tuple[Tile, ...] = (UPU,)
    edge: Edge | None = None
    orbit: int = 65
    time: str = "102031"
    baseline: str = "05.00"
    again: str = ""

    @property
    def stamp(self) -> str:
        """Time as in the names of products."""
        return f"{self.day.replace('-', '')}T{self.time}"

    @property
    def datetime(self) -> str:
        """Time as in STAC."""
        return f"{self.day}T{self.time[:2]}:{self.time[2:4]}:{self.time[4:]}.024000Z"


@dataclass(frozen=True)
class RealDate(OpticalDate):
    """A date of a real place.

    Attributes:
        file: 13 bands of L1C numbers in any coordinates.
    """

    file: Path = Path()


TARGET_DAY = "2021-06-05"
_OVERCAST = ((0, 0, 1.0), (200, 300, 1.0), (410, 90, 1.0), (90, 560, 1.0), (640, 700, 1.0), (330, 650, 1.0))

OPTICAL = (
    OpticalDate("2021-05-01", "B", "before", baseline="03.00"),
    OpticalDate("2021-05-16", "A", layers=_OVERCAST, gain=0.97),
    OpticalDate("2021-05-26", "A", layers=((50, 20, 0.3),), gain=0.98, edge=Edge(603_840)),
    OpticalDate("2021-05-31", "B", layers=((300, 100, 0.15),), gain=0.99, tiles=(UNU_WEST, UPU_EAST)),
    OpticalDate("2021-06-02", "B", gain=1.01, tiles=(UTP_EAST,), orbit=22, time="101021"),
    OpticalDate(TARGET_DAY, "A", "cloudy"),
    OpticalDate("2021-06-10", "B", layers=((150, 400, 1.0), (420, 60, 0.6))),
    OpticalDate("2021-06-15", "A", layers=((500, 250, 0.35),), gain=1.02, baseline="03.00", again="05.00"),
    OpticalDate("2021-06-20", "B", layers=((350, 350, 0.6),), tiles=(UPU_WHOLE,)),
    OpticalDate("2021-06-25", "A", layers=_OVERCAST[:2], tiles=(UPV_NORTH,)),
    OpticalDate("2021-07-25", "A", "after"),
)
"""The whole choice; the revisit of one orbit is 5 days. The demo's own dates are three: before, cloudy, after."""


@dataclass(frozen=True)
class RadarDate:
    """An overpass of Sentinel-1.

    Attributes:
        day: ``YYYY-MM-DD``.
        time: Of day, ``HHMMSS``.
        unit: A or B.
        state: ``ascending`` or ``descending``.
        orbit: Relative orbit.
        absolute: Absolute orbit.
        polarisations: VV and VH, or VV alone.
        edge: Edge of the slice; None if it covers the whole place.
    """

    day: str
    time: str
    unit: str
    state: str
    orbit: int
    absolute: int
    polarisations: tuple[str, ...] = ("VV", "VH")
    edge: Edge | None = None

    @property
    def name(self) -> str:
        """Name of the GRD product."""
        kind = "SDV" if len(self.polarisations) == 2 else "SSV"
        start = f"{self.day.replace('-', '')}T{self.time}"
        end = f"{start[:-6]}{int(self.time) + 25:06d}"
        return f"S1{self.unit}_IW_GRDH_1{kind}_{start}_{end}_{self.absolute:06d}_0{self.absolute * 7 % 0xFFFFF:05X}"

    @property
    def datetime(self) -> str:
        """Time as in STAC."""
        return f"{self.day}T{self.time[:2]}:{self.time[2:4]}:{self.time[4:]}.653288Z"


SLICE = Tile("", 592_300, 5_407_100, 2160, 2040)  # an image of Sentinel-1 has its own grid

RADAR = (
    RadarDate("2021-04-29", "052610", "A", "descending", 168, 37666),
    RadarDate("2021-05-30", "170712", "B", "ascending", 117, 27140),
    RadarDate("2021-05-29", "052529", "B", "descending", 168, 27118),
    RadarDate("2021-06-04", "052612", "A", "descending", 168, 38191),
    RadarDate("2021-06-05", "170715", "A", "ascending", 117, 38213, edge=Edge(603_000, "east", -0.2)),
    RadarDate("2021-06-06", "051021", "B", "descending", 95, 27235, polarisations=("VV",)),
    RadarDate("2021-06-10", "052530", "B", "descending", 168, 27293),
    RadarDate("2021-06-11", "170713", "B", "ascending", 117, 27315),
    RadarDate("2021-07-22", "052615", "A", "descending", 168, 38891),
    RadarDate("2021-07-23", "170718", "A", "ascending", 117, 38913),
)
"""Nearest to the target: half of the place on the same day, VV alone one day later, all of it the day before."""
