"""Every name of the standard is there, with its signature."""

import inspect
import subprocess
import sys

import pytest

import minigrad as xp
from tests.array_api import standard
from tests.array_api.standard import lines
from tests.rows import each

ONLY_NAMED, EITHER = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD


def complaints(asked, given):
    """What keeps a signature from being called in all the ways that another can be called."""
    ours = list(given.parameters.values())
    for place, parameter in enumerate(asked.parameters.values()):
        kind, name = parameter.kind, parameter.name
        if kind is ONLY_NAMED:
            found = given.parameters.get(name)
            fits = found is not None and found.kind in (ONLY_NAMED, EITHER)
        else:
            found = ours[place] if place < len(ours) else None
            fits = found is not None and (
                found.kind is kind or (found.kind is EITHER and kind is not found.VAR_POSITIONAL)
            )
            fits = fits and (kind is not EITHER or found.name == name)
        if not fits:
            yield f"{name} cannot be given"
        elif parameter.default is not parameter.empty and found.default != parameter.default:
            yield f"the default of {name} is {found.default}"
    if required(given) > required(asked):
        yield "more arguments are required"


def required(given):
    return sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in given.parameters.values())


def signature(line):
    name, _, parameters = line.partition("(")
    return name, inspect.signature(eval(f"lambda {parameters.removesuffix(')')}: None"))


ELEMENTWISE = [f"{name}(x, /)" for name in standard.UNARY] + [f"{name}(x1, x2, /)" for name in standard.BINARY]


@each("line", [*lines(standard.SIGNATURES), *ELEMENTWISE])
def test_function(line):
    name, asked = signature(line)
    assert name in xp.__all__
    assert list(complaints(asked, inspect.signature(getattr(xp, name)))) == []


OPERATORS = (
    [f"__{prefix}{name}__(self, other, /)" for name in [*standard.OPERATORS, "matmul"] for prefix in ("", "r", "i")]
    + [f"__{name}__(self, other, /)" for name in standard.COMPARISONS]
    + [f"__{name}__(self, /)" for name in standard.SIGNS]
)


@each("line", [*lines(standard.METHODS), *OPERATORS])
def test_method(line):
    name, asked = signature(line)
    assert list(complaints(asked, inspect.signature(getattr(xp.Tensor, name)))) == []


@pytest.mark.parametrize(
    "asked", ["f(x, /, axis)", "f(x, /, *, dim=0)", "f(x, /, shape, *, dim=None)", "f(*arrays)", "f()"]
)
def test_a_wrong_signature_is_found(asked):
    _, given = signature("f(x, /, dim=None)")
    assert list(complaints(signature(asked)[1], given))


@pytest.mark.parametrize("name", standard.ATTRIBUTES)
def test_attribute(name):
    assert hasattr(xp.ones((2, 2)), name)


def test_constants():
    assert (xp.e, xp.pi, xp.inf, xp.newaxis) == (2.718281828459045, 3.141592653589793, float("inf"), None)
    assert xp.nan != xp.nan
    assert all(type(x) is float for x in (xp.e, xp.pi, xp.inf, xp.nan))


def test_builtins_are_shadowed_in_the_public_face_only():
    code = "import minigrad, builtins, sys; print(*(m for m, x in sys.modules.items() if m.startswith('minigrad') " \
        "and vars(x).get('bool', bool) is not bool))"  # fmt: skip
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert sorted(found) == ["minigrad", "minigrad.dtypes"]


# Inspection


def test_the_version():
    assert xp.__array_api_version__ == "2024.12"
    x = xp.ones(1)
    for version in (None, "2021.12", "2022.12", "2023.12", "2024.12"):
        assert x.__array_namespace__(api_version=version) is xp
    with pytest.raises(ValueError, match=r"2010\.01"):
        x.__array_namespace__(api_version="2010.01")


def test_devices_and_capabilities():
    info = xp.__array_namespace_info__()
    assert info.devices() == ["cpu"] == [info.default_device()]
    assert info.capabilities() == {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}
    assert xp.ones((1,) * 64).ndim == 64
    with pytest.raises(ValueError, match="dimension"):
        xp.ones((1,) * 65)


def test_the_dtypes_of_each_kind():
    info = xp.__array_namespace_info__()
    assert info.dtypes() == info.dtypes(device="cpu") == {name: getattr(xp, name) for name in standard.ALL}
    for kind, names in standard.KINDS.items():
        assert list(info.dtypes(kind=kind)) == names
    assert list(info.dtypes(kind=("bool", "complex floating"))) == [*standard.BOOL, *standard.COMPLEX]
    assert info.dtypes(kind=()) == {}
    for bad in (lambda: info.dtypes(kind="number"), lambda: info.dtypes(device="gpu")):
        with pytest.raises(ValueError, match=r"number|gpu"):
            bad()


def test_default_dtypes_follow_what_is_set():
    info = xp.__array_namespace_info__()
    indices = {"integral": xp.int64, "indexing": xp.argmax(xp.ones(1)).dtype}
    assert info.default_dtypes() == {"real floating": xp.float64, "complex floating": xp.complex128, **indices}
    try:
        xp.set_default_dtype(xp.float32)
        assert info.default_dtypes(device="cpu") == {
            "real floating": xp.float32, "complex floating": xp.complex64, **indices,
        }  # fmt: skip
    finally:
        xp.set_default_dtype(xp.float64)
    with pytest.raises(ValueError, match="gpu"):
        info.default_dtypes(device="gpu")
