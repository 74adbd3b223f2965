"""Names of PyTorch, JAX and autograd that the package does not have say what to write, and that can be run."""

from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.core import numpy_functions
from minigrad.errors import module_names
from tests.rows import each

# The names that programs use most, by module.
LISTS = (Path(__file__).parent / "references" / "names_of_others.txt").read_text(encoding="utf-8").splitlines()
NAMES = sorted({name for line in LISTS for name in line.partition(": ")[2].split()})


@each("name", NAMES)
def test_a_name_of_another_library_is_there_or_says_what_to_write(name):
    if hasattr(mg, name):
        return
    with pytest.raises(AttributeError, match=f"no attribute {name!r}: ") as caught:
        getattr(mg, name)
    assert "Did you mean" not in str(caught.value)


def test_there_are_so_many():
    assert len(NAMES) >= 300


@pytest.mark.parametrize("name", module_names._INSTEAD)
def test_what_is_to_be_written_can_be_run(name):
    assert not hasattr(mg, name)
    given = {"x": mg.ones((2, 3)), "y": mg.ones((2, 3)), "z": mg.ones((3, 2)), "a": 2 * mg.eye(2), "v": mg.ones(3)}
    given |= {"minigrad": mg, "np": np, "array": np.ones(2), "f": lambda x: mg.sum(x**2)}
    for code in module_names._INSTEAD[name].split(", or "):
        eval(code, given)


@pytest.mark.parametrize("name", module_names._OF_NUMPY.split())
def test_numpys_functions_are_there(name):
    assert not hasattr(mg, name)
    assert isinstance(getattr(np, name), np.ufunc) or getattr(np, name) in numpy_functions


def test_other_names_are_answered_by_python():
    with pytest.raises(AttributeError, match=r"has no attribute 'nonsense'$"):
        mg.nonsense  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute 'cat'$"):
        mg.optim.cat  # noqa: B018
