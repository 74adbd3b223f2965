"""Functions of whole arrays: against NumPy on arrays that Hypothesis makes, and what they refuse."""

import inspect

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.array_api import make_strategies_namespace

import minigrad as xp
from minigrad import errors
from tests.array_api.standard import ALL, INTEGRAL, NUMERIC, REAL, sample
from tests.rows import each

xps = make_strategies_namespace(xp)
QUICK = settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
SHAPES = xps.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=3)


def arrays(dtypes=ALL, shape=SHAPES):
    """Arrays of small numbers, so that many are equal and sums are exact enough."""
    return st.sampled_from(dtypes).flatmap(lambda dtype: xps.arrays(dtype, shape, elements=few(dtype)))


def few(dtype):
    numbers = {"b": [True, False], "u": range(4), "i": range(-3, 4), "f": [-2.5, -1.0, 0.0, 0.5, 1.0, 3.0]}
    kind = np.dtype(dtype).kind
    return st.sampled_from([1j, 0j, 1 - 2j, -1 + 0.5j, 2 + 0j] if kind == "c" else numbers[kind])


def axes(x, several=False):
    one = st.integers(-x.ndim, x.ndim - 1)
    return one | st.none() | xps.valid_tuple_axes(x.ndim) if several else one


def assert_same(result, expected):
    if isinstance(expected, list | tuple):
        assert len(result) == len(expected)
        for part, other in zip(result, expected, strict=True):
            assert_same(part, other)
        return
    assert type(result) is xp.Tensor
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-5, atol=1e-6, strict=True)


def plain(x):
    return x.numpy() if isinstance(x, xp.Tensor) else type(x)(map(plain, x)) if type(x) in (list, tuple) else x


def reduction(dtypes, several=True, **more):
    """An array and the keywords of a reduction."""
    return arrays(dtypes, xps.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)).flatmap(
        lambda x: st.tuples(
            st.just((x,)),
            st.fixed_dictionaries({}, optional={"axis": axes(x, several), "keepdims": st.booleans(), **more}),
        )
    )


def along(dtypes=ALL, **more):
    """An array and one of its axes, with other keywords."""
    return arrays(dtypes).flatmap(
        lambda x: st.tuples(st.just((x,)), st.fixed_dictionaries({}, optional={"axis": axes(x), **more}))
    )


def cumulative(ufunc):
    def reference(x, axis=0, dtype=None, include_initial=False):
        value = ufunc.accumulate(x, axis, dtype or ufunc.reduce(x, axis).dtype)
        head = np.full_like(np.sum(value, axis, keepdims=True, dtype=value.dtype), ufunc.identity)
        return np.concatenate([head, value], axis) if include_initial else value

    return reference


def with_correction(function):
    return lambda x, correction=0, **keywords: function(x, ddof=correction, **keywords)


REDUCTIONS = {
    "sum": (reduction(NUMERIC, dtype=st.sampled_from([None, "complex128"])), np.sum),
    "prod": (reduction(NUMERIC, dtype=st.sampled_from([None, "complex128"])), np.prod),
    "max": (reduction(REAL), np.max),
    "min": (reduction(REAL), np.min),
    "mean": (reduction(["float32", "float64", "complex128"]), np.mean),
    "std": (reduction(["float32", "float64"], correction=st.just(0.5)), with_correction(np.std)),
    "var": (reduction(["float32", "float64"], correction=st.just(0)), with_correction(np.var)),
    "all": (reduction(ALL), np.all),
    "any": (reduction(ALL), np.any),
    "count_nonzero": (reduction(ALL), lambda x, **kw: np.asarray(np.count_nonzero(x, **kw))),
    "argmax": (reduction(REAL, several=False), np.argmax),
    "argmin": (reduction(REAL, several=False), np.argmin),
}  # fmt: skip


@QUICK
@given(st.data())
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name, data):
    strategy, reference = REDUCTIONS[name]
    (x,), keywords = data.draw(strategy)
    if name in ("std",) and min([x.shape[i] for i in np.atleast_1d(keywords.get("axis") or 0)], default=1) < 2:
        return  # the correction may leave nothing to divide by
    assert_same(getattr(xp, name)(x, **keywords), np.asarray(reference(x.numpy(), **keywords))[()])


