"""The objectives: their minima, their domains, and that they work on whole grids."""

import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad import objectives

ALL = [f for f in vars(objectives).values() if isinstance(f, objectives.Objective)] + [
    objectives.bowl(1, 5),
    objectives.bowl(1, 3, center=(2, -1)),
    objectives.bowl(2),
]
WITH_MINIMUM = [pytest.param(f, point, id=f"{f.name}-{point}") for f in ALL for point in f.minimizers]
named = pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)


def as_point(f, coordinates):
    """Objectives of one variable take a number, except a bowl, which takes a vector of one."""
    scalar = len(f.domain) == 1 and not f.name.startswith("bowl")
    return np.array(coordinates[0] if scalar else coordinates)


@pytest.mark.parametrize(("f", "point"), WITH_MINIMUM)
def test_the_minimum_is_where_and_what_it_is_said_to_be(f, point):
    x = as_point(f, point)
    assert float(f(x)) == pytest.approx(f.minimum, abs=1e-12)
    assert np.abs(mg.grad(f)(x)).max() < 1e-12
    assert np.linalg.eigvalsh(np.atleast_2d(mg.hessian(f)(x))).min() > 0


@named
def test_nothing_in_the_domain_is_lower(f):
    axes = [np.linspace(*interval, 101) for interval in f.domain]
    mesh = np.stack(np.meshgrid(*axes))
    values = f(mesh[0] if as_point(f, [0.0] * len(axes)).ndim == 0 else mesh)
    assert values.shape == mesh.shape[1:]
    assert values.min() >= f.minimum - 1e-12


@named
def test_a_grid_and_its_points_give_the_same(f):
    axes = [np.linspace(low, high, 4) for low, high in f.domain]
    points = list(itertools.product(*axes))
    whole = f(as_point(f, np.array(points).T))
    assert whole == pytest.approx([float(f(as_point(f, point))) for point in points], rel=1e-13)


@named
def test_gradients_agree_with_finite_differences_twice(f):
    x = as_point(f, [0.3 * low + 0.7 * high + 0.01 for low, high in f.domain])
    assert mg.gradcheck(f, mg.tensor(x, requires_grad=True))
    assert mg.gradgradcheck(f, mg.tensor(x, requires_grad=True))


@named
def test_a_minimum_lies_in_the_domain_and_the_repr_says_it(f):
    for point in f.minimizers:
        assert all(low <= c <= high for c, (low, high) in zip(point, f.domain, strict=True))
    assert f.name in repr(f)
    assert ("without" in repr(f)) == (not f.minimizers)


@pytest.mark.parametrize("f", [objectives.rosenbrock, objectives.rastrigin, objectives.styblinski_tang])
@pytest.mark.parametrize("n", [2, 3, 7])
def test_some_have_any_number_of_dimensions(f, n):
    point = np.full(n, f.minimizers[0][0])
    assert float(f(point)) == pytest.approx(f.minimum * n / 2, abs=1e-11)
    assert np.abs(mg.grad(f)(point)).max() < 1e-11


def test_a_saddle_has_no_minimum():
    assert objectives.saddle.minimizers == ()
    assert objectives.saddle.minimum == -np.inf


@pytest.mark.parametrize("curvatures", [(), (0,), (1, -1), (np.inf,), (np.nan, 1)])
def test_a_bowl_has_curvatures_above_0(curvatures):
    with pytest.raises(ValueError, match="curvatures are numbers above 0"):
        objectives.bowl(*curvatures)


def test_a_bowl_and_its_center_have_the_same_number_of_coordinates():
    with pytest.raises(ValueError, match="a center of 1 coordinates does not fit 2 curvatures"):
        objectives.bowl(1, 2, center=[0])
