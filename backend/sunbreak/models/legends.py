"""Class lists of the field, with their usual colours, and how their networks' input was standardised."""

from __future__ import annotations

from sunbreak.models.card_landcover import LandCoverClass, Standardisation

# the ten simplified IGBP classes of SEN12MS (Schmitt et al. 2020), in the order of their numbers 1 to 10
SIMPLIFIED_IGBP = tuple(
    LandCoverClass(name, f"#{colour}")
    for name, colour in (
        ("Forest", "009900"),
        ("Shrubland", "c6b044"),
        ("Savanna", "fbff13"),
        ("Grassland", "b6ff05"),
        ("Wetlands", "27ff87"),
        ("Croplands", "c24f44"),
        ("Urban/Built-up", "a5a5a5"),
        ("Snow/Ice", "69fff8"),
        ("Barren", "f9ffa4"),
        ("Water", "1c0dff"),
    )
)

# Dynamic World (Brown et al. 2022), in the order of its labels 0 to 8, with the colours of its viewers
DYNAMIC_WORLD = tuple(
    LandCoverClass(name, f"#{colour}")
    for name, colour in (
        ("Water", "419bdf"),
        ("Trees", "397d49"),
        ("Grass", "88b053"),
        ("Flooded vegetation", "7a87c6"),
        ("Crops", "e49635"),
        ("Shrub and scrub", "dfc35a"),
        ("Built", "c4281b"),
        ("Bare", "a59b8f"),
        ("Snow and ice", "b39fe1"),
    )
)
# class of Dynamic World -> simplified IGBP, both as indices from 0. IGBP tells savanna (few trees over grass) apart,
# which Dynamic World calls grass, shrub or trees; its croplands include mosaics with natural vegetation
TO_SIMPLIFIED_IGBP = (9, 0, 3, 4, 5, 1, 6, 8, 7)

TEN_BANDS = ("B02", "B03", "B04", "B05", "B06", "B07", "B08", "B8A", "B11", "B12")

# statistics of DN over SEN12MS: the toolbox's ten bands, and thirteen bands as in Gawlikowski et al. 2022
SEN12MS_10 = Standardisation(
    (1226.4215, 1137.3799, 1139.6792, 1350.9973, 1932.9058, 2211.1584, 2154.9846, 2409.1128, 2001.8622, 1356.0801),
    (741.6254, 740.883, 960.1045, 946.76056, 985.52747, 1082.4341, 1057.7628, 1136.1942, 1132.7898, 991.48016),
)
SEN12MS_13 = Standardisation(
    (
        1465.28, 1230.45, 1141.88, 1144.56, 1356.36, 1941.11, 2220.79, 2163.92, 2418.99,
        792.98, 23.99, 2005.35, 1358.41,
    ),
    (752.72, 748.00, 746.68, 967.37, 953.73, 990.37, 1086.71, 1061.98, 1140.05, 584.31, 34.17, 1138.48, 997.34),
)  # fmt: skip
SEN12MS_RADAR = Standardisation((-11.76858, -18.294598), (4.525339, 4.3586307))


def with_radar(optical: Standardisation) -> Standardisation:
    """The same for VV, VH and then the optical bands."""
    return Standardisation(SEN12MS_RADAR.mean + optical.mean, SEN12MS_RADAR.deviation + optical.deviation)