@st.composite
def joined(draw):
    """Arrays that can be joined along an axis."""
    shape, axis = draw(xps.array_shapes(min_dims=1, max_dims=3, max_side=3)), draw(st.integers(0, 2))
    axis %= len(shape)
    lengths = draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))
    dtypes = draw(st.sampled_from([["int8", "uint8", "int32"], ["float32", "float64", "complex64"], ["bool"]]))
    parts = [draw(arrays(dtypes, (*shape[:axis], n, *shape[axis + 1 :]))) for n in lengths]
    return (parts,), {"axis": axis - draw(st.sampled_from([0, len(shape)]))}


@st.composite
def shuffled(draw):
    x = draw(arrays())
    return (x, tuple(draw(st.permutations(range(x.ndim))))), {}


@st.composite
def moved(draw):
    x = draw(arrays())
    places = st.lists(st.integers(0, x.ndim - 1), unique=True, max_size=x.ndim)
    source = draw(places)
    target = draw(st.permutations(range(x.ndim)))[: len(source)]
    return (x, tuple(i - x.ndim for i in source), tuple(target)), {}


@st.composite
def rolled(draw):
    x = draw(arrays())
    axis = draw(st.none() | axes(x) | xps.valid_tuple_axes(x.ndim, min_size=1))
    shifts = st.integers(-4, 4)
    shift = draw(st.tuples(*[shifts] * len(axis)) if isinstance(axis, tuple) and draw(st.booleans()) else shifts)
    return (x, shift), {"axis": axis}


@st.composite
def repeated(draw):
    x = draw(arrays())
    axis = draw(st.none() | axes(x))
    length = x.size if axis is None else x.shape[axis]
    counts = st.lists(st.integers(0, 2), min_size=length, max_size=length).map(lambda n: xp.asarray(n, dtype=xp.int64))
    return (x, draw(st.integers(0, 3) | counts)), {"axis": axis}


@st.composite
def taken(draw):
    x = draw(arrays(shape=xps.array_shapes(min_dims=1, max_dims=3, max_side=3)))
    axis = draw(axes(x))
    n = x.shape[axis]
    indices = draw(
        xps.arrays(xp.int64, xps.array_shapes(max_dims=1, min_side=0), elements={"min_value": -n, "max_value": n - 1})
    )
    return (x, indices), {"axis": axis}


@st.composite
def taken_along(draw):
    x = draw(arrays(shape=xps.array_shapes(min_dims=1, max_dims=3, max_side=3)))
    axis = draw(axes(x))
    n, shape = x.shape[axis], list(x.shape)
    shape[axis] = draw(st.integers(0, 3))
    indices = draw(xps.arrays(xp.int64, tuple(shape), elements={"min_value": -n, "max_value": n - 1}))
    return (x, indices), {"axis": axis}


def falling(function):
    """NumPy's sort or argsort with the standard's arguments."""

    def reference(x, axis=-1, descending=False, stable=True):
        if not descending:
            return function(x, axis=axis, stable=True)
        order = np.flip(x.shape[axis] - 1 - np.argsort(np.flip(x, axis), axis=axis, stable=True), axis)
        return order if function is np.argsort else np.take_along_axis(x, order, axis)

    return reference


