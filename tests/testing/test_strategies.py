"""What the strategies give, what of it remains when it shrinks, and what they refuse."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import errors
from minigrad.testing import strategies as own
from tests.rows import each

DTYPES = st.sampled_from(["float16", "float32", "float64", "complex64", "complex128", "int8", "uint16", "bool"])


def smallest(strategy, condition=lambda drawn: True):
    phases = (Phase.generate, Phase.shrink)  # without explanations, which take longer
    fixed = settings(max_examples=2000, database=None, phases=phases, derandomize=True)
    return find(strategy, condition, settings=fixed)


def never(strategy, condition):
    """Whether no example is found: a search that goes on for a while."""

    @settings(max_examples=300, database=None, deadline=None)
    @given(strategy)
    def search(drawn):
        assert not condition(drawn)

    search()


# Shapes


def test_shapes_keep_their_limits_and_reach_them():
    limited = own.shapes(min_dims=1, max_dims=2, min_side=2, max_side=3)
    never(limited, lambda shape: not 1 <= len(shape) <= 2 or not all(2 <= side <= 3 for side in shape))
    for shape in ((2,), (3,), (2, 3), (3, 3)):
        assert smallest(limited, lambda drawn, shape=shape: drawn == shape) == shape
    assert smallest(own.shapes(max_dims=0)) == ()
    assert smallest(own.shapes(min_dims=2, max_dims=2, max_side=0)) == (0, 0)


@each(("condition", "shape"), [
    (lambda shape: True, ()),
    (lambda shape: len(shape) == 3, (1, 1, 1)),
    (lambda shape: 0 in shape, (0,)),
    (lambda shape: len(shape) == 2 and 0 in shape, (1, 0)),
    (lambda shape: 4 in shape, (4,)),
    (lambda shape: len(set(shape)) == 3, (1, 2, 3)),
])  # fmt: skip
def test_shapes_shrink_to_short_axes_and_to_empty_ones_last(condition, shape):
    found = smallest(own.shapes(), condition)
    assert sorted(found, reverse=0 in found) == sorted(shape, reverse=0 in shape)


@each("limits", [
    {"min_dims": -1}, {"min_dims": 3, "max_dims": 2}, {"min_side": -1}, {"min_side": 5, "max_side": 4},
])  # fmt: skip
@each("make", [own.shapes, own.broadcastable_shapes, own.broadcastable_tensors])
def test_limits_that_make_no_sense(make, limits):
    with pytest.raises(errors.ArgumentError, match=r"0 <= min_(dims|side) <= max_(dims|side) must hold, and they are"):
        make(**limits)


@settings(database=None, deadline=None)
@given(own.broadcastable_shapes(3, min_dims=1, max_dims=4, min_side=0, max_side=3))
def test_shapes_of_a_group_broadcast_together(group):
    assert len(group) == 3
    assert all(1 <= len(shape) <= 4 for shape in group)
    np.broadcast_shapes(*group)


@pytest.mark.parametrize(("condition", "group"), [
    (lambda group: True, ((), ())),
    (lambda group: group[0] != group[1], ((1,), ())),
    (lambda group: len(group[0]) < len(group[1]), ((), (1,))),
    (lambda group: np.broadcast_shapes(*group) not in group, ((1, 1), (2,))),
    (lambda group: 0 in group[0] and 0 not in group[1], ((0,), (1,))),
])  # fmt: skip
def test_groups_of_shapes_shrink(condition, group):
    assert sorted(smallest(own.broadcastable_shapes(), condition)) == sorted(group)


def test_a_group_of_no_shapes():
    with pytest.raises(errors.ArgumentError, match="count must be an integer of at least 1, not 0"):
        own.broadcastable_shapes(0)


# Tensors


@settings(max_examples=100, database=None, deadline=None)
@given(st.data(), own.shapes(), DTYPES)
def test_tensors_are_of_the_shape_and_dtype_and_of_moderate_size(data, shape, dtype):
    x = data.draw(own.tensors(shape, dtype))
    assert type(x) is mg.Tensor
    assert (x.shape, x.dtype, x.requires_grad) == (shape, dtype, False)
    values = x.numpy()
    assert np.isfinite(values).all()
    assert not values.size or np.abs(values).max() <= 10.01


def test_numbers_of_both_signs_and_with_fractions_come_up():
    assert smallest(own.tensors(2), lambda x: x[0] < x[1]).tolist() in ([-1.0, 0.0], [0.0, 1.0])
    assert 0 < smallest(own.tensors(()), lambda x: 0 < x < 1).item() < 1
    assert smallest(own.tensors((), np.complex128), lambda z: z.item().imag < 0) == -1j


@each(("strategy", "condition", "shape", "values"), [
    (own.tensors(), lambda x: True, (), 0.0),
    (own.tensors(), lambda x: x.size and x.max() > 1.5, (), 2.0),
    (own.tensors(), lambda x: x.ndim == 2 and x.size and x.min() < 0, (1, 1), [[-1.0]]),
    (own.tensors(), lambda x: x.size == 0, (0,), []),
    (own.tensors(), lambda x: x.ndim == 2, (1, 1), [[0.0]]),
    (own.tensors(3, np.int64), lambda x: x.sum() > 2, (3,), [1, 1, 1]),
    (own.tensors(2, bool), lambda x: x.any(), (2,), [True, True]),
    (own.tensors(apart=0.5), lambda x: x.size > 1, (2,), [0.5, -0.5]),
])  # fmt: skip
def test_tensors_shrink_to_few_and_simple_numbers(strategy, condition, shape, values):
    x = smallest(strategy, condition)
    assert x.shape == shape
    assert np.array_equal(x.numpy(), values)


def test_a_fault_of_broadcasting_is_shown_by_the_smallest_group():
    a, b = smallest(own.broadcastable_tensors(), lambda group: (group[0] * group[1]).shape != group[0].shape)
    assert a.shape == ()
    assert b.shape == (1,)
    assert (a.item(), b.item()) == (0.0, 0.0)


@settings(max_examples=200, database=None, deadline=None)
@given(own.broadcastable_tensors(3, np.float32, apart=0.25, requires_grad=True))
def test_numbers_of_a_group_keep_apart_from_each_other_and_from_zero(group):
    numbers = np.sort(np.concatenate([np.ravel(x.detach().numpy()) for x in group] + [[0.0]]))
    assert (np.diff(numbers) >= 0.25).all()
    assert all(x.requires_grad and x.dtype == np.float32 for x in group)
    assert np.shape(sum(x.detach() for x in group)) == np.broadcast_shapes(*(x.shape for x in group))


def test_numbers_that_keep_apart_find_room_however_many_they_are():
    x = smallest(own.tensors(30, apart=5.0), lambda x: True)
    assert len(set(x.tolist())) == 30


def test_points_that_keep_apart_are_no_kinks():
    @settings(max_examples=25, database=None, deadline=None)
    @given(own.broadcastable_tensors(apart=0.1, max_dims=2, max_side=2))
    def check(group):
        assert mg.gradcheck(lambda a, b: np.maximum(a, b) + np.abs(a), group)

    check()


def test_options_may_be_strategies_and_elements_are_the_callers():
    mixed = own.tensors(own.shapes(max_dims=1), DTYPES, requires_grad=False)
    assert smallest(mixed, lambda x: x.dtype == np.float32).dtype == np.float32
    either = own.broadcastable_tensors(requires_grad=st.booleans())
    assert [x.requires_grad for x in smallest(either, lambda group: group[1].requires_grad)] == [False, True]
    assert smallest(own.tensors(2, elements=st.just(3.5))).tolist() == [3.5, 3.5]
    assert smallest(own.tensors(2, elements={"min_value": 20}), lambda x: True).tolist() == [20.0, 20.0]
    assert np.isnan(smallest(own.tensors(1, elements={}), lambda x: bool(np.isnan(x.numpy()).any())).item())


@pytest.mark.parametrize("options", [
    {"apart": -1.0}, {"apart": np.inf}, {"apart": np.nan}, {"apart": 0.1, "elements": st.just(1.0)},
])  # fmt: skip
@pytest.mark.parametrize("make", [own.tensors, own.broadcastable_tensors])
def test_apart_is_a_distance_and_takes_the_place_of_elements(make, options):
    with pytest.raises(errors.ArgumentError, match=r"apart (is a number from 0 on|takes the place of elements)"):
        make(**options)


@pytest.mark.parametrize("dtype", [np.int64, np.complex128, bool])
def test_apart_is_for_real_numbers(dtype):
    with pytest.raises(errors.ArgumentError, match=f"not for {np.dtype(dtype)}"):
        smallest(own.tensors(3, dtype, apart=0.1))


def test_integers_that_require_grad():
    with pytest.raises(errors.DTypeError):
        smallest(own.tensors(3, np.int64, requires_grad=True))


# Axes and indices


@settings(max_examples=200, database=None, deadline=None)
@given(st.data(), own.shapes())
def test_axes_and_indices_are_valid(data, shape):
    x = mg.zeros(shape)
    axis = data.draw(own.axes(shape))
    assert x.sum(axis=axis).shape == np.zeros(shape).sum(axis=axis).shape
    index = data.draw(own.indices(shape))
    assert x[index].shape == np.zeros(shape)[index].shape


@pytest.mark.parametrize("axis", [0, 1, -1, -2, None, (), (0, 1), (-1,)])
def test_every_kind_of_axis_comes_up(axis):
    assert smallest(own.axes((2, 3)), lambda drawn: type(drawn) is type(axis) and drawn == axis) == axis
    assert smallest(own.axes(2), lambda drawn: type(drawn) is type(axis) and drawn == axis) == axis


def test_axes_one_at_a_time():
    never(own.axes(3, several=False, none=False), lambda axis: type(axis) is not int or not -3 <= axis < 3)
    assert smallest(own.axes(())) in (None, ())
    with pytest.raises(errors.ArgumentError, match="an array without axes has none to give"):
        own.axes((), several=False, none=False)


@each("is_such", [
    lambda index: [type(i) for i in index] == [int, int],
    lambda index: any(i is None for i in index),
    lambda index: any(i is ... for i in index),
    lambda index: any(isinstance(i, slice) and (i.step or 1) < 0 for i in index),
    lambda index: index and isinstance(index[0], np.ndarray) and index[0].dtype == bool and index[0].any(),
    lambda index: index and isinstance(index[0], np.ndarray) and index[0].dtype.kind == "i" and len(index) == 2,
])  # fmt: skip
def test_every_kind_of_index_comes_up(is_such):
    smallest(own.indices((2, 3)), lambda index: bool(is_such(index if isinstance(index, tuple) else (index,))))


def test_indices_without_arrays_and_of_arrays_without_axes_or_elements():
    never(own.indices((2, 3), arrays=False), lambda index: "array" in repr(index))
    never(own.indices(()), lambda index: np.zeros(())[index].size != 1)
    never(own.indices((0, 3)), lambda index: np.zeros((0, 3))[index].size > 0)
    assert smallest(own.indices(4), lambda index: isinstance(index, int)) == 0


# Hypothesis itself


def test_random_numbers_are_the_same_in_each_example():
    seen = set()

    @settings(max_examples=5, database=None)
    @given(own.tensors(1))
    def draw(x):
        seen.add(mg.random.rand().item())

    before = mg.random.get_state()
    draw()
    assert len(seen) == 1
    assert mg.random.get_state() == before


def test_without_hypothesis_the_error_says_what_to_install():
    code = """
import sys
sys.modules["hypothesis"] = None
from minigrad import testing
testing.assert_close(1.0, 1.0)
for make in (testing.strategies.shapes, testing.strategies.broadcastable_shapes, testing.strategies.tensors,
             testing.strategies.broadcastable_tensors, lambda: testing.strategies.axes(2),
             lambda: testing.strategies.indices(2)):
    try:
        make()
    except ImportError as error:
        print(type(error).__name__, error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    said = "MissingPackageError minigrad.testing.strategies needs the package hypothesis, which is not installed: "
    assert run.stdout.splitlines() == [said + "pip install hypothesis (the extra `test`)"] * 6


def test_importing_minigrad_does_not_import_the_helpers_nor_these_hypothesis():
    code = "import sys, minigrad; print([x for x in sys.modules if 'minigrad.testing' in x])\n"
    code += "from minigrad import testing; print('hypothesis' in sys.modules, 'pytest' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split("\n") == ["[]", "False False", ""]


# Together with the garbage collector


def test_hypothesis_takes_the_generator_after_a_freeze():
    code = (
        "import gc, warnings; warnings.simplefilter('error'); from minigrad.testing import strategies; gc.freeze(); "
        "strategies.shapes()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
