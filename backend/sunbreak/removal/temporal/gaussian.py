"""How the dates of a place go together: one Gaussian over the features of all dates, fitted where some are hidden.

A pixel's features, over all dates, are a vector of which clouds hide blocks. The expectation maximisation algorithm
(Dempster, Laird and Rubin 1977; for missing data Little and Rubin, Statistical Analysis with Missing Data, chapter 11)
finds the mean and the covariance of such vectors. The expectation of the target given whatever dates are clear at a
pixel is then the best linear unbiased prediction from them, with its variance: no date must be clear everywhere, and
dates that err alike do not count twice.

Three things make it fit for the purpose. The target given the references is estimated from pixels where the target is
clear alone, as in a factored likelihood, which converges in few steps. Pixels that fit badly, because of change or of
clouds that were missed, are weighted down as under a heavy-tailed distribution. And a prior covariance of a few
pixels' weight, the same spectrum fading with the days between, decides where there is little data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sunbreak.removal.temporal.blocks import Blocks, Image, patterns
from sunbreak.removal.temporal.days_prior import DaysPrior

Matrix = NDArray[np.float64]

CLIP = np.float32(6)  # standard deviations: beyond them a feature is a cloud or a glint, not ground
PRIOR_PIXELS = 1000.0  # weight of the prior covariance
_MEAN_PIXELS = 500.0  # weight of the prior mean of the target
_RIDGE = 0.01  # added to the variance of standardised features
_RADAR_RIDGE = 0.3
_STEADY = 1e-3  # the same for the covariance among references
_STEPS, _SETTLED = 15, 2e-3
_TINY = np.float32(1e-4)
_ROBUST = 1.5  # standard deviations from which a pixel counts less
_PIXELS = 40000  # that the fit uses


@dataclass(frozen=True, eq=False)
class Predictor:
    """The prediction of the target from the blocks of one pattern, in reflectance.

    Attributes:
        columns: Indices of the features.
        weights: (band, feature), for standardised features.
        offset: (band,).
        sigma: (band,), standard deviation of the error according to the fit.
        main: Index of the block that decides most; -1 without any.
    """

    columns: NDArray[np.intp]
    weights: Image
    offset: Image
    sigma: Image
    main: int

    def __call__(self, standardised: Image) -> Image:
        """The prediction (band, pixel) from standardised features (all features, pixel)."""
        predicted: Image = self.weights @ standardised[self.columns]
        predicted += self.offset[:, None]
        return predicted


@dataclass
class DatesModel:
    """A fitted Gaussian of standardised features.

    Attributes:
        blocks: What the features are.
        centre: (feature,) subtracted first.
        scale: (feature,) divided by.
        mean: (feature,) of standardised features.
        covariance: (feature, feature).
        clear: Weighted pixels with a clear target that it rests on.
    """

    blocks: Blocks
    centre: Image
    scale: Image
    mean: Matrix
    covariance: Matrix
    clear: float
    _known: dict[int, Predictor] = field(default_factory=dict, repr=False)

    @property
    def bands(self) -> int:
        """Bands of the target."""
        return int(self.blocks.slices[0].stop)

    def standardised(self, values: Image, block: int) -> Image:
        """Standardised features (feature, ...) of one block."""
        part = self.blocks.slices[block]
        shape = (-1, *(1,) * (values.ndim - 1))
        out: Image = values - self.centre[part].reshape(shape)
        out /= self.scale[part].reshape(shape)
        return np.clip(out, -CLIP, CLIP, out=out)

    def predictor(self, pattern: int) -> Predictor:
        """The prediction from the blocks of a pattern; the target's own block (bit 0) is left out."""
        pattern &= ~1
        if pattern not in self._known:
            self._known[pattern] = self._predictor(pattern)
        return self._known[pattern]

    def conditional(self, known: NDArray[np.intp], wanted: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
        """Weights (wanted, known) of the conditional mean of some features given others, and their covariance."""
        return _conditional(self.covariance, known, wanted)

    def _predictor(self, pattern: int) -> Predictor:
        target = np.arange(self.bands)
        columns = self.blocks.columns(pattern)
        weights, left = _conditional(self.covariance, columns, target)
        scale = self.scale[: self.bands].astype(np.float64)
        mean = self.mean[: self.bands] - weights @ self.mean[columns]
        return Predictor(
            columns,
            (scale[:, None] * weights).astype(np.float32),
            (self.centre[: self.bands] + scale * mean).astype(np.float32),
            (scale * np.sqrt(np.maximum(np.diag(left), 1e-6))).astype(np.float32),
            self._main(pattern, scale[:, None] * weights, columns),
        )

    def _main(self, pattern: int, weights: Matrix, columns: NDArray[np.intp]) -> int:
        """The optical block whose terms vary most over the scene."""
        place = {int(column): i for i, column in enumerate(columns)}
        shares = {}
        for i in self.blocks.optical:
            if pattern >> i & 1:
                own = np.arange(self.blocks.slices[i].start, self.blocks.slices[i].stop)
                part = weights[:, [place[int(column)] for column in own]]
                shares[i] = float(np.einsum("bi,ij,bj->", part, self.covariance[np.ix_(own, own)], part))
        return max(shares, key=lambda i: (shares[i], -i)) if shares else -1


def fit(
    blocks: Blocks,
    values: Sequence[Image],
    known: Sequence[NDArray[np.bool_]],
    prior: DaysPrior,
    pixels: int = _PIXELS,
) -> DatesModel:
    """Fit the Gaussian to a sample of pixels.

    Args:
        blocks: What the features are.
        values: Features of each block, (feature, pixel).
        known: (pixel,) of each block, True where it is seen.
        prior: How colour moves with days.
        pixels: Largest number of pixels that are used, evenly spread over those given.
    """
    seen = np.any([known[i] for i in blocks.optical], axis=0)
    chosen = np.flatnonzero(seen)
    if len(chosen) > pixels:
        chosen = chosen[np.linspace(0, len(chosen) - 1, pixels).astype(np.intp)]
    picked = [block[chosen] for block in known]
    centre, scale = _standards(blocks, [block[:, chosen] for block in values], picked, prior)
    model = DatesModel(blocks, centre, scale, np.zeros(blocks.features), np.eye(blocks.features), 0.0)
    features = np.concatenate([model.standardised(block[:, chosen], i) for i, block in enumerate(values)])
    groups = Groups.of(features, picked)
    expected = _prior_covariance(blocks, features, picked, prior)
    model.covariance = expected
    for step in range(_STEPS):
        before = model.covariance
        _improve(model, groups, expected)
        _reweigh(model, groups)
        if step and np.abs(model.covariance - before).max() < _SETTLED:
            break
    return model


def without(model: DatesModel, features: Image, known: Sequence[NDArray[np.bool_]], prior: DaysPrior) -> DatesModel:
    """The model with the target fitted again to other pixels; the references are kept as they are.

    Args:
        model: The model.
        features: Standardised features (feature, pixel).
        known: (pixel,) of each block.
        prior: How colour moves with days.
    """
    expected = _prior_covariance(model.blocks, features, known, prior)
    groups = Groups.of(features, known)
    again = DatesModel(model.blocks, model.centre, model.scale, model.mean, model.covariance, 0.0)
    _reweigh(again, groups)
    _improve(again, groups, expected, references=False)
    return again


@dataclass
class Groups:
    """Pixels sorted by the pattern of blocks that are known.

    Attributes:
        features: (feature, pixel), standardised.
        parts: Pattern, and the pixels that have it.
        weights: (pixel,), less than 1 for pixels that fit badly.
    """

    features: Image
    parts: list[tuple[int, slice]]
    weights: Image

    @classmethod
    def of(cls, features: Image, known: Sequence[NDArray[np.bool_]]) -> Groups:
        """Sort pixels."""
        codes = patterns(known)
        order = np.argsort(codes, kind="stable")
        found, first = np.unique(codes[order], return_index=True)
        stops = [*first[1:], codes.size]
        parts = [
            (int(code), slice(int(start), int(stop))) for code, start, stop in zip(found, first, stops, strict=True)
        ]
        return cls(np.ascontiguousarray(features[:, order]), parts, np.ones(codes.size, np.float32))


@dataclass
class _Sums:
    """Expected sums over pixels: weight, features, and products of features."""

    weight: float
    first: Matrix
    second: Matrix

    @classmethod
    def empty(cls, features: int) -> _Sums:
        return cls(0.0, np.zeros(features), np.zeros((features, features)))

    def add(self, full: Image, weights: Image, columns: NDArray[np.intp], spread: Matrix) -> None:
        """Add completed pixels; `spread` is the variance of what was filled in, at `columns`."""
        weighted = full * weights
        total = float(weights.sum(dtype=np.float64))
        self.weight += total
        self.first += weighted.sum(axis=1, dtype=np.float64)
        self.second += weighted @ full.T
        if len(columns):
            self.second[np.ix_(columns, columns)] += total * spread

    def covariance(self, expected: Matrix, pixels: float) -> tuple[Matrix, Matrix]:
        """Mean and covariance, shrunk towards an expected one that weighs as much as some pixels."""
        mean = self.first / max(self.weight, 1e-9)
        scatter = self.second - self.weight * np.outer(mean, mean)
        return mean, (scatter + pixels * expected) / (self.weight + pixels)


def _improve(model: DatesModel, groups: Groups, expected: Matrix, *, references: bool = True) -> None:
    """One step of the algorithm: fill in what is hidden, then estimate mean and covariance again."""
    total, bands = model.blocks.features, model.bands
    everywhere, clear = _Sums.empty(total), _Sums.empty(total)
    for pattern, part in groups.parts:
        if not references and not pattern & 1:
            continue
        columns = model.blocks.columns(pattern)
        hidden = np.setdiff1d(np.arange(total), columns)
        full = groups.features[:, part]
        spread: Matrix = np.zeros((0, 0))
        if len(hidden):
            weights, spread = _conditional(model.covariance, columns, hidden)
            apart = full[columns] - model.mean[columns, None].astype(np.float32)
            full = full.copy()
            full[hidden] = weights.astype(np.float32) @ apart + model.mean[hidden, None].astype(np.float32)
        (clear if pattern & 1 else everywhere).add(full, groups.weights[part], hidden, spread)
    at_clear, within = clear.covariance(expected, PRIOR_PIXELS)
    if references:
        everywhere.weight += clear.weight
        everywhere.first += clear.first
        everywhere.second += clear.second
        mean, covariance = everywhere.covariance(expected, PRIOR_PIXELS)
        others, among = mean[bands:], covariance[bands:, bands:] + _STEADY * np.eye(total - bands)
    else:
        others, among = model.mean[bands:], model.covariance[bands:, bands:]
    ridge = np.concatenate(
        [np.full(len(block.names), _RADAR_RIDGE if block.radar else _RIDGE) for block in model.blocks.blocks]
    )
    cross = within[bands:, :bands]
    slopes = np.linalg.solve(within[bands:, bands:] + np.diag(ridge[bands:]), cross)
    fitted = slopes.T @ cross
    left = within[:bands, :bands] - fitted - fitted.T + slopes.T @ within[bands:, bands:] @ slopes
    # where few pixels are clear, the mean of the target stays near the one that the other dates suggest
    trust = clear.weight / (clear.weight + _MEAN_PIXELS)
    target = trust * (at_clear[:bands] + slopes.T @ (others - at_clear[bands:]))
    both = slopes.T @ among
    found: Matrix = np.empty((total, total))
    found[bands:, bands:] = among
    found[:bands, bands:], found[bands:, :bands] = both, both.T
    found[:bands, :bands] = both @ slopes + left
    model.covariance = (found + found.T) / 2
    model.mean = np.concatenate([target, others])
    model.clear = clear.weight


def _reweigh(model: DatesModel, groups: Groups) -> None:
    """Weigh down pixels that fit badly as a whole, or whose target is far from what its references say."""
    bands = model.bands
    for pattern, part in groups.parts:
        columns = model.blocks.columns(pattern)
        apart = groups.features[columns, part] - model.mean[columns, None].astype(np.float32)
        inverse = np.linalg.inv(model.covariance[np.ix_(columns, columns)]).astype(np.float32)
        distance = np.sqrt(np.einsum("fp,fp->p", apart, inverse @ apart) / len(columns))
        if pattern & 1 and pattern & ~1:
            others = model.blocks.columns(pattern & ~1)
            weights, left = _conditional(model.covariance, others, np.arange(bands))
            error = apart[:bands] - weights.astype(np.float32) @ apart[bands:]
            variance = np.diag(left).astype(np.float32)[:, None]
            distance = np.maximum(distance, np.sqrt((error**2 / variance).mean(axis=0)))
        groups.weights[part] = 1 / np.maximum(1, distance / np.float32(_ROBUST)) ** 2


def _conditional(covariance: Matrix, known: NDArray[np.intp], wanted: NDArray[np.intp]) -> tuple[Matrix, Matrix]:
    """Weights (wanted, known) of the conditional mean, and the conditional covariance."""
    cross = covariance[np.ix_(wanted, known)]
    own = covariance[np.ix_(wanted, wanted)]
    if not len(known):
        return cross, own
    weights = np.asarray(np.linalg.solve(covariance[np.ix_(known, known)], cross.T).T, np.float64)
    return weights, own - weights @ cross.T


def _standards(
    blocks: Blocks, values: Sequence[Image], known: Sequence[NDArray[np.bool_]], prior: DaysPrior
) -> tuple[Image, Image]:
    """Centre and scale of every feature, from values within six robust standard deviations of the median."""
    centre, scale = np.zeros(blocks.features, np.float32), np.ones(blocks.features, np.float32)
    for part, block, mask in zip(blocks.slices, values, known, strict=True):
        seen = block[:, mask]
        if seen.shape[1] < 2:
            continue
        middle = np.asarray(np.median(seen, axis=1, keepdims=True), np.float32)
        width = np.float32(1.4826) * np.asarray(np.median(np.abs(seen - middle), axis=1, keepdims=True), np.float32)
        held = np.clip(seen, middle - CLIP * width - _TINY, middle + CLIP * width + _TINY)
        centre[part], scale[part] = held.mean(axis=1), held.std(axis=1) + np.float32(1e-6)
    own = blocks.blocks[0]
    share = np.float32(known[0].sum() / (known[0].sum() + _MEAN_PIXELS))
    for band, name in enumerate(own.names):
        near = [
            (blocks.days[block.member], blocks.slices[i].start + block.names.index(name))
            for i, block in enumerate(blocks.blocks)
            if i in blocks.optical and name in block.names and known[i].any()
        ]
        if near:
            weights, places = prior.weights([days for days, _ in near]), [place for _, place in near]
            centre[band] = share * centre[band] + (1 - share) * (weights @ centre[places])
            scale[band] = share * scale[band] + (1 - share) * (weights @ scale[places])
    return centre, scale


def _prior_covariance(blocks: Blocks, features: Image, known: Sequence[NDArray[np.bool_]], prior: DaysPrior) -> Matrix:
    """The spectra of the dates have one correlation among bands, which fades with the days between two dates."""
    names = sorted({name for i in (0, *blocks.optical) for name in blocks.blocks[i].names})
    place = {name: i for i, name in enumerate(names)}
    sums, counts = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)))
    for i in blocks.optical:
        rows = [place[name] for name in blocks.blocks[i].names]
        seen = features[blocks.slices[i]][:, known[i]]
        sums[np.ix_(rows, rows)] += seen @ seen.T
        counts[np.ix_(rows, rows)] += seen.shape[1]
    among = np.divide(sums, counts, out=np.eye(len(names)), where=counts > 0)
    values, vectors = np.linalg.eigh(among)
    if values[0] < 0:
        # dates with unlike bands give products of unlike pixels, which together need not be a covariance
        among = (vectors * np.maximum(values, 0)) @ vectors.T
    found = np.eye(blocks.features)
    optical = (0, *blocks.optical)
    for i in optical:
        for j in optical:
            one, other = blocks.blocks[i], blocks.blocks[j]
            rows, columns = [place[name] for name in one.names], [place[name] for name in other.names]
            fading = 1.0 if i == j else prior.correlation(blocks.days[one.member] - blocks.days[other.member])
            found[blocks.slices[i], blocks.slices[j]] = fading * among[np.ix_(rows, columns)]
    found += _RIDGE * np.eye(blocks.features)
    return found