FUNCTIONS = {
    "broadcast_to": (arrays().map(lambda x: ((x, (2, *x.shape)), {})), np.broadcast_to),
    "concat": (joined(), np.concatenate),
    "cumulative_prod": (
        along(NUMERIC, include_initial=st.booleans(), dtype=st.just("complex128")).filter(lambda c: "axis" in c[1]),
        cumulative(np.multiply),
    ),
    "cumulative_sum": (
        along(NUMERIC, include_initial=st.booleans(), dtype=st.just("complex128")).filter(lambda c: "axis" in c[1]),
        cumulative(np.add),
    ),
    "diff": (along(n=st.integers(0, 3)), np.diff),
    "expand_dims": (along().filter(lambda c: "axis" in c[1]), np.expand_dims),
    "flip": (
        arrays().flatmap(lambda x: st.tuples(st.just((x,)), st.fixed_dictionaries({"axis": axes(x, True)}))),
        np.flip,
    ),
    "moveaxis": (moved(), np.moveaxis),
    "nonzero": (arrays().map(lambda x: ((x,), {})), np.nonzero),
    "permute_dims": (shuffled(), np.transpose),
    "repeat": (repeated(), np.repeat),
    "roll": (rolled(), np.roll),
    "sort": (along(descending=st.booleans(), stable=st.booleans()), falling(np.sort)),
    "argsort": (along(descending=st.booleans()), falling(np.argsort)),
    "take": (taken(), np.take),
    "take_along_axis": (taken_along(), np.take_along_axis),
    "tile": (st.tuples(arrays(), st.lists(st.integers(0, 2), max_size=4).map(tuple)).map(lambda c: (c, {})), np.tile),
    "tril": (arrays(shape=(3, 2)).map(lambda x: ((x,), {"k": 1})), np.tril),
    "triu": (arrays(shape=(2, 2, 3)).map(lambda x: ((x,), {"k": -1})), np.triu),
    "unique_all": (arrays().map(lambda x: ((x,), {})), np.unique_all),
    "unique_counts": (arrays().map(lambda x: ((x,), {})), np.unique_counts),
    "unique_inverse": (arrays().map(lambda x: ((x,), {})), np.unique_inverse),
    "unique_values": (arrays().map(lambda x: ((x,), {})), np.unique),
    "unstack": (along(), lambda x, axis=0: tuple(np.moveaxis(x, axis, 0))),
}


@QUICK
@given(st.data())
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name, data):
    strategy, reference = FUNCTIONS[name]
    operands, keywords = data.draw(strategy)
    assert_same(getattr(xp, name)(*operands, **keywords), reference(*plain(operands), **plain_keywords(keywords)))


def plain_keywords(keywords):
    return {name: plain(value) for name, value in keywords.items()}


@QUICK
@given(st.data())
def test_searchsorted(data):
    dtype = data.draw(st.sampled_from(REAL))
    x1, x2 = (data.draw(arrays([dtype], shape)) for shape in (data.draw(st.integers(0, 5)), SHAPES))
    side = data.draw(st.sampled_from(["left", "right"]))
    expected = np.searchsorted(np.sort(x1.numpy()), x2.numpy(), side)
    assert_same(xp.searchsorted(xp.sort(x1), x2, side=side), expected)
    assert_same(xp.searchsorted(x1, x2, side=side, sorter=xp.argsort(x1)), expected)


@QUICK
@given(st.data())
def test_reshape(data):
    x = data.draw(arrays())
    shape = data.draw(st.sampled_from([(-1,), (x.size,), x.shape[::-1], (1, *x.shape)]))
    turned = xp.permute_dims(x, tuple(range(x.ndim))[::-1])
    for y in (x, turned):
        expected = np.reshape(y.numpy(), shape)
        shares = y.size == 0 or np.shares_memory(expected, y.numpy())
        for copy in (None, True):
            result = xp.reshape(y, shape, copy=copy)
            assert_same(result, expected)
            assert np.shares_memory(result.numpy(), y.numpy()) == (copy is None and shares and y.size > 0)
        if shares:
            assert_same(xp.reshape(y, shape, copy=False), expected)
        else:
            with pytest.raises(ValueError, match="copy=False"):
                xp.reshape(y, shape, copy=False)


@QUICK
@given(st.data())
def test_broadcasting_and_stacking(data):
    shapes = data.draw(xps.mutually_broadcastable_shapes(3, max_dims=3, max_side=3))
    x, y, z = (data.draw(arrays(["int8", "int32"], shape)) for shape in shapes.input_shapes)
    spread = xp.broadcast_arrays(x, y, z)
    assert type(spread) is list
    assert_same(spread, np.broadcast_arrays(*map(plain, (x, y, z))))
    assert xp.broadcast_shapes(x.shape, y.shape, z.shape) == shapes.result_shape == spread[0].shape
    axis = data.draw(st.integers(-len(shapes.result_shape) - 1, len(shapes.result_shape)))
    assert_same(xp.stack(spread, axis=axis), np.stack(plain(spread), axis=axis))
    assert_same(xp.where(x > 0, y, z), np.where(x.numpy() > 0, y.numpy(), z.numpy()))


