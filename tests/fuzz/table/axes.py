"""Reductions, and functions that run along an axis."""

from typing import Any

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.operands import (
    ANY,
    HALF,
    NONZERO,
    NONZERO_REAL,
    REAL,
    SMALL,
    along,
    clear,
    in_order,
    mask,
    op,
    reduced,
    same,
    spelled,
)

# fmt: off
HOW = "axis={axis}, keepdims={keepdims}"
THREE = f"np.NAME({{x}}, {HOW})", f"mg.NAME({{x}}, {HOW})", f"{{x}}.NAME({HOW})"
SPREAD = (f"np.NAME({{x}}, ddof={{correction}}, {HOW})", f"mg.NAME({{x}}, correction={{correction}}, {HOW})",
          f"{{x}}.NAME({HOW}, correction={{correction}})")


def _std(**how: Any) -> Any:
    return d.sqrt(d.var(**how))


def _correction(draft: Any, x: np.ndarray) -> int:
    return draft.dice.choice([0, 1])


def _weights(draft: Any, x: np.ndarray) -> np.ndarray:
    return np.round(draft.rng.uniform(0.5, 1.5, len(x)), 2)


def _average(x: Any, axis: int, w: np.ndarray) -> Any:
    numbers = d.plain(x)
    placed = w.reshape([-1 if i == axis % numbers.ndim else 1 for i in range(numbers.ndim)])
    return d.sum(x * placed, axis=axis) / np.sum(w)


reductions = [
    op("sum", d.sum, reduced(ANY), *spelled("sum", *THREE)),
    op("mean", d.mean, reduced(ANY, 1), *spelled("mean", *THREE)),
    op("prod", d.prod, reduced(HALF), *spelled("prod", *THREE), exact=False),
    op("max", d.max, reduced(REAL, 1), *spelled("max", *THREE)),
    op("min", d.min, reduced(REAL, 1), *spelled("min", *THREE)),
    op("logsumexp", d.logsumexp, reduced(REAL, 1), *spelled("logsumexp", *THREE[1:])),
    op("var", d.var, reduced(ANY, 2, correction=_correction), *spelled("var", *SPREAD)),
    op("std", _std, clear(reduced(ANY, 2, correction=_correction), lambda x, axis, **how: np.std(x, axis)),
       *spelled("std", *SPREAD)),
    *(op(f"{name} where", getattr(d, name), reduced(SMALL, 3, where=mask),
         *spelled(name, f"np.NAME({{x}}, {HOW}, where={{where}})"), exact=False) for name in ("sum", "mean", "var")),
    op("ptp", lambda x, axis, keepdims: d.max(x, axis, keepdims) - d.min(x, axis, keepdims), reduced(REAL, 2),
       f"np.ptp({{x}}, {HOW})"),
    *(op(f"vector_norm {ord}", lambda x, axis, keepdims, ord=ord: d.norm(x, float(ord[-3:]), axis, keepdims),
         reduced(NONZERO, 1), f"np.linalg.vector_norm({{x}}, ord={ord}, {HOW})",
         f"mg.linalg.vector_norm({{x}}, ord={ord}, {HOW})", exact=False) for ord in ("1", "2", "3", "np.inf")),
    op("norm", d.norm, same(NONZERO, test=np.size), "np.linalg.norm({x}.reshape(-1))",
       "mg.linalg.norm({x}.reshape(-1))", exact=False),
    op("average", _average, along(ANY, w=_weights), "np.average({x}, axis={axis}, weights={w})",
       "mg.average({x}, axis={axis}, weights={w})"),
]


def _trapezoid(x: Any, axis: int) -> Any:
    return d.sum(x, axis=axis) - 0.5 * (d.take(x, 0, axis=axis) + d.take(x, -1, axis=axis))


running = [
    op("cumsum", d.cumsum, along(ANY), "np.cumsum({x}, axis={axis})", "mg.cumulative_sum({x}, axis={axis})",
       "{x}.cumsum({axis})"),
    op("cumprod", d.cumprod, along(HALF), "np.cumprod({x}, axis={axis})", "mg.cumulative_prod({x}, axis={axis})",
       "{x}.cumprod({axis})"),
    op("diff", d.diff, along(ANY), "np.diff({x}, axis={axis})", "mg.diff({x}, axis={axis})"),
    op("trapezoid", _trapezoid, along(ANY), "np.trapezoid({x}, axis={axis})", "mg.trapezoid({x}, axis={axis})"),
    op("softmax", d.softmax, along(REAL), "mg.softmax({x}, axis={axis})", "{x}.softmax({axis})",
       "F.softmax({x}, {axis})"),
    op("log_softmax", lambda x, axis: x - d.logsumexp(x, axis, True), along(REAL), "mg.log_softmax({x}, axis={axis})",
       "{x}.log_softmax({axis})", "F.log_softmax({x}, {axis})"),
    op("softmin", lambda x, axis: d.softmax(-x, axis), along(REAL), "F.softmin({x}, {axis})"),
    op("normalize", lambda x, axis: x / d.norm(x, 2, axis, True), along(NONZERO_REAL), "F.normalize({x}, dim={axis})"),
    op("fft", lambda x, axis: d.abs2(d.fft(x, axis=axis)), along(SMALL),
       "np.real(np.fft.fft({x}, axis={axis}) * np.conj(np.fft.fft({x}, axis={axis})))",
       "np.square(mg.abs(mg.fft.fft({x}, axis={axis})))", exact=False),
    op("sort", d.sort, in_order, "np.sort({x}, axis={axis})", "mg.sort({x}, axis={axis})"),
    op("median", d.median, in_order, "np.median({x}, axis={axis})", "mg.median({x}, axis={axis})",
       "np.quantile({x}, 0.5, axis={axis})", exact=False),
]

FAMILIES = [reductions, running]
