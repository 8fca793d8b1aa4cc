"""The names of the methods that explain a classification, and which of them a classifier takes."""

from __future__ import annotations

from typing import Final, Literal

from sunbreak.errors import InputError
from sunbreak.models.card_common import CommonFacts
from sunbreak.models.card_landcover import is_per_pixel

AUTO: Final = "auto"
"""Grad-CAM of classifiers of patches, integrated gradients of classifiers of pixels."""
GRADCAM: Final = "gradcam"
INTEGRATED: Final = "integrated-gradients"

PixelMethod = Literal["gradcam", "hirescam", "integrated-gradients"]
"""The methods of classifiers of pixels."""
METHODS = (AUTO, GRADCAM, "hirescam", INTEGRATED)


def method_for(card: CommonFacts, method: str) -> str:
    """The method that explains a classifier: the given one, or for ``auto`` the one that suits the classifier.

    Raises:
        InputError: The method is integrated gradients, and the classifier gives a class to a patch (``bad-option``).
    """
    if method == AUTO:
        return INTEGRATED if is_per_pixel(card) else GRADCAM
    if method == INTEGRATED and not is_per_pixel(card):
        raise InputError(
            f"Integrated gradients explain classifiers of pixels; the model {card.name} gives a class to each patch.",
            "Choose gradcam or hirescam.",
            code="bad-option",
        )
    return method
