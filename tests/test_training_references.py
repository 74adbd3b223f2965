"""Optimizers, schedulers and averages of weights against PyTorch; references/make_training.py has kept its results."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from tests.references.training import CASES, OptimizerCase, SchedulerCase
from tests.rows import each, first_name

with np.load(Path(__file__).parent / "references" / "training.npz") as _archive:
    NAMES, _shapes = (json.loads(str(_archive[key])) for key in ("names", "shapes"))
    _parts = np.split(_archive["numbers"], np.cumsum([math.prod(shape) for shape in _shapes.values()])[:-1])
KEPT = {key: part.reshape(shape) for (key, shape), part in zip(_shapes.items(), _parts, strict=True)}
RESUMABLE = [name for name, case in CASES.items() if isinstance(case, (OptimizerCase, SchedulerCase))]


def close(name, results):
    for key, value in results.items():
        np.testing.assert_allclose(value, KEPT[f"{name}/{key}"], rtol=1e-9, atol=1e-12, err_msg=key)


@each("name", [name for name in CASES if name not in RESUMABLE], row=first_name)
def test_course(name):
    results = CASES[name].run(mg, mg.optim)
    close(name, {key: value for key, value in results.items() if key in ("path", "course")})


@pytest.mark.slow  # the default run compares the same courses, interrupted half-way
@each("name", RESUMABLE, row=first_name)
def test_uninterrupted_course(name):
    results = CASES[name].run(mg, mg.optim)
    close(name, {key: value for key, value in results.items() if key in ("path", "course")})


@each("name", RESUMABLE, row=first_name)
def test_saved_and_loaded_half_way(name):
    results = CASES[name].run(mg, mg.optim, resumed=True)
    assert results.pop("names", []) == NAMES.get(name, [])
    close(name, results)


def test_every_case_is_compared():
    assert {key.split("/")[0] for key in KEPT} == set(CASES)
    assert set(NAMES) == {name for name, case in CASES.items() if isinstance(case, OptimizerCase)}
