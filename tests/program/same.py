"""Whether numbers are the same to the last bit, and whether a printed program gives the same."""

import numpy as np

import minigrad as mg


def values(tree):
    """The arrays and numbers in a tree of Tensors, arrays and numbers."""
    leaves = mg.tree.flatten(tree)[0]
    return [np.asarray(x.detach().numpy() if isinstance(x, mg.Tensor) else x) for x in leaves]


def assert_same_bits(found, expected):
    """Trees of one form, with the same dtypes, shapes and bits; of NaN there are many, which say nothing."""
    found, expected = values(found), values(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert _bits(a) == _bits(b), f"they differ by up to {np.max(np.abs(a - b))}"


def _bits(x):
    """The bytes of an array, with one NaN for all of them, also in the parts of complex numbers."""
    if x.dtype.kind == "c":
        x = np.stack([x.real, x.imag])
    return (np.where(np.isnan(x), np.nan, x).astype(x.dtype) if x.dtype.kind == "f" else x).tobytes()


def other_numbers(x, how):
    """Other numbers of the same shape and dtype: "smaller" ones, the same ones "elsewhere", or just the same."""
    if how == "as they are":
        return x
    if how == "elsewhere":
        return np.roll(x.ravel(), 1).reshape(x.shape)
    return x * x.dtype.type(0.9375) if x.dtype.kind == "f" else x


def weights(x):
    """Numbers by which results are weighed, all different."""
    return np.cos(1 + np.arange(x.size)).reshape(x.shape).astype(x.dtype)


def function_in(program):
    """The function that the printed file defines."""
    text = str(program)
    assert "import minigrad" not in text
    assert "from minigrad" not in text
    space = {"__name__": "printed"}
    exec(compile(text, "printed", "exec"), space)
    (name,) = [name for name, thing in space.items() if callable(thing) and f"\ndef {name}(" in text][-1:]
    return space[name]


def assert_prints(program, *inputs):
    """Compare what the printed file computes with what the program does."""
    function = function_in(program)
    state = mg.random.get_state()
    values = program.values(*inputs)
    mg.random.set_state(state)
    given = [np.array(values[x])[()] if isinstance(values[x], np.ndarray) else values[x] for x in program.inputs]
    draws = "rng" in function.__code__.co_varnames[: function.__code__.co_argcount]
    results, changes = function(*given, **({"rng": mg.random.generator()} if draws else {}))
    assert_same_bits(list(results), [values[x] for x in program.outputs])
    assert [what for what, _ in changes] == [str(target) for target, _ in program.effects]
    expected = [None if x is None else values[x] for _, x in program.effects]
    assert_same_bits([new for _, new in changes], expected)
