"""The shapes of arrays, their elements, and writing to them."""

from typing import Any

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.operands import (
    ANY,
    REAL,
    along,
    any_index,
    basic_index,
    clear,
    fancy_index,
    in_order,
    indexed,
    matrix,
    one,
    op,
    order,
    other_shape,
    pads,
    parts,
    positions,
    shaped,
    stack_of_matrices,
    wider,
    written,
)

# fmt: off


def _new_axis(draft: Any, x: np.ndarray) -> dict[str, Any]:
    return {"axis": draft.dice.randint(-x.ndim - 1, x.ndim)}


def _near_diagonal(draft: Any, x: np.ndarray) -> dict[str, Any]:
    return {"k": draft.dice.randint(-1, 1)}


def _times(draft: Any, x: np.ndarray) -> dict[str, Any]:
    return {"reps": tuple(draft.dice.choices([1, 2], k=draft.dice.randint(1, x.ndim + 1)))}


def _repeats(draft: Any, x: np.ndarray) -> Any:
    return draft.dice.choice([2, draft.rng.integers(0, 3, len(x))])


def _half(x: Any, axis: int, i: int) -> Any:
    """What array_split gives, by numbers of elements."""
    return d.take(x, np.array_split(np.arange(d.shape(x)[axis]), 2)[i], axis=axis)


HALVES = "({x}.shape[{axis}] + 1) // 2"

shapes = [
    op("reshape", d.reshape, shaped(other_shape), "np.reshape({x}, {shape})", "mg.reshape({x}, {shape})",
       "{x}.reshape({shape})"),
    op("ravel", lambda x: d.reshape(x, (-1,)), one(ANY), "np.ravel({x})", "{x}.ravel()", "{x}.flatten()"),
    op("transpose", d.transpose, shaped(order), "np.transpose({x}, {axes})", "mg.permute_dims({x}, {axes})",
       "{x}.transpose({axes})"),
    op("mT", d.matrix_transpose, stack_of_matrices(ANY), "np.swapaxes({x}, -1, -2)", "{x}.mT",
       "np.matrix_transpose({x})", "mg.matrix_transpose({x})", "np.moveaxis({x}, -1, -2)", "{x}.swapaxes(-2, -1)"),
    op("squeeze", d.squeeze, one(ANY), "np.squeeze({x})", "{x}.squeeze()"),
    op("expand_dims", d.expand_dims, shaped(_new_axis), "np.expand_dims({x}, axis={axis})",
       "mg.expand_dims({x}, axis={axis})"),
    op("flip", d.flip, along(ANY), "np.flip({x}, axis={axis})", "mg.flip({x}, axis={axis})"),
    op("roll", d.roll, along(ANY, shift=lambda draft, x: draft.dice.randint(-3, 3)),
       "np.roll({x}, {shift}, axis={axis})", "mg.roll({x}, {shift}, axis={axis})"),
    op("rot90", d.rot90, stack_of_matrices(ANY, _near_diagonal), "np.rot90({x}, {k})"),
    op("tile", d.tile, shaped(_times), "np.tile({x}, {reps})", "mg.tile({x}, {reps})"),
    op("repeat", d.repeat, along(ANY, repeats=_repeats), "np.repeat({x}, {repeats}, axis={axis})",
       "mg.repeat({x}, {repeats}, axis={axis})", "{x}.repeat({repeats}, axis={axis})", exact=False),
    op("broadcast_to", d.broadcast_to, shaped(wider), "np.broadcast_to({x}, {shape})", "mg.broadcast_to({x}, {shape})"),
    op("pad", d.pad, shaped(pads, least=1), "np.pad({x}, {pad_width})", "mg.pad({x}, {pad_width})"),
    *(op(f"pad {mode}", lambda x, pad_width, mode=mode: d.pad(x, pad_width, mode=mode), shaped(pads, least=1),
         f"np.pad({{x}}, {{pad_width}}, mode='{mode}')") for mode in ("edge", "wrap", "reflect")),
    op("concat", lambda x, axis: d.concat(x, axis=axis), parts, "np.concatenate({x}, axis={axis})",
       "mg.concat({x}, axis={axis})"),
    op("stack", lambda x, axis: d.stack(x, axis=axis), parts, "np.stack({x}, axis={axis})",
       "mg.stack({x}, axis={axis})"),
    op("split", _half, along(ANY, i=lambda draft, x: draft.dice.choice([0, 1])),
       "np.array_split({x}, 2, axis={axis})[{i}]", f"np.split({{x}}, [{HALVES}], axis={{axis}})[{{i}}]",
       f"mg.split({{x}}, [{HALVES}], axis={{axis}})[{{i}}]"),
    op("tril", d.tril, stack_of_matrices(ANY, _near_diagonal), "np.tril({x}, {k})", "mg.tril({x}, k={k})"),
    op("triu", d.triu, stack_of_matrices(ANY, _near_diagonal), "np.triu({x}, {k})", "mg.triu({x}, k={k})"),
    op("to its own dtype", d.positive, one(ANY), "{x}.astype({x}.dtype)", "mg.astype({x}, {x}.dtype)"),
]

elements = [
    op("basic index", d.item, indexed(basic_index), "{x}[{index}]"),
    op("fancy index", d.item, indexed(fancy_index), "{x}[{index}]"),
    op("take", d.take, along(ANY, indices=positions), "np.take({x}, {indices}, axis={axis})",
       "mg.take({x}, {indices}, axis={axis})", "{x}.take({indices}, axis={axis})", exact=False),
    op("take_along_axis", d.sort, in_order,
       "np.take_along_axis({x}, np.argsort({x}, axis={axis}), axis={axis})",
       "mg.take_along_axis({x}, mg.argsort({x}, axis={axis}), axis={axis})"),
    op("mask of itself", lambda x: d.item(x, d.plain(x) > 0), clear(one(REAL)), "{x}[{x} > 0]"),
    op("diagonal", lambda x, k: d.diagonal(x, k), matrix(ANY, _near_diagonal), "np.diagonal({x}, {k})",
       "{x}.diagonal({k})"),
]

writing = [
    op("write", d.write, written(any_index), "{out} = {x} * 1\n{out}[{index}] = {y}"),
    op("add to a part", lambda x, index, y: d.write(x, index, d.item(x, index) + y), written(basic_index),
       "{out} = {x} * 1\n{out}[{index}] += {y}"),
    op("write, and before", lambda x, index, y: d.square(x) * d.write(x, index, y), written(any_index),
       "{out} = {x} * 1\nbefore = {out} * {out}\n{out}[{index}] = {y}\n{out} *= before"),
    op("scale a part", lambda x, index: d.write(x, index, d.item(x, index) * 2), indexed(basic_index, least=1),
       "{out} = {x} * 1\n{out}[{index}] *= 2"),
    op("write twice", lambda x, index, y: d.write(d.write(x, index, y), index, y * y), written(basic_index),
       "{out} = {x} * 1\n{out}[{index}] = {y}\n{out}[{index}] = {y} * {y}"),
]

FAMILIES = [shapes, elements, writing]
