"""Neighbouring tiles as one window, and networks that take them so.

Overlapping tiles that are views of one window can go into a compiled network without copies: the network slices the
window itself. OpenVINO computes convolutions of classifiers in channels-last layout, and avoids reordering only if the
batch size is static.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[np.float32]


def neighbours_stride(tiles: Array) -> int | None:
    """Columns between neighbouring tiles, if tiles (tile, channel, row, column) are overlapping views of one window.

    None if they do not overlap in memory, or if their layout is not channels-last.
    """
    count, channels, _, columns = tiles.shape
    by_tile, by_channel, by_row, by_column = tiles.strides
    together = by_channel == tiles.itemsize and by_column == channels * by_channel
    if count < 2 or not together or by_tile % by_column or not 0 < by_tile < columns * by_column:
        return None
    stride = by_tile // by_column
    return stride if by_row == ((count - 1) * stride + columns) * by_column else None


def window_of(tiles: Array, stride: int) -> Array:
    """The window that the tiles are views of, (1, row, column, channel)."""
    count, channels, rows, columns = tiles.shape
    shape = (1, rows, (count - 1) * stride + columns, channels)
    _, by_channel, by_row, by_column = tiles.strides
    return as_strided(tiles, shape, (rows * by_row, by_row, by_column, by_channel))


def regroup(model: Any, tiles: int | tuple[int, int]) -> None:
    """Set the batch size of all inputs; a pair is the range of a dynamic size."""
    import openvino

    count = tiles if isinstance(tiles, int) else openvino.Dimension(*tiles)
    shapes = [list(one.get_partial_shape())[1:] for one in model.inputs]
    model.reshape({index: openvino.PartialShape([count, *shape]) for index, shape in enumerate(shapes)})


def taking_channels_last(model: Any) -> Any:
    """The network with channels-last input (tile, row, column, channel)."""
    import openvino
    from openvino.preprocess import PrePostProcessor

    steps = PrePostProcessor(model)
    steps.input("x").tensor().set_layout(openvino.Layout("NHWC"))
    steps.input("x").model().set_layout(openvino.Layout("NCHW"))
    return steps.build()


def cut_from_window(model: Any, stride: int) -> None:
    """Replace the input (tile, row, column, channel) by one window, sliced in the network every `stride` columns."""
    from openvino import opset13 as operations

    (tiles,) = model.get_parameters()
    count, rows, columns, channels = tiles.get_shape()
    window = operations.parameter([1, rows, (count - 1) * stride + columns, channels], np.float32)
    across, one = np.array([2]), np.array([1])
    cut = [
        operations.slice(window, np.array([left]), np.array([left + columns]), one, across)
        for left in range(0, count * stride, stride)
    ]
    joined = operations.concat(cut, 0).output(0)
    for taker in list(tiles.output(0).get_target_inputs()):
        taker.replace_source_output(joined)
    model.remove_parameter(tiles)
    window.output(0).get_tensor().set_names({"x"})
    model.add_parameters([window])
    model.validate_nodes_and_infer_types()