def test_joining_flattened_arrays():
    x, y = xp.asarray([[1, 2]], dtype=xp.int8), xp.asarray(3, dtype=xp.int16)
    assert (xp.concat([x, y], axis=None).tolist(), xp.concat((x, y), axis=None).dtype) == ([1, 2, 3], xp.int16)


@each("dtype", ALL)
def test_meshgrid(dtype):
    x, y, z = (xp.asarray(sample(dtype, (n,))) for n in (2, 3, 1))
    for some in ((x,), (x, y), (x, y, z), ()):
        for indexing in ("xy", "ij"):
            found = xp.meshgrid(*some, indexing=indexing)
            assert type(found) is list
            assert_same(found, list(np.meshgrid(*plain(some), indexing=indexing)))
            if some:
                sparse, expected = (
                    np.meshgrid(*parts, indexing=indexing, sparse=True) for parts in (some, plain(some))
                )
                assert_same(sparse, expected)
    assert xp.meshgrid(x, y)[0].shape == (3, 2)


def test_where_may_be_given_numbers():
    for dtype in INTEGRAL:
        x = xp.asarray([1, 2], dtype=dtype)
        mask = xp.asarray([True, False])
        for result, expected in ((xp.where(mask, x, 5), [1, 5]), (xp.where(mask, 5, x), [5, 2])):
            assert (result.tolist(), result.dtype) == (expected, dtype)


def test_isin_and_diff_with_ends():
    x = xp.asarray([[3, 1], [2, 3]])
    assert xp.isin(x, xp.asarray([3, 9])).tolist() == [[True, False], [False, True]]
    assert xp.isin(x, 3, invert=True).tolist() == [[False, True], [True, False]]
    y = xp.diff(x, axis=0, prepend=xp.asarray([[0, 0]]), append=xp.asarray([[5, 5]]))
    assert y.tolist() == [[3, 1], [-1, 2], [3, 2]]


# What is refused: always with the operation's name, and shapes or axes

WITH_AXES = [
    "all", "any", "argmax", "argmin", "argsort", "concat", "count_nonzero", "cumulative_prod", "cumulative_sum", "diff",
    "expand_dims", "flip", "max", "mean", "min", "prod", "repeat", "roll", "sort", "squeeze", "stack", "std", "sum",
    "take", "take_along_axis", "unstack", "var",
]  # fmt: skip


def with_axis(name, x):
    """A call of a function with an axis."""
    operands = {
        "concat": ([x, x],), "stack": ([x, x],), "roll": (x, 1), "repeat": (x, 2), "take": (x, xp.asarray([0])),
        "take_along_axis": (x, xp.zeros((2, 1, 3), dtype=xp.int64)),
    }.get(name, (x,))  # fmt: skip
    return lambda axis: getattr(xp, name)(*operands, axis=axis)


@each("name", WITH_AXES)
def test_axes_that_are_not_there(name):
    call = with_axis(name, xp.ones((2, 1, 3)))
    call(1)
    for axis in (4, -5):
        with pytest.raises(errors.AxisError, match=rf"{name}.*{axis}") as caught:
            call(axis)
        assert isinstance(caught.value, IndexError | ValueError)


def test_every_function_with_an_axis_is_tried():
    public = {name: getattr(xp, name) for name in xp.__all__ if inspect.isfunction(getattr(xp, name))}
    standards = {name for name, f in public.items() if "axis" in inspect.signature(f).parameters and name in STANDARD}
    assert standards == set(WITH_AXES)


STANDARD = {*WITH_AXES, *REDUCTIONS, *FUNCTIONS}


@each("name", [
    "all", "any", "count_nonzero", "expand_dims", "flip", "max", "mean", "min", "prod", "squeeze", "std", "sum", "var",
])  # fmt: skip
def test_axes_that_are_named_twice(name):
    with pytest.raises(errors.ShapeError, match=name):
        with_axis(name, xp.ones((2, 1, 3)))((1, 1))


