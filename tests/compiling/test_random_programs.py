"""Random programs: compiled, they give the same bits as without, and so do their gradients."""

import os
import random
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import minigrad as mg
from tests.program.same import assert_same_bits, weights

LENGTHS = [0, 1, 2, 3, 5, 7, 8, 9, 127, 128, 129]
SHAPES = [(), (1,), (1, 1), (0, 3), (3, 0), (2, 3), (3, 3), (7, 8), (9, 1), (1, 9), (8, 129), (128, 2), (2, 3, 4),
          (4, 1, 2), (7, 1, 9), (3, 8, 8)]  # fmt: skip
LARGEST = 20_000  # elements
LAYOUTS = ["in order", "transposed", "every second", "backwards", "by columns", "repeated"]
NUMBERS = ["ordinary", "whole", "special", "all special", "tiny", "huge"]
SPECIAL = [np.nan, 0.0, -0.0, np.inf, -np.inf, 1e-310, -3e-310, 1e-40, 1e-300, 1e300, 1.0, -1.0, 0.5]

UNARY = ["abs", "acosh", "asinh", "atan", "atanh", "asin", "cbrt", "ceil", "cos", "cosh", "exp", "exp2", "expm1",
         "floor", "log", "log10", "log1p", "log2", "nan_to_num", "negative", "nn.functional.gelu", "nn.functional.relu",
         "nn.functional.silu", "nn.functional.softplus", "positive", "reciprocal", "round", "sigmoid", "sign", "sin",
         "sinc", "sinh", "sqrt", "square", "tan", "tanh", "trunc"]  # fmt: skip
BINARY = ["add", "subtract", "multiply", "divide", "maximum", "minimum", "atan2", "hypot", "logaddexp", "copysign",
          "remainder", "floor_divide", "pow", "heaviside", "nextafter"]  # fmt: skip
