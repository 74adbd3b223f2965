"""`scan`, `while_loop` and `cond`: as Python's loops and branches, and as operations of a program."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.compiling.building import is_there
from minigrad.errors import ArgumentError, ProgramError
from minigrad.program import trace
from tests.program.same import assert_prints, assert_same_bits
from tests.rows import each

RNG = np.random.default_rng(0)


def numbers(*shape, dtype=np.float64):
    return RNG.uniform(0.3, 1.2, shape).astype(dtype)


def loop_of_python(f, carry, xs=None, length=None, *, reverse=False):
    """What `scan` stands for."""
    leaves = mg.tree.flatten(xs)[0]
    count = len(leaves[0]) if leaves else length
    carry, ys = mg.tree.map_leaves(mg.asarray, carry), {}
    for i in range(count)[:: -1 if reverse else 1]:
        carry, ys[i] = f(carry, mg.tree.map_leaves(lambda x, i=i: mg.asarray(x)[i], xs))
    return carry, mg.tree.map_leaves(lambda *parts: mg.stack(parts), *[ys[i] for i in range(count)])


# Functions of a scan and of arrays


def running_sums(scan, xs):
    def step(total, x):
        total = total + x
        return total, total * x

    return scan(step, 0.0, xs)


def the_same_sum_twice(scan, xs):
    return scan(lambda total, x: (total + x, (total + x) * x), 0.0, xs)


def network(scan, xs, w):
    def step(h, x):
        h = mg.tanh(h @ w + x)
        return h, h * 2

    return scan(step, np.zeros(xs.shape[1:]), xs)


def carry_as_the_result(scan, xs, h):
    return scan(lambda h, x: (mg.sin(h * x),) * 2, h, xs)


def carry_before_as_the_result(scan, xs, h):
    return scan(lambda h, x: (mg.sin(h * x), h), h, xs)


def trees(scan, xs, a):
    def step(carry, x):
        u, v = carry["u"] * x["p"], carry["v"][0] + x["q"]
        return {"u": u, "v": (v,)}, {"product": u * v, "rest": [mg.sum(v), u]}

    return scan(step, {"u": a, "v": (a * a,)}, {"p": xs, "q": xs[:, ::-1]})


def backwards(scan, xs):
    return scan(lambda h, x: (mg.sin(h + x), h * x), 0.5, xs, reverse=True)


def backwards_with_the_carry(scan, xs, h):
    return scan(lambda h, x: (mg.sin(h * x),) * 2, h, xs, reverse=True)


def length_alone(scan, h):
    return scan(lambda h, _: (mg.cos(h), h * h), h, length=4)


def no_results(scan, xs, h):
    return scan(lambda h, x: (h * x, None), h, xs)[0]


def one_step(scan, xs, h):
    return scan(lambda h, x: (h * x, h + x), h, xs[:1])


def exchanged(scan, xs, a, b):
    return scan(lambda c, x: ((c[1], c[0] * x + c[1]), c[0] - c[1]), (a, b), xs)


def turned_around(scan, xs, h):
    return scan(lambda h, x: (h[::-1], h * x), h, xs)


def shifted(scan, xs, h):
    return scan(lambda h, x: (mg.concat([h[1:], mg.sin(h[:1] + x[:1])]), mg.sum(h)), h, xs)


def whole_numbers(scan, xs, h):
    def step(carry, x):
        i, h = carry
        n = mg.astype(i, h.dtype)
        return (i + 1, h * x + n), (i, h * n)

    (_, h), (_, ys) = scan(step, (0, h), xs)
    return h, ys


def carry_that_stays(scan, xs, h):
    return scan(lambda h, x: (h, mg.exp(h) * x), h, xs)


def rows_as_results(scan, xs, h):
    return scan(lambda h, x: (h * 2, x), h, xs)


def nested(scan, xs):
    def row(h, x):
        h, ys = scan(lambda h, y: (mg.tanh(h + y), h * y), h, x)
        return h, mg.sum(ys)

    return scan(row, 0.25, xs)


def branch_in_a_scan(scan, xs):
    def step(h, x):
        total = mg.sum(x)
        return mg.cond(total > 1.5, mg.sin, mg.atan, h) + total, h

    return scan(step, 0.5, xs)


def scan_in_a_branch(scan, xs, h):
    def scanned(h, xs):
        return scan(lambda h, x: (h * x, None), h, xs)[0]

    return mg.cond(mg.sum(xs) > 0, scanned, lambda h, xs: h * xs[0], h, xs)


CASES = {
    running_sums: [(5,)],
    the_same_sum_twice: [(5,)],
    network: [(4, 3), (3, 3)],
    carry_as_the_result: [(4, 3), (3,)],
    carry_before_as_the_result: [(4, 3), (3,)],
    trees: [(4, 3), (3,)],
    backwards: [(5,)],
    backwards_with_the_carry: [(4, 3), (3,)],
    length_alone: [(3,)],
    no_results: [(4, 3), (3,)],
    one_step: [(4, 3), (3,)],
    exchanged: [(4, 3), (3,), (3,)],
    turned_around: [(4, 3), (3,)],
    shifted: [(4, 3), (3,)],
    whole_numbers: [(4, 3), (3,)],
    carry_that_stays: [(4, 3), (3,)],
    rows_as_results: [(4, 3), (3,)],
    nested: [(3, 4)],
    branch_in_a_scan: [(4, 2)],
    scan_in_a_branch: [(4, 3), (3,)],
}
of_all_cases = pytest.mark.parametrize("case", CASES, ids=lambda f: f.__name__)


def function_of(case, scan=mg.scan):
    """The results, all as one tree."""
    return lambda *arrays: case(scan, *arrays)


def loss_of(case, scan=mg.scan):
    """A number that depends on all results, on each in another way."""

    def loss(*arrays):
        leaves = mg.tree.flatten(case(scan, *arrays))[0]
        parts = [mg.sum(y * np.cos(1 + np.arange(y.size)).reshape(y.shape)) for y in leaves]
        return sum(parts[1:], parts[0])

    return loss


def with_gradients(case, scan=mg.scan):
    """The loss and its gradients by all arrays."""
    return mg.value_and_grad(loss_of(case, scan), argnums=tuple(range(len(CASES[case]))))


def operands_of(case):
    return [numbers(*shape) for shape in CASES[case]]


def assert_compiled_the_same(function, *operands):
    """Call a compiled function often enough that it has been compared and runs by itself, also with other numbers."""
    compiled = mg.jit(function)
    for factor in (1.0, 1.0, 1.0, 0.9375):
        given = [x * factor for x in operands]
        assert_same_bits(compiled(*given), function(*map(mg.asarray, given)))
    return compiled


# Without a program


@of_all_cases
def test_a_scan_is_a_loop_of_python(case):
    operands = [mg.tensor(x) for x in operands_of(case)]
    assert_same_bits(function_of(case)(*operands), function_of(case, loop_of_python)(*operands))
    assert_same_bits(with_gradients(case)(*operands), with_gradients(case, loop_of_python)(*operands))


def test_results_stand_where_their_rows_stood():
    last, ys = mg.scan(lambda c, x: (c * 10 + x, c), 0, np.array([1, 2, 3]), reverse=True)
    assert last.item() == 321
    assert ys.tolist() == [32, 3, 0]


def test_without_rows_the_function_gets_none():
    seen = []
    mg.scan(lambda c, x: (seen.append(x) or c, None), 0.0, length=3)
    assert seen == [None] * 3


def test_whole_numbers_stay_whole():
    last, ys = mg.scan(lambda c, x: (c + x, c * 2), 0, np.array([1, 2, 3]))
    assert (last.dtype, ys.dtype) == (np.int64, np.int64)
    assert ys.tolist() == [0, 2, 6]


def test_a_tensor_from_outside_gets_its_gradient():
    w = mg.tensor(2.0, requires_grad=True)
    mg.scan(lambda c, x: (c * w + x, None), 1.0, np.ones(3))[0].backward()
    assert w.grad.item() == 3 * 2.0**2 + 2 * 2.0 + 1


# Derivatives


@of_all_cases
def test_gradients_agree_with_differences(case):
    assert mg.gradcheck(function_of(case), operands_of(case))


@of_all_cases
def test_second_derivatives_agree_with_differences(case):
    assert mg.gradgradcheck(function_of(case), operands_of(case))


@pytest.mark.parametrize("case", [network, trees, nested, branch_in_a_scan], ids=lambda f: f.__name__)
def test_derivatives_of_compiled_functions_agree_with_differences(case):
    compiled = mg.jit(function_of(case))
    assert mg.gradcheck(compiled, operands_of(case))
    assert mg.gradgradcheck(compiled, operands_of(case))


@pytest.mark.parametrize("case", [network, exchanged, nested], ids=lambda f: f.__name__)
def test_hessians_of_compiled_scans(case):
    operands = operands_of(case)
    expected = mg.hessian(loss_of(case))(*operands)
    outside, inside = mg.hessian(mg.jit(loss_of(case))), mg.jit(mg.hessian(loss_of(case)))
    for found in (outside(*operands), inside(*operands), inside(*operands)):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)


# As operations of a program


@of_all_cases
def test_compiled_values_are_the_same_bits(case):
    assert_compiled_the_same(function_of(case), *operands_of(case))


# A scan sums what its steps say of something outside of it before others add to that.
SUMMED_FIRST = {"the_same_sum_twice", "branch_in_a_scan"}


def assert_the_same(case, found, expected):
    if case.__name__ not in SUMMED_FIRST:
        return assert_same_bits(found, expected)
    for x, y in zip(mg.tree.flatten(found)[0], mg.tree.flatten(expected)[0], strict=True):
        np.testing.assert_allclose(mg.asarray(x).detach(), mg.asarray(y).detach(), rtol=1e-13, atol=1e-15)
    return None


@of_all_cases
def test_compiled_gradients_are_the_same_bits(case):
    compiled = mg.jit(with_gradients(case))
    for factor in (1.0, 1.0, 1.0, 0.9375):
        given = [x * factor for x in operands_of(case)]
        assert_the_same(case, compiled(*given), with_gradients(case)(*map(mg.asarray, given)))


@of_all_cases
def test_gradients_through_compiled_functions_are_the_same_bits(case):
    compiled, operands = mg.jit(loss_of(case)), operands_of(case)
    for _ in range(3):
        given = [mg.tensor(x, requires_grad=True) for x in operands]
        compiled(*given).backward()
        assert_the_same(case, [x.grad for x in given], with_gradients(case)(*operands)[1])


@each("case", CASES)
def test_single_precision_is_the_same_bits(case):
    operands = [x.astype(np.float32) for x in operands_of(case)]
    assert_compiled_the_same(function_of(case), *operands)


def test_without_a_compiler_they_are_the_same_bits(monkeypatch):
    monkeypatch.setenv("MINIGRAD_JIT_BACKEND", "numpy")
    for case in CASES:
        if case is not the_same_sum_twice:
            assert_compiled_the_same(with_gradients(case), *operands_of(case))


@of_all_cases
def test_the_printed_program_runs_by_itself(case):
    operands = operands_of(case)
    assert_prints(trace(with_gradients(case), *operands), *operands)


def test_a_long_scan_is_one_equation():
    compiled = mg.jit(function_of(running_sums))
    compiled(numbers(10_000))
    assert sum(e.operation.name == "scan" for e in compiled.program.equations) == 1
    assert len(compiled.program.equations) < 10


def test_the_body_is_traced_once():
    seen = []
    compiled = mg.jit(lambda xs: mg.scan(lambda c, x: (seen.append(0) or c + x, None), 0.0, xs)[0])
    compiled(np.ones(100))
    assert len(seen) == 1


@pytest.mark.skipif(not is_there(), reason="there is no C compiler")
@each("function", [
    function_of(network),
    with_gradients(network),
    lambda xs, _: mg.while_loop(lambda c: mg.sum(c) < 10, lambda c: c + 1, xs),
    lambda xs, _: mg.cond(mg.sum(xs) > 0, mg.sin, mg.cos, xs),
])  # fmt: skip
def test_loops_and_branches_are_compiled(function):
    compiled = mg.jit(function)
    compiled(numbers(4, 3), numbers(3, 3))
    left = compiled._made[-1][0].runner.lowered.steps
    assert not [step for step in left if step.startswith(("scan", "while", "cond"))]


def test_another_length_is_another_program():
    compiled = mg.jit(function_of(running_sums))
    for count in (3, 5, 3, 5, 3):
        xs = numbers(count)
        assert_same_bits(compiled(xs), running_sums(mg.scan, mg.tensor(xs)))


def test_a_tensor_from_outside_is_read_at_every_call():
    w = mg.tensor(2.0, requires_grad=True)
    compiled = mg.jit(lambda xs: mg.scan(lambda c, x: (c * w + x, None), 1.0, xs)[0])
    for value in (2.0, 3.0, 0.5, -1.0):
        w.data[...], w.grad = value, None
        result = compiled(mg.ones(3))
        result.backward()
        assert result.item() == value**3 + value**2 + value + 1
        assert w.grad.item() == 3 * value**2 + 2 * value + 1


def test_an_array_from_outside_is_read_at_every_call():
    factors = np.array([1.0, 2.0])
    compiled = mg.jit(lambda xs: mg.scan(lambda c, x: (c * factors + x, None), np.ones(2), xs)[0])
    for i in range(4):
        factors[0] = i
        assert compiled(np.zeros((3, 2))).tolist() == [i**3, 8.0]


def test_no_row_at_all_is_refused_with_and_without_a_program():
    for function in (function_of(running_sums), mg.jit(function_of(running_sums))):
        with pytest.raises(ArgumentError, match="scan: there is no step"):
            function(np.ones(0))


@each("x", [np.nan, np.inf, -np.inf, -0.0, 1e-310])
def test_special_numbers_go_through_a_compiled_scan(x):
    rows = np.array([1.0, x, 0.5, x])
    with np.errstate(all="ignore"):
        assert_compiled_the_same(lambda xs: mg.scan(lambda c, x: (c * x, c + x), 1.0, xs), rows)


@each("size", [0, 1, 7, 8, 9, 127, 128, 129])
def test_carries_of_many_lengths(size):
    assert_compiled_the_same(function_of(carry_as_the_result), numbers(3, size), numbers(size))


@each("turned", [lambda x: x.T, lambda x: x[::2], lambda x: x[:, ::-1]])
def test_rows_of_unusual_layouts(turned):
    def function(x):
        return mg.scan(lambda c, x: (mg.sin(c + x), c), np.zeros(x.shape[1]), x)

    compiled, x = mg.jit(function), turned(numbers(12, 12))
    for _ in range(3):
        assert_same_bits(compiled(x), function(mg.asarray(x, copy=False)))
    assert_compiled_the_same(lambda x: function(turned(x)), numbers(12, 12))


# Loops of unknown length


def doubled_until(limit):
    return lambda x: mg.while_loop(lambda c: c < limit, lambda c: c * 2, x)


@each(("start", "end"), [(3.0, 192.0), (100.0, 100.0), (1e300, 1e300), (99.0, 198.0)])
def test_a_while_loop_runs_as_long_as_its_condition_holds(start, end):
    assert doubled_until(100)(start).item() == end


def test_compiled_while_loops_run_as_often_as_those_of_python():
    function = doubled_until(100)
    compiled = mg.jit(function)
    for x in (3.0, 3.0, 200.0, 3.0, 1.0, 1e-300, 1e300, 100.0):
        assert_same_bits(compiled(mg.tensor(x)), function(mg.tensor(x)))


def test_a_compiled_while_loop_that_runs_not_at_all_at_first():
    function = doubled_until(100)
    compiled = mg.jit(function)
    for x in (200.0, 200.0, 200.0, 3.0):
        assert_same_bits(compiled(mg.tensor(x)), function(mg.tensor(x)))


def test_while_loops_with_trees_and_whole_numbers():
    def digits(x):
        return mg.while_loop(lambda c: c["x"] >= 10, lambda c: {"x": c["x"] / 10, "n": c["n"] + 1}, {"x": x, "n": 1})

    compiled = mg.jit(digits)
    for x in (5.0, 50.0, 12345.0, 1.0, 999.0):
        found = compiled(mg.tensor(x))
        assert_same_bits(found, digits(mg.tensor(x)))
        assert found["n"].item() == len(str(int(x)))


def test_while_loops_with_arrays_and_tensors_from_outside():
    m, limit = mg.tensor(numbers(3, 3)), mg.tensor(50.0)

    def grown(x):
        return mg.while_loop(lambda c: mg.sum(c) < limit, lambda c: c @ m + 1, x)

    compiled = mg.jit(grown)
    for value in (50.0, 50.0, 100.0, 0.0):
        limit.data[...] = value
        assert_same_bits(compiled(mg.ones(3)), grown(mg.ones(3)))


def test_a_while_loop_in_a_scan():
    def function(xs):
        return mg.scan(lambda c, x: (c + doubled_until(10)(x), c), 0.0, xs)

    assert_compiled_the_same(function, numbers(5))


def test_the_printed_program_of_a_while_loop_runs_by_itself():
    assert_prints(trace(doubled_until(100), np.array(3.0)), np.array(3.0))


def test_a_while_loop_has_a_derivative_without_a_program():
    assert mg.grad(doubled_until(100))(3.0).item() == 64.0


def test_a_while_loop_has_no_derivative_in_a_program():
    x = mg.tensor(3.0, requires_grad=True)
    for call in (lambda: mg.jit(mg.grad(doubled_until(100)))(3.0), lambda: mg.jit(doubled_until(100))(x)):
        with pytest.raises(ProgramError, match=r"while_loop has no derivative in a program.*Write scan"):
            call()


# Branches


@each("true", [True, np.True_, np.array(True), mg.tensor(True)])
def test_predicates_may_be_of_python_numpy_or_minigrad(true):
    assert mg.cond(true, lambda: 1.0, lambda: 2.0).item() == 1.0
    assert mg.cond(np.logical_not(true), lambda: 1.0, lambda: 2.0).item() == 2.0


def test_only_the_chosen_branch_is_called_without_a_program():
    def never(x):
        raise AssertionError

    assert mg.cond(True, mg.sin, never, 0.0).item() == 0.0
    assert mg.cond(mg.tensor(False), never, mg.cos, 0.0).item() == 1.0


def test_a_bool_of_python_chooses_when_the_function_is_traced():
    compiled = mg.jit(lambda x, flag: mg.cond(flag, mg.sin, mg.cos, x))
    for flag in (True, False) * 3:
        assert_same_bits(compiled(mg.tensor(0.5), flag), (mg.sin if flag else mg.cos)(mg.tensor(0.5)))


def bent(x, y):
    """Another function on each side of 0, of trees."""
    return mg.cond(
        mg.sum(x) > 0,
        lambda p: {"a": p["x"] * p["y"], "b": (mg.sum(p["x"]),)},
        lambda p: {"a": p["x"] - mg.exp(p["y"]), "b": (mg.sum(p["y"]),)},
        {"x": x, "y": y},
    )


def test_compiled_branches_are_the_same_bits():
    compiled, y = mg.jit(bent), mg.tensor(numbers(3))
    for sign in (1.0, 1.0, -1.0, 1.0, -1.0, np.nan):
        x = mg.tensor(sign * numbers(3))
        assert_same_bits(compiled(x, y), bent(x, y))


def test_gradients_of_compiled_branches_are_the_same_bits():
    gradients = mg.grad(lambda x, y: sum(mg.sum(z) for z in mg.tree.flatten(bent(x, y))[0]), argnums=(0, 1))
    compiled, y = mg.jit(gradients), mg.tensor(numbers(3))
    for sign in (-1.0, -1.0, 1.0, -1.0, 1.0):
        x = mg.tensor(sign * numbers(3))
        assert_same_bits(compiled(x, y), gradients(x, y))


@each("sign", [1.0, -1.0])
def test_derivatives_of_both_branches_agree_with_differences(sign):
    operands = [sign * numbers(3), numbers(3)]
    for function in (bent, mg.jit(bent)):
        assert mg.gradcheck(function, operands)
        assert mg.gradgradcheck(function, operands)


def test_second_derivatives_of_compiled_branches():
    curve = mg.grad(mg.grad(lambda x: mg.cond(x > 1.5, mg.sin, lambda x: x * x * x, x)))
    compiled = mg.jit(curve)
    for x in (1.0, 1.0, 2.0, 1.0, 2.0):
        assert_same_bits(compiled(mg.tensor(x)), curve(mg.tensor(x)))


def test_the_printed_program_of_a_branch_runs_by_itself():
    for x in (numbers(3), -numbers(3)):
        assert_prints(trace(bent, x, numbers(3)), x, numbers(3))


@pytest.mark.filterwarnings("error")
def test_what_the_other_branch_would_do_leaves_no_trace():
    compiled = mg.jit(mg.grad(lambda x: mg.cond(x > 0, mg.sqrt, lambda x: 0 * x, x)))
    for x, slope in ((-1.0, 0.0), (4.0, 0.25), (-1.0, 0.0), (0.0, 0.0), (4.0, 0.25)):
        assert compiled(mg.tensor(x)).item() == slope


@pytest.mark.filterwarnings("error")
def test_operands_of_the_other_branch_alone_have_gradients_of_0():
    def function(x, y):
        return mg.cond(x > 0, lambda x, y: x * 2, lambda x, y: mg.sqrt(y) + x, x, y)

    compiled = mg.jit(mg.grad(function, argnums=(0, 1)))
    for _ in range(3):
        assert [g.item() for g in compiled(mg.tensor(1.0), mg.tensor(-1.0))] == [2.0, 0.0]
    assert [g.item() for g in compiled(mg.tensor(-1.0), mg.tensor(4.0))] == [1.0, 0.25]


def test_tensors_that_only_the_other_branch_finds_outside_have_gradients_of_0():
    v, w = (mg.tensor(x, requires_grad=True) for x in (-1.0, 3.0))
    compiled = mg.jit(lambda x: mg.cond(x > 0, lambda x: x * w, lambda x: x * mg.sqrt(v), x))
    for _ in range(3):
        v.grad = w.grad = None
        compiled(mg.tensor(2.0)).backward()
        assert (v.grad.item(), w.grad.item()) == (0.0, 2.0)


def test_branches_in_branches():
    def steps(x):
        return mg.cond(x > 0, lambda x: mg.cond(x > 1, mg.log, lambda x: x - 1, x), lambda x: x * x - 1, x)

    value_and_slope = mg.value_and_grad(steps)
    compiled = mg.jit(value_and_slope)
    for x in (2.0, 2.0, 0.5, -1.0, 3.0, 0.25, -2.0):
        assert_same_bits(compiled(mg.tensor(x)), value_and_slope(mg.tensor(x)))


# What is refused


def with_and_without_a_program(call):
    return (call, mg.jit(call))


@each("call", [
    lambda x: mg.scan(lambda c, x: (c, None), x),
    lambda x: mg.scan(lambda c, x: (c, None), x, None),
    lambda x: mg.scan(lambda c, x: (c, None), x, {}),
])  # fmt: skip
def test_a_scan_must_know_its_length(call):
    for function in with_and_without_a_program(call):
        with pytest.raises(ArgumentError, match=r"scan: give arrays, of which each step gets a row, or .* as length="):
            function(mg.tensor(1.0))


@each(("xs", "length", "words"), [
    ((np.ones(2), np.ones(3)), None, r"the same number of rows, and they have shapes \[\(2,\), \(3,\)\]$"),
    (np.ones(2), 3, r"shapes \[\(2,\)\], and length=3 is wanted"),
    (1.0, None, r"shapes \[\(\)\]"),
    ((np.ones(2), 1.0), None, r"shapes \[\(2,\), \(\)\]"),
])  # fmt: skip
def test_rows_must_be_as_many(xs, length, words):
    for function in with_and_without_a_program(lambda x: mg.scan(lambda c, x: (c, None), x, xs, length)):
        with pytest.raises(ArgumentError, match=words):
            function(mg.tensor(1.0))


@each("length", [-1, 1.5, "three"])
def test_a_length_is_a_whole_number(length):
    with pytest.raises((ArgumentError, TypeError), match="scan: length"):
        mg.scan(lambda c, x: (c, c), 0.0, length=length)


CHANGES = [
    (lambda c: (c, c), "the next carry is a tree of another form than the one before: 1 arrays, and now 2"),
    (lambda c: [c], "the next carry is a tree of another form"),
    (lambda c: mg.stack([c, c]), r"was float64 of shape \(\), and is float64 of shape \(2,\) after a step"),
    (lambda c: c.astype(np.float32), r"was float64 of shape \(\), and is float32 of .* or convert it by astype"),
    (lambda c: c > 0, r"and is bool of shape \(\)"),
]


@each(("change", "words"), CHANGES)
def test_the_carry_of_a_scan_keeps_its_form(change, words):
    for function in with_and_without_a_program(lambda x: mg.scan(lambda c, _: (change(c), None), x, length=2)):
        with pytest.raises(ArgumentError, match=f"^scan: .*{words}"):
            function(mg.tensor(1.0))


@each(("change", "words"), CHANGES)
def test_the_carry_of_a_while_loop_keeps_its_form(change, words):
    for function in with_and_without_a_program(lambda x: mg.while_loop(lambda c: mg.sum(c) < 9, change, x)):
        with pytest.raises(ArgumentError, match=f"^while_loop: .*{words}"):
            function(mg.tensor(1.0))


@each("result", [1.0, (1.0,), (1.0, 2.0, 3.0), [1.0, None]])
def test_the_function_of_a_scan_returns_a_pair(result):
    for function in with_and_without_a_program(lambda x: mg.scan(lambda c, _: result, x, length=2)):
        with pytest.raises(ArgumentError, match="scan: the function must return a pair"):
            function(mg.tensor(1.0))


@each(("other", "words"), [
    (lambda x: (x, x), r"return float64 of shape \(2,\) and float64 of shape \(2,\), float64 of shape \(2,\)"),
    (lambda x: [x], "trees of one form"),
    (mg.sum, r"return float64 of shape \(2,\) and float64 of shape \(\)"),
    (lambda x: x > 0, r"return float64 of shape \(2,\) and bool of shape \(2,\)"),
    (lambda x: None, r"return float64 of shape \(2,\) and nothing"),
])  # fmt: skip
def test_both_branches_return_the_same_form_in_a_program(other, words):
    with pytest.raises(ArgumentError, match=f"cond: both functions .*{words}"):
        mg.jit(lambda x: mg.cond(mg.sum(x) > 0, lambda x: x * 2, other, x))(mg.ones(2))


@each(("predicate", "words"), [
    (lambda x: x, r"not float64 of shape \(2,\): write a comparison, or mg.all or mg.any"),
    (lambda x: x > 0, r"not bool of shape \(2,\)"),
    (mg.sum, r"not float64 of shape \(\)"),
    (mg.argmax, r"not int64 of shape \(\)"),
])  # fmt: skip
def test_a_condition_is_a_single_bool(predicate, words):
    for function in with_and_without_a_program(lambda x: mg.cond(predicate(x), mg.sin, mg.cos, x)):
        with pytest.raises(ArgumentError, match=f"cond: a condition is a single bool, {words}"):
            function(mg.ones(2))
    for function in with_and_without_a_program(lambda x: mg.while_loop(predicate, lambda x: 0 * x, x)):
        with pytest.raises(ArgumentError, match=f"while_loop: a condition is a single bool, {words}"):
            function(mg.ones(2))


@each("predicate", [1, 1.0, None, "yes"])
def test_a_condition_of_python_is_a_bool_too(predicate):
    with pytest.raises(ArgumentError, match=f"cond: a condition is a single bool, not {type(predicate).__name__}"):
        mg.cond(predicate, lambda: 1.0, lambda: 2.0)


def in_each_body(act):
    """Functions that do something in the body of a loop or a branch."""
    return {
        "scan": lambda x: mg.scan(lambda c, _: (act(c), None), x, length=3)[0],
        "while_loop": lambda x: mg.while_loop(lambda c: mg.sum(c) < 1, act, x),
        "cond": lambda x: mg.cond(mg.sum(x) < 1, act, mg.sin, x),
    }


def test_bodies_in_a_program_draw_no_random_numbers():
    for name, function in in_each_body(lambda c: c + mg.random.rand(2)).items():
        state = mg.random.get_state()
        with pytest.raises(ProgramError, match=f"{name}: its function draws random numbers.*give them as xs"):
            mg.jit(function)(mg.zeros(2))
        assert mg.random.get_state() == state


def test_bodies_in_a_program_change_no_tensor():
    outside = mg.zeros(2)

    def act(c):
        outside[0] = 7.0
        return c + outside

    for name, function in in_each_body(act).items():
        with pytest.raises(ProgramError, match=f"{name}: its function changes .*Hand it on in the carry"):
            mg.jit(function)(mg.zeros(2))
        assert outside.tolist() == [0.0, 0.0]


def test_bodies_in_a_program_read_no_gradients():
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    mg.sum(w * w).backward()
    for name, function in in_each_body(lambda c: c + w.grad).items():
        with pytest.raises(ProgramError, match=f"{name}: its function reads .*which the body"):
            mg.jit(function)(mg.zeros(2))


def test_an_error_in_a_body_changes_nothing_and_the_next_call_works():
    def body(c, x):
        if fails:
            raise KeyError("mine")
        return c + x, c

    fails = True
    compiled = mg.jit(lambda xs: mg.scan(body, 0.0, xs))
    with pytest.raises(KeyError, match="mine"):
        compiled(np.ones(3))
    fails = False
    for _ in range(3):
        assert compiled(np.ones(3))[0].item() == 3.0


@each("function", [
    lambda x: mg.scan(lambda c, _: (c * 2, c), x, length=3),
    lambda x: mg.while_loop(lambda c: c < 100, lambda c: c * 2, x),
    lambda x: mg.cond(mg.asarray(x) > 2, mg.sin, mg.cos, x),
])  # fmt: skip
def test_arguments_that_are_numbers_of_python(function):
    compiled = mg.jit(function)
    for x in (1.0, 1.0, 1.0, 3.0):
        assert_same_bits(compiled(x), function(x))


def test_gradients_by_numbers_of_python():
    gradient = mg.grad(lambda x: mg.scan(lambda c, _: (c * c, None), x, length=2)[0])
    compiled = mg.jit(gradient)
    for x in (1.0, 1.0, 2.0, 3.0):
        assert compiled(x) == gradient(x) == 4 * x**3


def test_reading_a_value_in_a_body_is_refused_with_the_line():
    with pytest.raises(ProgramError, match=r"test_control.py:\d+"):
        mg.jit(lambda xs: mg.scan(lambda c, x: (c + x if x > 0 else c, None), 0.0, xs)[0])(np.ones(3))


# Recurrent layers

LAYERS = {
    "RNN": (nn.RNN, {}),
    "RNN of relu": (nn.RNN, {"nonlinearity": "relu"}),
    "LSTM": (nn.LSTM, {}),
    "GRU": (nn.GRU, {}),
    "LSTM without bias": (nn.LSTM, {"bias": False}),
    "two layers of RNN": (nn.RNN, {"num_layers": 2}),
    "two layers of LSTM": (nn.LSTM, {"num_layers": 2}),
    "two layers of GRU": (nn.GRU, {"num_layers": 2}),
    "RNN in both directions": (nn.RNN, {"bidirectional": True}),
    "LSTM in both directions": (nn.LSTM, {"bidirectional": True}),
    "GRU in both directions": (nn.GRU, {"bidirectional": True}),
    "LSTM with a projection": (nn.LSTM, {"proj_size": 2}),
    "all at once": (nn.LSTM, {"num_layers": 2, "bidirectional": True, "proj_size": 2, "batch_first": True}),
}


def of_recurrent_layer(name, dtype):
    """A layer, and a function to the loss, the results, and the gradients of all weights and of the input."""
    make, options = LAYERS[name]
    mg.manual_seed(0)
    layer = make(3, 4, dtype=dtype, **options)

    def loss_of(x):
        y, last = layer(x)
        parts = [y, *mg.tree.flatten(last)[0]]
        return sum(mg.sum(part * part) for part in parts), parts

    def gradients(x):
        return mg.autograd.grad(loss_of(x)[0], [x, *layer.parameters()])

    return loss_of, gradients


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", LAYERS)
def test_compiled_recurrent_layers_are_the_same_bits(name, dtype):
    loss_of, _ = of_recurrent_layer(name, dtype)
    compiled = mg.jit(loss_of)
    for _ in range(3):
        x = mg.tensor(numbers(5, 2, 3, dtype=dtype), requires_grad=True)
        loss, parts = loss_of(x)
        found, its_parts = compiled(x)
        assert_same_bits([found, *its_parts], [loss, *parts])


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_of_compiled_recurrent_layers_are_the_same_bits(name):
    _, gradients = of_recurrent_layer(name, np.float64)
    compiled = mg.jit(gradients)
    for _ in range(3):
        x = mg.tensor(numbers(5, 2, 3), requires_grad=True)
        assert_same_bits(compiled(x), gradients(x))


def test_numbers_of_python_have_the_default_dtype_in_a_program_too():
    def total(start, xs):
        return mg.scan(lambda carry, x: (carry + x, carry), start, xs)

    mg.set_default_dtype(np.float32)
    try:
        compiled, xs = mg.jit(total), np.ones(3, np.float32)
        for start in (0.5, 1.5, 2.5):
            for found, expected in zip(compiled(start, xs), total(start, xs), strict=True):
                assert_same_bits(found, expected)
    finally:
        mg.set_default_dtype(np.float64)
