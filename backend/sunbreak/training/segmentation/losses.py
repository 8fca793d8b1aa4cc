"""Losses of land cover per pixel: soft targets from class and confidence, and labels of whole patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from sunbreak.training.segmentation.label_files import PatchLabel

_TARGET, _LEAST, _MOST = 0.96, 0.35, 0.97  # probability of the class if the label is as sure as its class usually is
_LEAST_WEIGHT, _MOST_WEIGHT = 0.3, 1.3
_LEAST_SHARE, _BALANCE = 0.03, 0.5
_LEAST_CONFIDENCE = 0.1
_PRESENT_SHARE = 1 / 4  # of a patch that is at least of its class, where it covers a part only


@dataclass(frozen=True)
class Weighing:
    """How much a labelled pixel counts.

    The teacher is less sure of some classes (bare ground, grass) everywhere. So its confidence is compared with that of
    the class on average. Classes with fewer pixels count more: by the root of how many times fewer.

    Attributes:
        confidence: (class,), the mean of each class.
        balance: (class,), the weight of each class.
    """

    confidence: Tensor
    balance: Tensor

    @classmethod
    def of(cls, classes: Tensor, confidence: Tensor, count: int) -> Weighing:
        """From the labels (pixel,) of many pixels, from 1, and their confidence (pixel,)."""
        number = torch.bincount(classes - 1, minlength=count).to(confidence.dtype)
        mean = torch.bincount(classes - 1, confidence, minlength=count) / number.clamp(min=1)
        share = number / number.sum()
        balance = share.clamp(min=_LEAST_SHARE) ** -_BALANCE
        return cls(mean.clamp(min=_LEAST_CONFIDENCE), balance / (balance * share).sum())


def pixel_loss(logits: Tensor, classes: Tensor, confidence: Tensor, weighing: Weighing) -> Tensor:
    """Cross-entropy with soft targets (Hinton et al. 2015, section 2), weighted by class and confidence.

    With the confidence divided by the mean of its class, r, the class has the probability 0.96 r (0.35 to 0.97). The
    others share the rest. The pixel counts r times (0.3 to 1.3).

    Args:
        logits: (image, class, row, column).
        classes: (image, row, column), from 1, 0 where there is no label.
        confidence: (image, row, column), 0..1.
        weighing: Of the classes.
    """
    count = logits.shape[1]
    known, index = (classes > 0).to(logits.dtype), (classes - 1).clamp(min=0)
    hot = F.one_hot(index, count).permute(0, 3, 1, 2).to(logits.dtype)
    relative = confidence / weighing.confidence[index]
    sure = (_TARGET * relative).clamp(_LEAST, _MOST)[:, None]
    target = hot * sure + (1 - hot) * (1 - sure) / (count - 1)
    entropy = -(target * F.log_softmax(logits, dim=1)).sum(dim=1)
    weight = known * relative.clamp(_LEAST_WEIGHT, _MOST_WEIGHT) * weighing.balance[index]
    return (entropy * weight).sum() / weight.sum().clamp(min=1e-6)


def patch_loss(logits: Tensor, patches: Sequence[PatchLabel | None]) -> Tensor:
    """Negative logarithm of the mean probability of the classes that a patch may consist of.

    Where they cover a part of it only, the mean is over the quarter of the pixels that are most likely of them.

    Args:
        logits: (image, class, row, column).
        patches: What is known of each image as a whole; images without a label do not count.
    """
    terms = []
    for image, patch in zip(logits, patches, strict=True):
        if patch is None:
            continue
        share = torch.softmax(image, dim=0)[list(patch.classes)].sum(dim=0).flatten()
        if patch.present:
            share = share.topk(max(1, int(share.numel() * _PRESENT_SHARE))).values
        terms.append(-torch.log(share.mean().clamp(min=1e-4)))
    return torch.stack(terms).mean() if terms else logits.new_zeros(())