COMPARISONS = ["<", "<=", "==", "!=", ">", ">="]
REDUCTIONS = ["sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "nansum"]
ALONG = ["cumulative_sum", "cumulative_prod", "softmax", "log_softmax", "flip", "sort", "logcumsumexp", "cummax"]
CONSTANTS = ["0.5", "2", "-1.5", "0.0", "-0.0", "3", "1e-3"]


class Drawing:
    """A program while it is drawn: lines of Python, and what their results look like.

    Every line is tried on ones, so that lines that make no sense are not taken.
    """

    def __init__(self, inputs, one_of):
        self.one_of, self.lines = one_of, []
        self.known = {name: mg.tensor(np.ones(shape, dtype)) for name, shape, dtype in inputs}

    def whole(self, least, most):
        return self.one_of(range(least, most + 1))

    def operand(self, where=lambda x: True):
        """The name of a value, a late one more often."""
        fitting = [name for name, x in self.known.items() if where(x)]
        return self.one_of([*fitting, *fitting[-2:]]) if fitting else None

    def fits(self, x):
        """Names of values that can be broadcast together with one."""

        def fits(y):
            try:
                return np.prod(np.broadcast_shapes(x.shape, y.shape)) <= LARGEST
            except ValueError:
                return False

        return fits

    def axis(self, x):
        return self.whole(-x.ndim, x.ndim - 1)

    def step(self):
        """One more line, if it makes sense."""
        a = self.operand()
        x = self.known[a]
        text = self.one_of(KINDS)(self, a, x)
        if text is None:
            return
        with np.errstate(all="ignore"):
            value = eval(text, {"mg": mg, "np": np}, self.known)
        if value.size <= LARGEST:
            name = f"v{len(self.lines)}"
            self.known[name] = value
            self.lines.append(f"{name} = {text}")


def unary(d, a, x):
    return f"mg.{d.one_of(UNARY)}({a})"


def binary(d, a, x):
    b = d.operand(d.fits(x))
    return f"mg.{d.one_of(BINARY)}({a}, {b})"


def with_a_constant(d, a, x):
    number, operator = d.one_of(CONSTANTS), d.one_of(["+", "-", "*", "/", "**"])
    return d.one_of([f"{a} {operator} ({number})", f"({number}) {operator} {a}"])


def power(d, a, x):
    return f"{a} ** {d.one_of(['2', '3', '0.5', '-1', '-2', '1.5', '0', '1', '4'])}"


def chosen(d, a, x):
    b = d.operand(d.fits(x))
    y = d.known[b]
    both = d.fits(mg.add(x, y))
    c = d.operand(both)
    other = d.one_of([c, d.one_of(CONSTANTS)])
    return f"mg.where({a} {d.one_of(COMPARISONS)} {b}, {a}, {other})"


def masked(d, a, x):
    b = d.operand(d.fits(x))
    first, second = f"({a} > {d.one_of(CONSTANTS)})", f"({b} <= {d.one_of(CONSTANTS)})"
    joined = d.one_of([f"{first} & {second}", f"{first} | ~{second}", f"mg.isnan({a}) | {second}", f"mg.signbit({a})"])
    return f"mg.where({joined}, {b}, {a})"


def clipped(d, a, x):
    return f"mg.clip({a}, {d.one_of(['-0.5', 'None', '0.0'])}, {d.one_of(['0.5', '1', '1e300'])})"


def reduced(d, a, x):
    function = d.one_of(REDUCTIONS)
    axes = [None, *range(-x.ndim, x.ndim)] + [(0, 1), (-1, 0)] * (x.ndim > 1)
    axis = d.one_of(axes)
    gone = range(x.ndim) if axis is None else np.atleast_1d(axis)
    if function in ("max", "min", "logsumexp", "var", "std", "mean") and any(x.shape[i] == 0 for i in gone):
        return None
    return f"mg.{function}({a}, axis={axis}, keepdims={d.one_of([True, False])})"


def along(d, a, x):
    if not x.size or not x.ndim:
        return None
    function = d.one_of(ALONG)
    return f"mg.{function}({a}, axis={d.axis(x)})" + ".values" * (function == "cummax")


def reshaped(d, a, x):
    shapes = [(-1,), (1, *x.shape), (*x.shape, 1), x.shape[::-1]]
    shapes += [(2, -1)] * (x.size % 2 == 0 and x.size > 0)
    shape = d.one_of(shapes if x.size else shapes[1:])
    return f"mg.reshape({a}, {shape})"


def transposed(d, a, x):
    if x.ndim < 2:
        return f"mg.expand_dims({a}, axis=0)"
    return d.one_of([f"{a}.mT", f"mg.swapaxes({a}, 0, -1)", f"mg.moveaxis({a}, 0, -1)", f"{a}[None]"])


def broadcast(d, a, x):
    return f"mg.broadcast_to({a}, {(d.whole(1, 3), *x.shape)})" if x.ndim < 4 else None


def rolled(d, a, x):
    if not x.ndim:
        return None
    pad = f"mg.pad({a}, {[(0, 0)] * (x.ndim - 1) + [(1, 2)]})"
    return d.one_of([f"mg.roll({a}, {d.whole(-3, 3)}, axis={d.axis(x)})", f"mg.tile({a}, 2)", pad])


def product(d, a, x):
    if not x.ndim:
        return None
    own = f"{a} @ {a}.mT" if x.ndim > 1 else f"{a} @ {a}"
    b = d.operand(lambda y: y.ndim and x.shape[-1] == y.shape[-2 if y.ndim > 1 else -1] and x.ndim + y.ndim < 6)
    try:
        np.broadcast_shapes(x.shape[:-2], d.known[b].shape[:-2] if b else ())
    except ValueError:
        b = None
    return d.one_of([own, f"{a} @ {b}"]) if b else own


def sliced(d, a, x):
    if not x.ndim or not x.shape[0]:
        return None
    return f"{a}[{d.one_of(['::2', '1:', ':-1', '::-1', '..., ::-1', '..., None', '0', '-1', '..., :1', '-1:0:-2'])}]"


def picked(d, a, x):
    if not x.ndim or not x.shape[0]:
        return None
    count = x.shape[0]
    places = [d.whole(-count, count - 1) for _ in range(d.whole(1, 4))]
    forms = [f"{a}[np.array({places})]", f"{a}[np.array({[places, places[::-1]]})]"]
    forms += [f"mg.take({a}, np.array({places}), axis=0)"]
    if x.ndim > 1 and x.shape[1]:
        others = [d.whole(0, x.shape[1] - 1) for _ in places]
        forms += [f"{a}[np.array({places}), np.array({others})]", f"{a}[:, np.array({others})]"]
    return d.one_of(forms)


def picked_by_value(d, a, x):
    if not x.ndim or not x.size:
        return None
    axis = d.axis(x)
    picks = f"mg.take_along_axis({a}, mg.argsort({a}, axis={axis}), axis={axis})"
    return d.one_of([picks, f"mg.astype(mg.{d.one_of(['argmax', 'argmin'])}({a}, axis={axis}), {a}.dtype)"])


def joined(d, a, x):
    b = d.operand(lambda y: y.shape == x.shape)
    text = f"mg.stack([{a}, {b}], axis={d.whole(0, x.ndim)})"
    return d.one_of([text, f"mg.concat([{a}, {b}], axis={d.axis(x)})"]) if x.ndim else text


def converted(d, a, x):
    return f"mg.astype({a}, mg.{d.one_of(['float32', 'float64'])})"


KINDS = [*[unary] * 3, *[binary] * 2, *[reduced] * 2, with_a_constant, power, chosen, masked, clipped, along, reshaped,
         transposed, broadcast, rolled, product, sliced, picked, picked_by_value, joined, converted]  # fmt: skip


def shaped(layout, shape):
    """The shape of memory, and how an array of some shape is a view of it."""
    if layout == "transposed":
        return shape[::-1], lambda x: x.T
    if layout == "every second" and shape:
        return (2 * shape[0], *shape[1:]), lambda x: x[::2]
    if layout == "backwards":
        return shape, lambda x: x[..., ::-1] if shape else x
    if layout == "by columns":
        return shape, lambda x: np.array(x, order="F")
    if layout == "repeated":
        return shape[1:], lambda x: np.broadcast_to(x, shape)
    return shape, lambda x: x


def array(shape, dtype, layout, numbers, seed):
    """An array of a layout with numbers of a kind."""
    rng = np.random.default_rng(seed)
    memory, view = shaped(layout, shape)
    with np.errstate(all="ignore"):
        x = rng.normal(size=memory)
        if numbers == "whole":
            x = np.round(2 * x)
        elif numbers == "special":
            x = np.where(rng.random(memory) < 0.3, rng.choice(SPECIAL, memory), x)
        elif numbers == "all special":
            x = rng.choice(SPECIAL, memory)
        elif numbers in ("tiny", "huge"):
            x = x * float((np.finfo(dtype).tiny, np.sqrt(np.finfo(dtype).max))[numbers == "huge"])
        return view(np.asarray(x).astype(dtype))


@st.composite
def choices(draw):
    """What chooses: Hypothesis at every turn, or a seed of its own, which is more diverse and does not get shorter."""
    seed = draw(st.none() | st.integers(0, 2**64) | st.integers(2**64, 2**65) | st.integers(2**65, 2**66))
    return (lambda x: draw(st.sampled_from(x))) if seed is None else random.Random(seed).choice


def unused(drawing):
    """The names of values of which nothing is made."""
    used = set(re.findall(r"\bv\d+\b", " ".join(line.split(" = ")[1] for line in drawing.lines)))
    return [name for name in drawing.known if name not in {*used, *"abc"}]


def written(head, lines, last):
    """The text of a function."""
    return "\n".join([head, *(f"    {line}" for line in lines), f"    return {last}"])


@st.composite
def programs(draw):
    """The text of a function of some arrays, and how these are made."""
    one_of, count = draw(choices()), draw(st.integers(3, 12))
    shapes = [*[(n,) for n in LENGTHS], *SHAPES]
    first = one_of(shapes)
    inputs, arrays = [], []
    for name in "abc"[: one_of([1, 2, 3])]:
        own = one_of([first, first, first[-1:], (*first[:-1], 1), (1, *first), one_of(shapes)])
        dtype = one_of([np.float64, np.float32])
        inputs.append((name, own, dtype))
        arrays.append((own, dtype.__name__, one_of(LAYOUTS), one_of(NUMBERS), one_of(range(100))))
    drawing = Drawing(inputs, one_of)
    while len(drawing.lines) < count:
        drawing.step()
    head = f"def f({', '.join(name for name, _, _ in inputs)}):"
    return written(head, drawing.lines, ", ".join(unused(drawing)) + ","), arrays


@st.composite
def scans(draw):
    """The text of a function that scans, with a random body, and how its arrays are made."""
    one_of, count = draw(choices()), draw(st.integers(1, 8))
    shape, dtype = one_of([(), (1,), (3,), (8,), (9,), (3, 3), (2, 1), (0,)]), one_of([np.float64, np.float32])
    drawing = Drawing([("a", shape, dtype), ("b", shape, dtype)], one_of)
    while len(drawing.lines) < count:
        drawing.step()
    carry = [name for name, x in drawing.known.items() if (x.shape, x.dtype) == (shape, dtype)][-1]
    step = written("def step(a, b):", drawing.lines, f"{carry}, [{', '.join(unused(drawing))}]")
    lines = [*step.splitlines(), f"last, ys = mg.scan(step, a, rows, reverse={one_of([True, False])})"]
    length, numbers = one_of([1, 2, 5]), one_of(NUMBERS)
    arrays = [
        (shape, dtype.__name__, "in order", numbers, 0),
        ((length, *shape), dtype.__name__, one_of(LAYOUTS), numbers, 1),
    ]
    return written("def f(a, rows):", lines, "(last, *ys)"), arrays


def function_of(text):
    space = {"mg": mg, "np": np}
    exec(compile(text, "a random program", "exec"), space)
    return space["f"]


def weighted(f):
    """The sum of all results, each number with a weight of its own."""

    def loss(*arrays):
        return sum(mg.sum(y * weights(y)) for y in f(*arrays))

    return loss


def assert_compiled_the_same(f, arrays):
    """Call a compiled function more often than it takes until it runs by itself, at last with other numbers."""
    compiled = mg.jit(f)
    others = [np.asarray(x * x.dtype.type(0.9375)) for x in arrays]  # which may lie in memory in another way
    for numbers in (arrays, arrays, arrays, arrays, others):
        tensors = [mg.asarray(x, copy=False) for x in numbers]
        assert_same_bits(compiled(*tensors), f(*tensors))


def check(program):
    """Compare a program, and its gradient if that is finite, with and without compiling."""
    text, made = program
    f, arrays = function_of(text), [array(*form) for form in made]
    with np.errstate(all="ignore"):
        assert_compiled_the_same(f, arrays)
        gradient = mg.grad(weighted(f), argnums=tuple(range(len(arrays))))
        tensors = [mg.asarray(x, copy=False) for x in arrays]
        if all(np.isfinite(g.numpy()).all() for g in gradient(*tensors)):
            assert_compiled_the_same(gradient, arrays)


def check_scan(program):
    """Compare the values of a scan, and its gradients, which may be summed in another order, if they are finite."""
    text, made = program
    f, arrays = function_of(text), [array(*form) for form in made]
    gradient = mg.grad(weighted(f), argnums=(0, 1))
    with np.errstate(all="ignore"):
        assert_compiled_the_same(f, arrays)
        expected = gradient(*arrays)
        if all(np.isfinite(g).all() for g in expected):
            compiled = mg.jit(gradient)
            for _ in range(3):
                for found, g in zip(compiled(*arrays), expected, strict=True):
                    eps = np.finfo(g.dtype).eps
                    scale = max([np.abs(g).max() for g in expected if g.size], default=0.0)
                    np.testing.assert_allclose(found, g, rtol=1e4 * eps, atol=1e3 * eps * scale)


# How many programs the slow tests draw: thousands take a quarter of an hour.
MANY = int(os.environ.get("MINIGRAD_RANDOM_PROGRAMS", "100"))
COMMON = {"deadline": None, "derandomize": True, "database": None, "suppress_health_check": list(HealthCheck)}


FOUND = {
    "a view of an array that lies backwards": (["v0 = mg.expand_dims(a, axis=0)"], ((3,), "float64", "backwards")),
    "a view of every second element": (["v0 = mg.broadcast_to(a, (3, 8))"], ((8,), "float32", "every second")),
    "picked columns": (["v0 = mg.std(a[:, np.array([0, 0])], axis=0)"], ((128, 2), "float64", "in order")),
    "elements backwards": (["v0 = mg.cbrt(a[::-1])"], ((129,), "float64", "in order")),
    "every second element": (["v0 = mg.cbrt(a[::2]) * mg.tanh(a[1::2])"], ((128,), "float64", "in order")),
    "products of every second column": (["v0 = a[:, ::2] @ a[:, 1::2].T"], ((8, 16), "float64", "in order")),
    "the first column": (["v0 = mg.exp(a[:, 0])"], ((128, 3), "float32", "in order")),
    "picks in single and use in double precision": (
        ["v0 = a[np.array([[2, 2, -2, -3], [-3, -2, 2, 2]])]", "v1 = mg.astype(a, mg.float64)"],
        ((3,), "float32", "in order"),
    ),
    "a slice in single and use in double precision": (
        ["v0 = a[1:]", "v1 = mg.astype(a, mg.float64) * (-0.0)"],
        ((3,), "float32", "in order"),
    ),
}


@pytest.mark.parametrize(("lines", "form"), FOUND.values(), ids=FOUND)
def test_programs_that_were_found_to_differ_are_the_same(lines, form):
    results = ", ".join(line.split(" = ")[0] for line in lines)
    check((written("def f(a):", lines, f"{results},"), [(*form, "ordinary", 0)]))


@settings(max_examples=25, **COMMON)
@given(programs())
def test_random_programs_give_the_same_bits(program):
    check(program)


@settings(max_examples=25, **COMMON)
@given(scans())
def test_random_bodies_of_scans_give_the_same_bits(program):
    check_scan(program)


@pytest.mark.slow
@settings(max_examples=MANY // 4, **COMMON)
@given(scans())
def test_many_random_bodies_of_scans_give_the_same_bits(program):
    check_scan(program)


@pytest.mark.slow
@settings(max_examples=MANY, **COMMON)
@given(programs())
def test_many_random_programs_give_the_same_bits(program):
    check(program)


def test_nearly_every_operation_is_drawn():
    drawn = []

    @settings(max_examples=500, phases=[Phase.generate], **COMMON)
    @given(programs())
    def draw(program):
        drawn.append(program[0])

    draw()
    missing = {name for name in (*UNARY, *BINARY, *REDUCTIONS, *ALONG) if not any(f"mg.{name}(" in x for x in drawn)}
    assert len(missing) < 5, missing
    assert len(set(drawn)) > 300


@pytest.mark.parametrize("layout", LAYOUTS)
def test_arrays_have_their_shape_and_layout(layout):
    for shape in SHAPES:
        x = array(shape, "float32", layout, "special", 0)
        assert x.shape == shape
        assert x.dtype == np.float32