@each(("call", "match"), [
    (lambda: xp.reshape(xp.ones(6), (4, 2)), r"reshape.*\(6,\)"),
    (lambda: xp.reshape(xp.ones(6), (-1, -1)), "reshape"),
    (lambda: xp.permute_dims(xp.ones((2, 3)), (0, 0)), r"permute_dims.*\(2, 3\)"),
    (lambda: xp.permute_dims(xp.ones((2, 3)), (0,)), r"permute_dims.*\(2, 3\)"),
    (lambda: xp.moveaxis(xp.ones((2, 3)), (0, 1), (0,)), "moveaxis"),
    (lambda: xp.moveaxis(xp.ones((2, 3)), (0, 0), (0, 1)), "moveaxis"),
    (lambda: xp.squeeze(xp.ones((2, 1)), 0), r"squeeze.*\(2, 1\)"),
    (lambda: xp.concat([]), "concat"),
    (lambda: xp.concat([xp.ones(2), xp.ones((2, 2))]), "concat"),
    (lambda: xp.concat([xp.ones((2, 3)), xp.ones((2, 2))]), r"concat.*\(2, 3\) and \(2, 2\)"),
    (lambda: xp.concat([xp.ones(()), xp.ones(())]), "concat"),
    (lambda: xp.stack([]), "stack"),
    (lambda: xp.stack([xp.ones(2), xp.ones(3)]), r"stack.*\(2,\) and \(3,\)"),
    (lambda: xp.broadcast_to(xp.ones(2), (3,)), r"broadcast_to.*\(2,\).*\(3,\)"),
    (lambda: xp.broadcast_to(xp.ones((2, 2)), (2,)), "broadcast_to"),
    (lambda: xp.broadcast_arrays(xp.ones(2), xp.ones(3)), r"broadcast_arrays.*\(2,\).*\(3,\)"),
    (lambda: xp.tile(xp.ones(2), (-1,)), "tile"),
    (lambda: xp.repeat(xp.ones(2), -1), "repeat"),
    (lambda: xp.repeat(xp.ones(2), xp.asarray([1, 2, 3])), "repeat"),
    (lambda: xp.roll(xp.ones((2, 2)), (1, 2, 3), axis=(0, 1)), "roll"),
    (lambda: xp.unstack(xp.ones(())), "unstack"),
    (lambda: xp.meshgrid(xp.ones(2), indexing="no"), r"meshgrid.*'no'"),
    (lambda: xp.meshgrid(xp.ones((2, 2))), r"meshgrid.*\(2, 2\)"),
    (lambda: xp.nonzero(xp.ones(())), "nonzero"),
    (lambda: xp.searchsorted(xp.ones((2, 2)), xp.ones(1)), r"searchsorted.*\(2, 2\)"),
    (lambda: xp.searchsorted(xp.ones(2), xp.ones(1), side="middle"), "searchsorted"),
    (lambda: xp.cumulative_sum(xp.ones((2, 2))), r"cumulative.*\(2, 2\)"),
    (lambda: xp.cumulative_prod(xp.ones(())), "cumulative"),
    (lambda: xp.diff(xp.ones(2), n=-1), "diff.*-1"),
    (lambda: xp.diff(xp.ones(())), "diff"),
    (lambda: xp.diff(xp.ones((2, 2)), prepend=xp.ones(2)), "concat|diff"),
    (lambda: xp.take_along_axis(xp.ones((2, 2)), xp.zeros(2, dtype=xp.int64)), r"take_along_axis.*\(2, 2\).*\(2,\)"),
    (lambda: xp.where(xp.ones(2, dtype=xp.bool), xp.ones(3), xp.ones(2)), r"where.*\(2,\), \(3,\)"),
    (lambda: xp.ones(2) + xp.ones(3), r"add.*\(2,\) and \(3,\)"),
    (lambda: xp.max(xp.ones((0, 2)), axis=0), r"max.*\(0, 2\)"),
    (lambda: xp.argmax(xp.ones((0, 2)), axis=0), r"argmax.*\(0, 2\)"),
])  # fmt: skip
def test_shapes_and_arguments_that_do_not_fit(call, match):
    with pytest.raises((ValueError, IndexError), match=match) as caught:
        call()
    assert isinstance(caught.value, errors.MinigradError)


