"""The functions of the Python interface that measure a cleaned scene, or a cloud mask, against a reference."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from sunbreak.api.arrays import Array, Paths, one_path
from sunbreak.api.opening import other_dates
from sunbreak.evaluation.clouds import Codings, compare_masks, figures_of
from sunbreak.evaluation.other_dates import GivenDates
from sunbreak.evaluation.rasters import compare
from sunbreak.scene.mask_codings import CodingOption

if TYPE_CHECKING:
    from affine import Affine


def evaluate(
    pred: str | Path | Array,
    target: str | Path | Array,
    *,
    cloudy: str | Path | Array | None = None,
    mask: str | Path | Array | None = None,
    mask_coding: CodingOption = "auto",
    sigma: str | Path | None = None,
    references: Paths | None = None,
    transform: Affine | None = None,
    crs: Any = None,
) -> dict[str, dict[str, float]]:
    """Measure a cleaned scene against the clear one: means over patches of 256 x 256 pixels.

    Args:
        pred: The cleaned scene: a GeoTIFF, or an array (band, row, column) of DN or reflectance.
        target: The clear scene on the same grid.
        cloudy: The scene before cleaning: gives the same figures for two baselines, the cloudy image and the mean
            colour inside the clouds.
        mask: Cloud mask (row, column): gives PSNR inside and outside of the clouds.
        mask_coding: What the values of the mask stand for, as for `sunbreak.api.arrays.Reading`.
        sigma: Layer ``uncertainty`` of the cleaned scene: gives the coverage of its intervals inside the clouds.
        references: Other dates of the same place, as for `clean`: gives the same figures for simple fills of `cloudy`
            from these dates. `cloudy` and `mask` are needed for it.
        transform: Affine transform of arrays.
        crs: Coordinate reference system of arrays.

    Returns:
        Figures by row (``cleaned``, ``cloudy image``, ``mean colour in clouds``, ``coverage in clouds``; with other
        dates also ``nearest date``, ``linear in time`` and so on): ``psnr`` (dB), ``ssim``, ``sam`` (degrees), ``rmse``
        and ``mae`` (reflectance), ``detail``, and with a mask ``psnr_cloud`` and ``psnr_clear`` (dB). PSNR is NaN where
        no patch has an error.

    Raises:
        InputError: The grids or bands differ, or no pixel is known in both; other dates cannot be used, or are given
            without `cloudy` or `mask`.

    Source:
        SSIM: Wang et al. 2004, IEEE TIP 13(4). Spectral angle: Kruse et al. 1993, Remote Sensing of Environment 44.

    Example:
        >>> sunbreak.evaluate("out/S2_cleaned.tif", "clear.tif", mask="out/S2_cloud_mask.tif")["cleaned"]["psnr"]
        31.4
    """
    given = other_dates(references, None, pred, target, cloudy, mask)
    with TemporaryDirectory(prefix="sunbreak-") as name:
        folder = Path(name)

        def located(title: str, given: str | Path | Array | None) -> Path | None:
            return None if given is None else one_path(folder / f"{title}.tif", given, transform, crs)

        return compare(
            one_path(folder / "pred.tif", pred, transform, crs),
            one_path(folder / "target.tif", target, transform, crs),
            cloudy=located("cloudy", cloudy),
            mask=located("mask", mask),
            mask_coding=mask_coding,
            sigma=None if sigma is None else Path(sigma),
            dates=GivenDates(given["references"], given["found_references"]),
        )


def evaluate_clouds(
    pred: str | Path | Array,
    reference: str | Path | Array,
    *,
    tolerance: int = 0,
    pred_coding: CodingOption = "auto",
    reference_coding: CodingOption = "auto",
    transform: Affine | None = None,
    crs: Any = None,
) -> dict[str, dict[str, float]]:
    """Measure a cloud mask against a reference mask, on the grid of the reference.

    Pixels without data in either mask are left out.

    Args:
        pred: The mask to evaluate: a GeoTIFF or an array (row, column) in any coding that ``mask`` of `clean` takes.
        reference: The reference mask of the same place.
        tolerance: Boundary tolerance in pixels of the reference: gives tolerant figures as well.
        pred_coding: What the values of `pred` stand for, as ``mask_coding`` of `clean`.
        reference_coding: What the values of `reference` stand for.
        transform: Affine transform of arrays.
        crs: Coordinate reference system of arrays.

    Returns:
        Figures by class (``clear``, ``thick cloud``, ``thin cloud``, ``cloud``, ``shadow``, ``replaced``):
        ``precision``, ``recall``, ``f1``, ``balanced_accuracy`` and ``iou``, with a tolerance also
        ``precision_tolerant`` and so on. NaN where the coding of a mask cannot express the class, and where a figure is
        not defined.

    Raises:
        InputError: A file is no cloud mask, the masks do not overlap, or no pixel has data in both.

    Source:
        Balanced accuracy: Brodersen et al. 2010, ICPR. Tolerance: Heipke et al. 1997, IAPRS 32.

    Example:
        >>> sunbreak.evaluate_clouds("out/S2_cloud_mask.tif", "human.tif", tolerance=2)["cloud"]["f1_tolerant"]
        0.93
    """
    with TemporaryDirectory(prefix="sunbreak-") as name:
        folder = Path(name)
        found = compare_masks(
            one_path(folder / "pred.tif", pred, transform, crs),
            one_path(folder / "reference.tif", reference, transform, crs),
            tolerance=tolerance,
            codings=Codings(pred_coding, reference_coding),
        )
    return figures_of(found, tolerance)
