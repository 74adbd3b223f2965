"""NumPy's own names by its protocols: each is supported or refused with advice, and there is no third outcome."""

import inspect
import operator
import re
import subprocess
import sys

import numpy as np
import numpy.fft
import numpy.lib.recfunctions
import numpy.polynomial
import pytest
import scipy.special
from numpy.testing import overrides

import minigrad as mg
import minigrad.ops
from minigrad import errors
from minigrad.errors.numpy_functions import unsupported
from minigrad.ops.describing import values_of
from minigrad.ops.names import by_name, full_name, stand_in_for
from tests.needs import numpy_before, since_numpy
from tests.op_table import is_float
from tests.op_table_numpy import DESCRIBING, ELSEWHERE
from tests.op_tables import TABLE
from tests.rows import each


def leaf(*values):
    return mg.tensor(values, requires_grad=True)


# All of NumPy


def functions():
    """Every function of NumPy that can be overridden, but for those that only pass ``like=`` on to a public one."""
    found = overrides.get_overridable_numpy_array_functions()
    passing = [f for f in found if f.__module__ == "numpy" and getattr(np, f.__name__, f) is not f]
    return sorted(found - set(passing), key=full_name)


FUNCTIONS = functions()
UFUNCS = sorted(overrides.get_overridable_numpy_ufuncs(), key=full_name)
CASES = {}
for _row in TABLE:
    if _row.spelled:
        CASES.setdefault(_row.numpy, []).extend(_row.cases)


def tensors(operands):
    """The operands with Tensors in the place of arrays."""
    return [mg.tensor(x, requires_grad=is_float(x)) if isinstance(x, np.ndarray) else x for x in operands]


def arrays_in(result):
    """The ndarrays among results."""
    if isinstance(result, list | tuple):
        return [x for part in result for x in arrays_in(part)]
    return [result] if isinstance(result, np.ndarray | np.generic) else []


