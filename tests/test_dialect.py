"""`minigrad.torch`: expressions of programs for PyTorch give what PyTorch has stored of them."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import torch
from minigrad.errors import MinigradError
from tests.references.dialect import EXPRESSIONS, FUNCTIONS, NAMES
from tests.references.dialect_programs import PROGRAMS

REFERENCE = json.loads((Path(__file__).parent / "references" / "dialect.json").read_text(encoding="utf-8"))
STORED = REFERENCE["values"]


def space():
    names = {"torch": torch, "F": torch.nn.functional}
    exec(NAMES + FUNCTIONS, names)
    return names


def agree(found, stored):
    if isinstance(stored, dict):
        assert isinstance(found, torch.Tensor), type(found)
        assert str(found.dtype) == stored["dtype"], found.dtype
        assert list(found.shape) == stored["shape"]
        numbers = [math.nan if v is None else v for v in stored["numbers"]]
        np.testing.assert_allclose(found.detach().numpy().reshape(-1), numbers, rtol=1e-5, atol=1e-6)
    elif isinstance(stored, list):
        assert len(found) == len(stored)
        for a, b in zip(found, stored, strict=True):
            agree(a, b)
    elif isinstance(stored, float):
        assert found == pytest.approx(stored, rel=1e-6)
    else:
        assert (str(found) if isinstance(stored, str) else found) == stored


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_gives_what_it_gives_in_pytorch(text):
    agree(eval(text, space()), STORED[text])


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_has_the_losses_that_it_has_in_pytorch(name):
    losses = PROGRAMS[name](torch, torch.nn, torch.nn.functional)
    np.testing.assert_allclose(losses, REFERENCE["losses"][name], rtol=1e-6, atol=1e-6)


def test_all_expressions_are_stored():
    assert set(EXPRESSIONS) == set(STORED)
    assert len(EXPRESSIONS) >= 150
    assert mg.get_default_dtype() == np.float64  # outside of the dialect
    assert issubclass(MinigradError, Exception)