def test_indices_that_are_out_of_range_or_no_integers():
    x = xp.ones((2, 3))
    for call in (
        lambda: xp.take(x, xp.asarray([2]), axis=0),
        lambda: xp.take_along_axis(x, xp.asarray([[0], [3]]), axis=1),
    ):
        with pytest.raises(errors.IndexingError, match=r"3|2"):
            call()
    for call in (lambda: xp.take(x, xp.asarray([0.0]), axis=0), lambda: xp.take_along_axis(x, x, axis=1)):
        with pytest.raises(errors.IndexingError, match="integers"):
            call()


# Derivatives at kinks, which the table of operations leaves out


@each(("function", "x", "expected"), [
    (lambda x: xp.copysign(x, xp.asarray([1.0, -1.0, -0.0])), [0.0, -2.0, 3.0], [0, 1, -1]),
    (lambda x: xp.copysign(5.0, x), [0.0, -2.0, 3.0], [0, 0, 0]),
    (lambda x: xp.nextafter(x, xp.asarray([1.0, 0.0, 2.0])), [1.0, -2.0, 3.0], [1, 1, 1]),
    (lambda x: xp.unique_values(x), [2.0, 1.0, 2.0], [1, 1, 0]),
    (lambda x: xp.unique_counts(x).values[1:], [2.0, 1.0, 2.0], [1, 0, 0]),
    (lambda x: xp.sort(x, descending=True)[:1], [2.0, 1.0, 2.0], [1, 0, 0]),
    (lambda x: xp.repeat(x, xp.asarray([2, 0, 1])), [1.0, 2.0, 3.0], [2, 0, 1]),
    (lambda x: xp.diff(x, append=x[:1]), [1.0, 2.0, 3.0], [0, 0, 0]),
    (lambda x: xp.clip(x, xp.asarray(2.0), 3.0), [1.0, 2.0, 4.0], [0, 1, 0]),
    (lambda x: xp.clip(xp.asarray([1.0, 2.5, 9.0]), x, None), [2.0, 2.0, 9.0], [1, 0, 0]),
    (lambda x: xp.unstack(x)[1] + xp.stack(xp.unstack(x))[0], [1.0, 2.0, 3.0], [1, 1, 0]),
    (lambda x: xp.meshgrid(x, xp.ones(4))[0], [1.0, 2.0, 3.0], [4, 4, 4]),
])  # fmt: skip
def test_derivatives(function, x, expected):
    x = xp.tensor(x, requires_grad=True)
    (g,) = xp.autograd.grad(xp.sum(function(x)), x)
    assert g.tolist() == expected


def test_indices_and_truths_need_no_graph():
    x = xp.tensor([2.0, 0.0, 2.0], requires_grad=True)
    found = xp.unique_all(x)
    indices = [
        *found[1:],
        *xp.nonzero(x),
        xp.searchsorted(x.detach()[1:], x),
        xp.isin(x, x),
        xp.signbit(x),
        xp.argsort(x),
    ]
    assert found.values.requires_grad
    assert all(type(i) is xp.Tensor and not i.requires_grad for i in indices)


def test_someof_numpy_give_someof_numpy():
    x = np.array([2.0, 0.0, 2.0])
    results = [
        *xp.unique_all(x), *xp.nonzero(x), xp.searchsorted(x[1:], x), xp.isin(x, x), xp.diff(x), xp.copysign(x, -x),
        *xp.meshgrid(x, x), *xp.unstack(np.ones((2, 2))), xp.astype(x, xp.int8), xp.reshape(x, (3, 1), copy=True),
        xp.unique_values(x), xp.clip(x, 0, x), xp.repeat(x, np.array([1, 2, 3])),
    ]  # fmt: skip
    assert {type(y) for y in results} == {np.ndarray}
    assert [xp.unique_values([3, 1, 3]).tolist(), xp.diff([1, 4]).tolist(), xp.prod([2, 3])] == [[1, 3], [3], 6]