def generic_call(function):
    """A call with Tensors for all arguments that must be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
        count = sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)
    except ValueError:  # ufuncs, and before NumPy 2.4 functions in C, which take at least two but for putmask
        count = getattr(function, "nin", 3 if function is np.putmask else 2)
    return function(*[leaf(1.0, 2.0)] * max(count, 1))


def outcome(function):
    if function in ELSEWHERE or function in DESCRIBING:
        return "supported"
    for case in CASES.get(function, ()):
        if any(isinstance(x, np.ndarray) for x in case.operands):
            assert not arrays_in(case.reference(*tensors(case.operands))), f"{case} gave an ndarray"
            return "supported"
    if stand_in_for(function) is not None:
        return "supported, without a row"
    with pytest.raises(errors.UnsupportedError) as caught:
        generic_call(function)
    assert function.__name__ in str(caught.value)
    return "refused"


def test_every_function_and_ufunc_is_supported_or_refused_and_there_is_no_third_outcome():
    for kind, everything in (("functions", FUNCTIONS), ("ufuncs", UFUNCS)):
        outcomes = {function: outcome(function) for function in everything}
        refused = [full_name(function) for function, what in outcomes.items() if what == "refused"]
        print(f"{kind}: {len(outcomes) - len(refused)} supported, {len(refused)} refused: {' '.join(refused)}")
        assert set(outcomes.values()) == {"supported", "refused"}, [
            full_name(function) for function, what in outcomes.items() if what not in ("supported", "refused")
        ]


REFUSED = [f for f in (*FUNCTIONS, *UFUNCS) if stand_in_for(f) is None]
NEAR = re.compile(r"nearest that has one is '([\w.]+)'")


@each("function", REFUSED)
def test_what_a_refusal_recommends_exists(function):
    with pytest.raises(errors.UnsupportedError) as caught:
        generic_call(function)
    for name in NEAR.findall(str(caught.value)):
        value = np
        for part in name.split("."):
            value = getattr(value, part)
        assert stand_in_for(value) is not None
    assert "Tensor" in str(caught.value) or "t.detach().numpy()" in str(caught.value)


@each(("call", "words"), [
    pytest.param(
        lambda x: np.polynomial.polynomial.polyval2d(x, x, x), "'polyval'",
        marks=since_numpy("2.4.0", "numpy.polynomial asks the operands, and does not just convert them"),
    ),
    (lambda x: np.copyto(x, 1.0), "write x[...] = values"),
    (lambda x: np.place(x, [True, False], 1.0), "write x[mask] = values"),
    (lambda x: np.putmask(x, [True, False], 1.0), "where(mask, values, x)"),
    (lambda x: np.put(x, [0], 1.0), "reshape(-1)"),
    (lambda x: np.put_along_axis(x, np.array([0]), 1.0, 0), "minigrad.scatter(x, indices, values, axis=axis)"),
    (lambda x: np.fill_diagonal(mg.ones((2, 2)) * x, 0.0), "x[i, i] = values"),
    (lambda x: np.busday_count(x, x), "dates"),
    (lambda x: np.isnat(x), "dates"),
    (lambda x: np.packbits(x), "bits"),
    pytest.param(
        lambda x: np.strings.upper(x), "strings",
        marks=since_numpy("2.3.0", "numpy.strings asks the operands, and does not just convert them"),
    ),
    (lambda x: np.strings.find(x, x), "strings"),
    (lambda x: np.lib.recfunctions.drop_fields(x, "a"), "a Tensor for each field"),
    (lambda x: np.frompyfunc(lambda v: v, 1, 1)(x), "@minigrad.primitive"),
])  # fmt: skip
def test_a_refusal_says_what_to_write(call, words):
    with pytest.raises(errors.UnsupportedError, match=re.escape(words)):
        call(leaf(1.0, 2.0))


def test_a_misspelled_function_of_a_namespace_is_explained_by_one_of_the_same_namespace():
    supported = ["numpy.matmul", "numpy.linalg.solve", "numpy.linalg.inv", "numpy.linalg.eigvals", "numpy.absolute"]
    assert "'eigvals'" in str(unsupported("numpy.linalg.eigvalss", supported))
    for name in ("numpy.linalg.absolut", "numpy.linalg.something", "numpy.unheard"):
        message = str(unsupported(name, supported))
        assert "nearest" not in message
        assert message.startswith(f"{name} has no derivative in minigrad; you can write it")


# The same calls in other words: by NumPy's names of arguments, and all by position


def bound(case):
    """The arguments of a case as NumPy names them; None if the case is not a plain call of the function."""
    function = case.row.numpy
    if case.row.reference is not function or isinstance(function, np.ufunc):
        return None
    try:
        return inspect.signature(function).bind(*tensors(case.operands), **case.params)
    except (TypeError, ValueError):  # an older NumPy does not tell it of functions in C
        return None


PLAIN_CALLS = [case for cases in CASES.values() for case in cases if bound(case) is not None]


def assert_same_call(case, *args, **kwargs):
    def parts(result):
        return [x for part in result for x in parts(part)] if isinstance(result, list | tuple) else [result]

    expected = parts(case.row.numpy(*tensors(case.operands), **case.params))
    for actual, desired in zip(parts(case.row.numpy(*args, **kwargs)), expected, strict=True):
        assert type(actual) is mg.Tensor
        assert actual.requires_grad == desired.requires_grad
        np.testing.assert_array_equal(actual.detach().numpy(), desired.detach().numpy(), strict=True)


def test_there_are_plain_calls():
    assert len({case.row.numpy for case in PLAIN_CALLS}) > 150


@each("case", PLAIN_CALLS, row=lambda case: full_name(case.row.numpy))
def test_numpys_names_of_arguments(case):
    call = bound(case)
    args, kwargs = [], {}
    for name, value in call.arguments.items():
        kind = call.signature.parameters[name].kind
        if kind is inspect.Parameter.VAR_POSITIONAL:
            args.extend(value)
        elif kind is inspect.Parameter.POSITIONAL_ONLY:
            args.append(value)
        elif kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(value)
        else:
            kwargs[name] = value
    try:
        case.row.numpy(*(x.data if isinstance(x, mg.Tensor) else x for x in args), **values_of(kwargs))
    except TypeError:
        return  # NumPy does not take them by name itself
    assert_same_call(case, *args, **kwargs)


@each("case", PLAIN_CALLS, row=lambda case: full_name(case.row.numpy))
def test_arguments_by_position_with_numpys_defaults(case):
    call = bound(case)
    if not any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in call.signature.parameters.values()):
        call.apply_defaults()
        assert_same_call(case, *call.args, **call.kwargs)


# Arguments that change nothing, in all the words that NumPy has for that

IN_OTHER_WORDS = {
    "out": [None], "where": [True, np._NoValue, np.True_, np.array(True)], "dtype": [None], "like": [None],
    "casting": ["same_kind"], "subok": [True], "device": [None, "cpu"], "order": ["C", None], "copy": [None],
    "keepdims": [False, np._NoValue], "initial": [np._NoValue], "mode": ["raise", None], "kind": [None],
    "stable": [None], "signature": [None], "correction": [np._NoValue], "mean": [np._NoValue],
    "prepend": [np._NoValue], "append": [np._NoValue], "weights": [None], "sorter": [None], "optimize": [None, False],
}  # fmt: skip
WITHOUT_OPTIONS = [
    case
    for function, cases in CASES.items()
    for case in [case for case in cases if case.row.reference is function and not case.params][:1]
]


@each("case", WITHOUT_OPTIONS, row=lambda case: full_name(case.row.numpy))
def test_arguments_that_change_nothing_may_be_given(case):
    for name, values in IN_OTHER_WORDS.items():
        for value in values:
            try:
                case.row.numpy(*case.operands, **{name: value})
            except (TypeError, ValueError, UserWarning):
                continue  # NumPy does not have the argument here, or does not take the value
            assert_same_call(case, *tensors(case.operands), **{name: value})


# A Tensor for one argument only, the others plain


def places(value, path=()):
    """Where in nested arguments there are numbers or arrays of numbers."""
    if isinstance(value, bool | int | float | complex | np.ndarray | np.generic) and not isinstance(value, str):
        yield path
    elif type(value) in (list, tuple, dict):
        for key, part in value.items() if type(value) is dict else enumerate(value):
            yield from places(part, (*path, key))


def replaced(value, path, made):
    if not path:
        return made(value)
    if type(value) is dict:
        return value | {path[0]: replaced(value[path[0]], path[1:], made)}
    return type(value)(replaced(part, path[1:], made) if i == path[0] else part for i, part in enumerate(value))


def numbers_in(result):
    parts = [x for part in result for x in numbers_in(part)] if isinstance(result, list | tuple) else [result]
    return [x.detach().numpy() if isinstance(x, mg.Tensor) else x for x in parts]


# Python's conversions by which NumPy reads a single number raise its own error, with ours as the cause.
READ_BY_NUMPY = "setting an array element with a sequence"


@pytest.mark.parametrize("function", CASES, ids=full_name)
def test_a_tensor_for_any_one_argument_gives_the_value_or_an_error_of_ours(function):
    for case in CASES[function]:
        given = (case.operands, case.params)
        for path in places(given):
            for grad in (False, True):
                args, kwargs = replaced(given, path, lambda x: mg.tensor(x, requires_grad=grad and is_float(x)))  # noqa: B023
                try:
                    result = case.row.reference(*args, **kwargs)
                except errors.MinigradError:
                    continue
                except (ValueError, TypeError, IndexError) as error:
                    if isinstance(error.__cause__, errors.CutError) and READ_BY_NUMPY in str(error):
                        continue
                    if path[0] == 1 or not isinstance(case.operands[path[1]], np.ndarray):
                        continue  # no argument that NumPy takes as an array
                    raise
                expected = numbers_in(case.row.reference(*case.operands, **case.params))
                for actual, desired in zip(numbers_in(result), expected, strict=True):
                    if isinstance(desired, np.ndarray | np.generic):
                        np.testing.assert_allclose(actual, desired, rtol=1e-12, atol=1e-12)


MASK = np.arange(5.0) > 2


@pytest.mark.parametrize("mask", [mg.tensor(MASK), mg.tensor(np.arange(5.0), requires_grad=True) > 2])
def test_masks_that_are_tensors(mask):
    x = np.arange(5.0)
    assert np.sum(x, where=mask) == 7
    for function in (np.sum, np.prod, np.mean, np.var, np.std, np.any, np.all, np.nansum, np.nanprod):
        assert function(x, where=mask) == pytest.approx(function(x, where=MASK))
    for function in (np.max, np.min, np.nanmax, np.nanmin):
        assert function(x, where=mask, initial=3.5) == function(x, where=MASK, initial=3.5)
    for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.subtract, np.logaddexp, np.hypot, np.logical_or):
        result = ufunc.reduce(x, where=mask, initial=0.5)
        assert (type(result), result) == (mg.Tensor, pytest.approx(ufunc.reduce(x, where=MASK, initial=0.5)))
    t = mg.tensor(x, requires_grad=True)
    np.sum(t * t, where=mask).backward()
    np.testing.assert_array_equal(t.grad.numpy(), [0, 0, 0, 6, 8])


@pytest.mark.parametrize("call", [np.sum, np.prod, np.mean, np.var, np.std, np.add.reduce, np.subtract.reduce])
def test_masks_are_bools(call):
    with pytest.raises(TypeError, match="bool"):
        call(np.arange(3.0), where=np.array([1, 0, 1]), **({"initial": 0.0} if call is np.subtract.reduce else {}))
    with pytest.raises(errors.DTypeError, match=r"where takes bools.*int64 \(3,\): write a comparison"):
        call(leaf(1.0, 2.0, 3.0), where=np.array([1, 0, 1]), **({"initial": 0.0} if call is np.subtract.reduce else {}))


@each(("call", "words"), [
    (lambda c: np.add(np.ones(2), 1.0, out=c), "out"), (lambda c: np.add(np.ones(2), 1.0, where=c > 0), "where"),
    (lambda c: np.sum(np.ones((2, 2)), axis=0, out=c), "out"), (lambda c: np.mean(np.ones((2, 2)), 0, out=c), "out"),
    (lambda c: np.add.accumulate(np.ones(2), out=c), "out"), (lambda c: np.add.at(np.ones(2), [0], c[0]), "write"),
    (lambda c: np.add.at(np.ones(2), c.astype(int), 1.0), "write"),
    (lambda c: np.clip(np.ones(2), 0, 1, out=c), "clip has no" if numpy_before("2.1.0") else "out"),
    (lambda c: np.concatenate([np.ones(1), np.ones(1)], out=c), "out"), (lambda c: np.cumsum(np.ones(2), out=c), "out"),
    (lambda c: np.take(np.ones(2), [0, 1], out=c), "out"), (lambda c: np.exp(np.ones(2), out=(c,)), "out"),
])  # fmt: skip
def test_a_tensor_is_not_written_to_by_functions_of_arrays(call, words):
    constant = mg.tensor([0.0, 1.0])
    with pytest.raises(errors.UnsupportedError, match=words):
        call(constant)
    np.testing.assert_array_equal(constant.numpy(), [0.0, 1.0])


@each(("call", "words"), [
    (lambda x: np.sum(x, out=np.zeros(())), "numpy.sum .* out.* y = f"),
    (lambda x: np.sum(x, 0, None, np.zeros(())), "numpy.sum .* out"),
    (lambda x: np.median(x, out=np.zeros(())), "numpy.median .* out"),
    (lambda x: np.concatenate([x, x], out=np.zeros(4)), "numpy.concatenate .* out"),
    (lambda x: np.reshape(x, (2, 1), order="A"), "numpy.reshape .* order"),
    (lambda x: np.ravel(x, order="K"), "numpy.reshape .* order"),
    pytest.param(
        lambda x: np.reshape(x, (2, 1), "F", copy=False), "numpy.reshape .* order",
        marks=since_numpy("2.1.0", "reshape has the argument copy"),
    ),
    (lambda x: np.linalg.multi_dot([x, x], out=np.zeros(())), "numpy.linalg.multi_dot .* out"),
])  # fmt: skip
def test_arguments_without_a_meaning_are_refused(call, words):
    with pytest.raises(errors.UnsupportedError, match=words):
        call(leaf(1.0, 2.0))


def test_both_names_of_a_shape():
    x = leaf(1.0, 2.0)
    for name in inspect.signature(np.reshape).parameters.keys() & {"shape", "newshape"}:
        for order in "CF":
            assert np.reshape(x, **{name: (2, 1), "order": order}).tolist() == [[1.0], [2.0]]


def test_a_mistake_inside_a_call_is_not_taken_for_an_unknown_argument():
    def wrong(v):
        return v.nonsense(1)

    with pytest.raises(AttributeError, match="nonsense"):
        np.apply_along_axis(wrong, 0, leaf(1.0, 2.0))
    with pytest.raises(TypeError, match="lambda"):
        np.apply_along_axis(lambda: 0, 0, leaf(1.0, 2.0))
    with pytest.raises(TypeError):
        np.sum(leaf(1.0, 2.0), axis="no axis")


# Ufuncs

NUMERIC = [ufunc for ufunc in UFUNCS if stand_in_for(ufunc) is not None]


def operands_of(ufunc):
    case = next(c for c in CASES[ufunc] if sum(isinstance(x, np.ndarray) for x in c.operands) == ufunc.nin)
    return tensors(case.operands)


@pytest.mark.parametrize("ufunc", NUMERIC, ids=full_name)
@each("argument", [
    {"out": np.zeros((2, 3))}, {"where": np.array([True, False, True])}, {"order": "F"}, {"subok": False},
    {"signature": "dd->d"}, {"axes": [(0,), (0,), ()]},
])  # fmt: skip
def test_keyword_arguments_of_ufuncs_that_are_refused(ufunc, argument):
    name = next(iter(argument))
    if name == "axes" and ufunc.signature is None:
        return  # NumPy refuses it itself
    if name in ("signature", "out", "where") and (ufunc.nout > 1 or ufunc.signature is not None):
        return
    with pytest.raises(errors.UnsupportedError, match=f"{full_name(ufunc)} of a Tensor.*{name}"):
        ufunc(*operands_of(ufunc), **argument)


# Some loops of NumPy 2.4 do not notice that they reduce: np.power.reduce([2.0, 3.0, 2.0]) is 4.
WRONG_IN_NUMPY = {"numpy.power", "numpy.arctan2"}


@pytest.mark.parametrize("ufunc", NUMERIC, ids=full_name)
def test_methods_of_ufuncs_have_no_third_outcome(ufunc):
    array = np.array([[3.0, 1.0], [2.0, 5.0]] if "d" in "".join(ufunc.types) else [[3, 1], [2, 5]])
    for method, arguments in {
        "reduce": [], "accumulate": [], "reduceat": [[0, 1]], "outer": [[1, 2]], "at": [[0], 1][: ufunc.nin],
    }.items():  # fmt: skip
        call = getattr(ufunc, method)
        try:
            with np.errstate(all="ignore"):
                expected = call(array.copy(), *arguments)
        except (TypeError, ValueError, RuntimeError):
            continue  # a method that the ufunc does not have
        x = mg.tensor(array, requires_grad=array.dtype.kind == "f")
        if method == "at":
            with pytest.raises(errors.UnsupportedError, match="write"):
                call(x, *arguments)
            continue
        with np.errstate(all="ignore"):
            result = call(x, *arguments)
        assert not arrays_in(result)
        if full_name(ufunc) not in WRONG_IN_NUMPY or method != "reduce":
            for y, z in zip(*((r if isinstance(r, tuple) else (r,)) for r in (result, expected)), strict=True):
                np.testing.assert_allclose(y.detach().numpy(), z, rtol=1e-14, strict=True)


@each(("call", "words"), [
    (lambda x: np.add.at(x, [0], 1.0), r"x\[i\] \+= v.*bincount"),
    (lambda x: np.subtract.at(x, [0], 1.0), r"x\[i\] -= v"),
    (lambda x: np.maximum.at(x, [0], 1.0), r"x\[i\] = numpy.maximum\(x\[i\], v\)"),
    (lambda x: np.negative.at(x, [0]), r"x\[i\] = numpy.negative\(x\[i\]\)$"),
    (lambda x: np.add.at(np.ones(2), [0, 1], x), r"x\[i\] \+= v"),
    (lambda x: np.add.reduce(x, out=np.zeros(())), "numpy.add.reduce .* out"),
    (lambda x: np.add.accumulate(x, out=np.zeros(2)), "numpy.add.accumulate .* out"),
    (lambda x: np.add.outer(x, x, where=False), "numpy.add.outer .* where"),
    (lambda x: np.matmul(x, x, axes=[0, 0, ()]), "numpy.matmul .* axes.*moveaxis"),
])  # fmt: skip
def test_methods_that_write_are_refused(call, words):
    with pytest.raises(errors.UnsupportedError, match=words):
        call(leaf(1.0, 2.0))


def test_the_dtype_of_a_call_is_numpys_or_refused():
    x, n = leaf(1.0, 2.0), mg.tensor([1, 2])
    for call in (
        lambda a, b: np.exp(a, dtype=np.float32), lambda a, b: np.add(a, b, dtype=np.float32),
        lambda a, b: np.add(b, 1, dtype=np.float64), lambda a, b: np.less(a, b, dtype=bool),
        lambda a, b: np.multiply(b, 2, dtype=np.complex64), lambda a, b: np.add.outer(b, b, dtype=np.float32),
        lambda a, b: np.add(a, b, casting="safe"), lambda a, b: np.sqrt(b, casting="safe"),
        lambda a, b: np.divmod(a, b, dtype=np.float32)[1], lambda a, b: np.add.reduce(b, dtype=np.int8),
    ):  # fmt: skip
        expected = call(x.data, n.data)
        np.testing.assert_array_equal(call(x, n).detach().numpy(), expected, strict=True)
    for call in (
        lambda: np.exp(x, dtype=int), lambda: np.add(x, n, dtype=int), lambda: np.add(x, n, casting="no"),
        lambda: np.add(x, 1j, dtype=float, casting="same_kind"),
    ):  # fmt: skip
        with pytest.raises(errors.DTypeError, match="numpy"):
            call()


def test_reductions_without_a_result():
    x = mg.tensor(np.zeros((2, 0)), requires_grad=True)
    for call, words in (
        (lambda: np.subtract.reduce(x, axis=1), "no identity"),
        (lambda: np.subtract.reduce(leaf([1.0, 2.0]), axis=None), "not reorderable"),
        (lambda: np.maximum.reduce(leaf(1.0, 2.0), where=[True, False]), "initial"),
        (lambda: np.fmax.reduce(leaf(1.0, 2.0), where=np.array([True, False])), "initial"),
        (lambda: np.add.reduce(leaf(1.0), axis=1), "axis 1"),
        (lambda: np.add.reduceat(leaf(1.0, 2.0), [0, 2]), "length 2"),
    ):
        with pytest.raises(errors.MinigradError, match=words):
            call()


# SciPy's ufuncs, and other functions that are known by their names


def test_ufuncs_of_other_libraries_are_known_by_name(monkeypatch):
    with pytest.raises(errors.UnsupportedError, match="agm"):
        scipy.special.agm(leaf(1.0), 2.0)
    monkeypatch.setitem(by_name, "scipy.special.agm", lambda a, b: mg.sqrt(a * b))
    assert type(scipy.special.agm(leaf(1.0), 2.0)) is mg.Tensor
    namesake = np.frompyfunc(lambda a, b: a, 2, 1)
    assert full_name(namesake) == namesake.__name__
    with pytest.raises(errors.UnsupportedError, match=re.escape(namesake.__name__)):
        namesake(leaf(1.0), 2.0)


def test_known_names_are_those_of_functions():
    for name in by_name:
        module, _, last = name.rpartition(".")
        __import__(module)
        if hasattr(sys.modules[module], last):  # in this NumPy
            assert stand_in_for(getattr(sys.modules[module], last)) is by_name[name]


def test_all_names_are_registered_by_importing_minigrad_and_no_module_is_imported_for_its_names():
    code = (
        "import sys, numpy, pkgutil, importlib; before = set(sys.modules)\n"
        "import minigrad.core; print(*set(sys.modules) - before)\n"
        "known = dict(minigrad.core.numpy_functions)\n"
        "names = [module.name for module in pkgutil.walk_packages(minigrad.__path__, 'minigrad.')]\n"
        "for part in ('nn', 'ops', 'optim', 'program', 'graph', 'io', 'data'):\n"
        "    for name in names:\n"
        "        if name.startswith(f'minigrad.{part}'): importlib.import_module(name)\n"
        "assert minigrad.core.numpy_functions == known"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in loaded if name.startswith(("numpy.fft", "numpy.random", "numpy.polynomial", "scipy"))]


# New arrays like a Tensor


@each("call", [
    lambda **like: np.zeros(3, **like), lambda **like: np.ones((2, 1), np.float32, **like),
    lambda **like: np.full(2, 7, **like), lambda **like: np.eye(2, 3, 1, **like), lambda **like: np.identity(2, **like),
    lambda **like: np.tri(2, **like), lambda **like: np.arange(1, 4, **like), lambda **like: np.array([1, 2], **like),
    lambda **like: np.array(5.0, float, ndmin=2, **like), lambda **like: np.asarray([1.5], np.float32, **like),
    lambda **like: np.asanyarray([1], **like), lambda **like: np.ascontiguousarray([1], **like),
    lambda **like: np.asfortranarray([[1]], **like), lambda **like: np.require([1], **like),
    lambda **like: np.fromfunction(lambda i, j: i + j, (2, 2), **like), lambda **like: np.fromiter([1, 2], int, **like),
    lambda **like: np.fromstring("1 2", sep=" ", **like), lambda **like: np.frombuffer(b"12345678", np.int64, **like),
])  # fmt: skip
def test_like_a_tensor_is_a_tensor(call):
    made = call(like=leaf(1.0))
    assert type(made) is mg.Tensor
    np.testing.assert_array_equal(made.numpy(), call(), strict=True)


def test_empty_like_a_tensor_is_a_tensor():
    assert np.empty((2, 3), like=leaf(1.0)).shape == (2, 3)
    assert np.empty_like(leaf(1.0), shape=(2, 3)).shape == (2, 3)
    assert np.zeros_like(leaf(1.0), np.float32, shape=2).dtype == np.float32
    assert np.full_like(leaf(1.0), 3, shape=(2,)).tolist() == [3.0, 3.0]


def test_lists_of_tensors_become_tensors():
    x, y = leaf(1.0, 2.0), leaf(3.0)
    made = np.array([[x[0], 2.0], [y[0], x[1]]], like=x)
    (made * np.array([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert made.tolist() == [[1.0, 2.0], [3.0, 2.0]]
    assert (x.grad.tolist(), y.grad.tolist()) == ([1.0, 4.0], [3.0])
    assert np.asarray(x, like=x) is x
    full = np.full((2, 2), x[1], like=x)
    full.sum().backward()
    assert x.grad.tolist() == [1.0, 8.0]
    with pytest.raises(errors.CutError):
        np.arange(x[1], like=x)
    with pytest.raises(errors.CutError, match="stack"):
        np.array([x, x])


def test_values_go_to_files_and_come_back(tmp_path):
    x = leaf(1.5, 2.5)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x, b=x)
    np.savez_compressed(tmp_path / "y.npz", a=x)
    np.savetxt(tmp_path / "x.txt", x)
    assert np.load(tmp_path / "x.npy").tolist() == [1.5, 2.5]
    with np.load(tmp_path / "x.npz") as first, np.load(tmp_path / "y.npz") as second:
        assert first["b"].tolist() == first["arr_0"].tolist() == second["a"].tolist() == [1.5, 2.5]
    for load in (np.loadtxt, np.genfromtxt):
        assert load(tmp_path / "x.txt", like=x).tolist() == [1.5, 2.5]
    np.array([1.0, 2.0]).tofile(tmp_path / "raw")
    assert np.fromfile(tmp_path / "raw", like=x).tolist() == [1.0, 2.0]


# Kinks and misuse


@pytest.mark.parametrize(("call", "x", "expected"), [
    (np.unique, [2.0, 1.0, 2.0, 1.0], [1, 1, 0, 0]),
    (lambda x: np.unique(x, axis=0), [[1.0, 2.0], [1.0, 2.0]], [[1, 1], [0, 0]]),
    (lambda x: np.union1d(x, x), [2.0, 1.0], [1, 1]),
    (lambda x: np.intersect1d(x, [1.0, 5.0]), [5.0, 6.0, 5.0], [1, 0, 0]),
    (lambda x: np.setdiff1d(x, [1.0]), [2.0, 1.0, 2.0], [1, 0, 0]),
    (lambda x: np.setxor1d(x, [1.0]), [2.0, 1.0, 2.0], [1, 0, 0]),
    (np.trim_zeros, [0.0, 1.0, 0.0, 2.0, 0.0], [0, 1, 1, 1, 0]),
    (np.maximum.accumulate, [1.0, 3.0, 3.0, 2.0], [1, 1, 2, 0]),
    (np.maximum.accumulate, [1.0, np.nan, 3.0], [1, 2, 0]),
    (np.minimum.accumulate, [3.0, 3.0, 1.0], [1, 1, 1]),
    (lambda x: np.max(x, initial=2.0), [2.0, 1.0], [0.5, 0]),
    (lambda x: np.max(x, initial=9.0), [2.0, 1.0], [0, 0]),
    (np.logaddexp.accumulate, [-np.inf, -np.inf, 0.0], [0, 0, 1]),
    (np.logaddexp.accumulate, [-800.0, 800.0], [1, 1]),
    (np.multiply.reduce, [2.0, 0.0, 3.0], [0, 6, 0]),
    (lambda x: np.sum(x, where=[True, False]), [1.0, np.nan], [1, 0]),
    (lambda x: np.mean(x, where=[True, False]), [1.0, np.inf], [1, 0]),
    (lambda x: np.prod(x, where=[True, True, False]), [0.0, 3.0, np.nan], [3, 0, 0]),
    (np.emath.arccos, [0.0, 2.0], [-1, 0]),
])  # fmt: skip
def test_kinks(call, x, expected):
    x = mg.tensor(x, requires_grad=True)
    y = call(x)
    (y if y.dtype.kind == "f" else np.real(y)).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), expected, atol=1e-15)


@each(("call", "words"), [
    (lambda x: np.block([[x], x]), "different depths"), (lambda x: np.block([[], [x]]), "empty"),
    (lambda x: np.block([x, (x, x)]), "tuple"), (lambda x: np.hstack([x, mg.ones((2, 2))]), "concat"),
    (lambda x: np.array_split(x, 0), "0 parts"), (lambda x: np.hsplit(x[0], 1), "no axis"),
    (lambda x: np.vsplit(x, 1), "no axis 1"), (lambda x: np.dsplit(x, 1), "no axis 2"),
    (lambda x: np.rot90(mg.ones((2, 2)), axes=(0,)), "two axes"), (lambda x: np.rot90(x, axes=(0, 1)), "axis 1"),
    (lambda x: np.fliplr(x), r"\(2,\)"), (lambda x: np.flipud(x[0]), "no"), (lambda x: np.diag(x[0]), r"\(\)"),
    (lambda x: np.concatenate([x, x], dtype=int), "int64"), (lambda x: np.take(x, [0], mode="bogus"), "bogus"),
    (lambda x: np.clip(x, a_min=0.0, a_max=1.0, min=0.0), "a_min"),
    (lambda x: np.insert(x, 9, 1.0), "insert"), (lambda x: np.delete(x, 9), "delete"),
    (lambda x: np.ix_(mg.ones((2, 2)), x), r"\(2, 2\)"), (lambda x: np.geomspace(x * 0, 1.0), "0"),
    (lambda x: np.linspace(x, 1.0, -1), "negative"),
    (lambda x: np.apply_along_axis(np.sum, 1, mg.ones((0, 2))), r"\(0, 2\)"),
    (lambda x: np.apply_over_axes(lambda a, axis: a.sum(), mg.ones((2, 3, 2)), 0), "axes"),
    (lambda x: np.piecewise(x, [x > 1, x < 1, x == 1], [1.0]), "3 conditions"),
    (lambda x: np.lib.stride_tricks.sliding_window_view(x, 3), "length 3"),
    (lambda x: np.lib.stride_tricks.sliding_window_view(x, (1, 2)), "axes"),
    (lambda x: np.partition(x, 5), "partition"), (lambda x: np.rollaxis(x, 3), "axis 3"),
])  # fmt: skip
def test_mistakes_are_explained(call, words):
    with pytest.raises(errors.MinigradError, match=words):
        call(leaf(1.0, 2.0))


def test_widths_of_padding_by_axis():
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    padded = np.pad(x, {0: 1, -1: (0, 2)}, mode="linear_ramp", end_values=5)
    np.testing.assert_array_equal(
        padded.detach().numpy(), np.pad(x.data, [(1, 1), (0, 2)], "linear_ramp", end_values=5)
    )


@each(("kwargs", "words"), [
    ({"mode": "bogus"}, "linear_ramp"), ({"mode": "edge", "constant_values": 1}, "constant_values"),
    ({"mode": lambda *args: None}, "concat"), ({"pad_width": -1}, "-1"), ({"pad_width": 1.5}, "1.5"),
    ({"x": mg.zeros((0, 2)), "mode": "mean"}, r"\(0, 2\)"), ({"mode": "maximum", "stat_length": 0}, "max"),
])  # fmt: skip
def test_padding_that_makes_no_sense(kwargs, words):
    arguments = {"x": leaf(1.0, 2.0), "pad_width": 1, **kwargs}
    with pytest.raises(errors.MinigradError, match=words):
        np.pad(arguments.pop("x"), **arguments)


def test_a_vectorized_python_function_cannot_be_differentiated_and_says_so():
    with pytest.raises(errors.CutError, match="cut the graph"):
        np.vectorize(lambda v: v + 1.0)(leaf(1.0, 2.0))
    with pytest.raises(errors.CutError, match="cut the graph"):
        np.broadcast(leaf(1.0, 2.0), 1.0)


def test_indices_of_tensors_select_elements():
    x = mg.tensor(np.arange(9.0).reshape(3, 3), requires_grad=True)
    for index in (np.tril_indices_from(x), np.diag_indices_from(x), np.nonzero(x > 4), np.ix_([0, 2], mg.tensor([1]))):
        y = x[index]
        assert y.requires_grad
        np.testing.assert_array_equal(y.detach().numpy(), x.data[tuple(np.asarray(i) for i in index)])
        np.testing.assert_array_equal(x.data[index], y.detach().numpy())


# What was true before there were so many


def test_numpy_functions_of_tensors_are_operations():
    x = leaf(1.0, 2.0)
    for y in (np.exp(x), np.add(x, 1), np.add(1, x), np.sum(x, axis=0, keepdims=True), np.concatenate([x, np.ones(2)]),
              np.mean(x), np.clip(x, 0, 1), np.where(x > 1, x, 0), np.einsum("i,i", x, x), np.stack([x, x], axis=1),
              np.matmul(np.eye(2), x), np.transpose(x), np.var(x, ddof=1)):  # fmt: skip
        assert type(y) is mg.Tensor
        assert y.requires_grad
    np.sum(np.exp(x) * np.float64(2)).backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp([1.0, 2.0]))


def test_functions_that_describe_arrays_see_the_value():
    x = leaf(1.0, 2.0)
    described = np.shape(x), np.ndim(x), np.size(x), np.size(x, 0), np.allclose(x, [1.0, 2.0]), np.array_equal(x, x)
    assert described == ((2,), 1, 2, 2, True, True)
    assert np.zeros_like(x).tolist() == [0.0, 0.0]
    assert not np.ones_like(x).requires_grad


@each("call", [
    lambda x, out: np.exp(x, out=out), lambda x, out: np.add(x, 1, out), lambda x, out: np.exp(out, where=x > 1),
    lambda x, out: np.sum(x, out=out[0]), lambda x, out: np.exp(x, where=x > 1), lambda x, out: np.mean(x, out=out[0]),
    lambda x, out: np.concatenate([x, x], out=out), lambda x, out: operator.iadd(out, x),
    lambda x, out: operator.imatmul(out, mg.tensor(np.eye(2), requires_grad=True)),
])  # fmt: skip
def test_results_are_never_written_into_an_array(call):
    out = np.full(2, 7.0)
    with pytest.raises(errors.UnsupportedError, match=r"numpy\.(\w+).*(out|where)"):
        call(leaf(1.0, 2.0), out)
    assert out.tolist() == [7.0, 7.0]


@each("call", [
    lambda x: np.sum(x, 0, None), lambda x: np.sum(x, initial=1.0), lambda x: np.exp(x, dtype=np.float32),
    lambda x: np.max(x, initial=1.0), lambda x: np.mean(x, 0, np.float32), lambda x: np.reshape(x, (2, 1), order="F"),
    lambda x: np.sum(x, 0, np.float32, None, True), lambda x: np.ravel(x, "F"),
    lambda x: np.var(x, 0, np.float32, None, 1), lambda x: np.sum(x > 1, initial=2),
    lambda x: np.sum(x.astype(int), initial=1.5), lambda x: np.prod(x, None, np.float32),
    lambda x: np.cumsum(x, None, np.float32), lambda x: np.any(x, 0, None, True), lambda x: np.diff(x, 1),
    lambda x: np.argmax(x, 0, None), lambda x: np.sort(x, 0, "stable"), lambda x: np.argsort(x, 0, "quicksort", None),
])  # fmt: skip
def test_arguments_of_numpy_have_their_meaning(call):
    y, expected = call(leaf(1.0, 2.0)), call(np.array([1.0, 2.0]))
    np.testing.assert_array_equal(y.detach().numpy(), expected, strict=True)
