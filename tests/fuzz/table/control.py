"""What steers differentiation: parts that are cut off, recomputed, watched, or differentiated inside of a program."""

import numpy as np

from tests.fuzz import duals as d
from tests.fuzz.operands import (
    ANY,
    NONZERO_REAL,
    REAL,
    SMALL,
    Arguments,
    Domain,
    Drawer,
    clear,
    difference,
    in_order,
    one,
    op,
    same,
    to_integer,
    two,
)
from tests.fuzz.programs import Draft

# fmt: off


SMALL_REAL = Domain(SMALL.holds, SMALL.guard)


def active(domain: Domain, other: Domain | None = None) -> Drawer:
    """An operand that requires grad, and perhaps another of its form."""

    def drawn(draft: Draft) -> Arguments:
        name = domain(draft, active=True)
        x = draft.values[name]
        if other is None:
            return {"x": name}
        return {"x": name, "y": other(draft, lambda y: (y.shape, y.dtype) == (x.shape, x.dtype))}

    return drawn


AGAIN = "{out} = {x} * 1\n"


def functional(function: str) -> str:
    """The gradient of a function of X."""
    return f"mg.grad(lambda z: {function.replace('X', 'z')})({{x}})"


def inside(function: str, more: str = ", create_graph=True") -> str:
    """The gradient with respect to a value that the program has computed."""
    return f"{{out}} = {{x}} * 1\n({{out}},) = mg.autograd.grad({function.replace('X', '{out}')}, [{{out}}]{more})"


def both(function: str) -> tuple[str, str]:
    return functional(function), inside(function)


steering = [
    op("detach", d.constant(np.positive), one(ANY), "{x}.detach()", on_arrays="np.positive({x})", constant=True),
    op("times itself detached", lambda x: x * d.plain(x), one(SMALL), "{x} * {x}.detach()", on_arrays="{x} * {x}"),
    op("no_grad", d.constant(np.sin), one(SMALL), "with mg.no_grad():\n    {out} = np.sin({x})", constant=True),
    op("enable_grad", d.sin, one(SMALL), "with mg.no_grad(), mg.enable_grad():\n    {out} = np.sin({x})"),
    op("checkpoint", lambda x: d.sin(x) * x, one(SMALL), "mg.checkpoint(lambda z: np.sin(z) * z)({x})",
       on_arrays="np.sin({x}) * {x}"),
    op("checkpoint of two", lambda x, y: d.sin(x * y) + y, same(SMALL, SMALL),
       "mg.checkpoint(lambda z, w: np.sin(z * w) + w)({x}, {y})", on_arrays="np.sin({x} * {y}) + {y}"),
    op("checkpoint around", lambda x, y: d.arctan(x) * y, two(REAL, constants=0),
       "mg.checkpoint(lambda z: np.arctan(z) * {y})({x})", on_arrays="np.arctan({x}) * {y}"),
    op("retain_grad", d.positive, active(ANY), AGAIN + "{out}.retain_grad()", on_arrays="{x} * 1"),
    op("hook that scales", lambda x: d.hook(x, 2.0), active(ANY), AGAIN + "{out}.register_hook(lambda g: g * 2)",
       on_arrays="{x} * 1"),
    op("hook that looks", d.positive, active(ANY), AGAIN + "{out}.register_hook(lambda g: None)", on_arrays="{x} * 1"),
    op("named", d.positive, active(ANY), AGAIN + "{out}.name = 'inside'", on_arrays="{x} * 1"),
]

derivatives = [
    op("gradient of sin(x) x", lambda x: d.cos(x) * x + d.sin(x), active(REAL), *both("np.sum(np.sin(X) * X)")),
    op("gradient of x³", lambda x: 3 * d.square(x), active(REAL), *both("np.sum(X ** 3)")),
    op("gradient of tanh", lambda x: 1 / d.square(d.cosh(x)), active(SMALL_REAL),
       *both("mg.tanh(X).sum()")),
    op("gradient of a product", lambda x, y: 2 * x * y, active(SMALL_REAL, SMALL_REAL),
       *both("np.sum(X * X * {y})")),
    op("gradient without a graph", lambda x: d.plain(3 * d.square(x)), active(REAL), inside("np.sum(X ** 3)", ""),
       on_arrays=functional("np.sum(X ** 3)"), constant=True),
    op("jvp", lambda x: d.cos(x) * 1.5, active(REAL), "mg.jvp(np.sin, ({x},), (np.full({x}.shape, 1.5),))[1]"),
    op("vjp", lambda x: d.cos(x) * x, active(REAL), "mg.vjp(np.sin, {x})[1]({x})[0]"),
    op("hvp", lambda x, y: 6 * x * y, active(REAL, REAL), "mg.hvp(lambda z: np.sum(z ** 3), {x}, {y})"),
]

constants = [
    op(name, d.constant(f), draw, *spellings, constant=True) for name, f, draw, *spellings in [
        ("sign", np.sign, clear(one(REAL)), "np.sign({x})", "mg.sign({x})", "{x}.sign()"),
        ("floor", np.floor, clear(one(REAL), to_integer), "np.floor({x})", "mg.floor({x})"),
        ("rint", np.rint, clear(one(REAL), to_integer), "np.rint({x})", "np.round({x})", "mg.round({x})",
         "{x}.round()"),
        ("floor_divide", np.floor_divide, clear(two(REAL, NONZERO_REAL, 0), to_integer), "{x} // {y}",
         "np.floor_divide({x}, {y})"),
        ("greater", np.greater, clear(two(REAL), difference), "{x} > {y}", "np.greater({x}, {y})",
         "mg.greater({x}, {y})"),
        ("equal", np.equal, clear(two(ANY), difference), "{x} == {y}", "np.equal({x}, {y})", "mg.equal({x}, {y})"),
        ("isfinite", np.isfinite, one(ANY), "np.isfinite({x})", "mg.isfinite({x})"),
        ("argmax", np.argmax, in_order, "np.argmax({x}, axis={axis})", "mg.argmax({x}, axis={axis})",
         "{x}.argmax(axis={axis})"),
        ("count_nonzero", np.count_nonzero, clear(one(ANY)), "np.count_nonzero({x})", "mg.count_nonzero({x})"),
        ("zeros_like", np.zeros_like, one(ANY), "np.zeros_like({x})", "mg.zeros_like({x})"),
    ]
]

FAMILIES = [steering, derivatives, constants]
