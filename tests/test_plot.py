"""Pictures: what is in their axes, bad input, numbers that break pictures, and that no text covers another."""

import base64
import io
import itertools
import math
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import curvature, nn, optim, plot
from minigrad.errors import ArgumentError, DTypeError, MissingPackageError, ShapeError
from minigrad.objectives import beale, bowl, parabola, rosenbrock, saddle, wavy_bowl, wavy_parabola
from minigrad.optim import minimize
from tests.rows import each

matplotlib = pytest.importorskip("matplotlib")
plt = pytest.importorskip("matplotlib.pyplot")
Image = pytest.importorskip("PIL.Image")  # which Matplotlib brings

ROUND = bowl(1, 3, center=(2, -1))


@pytest.fixture(autouse=True)
def _close_figures():
    before = dict(matplotlib.rcParams)
    yield
    plt.close("all")
    assert dict(matplotlib.rcParams) == before


@pytest.fixture(scope="module")
def descents():
    """Three runs on a bowl: one slow, one that oscillates, one that diverges to 2e29."""
    start = np.array([-0.5, 1.5])
    return {f"lr={lr}": minimize(ROUND, start, lr=lr, steps=50) for lr in (0.05, 0.3, 0.8)}


def contours_of(ax):
    return [c for c in ax.collections if hasattr(c, "levels")]


def names(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def draw(ax):
    ax.figure.canvas.draw()
    return ax


# Contours


def test_contours_paths_and_marks_of_a_run(descents):
    run = descents["lr=0.05"]
    ax = draw(plot.contour(ROUND, {"slow": run}, domain=((-1, 5), (-4, 2))))
    (lines,) = contours_of(ax)
    np.testing.assert_allclose(lines.levels, np.arange(0, 37, 2))
    path, start, minimum = ax.lines
    np.testing.assert_array_equal(path.get_xydata(), run.path)
    assert len(run.path) == 51
    np.testing.assert_array_equal(start.get_xydata(), [[-0.5, 1.5]])
    np.testing.assert_array_equal(minimum.get_xydata(), [[2, -1]])
    assert names(ax) == ["slow", "start", "minimum"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 5), (-4, 2))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_aspect()) == ("$w_1$", "$w_2$", "auto")


def test_a_path_that_diverges_is_whole_and_cut_off_at_the_frame(descents):
    ax = draw(plot.contour(ROUND, descents, domain=((-1, 5), (-4, 2))))
    wild = ax.lines[2]
    np.testing.assert_allclose(wild.get_xydata()[-1], [2, 2.438483602351807e29], rtol=1e-9)
    assert len(wild.get_xydata()) == 51
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 5), (-4, 2))
    assert names(ax)[:3] == ["lr=0.05", "lr=0.3", "lr=0.8 (diverged after 50)"]
    assert len(ax.lines) == 5  # one start for three paths from one point


@pytest.mark.parametrize(("end", "words"), [
    ([2.5, -1.0], "path"),
    ([2.0, 9e200], "path (diverges)"),
    ([np.nan, 0.0], "path (diverges)"),
    ([np.inf, 0.0], "path (diverges)"),
])  # fmt: skip
def test_a_legend_says_what_becomes_of_a_path(end, words):
    ax = draw(plot.contour(ROUND, np.array([[-0.5, 1.5], [0.0, 0.0], end]), domain=((-1, 5), (-4, 2))))
    assert names(ax)[0] == words
    assert len(ax.lines[0].get_xydata()) == 3


def test_a_path_that_ends_outside_but_lower_does_not_diverge():
    ax = plot.contour(ROUND, np.array([[9.0, 9.0], [3.0, -1.0]]), domain=((-1, 2), (-4, 2)))
    assert names(ax)[0] == "path (ends outside)"


@pytest.mark.parametrize("value", [1e29, 1e200, 1.7e308, np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("layout", ["constrained", None])
def test_enormous_points_change_neither_picture_nor_limits(value, layout):
    path = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, -value], [value, value], [0.5, value]])
    pictures = []
    for points in (path, path[:2]):
        figure, ax = plt.subplots(layout=layout)
        plot.contour(None, points, domain=((-1, 2), (-1, 2)), legend=False, ax=ax)
        figure.canvas.draw()
        assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 2), (-1, 2))
        pictures.append(np.asarray(figure.canvas.buffer_rgba()))
    # The part of the picture that the rest of the path cannot touch, left of x = 0, is the same.
    left = slice(0, pictures[0].shape[1] // 4)
    np.testing.assert_array_equal(pictures[0][:, left], pictures[1][:, left])


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_with_enormous_points_can_be_saved(suffix, tmp_path, descents):
    ax = plot.contour(ROUND, descents, domain=((-1, 5), (-4, 2)))
    ax.figure.savefig(tmp_path / f"picture{suffix}")
    assert (tmp_path / f"picture{suffix}").stat().st_size > 1000


@pytest.mark.parametrize("factor", [1e-300, 1e29, 1e200, 1e299])
def test_contours_of_functions_with_enormous_values(factor):
    ax = draw(plot.contour(lambda w: factor * (w[0] ** 2 + w[1] ** 2), domain=(-1, 1), points=50))
    assert len(contours_of(ax)[0].levels) > 10


def test_contours_leave_out_what_is_not_finite():
    def f(w):
        return np.where(w[0] > 0, np.log(np.abs(w[1])), 1 / (w[0] * 0))

    ax = draw(plot.contour(f, domain=(-1, 1), points=51, fill=True))
    with np.errstate(all="ignore"):
        assert contours_of(ax)[0].zmax <= 0
    with pytest.raises(ArgumentError, match="nowhere on the mesh finite"):
        plot.contour(lambda w: w[0] * np.nan, domain=(-1, 1))


def test_contours_leave_out_what_is_too_large_to_draw():
    ax = draw(plot.contour(lambda w: np.where(w[0] > 0, 1.7e308 * np.sign(w[1]), w[1]), domain=(-1, 1), fill=True))
    assert contours_of(ax)[0].zmax <= 1


def test_a_constant_function_has_no_contours():
    ax = draw(plot.contour(lambda w: 0 * w[0] + 3, domain=(-1, 1), fill=True))
    assert contours_of(ax) == []


def test_levels_as_a_list_as_a_number_and_filled():
    ax = plot.contour(wavy_bowl, levels=[5, 1, 2, 2])
    np.testing.assert_array_equal(contours_of(ax)[0].levels, [1, 2, 5])
    ax = plot.contour(wavy_bowl, levels=10, fill=30)
    filled, lines = contours_of(ax)
    assert filled.filled
    assert not lines.filled
    np.testing.assert_allclose(filled.levels, np.arange(-0.8, 22, 0.8), atol=1e-12)
    np.testing.assert_allclose(lines.levels, np.arange(-2, 23, 2), atol=1e-12)
    filled, lines = contours_of(plot.contour(wavy_bowl, levels=10, fill=[9, 3], xlim=np.array([-1, 1])))
    np.testing.assert_array_equal(filled.levels, [3, 9])
    filled, lines = contours_of(plot.contour(wavy_bowl, levels=10, fill=True))
    np.testing.assert_array_equal(filled.levels, lines.levels)


STEEP = {
    "beale": beale,
    "rosenbrock": rosenbrock,
    "a pole": lambda w: 1 / (w[0] - 0.5) ** 2 + w[1] ** 2,
    "poles of both signs": lambda w: 1 / (w[0] + w[1] + 0.0101),
}


@pytest.mark.parametrize("name", STEEP)
@pytest.mark.parametrize("fill", [False, True, 30])
def test_levels_of_a_steep_function_leave_nothing_empty(name, fill):
    path = np.array([[-1.0, 1.5], [-1.2, 1.45], [-1.4, 1.35]])
    domain = None if hasattr(STEEP[name], "domain") else (-2, 2)
    drawn = contours_of(plot.contour(STEEP[name], path, domain=domain, fill=fill))
    grid = [np.linspace(*side, 200) for side in (drawn[0].axes.get_xlim(), drawn[0].axes.get_ylim())]
    heights = STEEP[name](np.stack(np.meshgrid(*grid)))
    for contours in drawn:
        levels = contours.levels
        assert np.histogram(heights, [-np.inf, *levels, np.inf])[0].max() < 0.2 * heights.size
        if not contours.filled:
            assert [float(f"{level:.3g}") for level in levels] == pytest.approx(list(levels), rel=1e-12)
        else:
            assert heights.min() == pytest.approx(levels[0])
            assert heights.max() == pytest.approx(levels[-1])
    shades = drawn[0].norm(drawn[0].levels[: -1 if drawn[0].filled else None])  # colours go by rank
    assert np.diff(shades).max() <= np.diff(shades).min() + 1


def test_levels_of_other_functions_are_evenly_spaced():
    path = np.array([[1.0, 1.0], [0.5, 0.5]])
    for f in (ROUND, wavy_bowl, lambda w: np.round(np.exp(-(w[0] ** 2) - w[1] ** 2), 1)):
        (lines,) = contours_of(plot.contour(f, path, domain=(-6, 6)))
        np.testing.assert_allclose(np.diff(lines.levels), lines.levels[1] - lines.levels[0])
    (lines,) = contours_of(plot.contour(beale, path, levels=[1, 1000]))
    np.testing.assert_array_equal(lines.levels, [1, 1000])
    (lines,) = contours_of(plot.contour(beale, path, log=True))
    np.testing.assert_allclose(np.diff(lines.levels), lines.levels[1] - lines.levels[0])


def test_a_path_has_lines_near_it():
    path = np.column_stack([np.linspace(0.6, 0.9, 30), np.linspace(0.36, 0.81, 30) + 0.01])
    before, after = (contours_of(plot.contour(rosenbrock, paths))[0].levels for paths in (None, path))
    assert sum(before < 0.3) < sum(after < 0.3)


def test_contours_of_the_logarithm():
    ax = plot.contour(rosenbrock, log=True, levels=30, points=300)
    (lines,) = contours_of(ax)
    np.testing.assert_allclose(lines.levels, 0.3 * np.arange(28), atol=1e-12)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-1, 3))
    w1, w2 = np.meshgrid(np.linspace(-2, 2, 300), np.linspace(-1, 3, 300))
    exact = np.log1p((1 - w1) ** 2 + 100 * (w2 - w1**2) ** 2)
    assert (lines.zmin, lines.zmax) == pytest.approx((exact.min(), exact.max()), rel=1e-12)
    with pytest.raises(ArgumentError, match=r"log=True draws log\(1 \+ f\), and f falls to -3.9999"):
        plot.contour(saddle, log=True)


def test_domain_limits_resolution_and_aspect():
    seen = []

    def f(w):
        seen.append(np.shape(w))
        return w[0] ** 2 + w[1] ** 2

    ax = plot.contour(f, domain=((-5, 5), (-3, 3)), xlim=(-6, 6), ylim=(-4, 4), points=(30, 20), equal=True)
    assert seen[0] == (2, 20, 30)
    assert (ax.get_xlim(), ax.get_ylim(), ax.get_aspect()) == ((-6, 6), (-4, 4), 1)
    vertices = np.concatenate([path.vertices for path in contours_of(ax)[0].get_paths()])
    assert np.abs(vertices).max(axis=0) == pytest.approx([5, 3])
    seen.clear()
    plot.contour(f, domain=(0, 1))
    assert seen[0] == (2, 200, 200)


def test_a_domain_is_found_from_the_paths_that_do_not_run_away(descents):
    ax = plot.contour(lambda w: ROUND(w), {"wild": descents["lr=0.8"], "tame": descents["lr=0.05"]})
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    points = descents["lr=0.05"].path
    assert (low < points.min(axis=0)).all()
    assert (high > points.max(axis=0)).all()
    assert (high - low < 7).all()
    ax = plot.contour(lambda w: ROUND(w), descents["lr=0.8"])
    assert np.abs(ax.get_ylim()).max() < 20
    ax = draw(plot.contour(lambda w: ROUND(w), np.array([[1.0, 1.0]])))  # a single point has no extent
    assert ax.get_xlim()[0] < 1 < ax.get_xlim()[1]


# How a function is evaluated

MATRIX = np.array([[3.0, 1.0], [1.0, 2.0]])


def quadratic_sum(w):
    return (w * (MATRIX @ w)).sum()


def quadratic_lie(w):
    """Of the shape of a mesh, if given one, and wrong there."""
    return 3 * w[0] ** 2 + 2 * w[0] * w[1] + 2 * w[1] ** 2 + (np.ndim(w) > 1)


def quadratic_choice(w):
    return float(3 * w[0] ** 2 + 2 * w[0] * w[1] + 2 * w[1] ** 2) if w[0] < 1e9 else 0.0


def quadratic_tensor(w):
    return (w * w).detach().sum() * 0 + w @ mg.tensor(MATRIX) @ w


def quadratic_elementwise(w):
    return 3 * w[0] ** 2 + 2 * w[0] * w[1] + 2 * w[1] ** 2


def quadratic_parameter(w):
    a = mg.tensor(3.0, requires_grad=True)
    return a * w[0] ** 2 + 2 * w[0] * w[1] + 2 * w[1] ** 2


@pytest.mark.parametrize("points", [(2, 2), (5, 4)])
@pytest.mark.parametrize("f", [
    quadratic_sum, quadratic_lie, quadratic_choice, quadratic_tensor, quadratic_elementwise, quadratic_parameter,
])  # fmt: skip
def test_values_on_a_mesh_are_right_however_the_function_is_written(f, points):
    ax = plot.contour(f, domain=((-1, 2), (0, 3)), points=points)
    w1, w2 = np.meshgrid(np.linspace(-1, 2, points[0]), np.linspace(0, 3, points[1]))
    exact = 3 * w1**2 + 2 * w1 * w2 + 2 * w2**2
    (lines,) = contours_of(ax)
    assert (lines.zmin, lines.zmax) == pytest.approx((exact.min(), exact.max()), rel=1e-12)


def test_a_function_of_a_whole_mesh_is_called_a_few_times_only():
    calls = []
    plot.contour(lambda w: calls.append(1) or w[0] + w[1], domain=(-1, 1))
    assert len(calls) < 40


def doubled(w):
    w *= 2
    return w[0] + w[1]


# Each is right at some points of a mesh if it is called with all of them.
@each("f", [
    lambda w: (w[0] - w[1] - 1) ** 2 + 2 * np.max(np.abs(w)),
    lambda w: w[0] ** 2 + np.linalg.norm(w),
    lambda w: w[0] ** 2 + np.max(w),
    lambda w: (w / (1 + np.sum(np.abs(w))))[0],
    lambda w: w[0] * np.cumsum(w).ravel()[-1],
    lambda w: np.sort(w)[-1],
    lambda w: np.roll(w, 1)[0],
    lambda w: w[0] + np.argmax(w),
    lambda w: np.where(np.all(w > 0.5), w[0], w[1]),
    lambda w: np.where(np.all(np.abs(w) < 0.2), -1, 0) * (w[0] ** 2 + 1),
    lambda w: w[0] - np.clip(w, None, np.median(w))[1],
    lambda w: w[0] * len(w.ravel()),
    doubled,
])  # fmt: skip
def test_values_are_those_of_single_points(f):
    y, x = np.mgrid[-2:2:20j, -2:2:20j]
    expected = [[f(np.array([a, b])) for a, b in zip(*rows, strict=True)] for rows in zip(x, y, strict=True)]
    np.testing.assert_allclose(plot.mesh.values(f, np.stack([x, y])), np.array(expected, dtype=float))


def test_a_function_that_writes_into_its_argument_does_not_change_a_path():
    path = np.array([[1.5, 1.0], [0.5, 0.5]])
    ax = plot.surface(doubled, path, domain=(-2, 2), points=5)
    np.testing.assert_array_equal(path, [[1.5, 1.0], [0.5, 0.5]])
    np.testing.assert_allclose(ax.lines[0].get_data_3d(), [[1.5, 0.5], [1.0, 0.5], [5, 2]])


@each("f", [lambda w: math.sqrt(w[0]) + w[1], lambda w: math.log(w[0]), lambda w: math.gamma(w[0] // 1 + 1) + w[1]])
def test_where_the_module_math_has_no_value_there_is_a_hole(f):
    ax = plot.contour(f, domain=((-1.5, 1.4), (0, 1)), points=30)
    (lines,) = contours_of(ax)
    assert min(path.vertices[:, 0].min() for path in lines.get_paths() if len(path)) > -0.5


def test_other_complaints_of_a_function_are_not_holes():
    def picky(w):
        raise ArgumentError("expected a positive input, got -1")

    for f, words in ((picky, "expected a positive"), (lambda w: int("x"), "invalid literal")):
        with pytest.raises(ValueError, match=words):
            plot.contour(f, domain=(-1, 1), points=5)


def test_a_function_of_numbers_that_cannot_be_divided_leaves_a_hole():
    ax = draw(plot.contour(lambda w: 1.0 / float(w[0]) ** 2, domain=(-1, 1), points=5))
    assert contours_of(ax)[0].zmax == pytest.approx(4)


@pytest.mark.parametrize(("f", "error", "words"), [
    (lambda w: w * 2, ShapeError, r"one number at each point, and the function returned an array of \(2,\)"),
    (lambda w: w[0] + 1j * w[1], DTypeError, "real numbers, and the function returned complex128"),
    (lambda w: None, DTypeError, "real numbers, and the function returned object"),
    (lambda w: w[5], IndexError, "out of bounds"),
])  # fmt: skip
def test_functions_that_cannot_be_drawn(f, error, words):
    with pytest.raises(error, match=words):
        plot.contour(f, domain=(-1, 1), points=4)
    assert plt.get_fignums() == []


# Paths as people give them


def test_all_forms_of_paths(descents):
    arrays = [run.path for run in descents.values()]
    tree = (arrays[0][:, 0], arrays[0][:, 1])
    for paths, labels in [
        (arrays[0], ["path"]),
        (arrays[0].tolist(), ["path"]),
        (list(arrays[0]), ["path"]),
        (mg.tensor(arrays[0], requires_grad=True), ["path"]),
        (arrays, ["path 1", "path 2", "path 3"]),
        (np.stack(arrays), ["path 1", "path 2", "path 3"]),
        ([arrays[0], arrays[1][:7]], ["path 1", "path 2"]),
        (tree, ["path"]),
        ({"a": tree, "b": descents["lr=0.3"]}, ["a", "b"]),
        ({"a": {"w": arrays[0][:, 0], "b": arrays[0][:, 1:]}}, ["a"]),
        (descents["lr=0.3"], ["SGD(lr=0.3)"]),
        ([descents["lr=0.3"], descents["lr=0.3"]], ["SGD(lr=0.3), path 1", "SGD(lr=0.3), path 2"]),
        (optim.sweep(ROUND, [-0.5, 1.5], [0.05, 0.3], steps=3), ["lr=0.05", "lr=0.3"]),
    ]:
        ax = plot.contour(None, paths, domain=((-1, 5), (-4, 2)), start=False)
        assert [name.partition(" (")[0] for name in names(ax)] == labels
        assert len(ax.lines) == len(labels)
        plt.close("all")


def test_paths_of_trees_are_given_back_to_the_function_as_trees():
    def f(p):
        return p["w"] ** 2 + (p["b"] ** 2).sum(axis=0)

    run = minimize(f, {"w": 2.0, "b": np.array([1.0])}, lr=0.1, steps=5)
    ax = plot.contour(f, run)
    assert contours_of(ax)[0].zmax > 4
    np.testing.assert_allclose(ax.lines[0].get_xydata()[0], [2.0, 1.0])


def test_every_so_manieth_point_is_a_slice():
    path = minimize(rosenbrock, np.array([-1.5, 2.0]), lr=0.001, clip_value=10, steps=500).path
    ax = plot.contour(rosenbrock, path[::50])
    assert len(ax.lines[0].get_xdata()) == 11
    ax = draw(plot.contour(rosenbrock, path))
    assert len(ax.lines[0].get_xdata()) == 501
    assert ax.lines[0].get_markevery() == 5


def test_neighbours_differ_in_more_than_colour():
    ax = plot.contour(None, [np.ones((2, 2)) * i for i in range(9)])
    looks = [(line.get_color(), line.get_marker()) for line in ax.lines[:9]]
    assert len(set(looks)) == 9
    assert all(a[0] != b[0] and a[1] != b[1] for a, b in itertools.pairwise(looks))
    ax = plot.losses([[1.0, 2.0 + i] for i in range(30)])
    looks = [(line.get_color(), line.get_linestyle(), str(line._dash_pattern)) for line in ax.lines]
    assert len(set(looks)) == 30


def test_a_legend_of_very_many_paths_says_how_many_they_are():
    ax = plot.curve(wavy_parabola, [np.linspace(i / 10, 0, 4) for i in range(20)])
    assert names(ax) == ["20 runs", "start", "minimum"]
    assert len(ax.lines) == 23


@each(("paths", "options", "error", "words"), [
    (np.ones((4, 5)), {}, ShapeError, r"points of 2 coordinates.*'path' have 5: draw them .* with pca=True"),
    (np.ones(4), {}, ShapeError, "have 1: draw"),
    (np.ones((2, 3, 4, 2)), {}, ShapeError, r"'path 1' has shape \(3, 4, 2\)"),
    ([], {}, ArgumentError, "no paths in an empty list"),
    ({}, {}, ArgumentError, "no paths in an empty dict"),
    ({"a": np.empty((0, 2))}, {}, ShapeError, r"'a' has no points: its shape is \(0, 2\)"),
    ({"a": 3.0}, {}, ShapeError, "'a' has no points"),
    ({"a": (np.ones(3), np.ones(4))}, {}, ShapeError, "differ in length"),
    (np.ones((3, 2)) * 1j, {}, DTypeError, "real numbers"),
    ([["a", "b"]], {}, DTypeError, "'path'"),
    ("path", {}, DTypeError, "paths are a Result of minimize, an array.*not str"),
    (7, {}, DTypeError, "not int"),
    (None, {"domain": ((1, -1), (0, 1))}, ArgumentError, r"domain of coordinate 1 .* low < high, not \(1, -1\)"),
    (None, {"domain": ((0, 1), (0, 0))}, ArgumentError, "domain of coordinate 2"),
    (None, {"domain": ((0, 1),)}, ArgumentError, "2 such pairs, not"),
    (None, {"domain": ((0, 1),) * 3}, ArgumentError, "2 such pairs, not"),
    (None, {"domain": (0, 1, 2)}, ArgumentError, "2 such pairs, not"),
    (None, {"domain": ((0, np.inf), (0, 1))}, ArgumentError, "finite"),
    (None, {"domain": ((0, np.nan), (0, 1))}, ArgumentError, "finite"),
    (None, {"domain": (("a", "b"), (0, 1))}, ArgumentError, "a pair"),
    (None, {"xlim": (3, 1)}, ArgumentError, "xlim is a pair"),
    (None, {"points": 1}, ArgumentError, "at least 2"),
    (None, {"points": (10, 10, 10)}, ArgumentError, "2 of them"),
    (None, {"points": 3.5}, ArgumentError, "points"),
    (None, {"levels": 0}, ArgumentError, "levels must be an integer of at least 1"),
    (None, {"fill": 0}, ArgumentError, "levels must be an integer of at least 1"),
    (None, {"levels": []}, ArgumentError, "levels must be"),
    (None, {"levels": [0, np.nan]}, ArgumentError, "levels must be"),
    (None, {"levels": 2.5}, ArgumentError, "levels must be"),
    (None, {"minimum": (1, 2, 3)}, ShapeError, "2 coordinates"),
    (None, {"pca": True}, ArgumentError, "give paths"),
    (None, {"ax": 3}, DTypeError, "one Matplotlib Axes, not int"),
])  # fmt: skip
def test_contour_refuses(paths, options, error, words):
    with pytest.raises(error, match=words):
        plot.contour(beale, paths, **options)
    assert plt.get_fignums() == []  # no empty figure is left behind


def test_a_function_without_a_domain_needs_one():
    with pytest.raises(ArgumentError, match=r"give domain=\(\(low, high\), \(low, high\)\)"):
        plot.contour(lambda w: w[0])
    with pytest.raises(ArgumentError, match=r"give domain=\(low, high\)$"):
        plot.curve(lambda x: x)


def test_axes_of_the_wrong_kind():
    figure, axes = plt.subplots(1, 2)
    with pytest.raises(DTypeError, match=r"choose one of them, as in axes\[0\]"):
        plot.contour(beale, ax=axes)
    with pytest.raises(ArgumentError, match=r'3 dimensions.*"projection": "3d"'):
        plot.surface(beale, ax=axes[0])
    with pytest.raises(ArgumentError, match="2 dimensions"):
        plot.contour(beale, ax=figure.add_subplot(projection="3d"))


def test_a_picture_is_drawn_into_the_axes_that_are_given(descents):
    figure, (left, right) = plt.subplots(1, 2)
    assert plot.contour(ROUND, descents, ax=left) is left
    assert plot.losses(descents, ax=right) is right
    assert plt.get_fignums() == [figure.number]
    figure.tight_layout()
    figure.canvas.draw()
    assert not _touching(left)
    assert not _touching(right)
    assert plot.contour(ROUND, descents, ax=left, legend=False) is left
    sub = plt.figure(layout="constrained").subfigures(1, 2)[1]
    draw(plot.contour(ROUND, descents, ax=sub.subplots(), legend="upper right"))


def test_minima():
    ax = plot.contour(wavy_bowl)
    assert ax.lines[-1].get_label() == "minima"
    assert len(ax.lines[-1].get_xdata()) == 2
    assert len(plot.contour(wavy_bowl, minimum=False).lines) == 0
    ax = plot.contour(wavy_bowl, minimum=[0, 0])
    assert (ax.lines[-1].get_label(), len(ax.lines[-1].get_xdata())) == ("minimum", 1)
    ax = plot.contour(saddle)
    assert len(ax.lines) == 0
    assert ax.get_legend() is None


# The plane of the main directions


def test_projection_finds_the_plane_that_a_path_lies_in():
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(7, 2)))[0].T
    inside = rng.normal(size=(30, 2)) * [5, 1]
    points = inside @ directions + rng.normal(size=7)
    found = plot.project({"a": points[:20], "b": points[20:]})
    assert found.explained.sum() == pytest.approx(1)
    assert found.explained[0] > found.explained[1] > 0
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(2), atol=1e-12)
    together = np.concatenate([found.paths["a"], found.paths["b"]])
    np.testing.assert_allclose(found.back(together.T).T, points, atol=1e-12)
    np.testing.assert_allclose(found.center, points.mean(axis=0))
    np.testing.assert_allclose(np.var(together, axis=0) / np.var(points, axis=0).sum(), found.explained)
    np.testing.assert_allclose(found.coordinates(points), together)
    again = plot.project({"a": -points[:20], "b": -points[20:]})
    np.testing.assert_allclose(again.directions, found.directions)


def test_projection_of_points_that_are_not_finite_and_of_one_direction():
    points = np.array([[0.0, 0, 0], [1e200, 0, 1e200], [np.nan, 1, 2], [np.inf, 0, 0]])
    found = plot.project(points, dims=1)
    np.testing.assert_allclose(found.directions, [[0.5**0.5, 0, 0.5**0.5]])
    np.testing.assert_array_equal(np.isnan(found.paths["path"][:, 0]), [False, False, True, True])
    np.testing.assert_allclose(plot.project(np.ones((5, 3))).explained, [0, 0])
    for bad, words in [
        (np.ones((1, 4)), "2 directions cannot be found from 1 finite points of 4 coordinates"),
        (np.ones((9, 1)), "9 finite points of 1 coordinates"),
        (np.full((3, 3), np.nan), "0 finite points"),
        ({"a": np.ones((3, 3)), "b": np.ones((3, 4))}, "those of the path 'b' have 4"),
    ]:
        with pytest.raises(ShapeError, match=words):
            plot.project(bad)
    with pytest.raises(ArgumentError, match="dims must be an integer of at least 1"):
        plot.project(points, dims=0)


def test_contours_in_the_plane_of_the_main_directions():
    start = np.array([-1.0, 1.0, -0.5, 0.5, 1.5])
    runs = {"a": minimize(rosenbrock, start, lr=5e-4), "b": minimize(rosenbrock, -start, lr=2e-4)}
    ax = plot.contour(rosenbrock, runs, pca=True, log=True)
    found = plot.project(runs)
    assert ax.get_xlabel() == f"direction 1 ({found.explained[0]:.1%} of the variance)"
    np.testing.assert_allclose(ax.lines[0].get_xydata(), found.paths["a"])
    ends = found.paths["a"][-1], found.paths["b"][-1]
    # Contour lines are those of the plane: check the range of values against the formula on the mesh.
    sides = [np.linspace(*limits, 200) for limits in (ax.get_xlim(), ax.get_ylim())]
    exact = np.log1p(rosenbrock(found.back(np.stack(np.meshgrid(*sides)))))
    assert contours_of(ax)[0].zmax == pytest.approx(exact.max())
    assert all(ax.get_xlim()[0] < x < ax.get_xlim()[1] for x, _ in ends)
    only_paths = plot.contour(None, runs, pca=True)
    assert contours_of(only_paths) == []


def test_paths_of_networks_in_their_plane():
    X = np.linspace(-1, 1, 8)[:, None]

    def f(p):
        return ((mg.tanh(X @ p["V"]) @ p["w"] - X[:, 0] ** 2) ** 2).mean()

    start = {"V": np.array([[1.0, -0.5, 0.2]]), "w": np.array([0.3, 0.1, -0.2])}
    run = minimize(f, start, lr=0.5, steps=40)
    ax = plot.contour(f, run, pca=True, points=5, minimum=np.zeros(6))
    assert contours_of(ax)[0].zmin > 0
    assert ax.lines[-1].get_label() == "minimum"


# Surfaces


def test_a_surface_with_paths():
    runs = {lr: minimize(wavy_bowl, np.array([2.5, 1.5]), lr=lr, steps=100) for lr in (0.01, 0.05, 0.5)}
    ax = draw(plot.surface(wavy_bowl, runs, points=40))
    assert (ax.elev, ax.azim) == (35, -60)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ("$w_1$", "$w_2$", "loss")
    x, y, z = ax.lines[0].get_data_3d()
    np.testing.assert_array_equal(np.column_stack([x, y]), runs[0.01].path)
    np.testing.assert_allclose(z, runs[0.01].losses)
    x, y, z = ax.lines[2].get_data_3d()
    assert len(x) == len(runs[0.5].path)
    assert np.isnan(x[-1])  # far outside
    assert np.nanmax(np.abs(y)) <= 2
    assert "diverged" in names(ax)[2]
    assert ax.get_zlim()[1] < 25
    ax = draw(plot.surface(rosenbrock, log=True, points=20, elev=50, azim=10))
    assert ax.get_zlabel() == "log(1 + loss)"
    assert ax.lines[0].get_data_3d()[2] == pytest.approx([0])
    assert ax.elev == 50


def test_a_surface_with_holes_and_of_constants():
    draw(plot.surface(lambda w: np.where(w[0] > 0, w[1], np.inf), domain=(-1, 1), points=10))
    draw(plot.surface(lambda w: w[0] * 0, domain=(-1, 1), points=10))
    with pytest.raises(ShapeError, match=r"contour\(..., pca=True\)"):
        plot.surface(beale, np.ones((4, 3)))


# One variable


def test_a_curve_with_iterates():
    run = minimize(parabola, 10.0, lr=0.1, steps=50)
    ax = draw(plot.curve(parabola, {"plain": run, "wild": minimize(parabola, 10.0, lr=1.1, steps=50)}))
    curve, plain, wild, start, minimum = ax.lines
    assert len(curve.get_xdata()) == 400
    np.testing.assert_allclose(curve.get_ydata(), parabola(curve.get_xdata()))
    np.testing.assert_array_equal(plain.get_xdata(), run.path)
    np.testing.assert_allclose(plain.get_ydata(), run.losses)
    assert wild.get_xdata()[-1] == pytest.approx(113752.97687502771)
    assert ax.get_xlim() == pytest.approx((-12.5, 11.125))  # with room for the start
    assert ax.get_ylim()[1] < 250
    assert start.get_xydata().tolist() == [[10, 156]]
    assert minimum.get_xydata().tolist() == [[-2.5, -0.25]]
    assert names(ax)[1] == "wild (diverged after 50)"


@pytest.mark.parametrize("value", [1e29, 1.7e308, np.inf, np.nan])
def test_enormous_points_on_a_curve(value):
    ax = draw(plot.curve(parabola, [10.0, -value, value]))
    assert (ax.get_xlim(), len(ax.lines[1].get_xdata())) == ((-12.5, pytest.approx(11.125)), 3)
    assert names(ax)[0] == "path (diverges)"
    draw(plot.iterates([10.0, -value, value]))
    draw(plot.surface(ROUND, np.array([[0.0, 0.0], [value, -value]]), points=5))
    draw(plot.race(ROUND, [np.array([[0.0, 0.0], [value, -value]])], points=5))
    draw(plot.fits([1.0, 2.0], [1.0, value], (1, 0)))


@pytest.mark.parametrize("f", [lambda x: x * x, lambda x: (x**2).sum(), lambda x: float(x) ** 2 if x < 9 else 0.0])
def test_curves_are_right_however_the_function_is_written(f):
    ax = plot.curve(f, [2.0, 1.0], domain=(-3, 2), points=11, minimum=0)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.linspace(-3, 2, 11) ** 2)
    assert ax.lines[-1].get_xydata().tolist() == [[0, 0]]


def test_all_forms_of_iterates_of_one_variable():
    run = minimize(lambda x: (x**2).sum(), np.array([3.0]), lr=0.1, steps=4)
    for paths, lengths in [
        (run, [5]), (run.path, [5]), (run.path.ravel(), [5]), (run.path.ravel().tolist(), [5]), (list(run.path), [5]),
        ([run.path, run.path[:2]], [5, 2]), ([[3.0, 2.0], [3.0, 1.0, 0.0]], [2, 3]), ({"a": [3.0]}, [1]),
    ]:  # fmt: skip
        ax = plot.curve(lambda x: (x**2).sum(), paths, start=False)
        assert [len(line.get_xdata()) for line in ax.lines[1:]] == lengths
        ax = draw(plot.iterates(paths))
        assert [len(line.get_xdata()) for line in ax.lines] == lengths
        plt.close("all")
    with pytest.raises(ShapeError, match=r"curve shows points of 1 coordinate, .* have 2: draw them with contour"):
        plot.curve(parabola, np.ones((4, 2)))


def test_iterates_and_distances(descents):
    run = minimize(parabola, 10.0, lr=0.1, steps=50, every=7)
    ax = plot.iterates({"plain": run})
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [*range(0, 50, 7), 50])
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), run.path)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("step", "$x$", "linear")
    ax = draw(plot.iterates(descents, minimum=(2, -1), log=True))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.linalg.norm(descents["lr=0.05"].path - [2, -1], axis=1))
    assert ax.get_yscale() == "log"
    assert names(ax)[2] == "lr=0.8 (diverged after 50)"
    assert len(plot.iterates(descents["lr=0.05"].path, minimum=(2, -1)).lines) == 1
    ax = draw(plot.iterates(np.array([[0.0, 0.0], [1e200, 1e200]]), minimum=(0, 0), log=True))
    assert ax.lines[0].get_ydata()[1] == pytest.approx(2**0.5 * 1e200)
    with pytest.raises(ShapeError, match="give minimum=, and the distance"):
        plot.iterates(descents)
    with pytest.raises(ShapeError, match=r"minimum has 3 coordinates, and the points of 'lr=0\.05' have 2"):
        plot.iterates(descents, minimum=(1, 2, 3))


# Losses


def test_loss_curves(descents):
    ax = draw(plot.losses(descents, limit=1e-6, ylim=(1e-8, 1e4)))
    for line, run in zip(ax.lines, descents.values(), strict=False):
        np.testing.assert_array_equal(line.get_xdata(), np.arange(51))
        np.testing.assert_array_equal(line.get_ydata(), run.losses)
    assert names(ax) == ["lr=0.05", "lr=0.3", "lr=0.8 (diverged after 50)", "limit 1e-06"]
    assert (ax.get_yscale(), ax.get_ylim(), ax.get_xlabel(), ax.get_ylabel()) == ("log", (1e-8, 1e4), "step", "loss")
    assert ax.lines[3].get_ydata() == [1e-6, 1e-6]
    recorded = minimize(ROUND, np.zeros(2), lr=0.1, steps=10, every=4)
    assert plot.losses(recorded).lines[0].get_xdata().tolist() == [0, 4, 8, 10]


def test_places_of_losses():
    rows = {"batch": np.linspace(5, 1, 31), "mini": np.linspace(5, 1, 33)}
    ax = plot.losses(rows, x={k: np.linspace(0, 20, len(v)) for k, v in rows.items()}, xlabel="epoch")
    assert [(line.get_xdata()[0], line.get_xdata()[-1]) for line in ax.lines] == [(0, 20), (0, 20)]
    assert ax.get_xlabel() == "epoch"
    assert plot.losses([3.0, 2.0], x=[5, 6]).lines[0].get_xdata().tolist() == [5, 6]
    assert plot.losses([[3.0, 2.0], [1.0]], x=[[5, 6], [7]]).lines[1].get_xdata().tolist() == [7]
    with pytest.raises(ShapeError, match=r"x of shape \(3,\) does not fit the 2 losses of 'run'"):
        plot.losses([3.0, 2.0], x=[1, 2, 3])
    with pytest.raises(ShapeError, match="x has 1 rows for 2 curves"):
        plot.losses([[3.0, 2.0], [1.0, 2.0]], x=[[5, 6]])
    with pytest.raises(ArgumentError, match="no row for 'mini': its rows are 'batch'"):
        plot.losses(rows, x={"batch": np.arange(31)})


@pytest.mark.parametrize(("rows", "scale", "note"), [
    ([3.0, 2.0, 1.0], "log", ""),
    ([3.0], "log", ""),
    ([3.0, np.inf, 1.0, np.nan], "log", ""),
    ([1e-300, 1e300], "log", ""),
    ([5e-324, 1.7e308], "log", ""),
    ([np.nan, np.inf], "log", ""),
    ([1.0, 0.1, 0.0], "symlog", "log scale, linear below 0.1"),
    ([1e300, 1e-310, 0.0], "symlog", "log scale, linear below 1"),
    ([0.0, 0.0], "linear", "linear scale: all are 0"),
    ([1.0, -0.5], "linear", "linear scale: no logarithm of negative numbers"),
    ([1.7e308, -1.7e308, np.nan], "linear", "linear scale: no logarithm of negative numbers"),
    ([[1.0, 0.5], [2.0, 0.0]], "symlog", "log scale, linear below 0.5"),
    ([True, True], "log", ""),
])  # fmt: skip
def test_a_scale_for_any_losses(rows, scale, note):
    ax = draw(plot.losses(rows))
    assert ax.get_yscale() == scale
    assert ax.get_ylabel() == (f"loss\n({note})" if note else "loss")
    low, high = ax.get_ylim()
    assert low < high
    shown = np.clip([y for line in ax.lines for y in line.get_ydata() if np.isfinite(y)], -1e300, 1e300)
    assert all(low <= y <= high for y in shown if y <= 0 or y > 1e-300)
    draw(plot.losses(rows, log=False))


def test_lines_without_heights_do_not_change_the_scale():
    ax = plot.losses([3.0, 2.0])
    limits = ax.get_ylim()
    ax.axvline(1.0)
    plot.losses([3.0, 2.0], ax=ax)
    assert (ax.get_yscale(), ax.get_ylim()) == ("log", limits)
    plot.losses([1e-5], ax=ax)
    assert ax.get_ylim()[0] < 1e-5 < 3 < ax.get_ylim()[1]


def test_a_single_loss_can_be_seen():
    def marked(row):
        line = plot.losses(row).lines[0]
        assert (line.get_marker() == "o") == bool(line.get_markevery())
        return line.get_markevery()

    assert marked([3.0]) == [0]
    assert marked([np.nan, 3.0, np.nan]) == [1]
    assert marked([3.0, 2.0]) == []
    assert marked([1.0, np.nan, 2.0, 3.0, np.inf, 4.0, np.nan, 5.0]) == [0, 5, 7]


def test_a_run_that_diverges_does_not_make_the_others_flat(descents):
    kept = {name: run for name, run in descents.items() if not run.diverged}
    assert len(kept) == 2
    best = np.array([2.0, -1.0])
    for draw_runs in (
        lambda runs: plot.losses(runs, log=False),
        lambda runs: plot.losses(runs),
        lambda runs: plot.iterates(runs, minimum=best),
        lambda runs: plot.iterates(runs, minimum=best, log=True),
    ):
        alone, together = (draw_runs(runs) for runs in (kept, descents))
        scale = np.log10 if alone.get_yscale() == "log" else np.array
        (low, high), (lower, higher) = (scale(ax.get_ylim()) for ax in (alone, together))
        assert low - lower < 0.05 * (high - low)
        assert high < higher < high + 0.6 * (high - low)
    low, high = plot.losses({"a": [3.0, 2.0, 1.0], "b": [9.0, 99.0, 999.0, np.inf]}, log=False).get_ylim()
    assert low < 1 < 9 < high < 15  # where it begins can be seen
    low, high = plot.losses({"a": [3.0, 2.0, 1.0], "b": [3.0, 0.0, -9.0, -np.inf]}).get_ylim()
    assert 0 < low < 1
    assert plot.losses({"a": [3e299, 1e-299], "b": [3.0, 1e300, np.inf]}).get_ylim()[1] <= 1e300
    (away,) = [run for run in descents.values() if run.diverged]
    assert plot.losses(away).get_ylim()[1] > away.losses.max()  # alone, it is whole
    assert names(plot.losses({"a": [1.0, np.inf], "b": [1.0, 2.0]})) == ["a (diverges)", "b"]


@each(("runs", "options", "error", "words"), [
    ([], {}, ArgumentError, "no runs in an empty list"),
    ({"a": []}, {}, ShapeError, r"'a' is a row of numbers, and has shape \(0,\)"),
    (np.ones((3, 4)), {}, ShapeError, r"has shape \(3, 4\)"),
    ({"a": np.ones(2) * 1j}, {}, DTypeError, "real numbers"),
    (None, {}, DTypeError, "runs are a Result"),
    ([1.0], {"ylim": (0, 1)}, ArgumentError, "ylim of a logarithmic axis is positive"),
    ([1.0], {"ylim": (2, 1)}, ArgumentError, "ylim is a pair"),
    ([1.0], {"ylim": 3}, ArgumentError, "ylim is a pair"),
])  # fmt: skip
def test_losses_refuses(runs, options, error, words):
    with pytest.raises(error, match=words):
        plot.losses(runs, **options)


# Learning rates


@pytest.fixture(scope="module")
def swept():
    rates = [0.001, 0.01, 0.09, 1.0, 10.0]
    return optim.sweep(bowl(1, 10), np.array([4.0, 2.5]), rates, target=1e-4, steps=100, loss_limit=1e10)


@pytest.mark.parametrize("steps", [1, 2, 5, 12, 17, 20])
def test_steps_are_whole_numbers(steps):
    for ax in (plot.losses(np.arange(1.0, steps + 2)), plot.iterates(np.arange(1.0, steps + 2))):
        ticks = draw(ax).get_xticks()
        assert (ticks == np.round(ticks)).all()


def test_bars_of_a_sweep(swept):
    ax = draw(plot.sweep(swept))
    assert [bar.get_height() for bar in ax.patches] == [100, 100, 32, 100, 100]
    words = ["slow", "slow", "converged\nin 32", "diverged\nafter 4", "diverged\nafter 2"]
    assert [text.get_text() for text in ax.texts] == words
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0.001", "0.01", "0.09", "1", "10"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "steps to converge")
    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in ax.patches}
    assert len(looks) == 3
    ax = plot.sweep({"a": swept.results[0], "b": swept.results[2]})
    assert [text.get_text() for text in ax.get_xticklabels()] == ["a", "b"]
    assert ax.get_xlabel() == "run"
    for bad, error in [([1, 2], DTypeError), ({"a": 3}, DTypeError), ({}, ArgumentError)]:
        with pytest.raises(error):
            plot.sweep(bad)


def test_bars_of_few_steps_stand_on_whole_numbers():
    swept = {"a": minimize(parabola, 1.0, lr=0.5, steps=2), "b": minimize(parabola, 1.0, lr=0.4, steps=3)}
    ax = draw(plot.sweep(swept))
    assert all(tick == round(tick) for tick in ax.get_yticks())


def test_schedules():
    made = optim.lr_scheduler
    makers = {
        "step": lambda o: made.StepLR(o, 3, gamma=0.1),
        "cycle": lambda o: made.OneCycleLR(o, 0.5, total_steps=10),
        "halves": lambda o: made.LambdaLR(o, lambda step: 0.5**step),
    }
    ax = draw(plot.schedule(makers, 10, lr=0.2, log=True))
    for line in ax.lines:
        assert line.get_xdata().tolist() == list(range(10))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.2 * 0.1 ** (np.arange(10) // 3))
    np.testing.assert_allclose(ax.lines[2].get_ydata(), 0.2 * 0.5 ** np.arange(10))
    assert ax.get_yscale() == "log"
    assert names(ax) == ["step", "cycle", "halves"]
    ax = draw(plot.schedule(makers["step"], 1))
    assert (names(ax), ax.lines[0].get_marker()) == (["StepLR"], "o")
    assert len(plot.schedule([makers["step"], makers["halves"]], 3).lines) == 2
    for make, steps, words in [
        (makers, 0, "steps must be an integer of at least 1"),
        ([], 3, "no schedule"),
        (made.ReduceLROnPlateau, 3, "the number of the step alone; ReduceLROnPlateau does not"),
        (lambda o: None, 3, "NoneType"),
    ]:
        with pytest.raises(ArgumentError, match=words):
            plot.schedule(make, steps)


def test_the_range_of_learning_rates():
    losses = np.array([4.0, 3.9, 3.0, 1.0, 0.8, np.inf])
    found = optim.LrRange(np.geomspace(1e-4, 10, 6), losses, np.minimum(losses, 9))
    ax = draw(plot.lr_range(found))
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), losses)
    assert ax.lines[2].get_xdata()[0] == found.suggestion
    assert (ax.get_xscale(), ax.get_yscale(), ax.get_xlabel()) == ("log", "log", "learning rate")
    assert draw(plot.lr_range(found, log=False)).get_yscale() == "linear"


# Races


@pytest.fixture(scope="module")
def runners():
    start = np.array([-2.0, 2.0])
    makers = {"SGD": {"lr": 0.002, "momentum": 0.9}, "Adam": {"lr": 0.05}, "Adagrad": {"lr": 0.3}}
    return {name: minimize(beale, start, optimizer=name, steps=60, **options) for name, options in makers.items()}


def test_a_race_at_its_end_and_on_the_way(runners):
    ax = draw(plot.race(beale, runners, log=True))
    assert ax.get_title() == "after 60 steps"
    places = [line.get_xydata() for line in ax.lines]
    for i, run in enumerate(runners.values()):
        np.testing.assert_array_equal(places[i], run.path)
        np.testing.assert_array_equal(places[i + 5], run.path[-1:])  # start and minimum stand between
    order = sorted(runners, key=lambda name: runners[name].loss)
    assert names(ax)[:3] == [f"{name}: {runners[name].loss:.3g}" for name in order]
    ax = plot.race(beale, runners, step=7, levels=5)
    assert [len(line.get_xdata()) for line in ax.lines[:3]] == [8, 8, 8]
    assert ax.get_title() == "after 7 steps"
    ax = plot.race(beale, runners, step=10**6)
    assert [len(line.get_xdata()) for line in ax.lines[:3]] == [61, 61, 61]


def test_a_race_of_runs_of_different_length_and_record():
    runs = [minimize(parabola, 10.0, lr=0.1, steps=20, every=6), minimize(parabola, 10.0, lr=1.2, steps=5)]
    ax = draw(plot.race(parabola, runs, step=7))
    assert len(ax.lines[1].get_xdata()) == 2
    assert len(ax.lines[2].get_xdata()) == 6
    assert names(ax)[0].startswith("SGD(lr=0.1): ")
    with pytest.raises(ArgumentError, match="step must be an integer of at least 0, not -1"):
        plot.race(parabola, runs, step=-1)
    with pytest.raises(ShapeError, match="race shows points of 2 coordinates"):
        plot.race(rosenbrock, [np.ones((4, 3)), np.ones((4, 3))])


def test_a_race_says_what_became_of_the_runners(descents):
    def said(step, **options):
        return {label.partition(":")[0]: label for label in names(plot.race(ROUND, descents, step=step, **options))}

    away = descents["lr=0.8"]
    assert "(" not in said(0)["lr=0.8"]
    outside = next(i for i, point in enumerate(away.path) if np.abs(point).max() > 50)
    assert said(outside)["lr=0.8"].endswith(" (outside)")
    assert said(None)["lr=0.8"].endswith(f" ({away.verdict})")
    assert "(" not in said(None)["lr=0.05"] + said(None)["lr=0.3"]
    assert said(None, domain=((-1, 1), (1, 3)))["lr=0.05"].endswith("(ends outside)")
    film = plot.animate(ROUND, descents, frames=2)
    film.to_jshtml()
    assert names(film.figure.axes[0])[-3:] == ["lr=0.05", "lr=0.3", f"lr=0.8 ({away.verdict})"]
    ax = plot.race(parabola, {"up": [0.0, 1.0, 50.0]}, step=2, domain=(-3, 3))
    assert names(ax)[0].endswith(" (diverges)")


def test_a_film(runners, tmp_path):
    film = plot.animate(beale, runners, frames=4, fps=5, log=True, points=30)
    (ax,) = film._fig.axes
    page = film.to_jshtml()
    assert page.count("data:image/png") == 5  # the first, and what differs from it
    assert ax.get_title() == "step 60"
    assert [len(line.get_xdata()) for line in ax.lines[:3]] == [61, 61, 61]
    assert names(ax)[-3:] == list(runners)
    film.save(tmp_path / "race.gif", writer="pillow")
    from PIL import Image

    with Image.open(tmp_path / "race.gif") as image:
        assert image.n_frames == 4
        assert image.info["duration"] == 200
    with pytest.raises(ArgumentError, match="frames must be an integer of at least 1"):
        plot.animate(beale, runners, frames=0)
    with pytest.raises(ArgumentError, match=r"fps must be a number from 0\.001 to 1000, not 0"):
        plot.animate(beale, runners, frames=10, fps=0)


def test_frames_of_a_film_are_the_pictures_that_are_drawn_in_full(runners, tmp_path):
    from matplotlib.colors import to_rgb
    from PIL import Image

    film = plot.animate(beale, runners, frames=100, log=True, legend=True)
    canvas, (ax,) = film._fig.canvas, film._fig.axes
    *_, last = film.pictures(dpi=80)
    assert film._fig.canvas is canvas
    assert not any(line.get_animated() for line in ax.lines)
    film._fig.savefig(tmp_path / "full.png", dpi=80)
    with Image.open(tmp_path / "full.png") as image:
        full = np.asarray(image.convert("RGB"), float)
    quick = np.asarray(last.convert("RGB"), float)
    assert quick.shape == full.shape
    assert np.abs(quick - full).mean() < 2  # of 255: the colours of a palette
    for line in film.moving[-3:]:  # the runners keep their colours
        if hasattr(line, "get_color"):
            colour = 255 * np.array(to_rgb(line.get_color()))
            assert (np.abs(quick - colour).max(-1) < 1.5).any()
    film.save(tmp_path / "race.gif")
    assert (tmp_path / "race.gif").stat().st_size < 1_000_000
    film.save(tmp_path / "race.webp", writer="pillow", dpi=40)
    with Image.open(tmp_path / "race.webp") as image:
        assert image.n_frames > 50


def test_a_film_of_one_picture_and_in_a_part_of_a_figure(runners):
    part = plt.figure(layout="constrained").subfigures(1, 2)[0]
    film = plot.animate(beale, runners, frames=1, ax=part.subplots())
    assert film.to_jshtml().count("data:image/png") == 2  # the first, and what differs from it


# Models


def test_fits():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 1))
    y = 3 * x + 2
    run = minimize(lambda p: ((p[0] * x + p[1] - y) ** 2).mean(), (0.0, 0.0), lr=0.1, steps=9)
    lines = {"pair": (3.0, 2.0), "run": run, "wave": lambda t: np.sin(t), "wild": (1e29, 0.0), "sum": lambda t: t.sum()}
    ax = draw(plot.fits(x, y, lines, domain=(-3, 3)))
    assert [len(line.get_xdata()) for line in ax.lines] == [100] * 5
    np.testing.assert_allclose(ax.lines[0].get_xydata()[[0, -1]], [[-3, -7], [3, 11]])
    np.testing.assert_allclose(ax.lines[1].get_ydata()[0], -3 * run.x[0] + run.x[1])
    np.testing.assert_allclose(ax.lines[4].get_ydata(), ax.lines[4].get_xdata())
    assert len(ax.collections[0].get_offsets()) == 40
    assert -20 < ax.get_ylim()[0] < y.min()
    assert names(ax) == ["data", *lines]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$x$", "$y$")
    assert names(plot.fits([1, 2], [1, 2], (1, 0))) == ["data", "fit"]
    assert names(plot.fits([1, 2], [1, 2], [(1, 0), np.sin])) == ["data", "fit 1", "fit 2"]
    draw(plot.fits([1.0, np.nan], [np.inf, 2.0], (1, 0)))
    draw(plot.fits([1.0], [1.0], (1, 0)))
    for args, error, words in [
        (([1, 2], [1], (1, 0)), ShapeError, r"shapes \(2,\) and \(1,\)"),
        (([1], [1], {"a": (1, 2, 3)}), ShapeError, "'a' is a pair .* has 3 numbers"),
        (([np.nan], [1], (1, 0)), ArgumentError, "give domain="),
    ]:
        with pytest.raises(error, match=words):
            plot.fits(*args)


def test_fits_hide_no_data_and_hold_the_lines():
    x = np.linspace(0, 1, 11)
    y = np.where(x == 0.5, 1.0, 0.0)
    ax = plot.fits(x, y, {"line": (2.0, -0.5), "steep": (1e5, 0.0)}, domain=(-1, 2))
    low, high = ax.get_ylim()
    assert low < -0.5
    assert 1.5 < high < 2
    dots = ax.collections[0]
    assert dots.get_zorder() > max(line.get_zorder() for line in ax.lines)


def test_spectra():
    ax = draw(plot.spectrum(curvature.Spectrum([20.0, 2.0]), lr=0.05))
    assert ax.lines[0].get_xydata().tolist() == [[1, 2], [2, 20]]
    assert ax.lines[1].get_ydata()[0] == 40
    assert (ax.get_yscale(), ax.get_title()) == ("log", "condition number 10, lr limit 0.1")
    ax = draw(plot.spectrum(curvature.Spectrum([-1.0, 0.0, 3.0], complete=False)))
    assert [len(line.get_xdata()) for line in ax.lines] == [1, 2]
    assert (ax.get_yscale(), ax.get_title()) == ("linear", "not a minimum, lr limit 0.6667")
    assert "not known" in ax.get_xlabel()
    assert draw(plot.spectrum(np.geomspace(1e-300, 1e300, 200))).get_title() == ""
    for bad, options, error in [
        (np.ones((2, 2)), {}, ShapeError), ([], {}, ArgumentError), ([1.0], {"lr": 0.0}, ArgumentError),
    ]:  # fmt: skip
        with pytest.raises(error):
            plot.spectrum(bad, **options)


@pytest.fixture(scope="module")
def around():
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    X = np.random.default_rng(0).normal(size=(20, 2))
    return curvature.loss_surface(lambda: ((model(X) - X[:, :1]) ** 2).mean(), model, points=(9, 7), span=(1.0, 2.0))


def test_a_landscape(around):
    ax = draw(plot.landscape(around))
    filled, lines = contours_of(ax)
    assert filled.zmax == pytest.approx(around.losses.max())
    np.testing.assert_array_equal(filled.levels, lines.levels)
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 1), (-2, 2))
    assert ax.get_title() == f"loss {around.loss:.4g} at the star"
    assert ax.figure.axes[1].get_ylabel() == "loss"
    axes = plt.figure().add_subplot(projection="3d")
    assert plot.landscape(around, log=True, ax=axes) is axes
    draw(axes)
    assert axes.get_zlabel() == "log(1 + loss)"
    assert axes.lines[0].get_data_3d()[2] == pytest.approx(np.log1p(around.loss))


# Text that can be read


def texts_of(figure):
    """Every visible piece of text, and every legend as one piece, with its place on the canvas."""
    renderer = figure.canvas.get_renderer()
    for ax in figure.axes:
        own = [ax.title, *ax.texts]
        axes = [ax.xaxis, ax.yaxis] + ([ax.zaxis] if ax.name == "3d" else [])
        for axis in axes:
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            own += [tick.label1 for tick in ticks if tick.label1.get_visible() and low <= tick.get_loc() <= high]
            own += [tick.label2 for tick in ticks if tick.label2.get_visible() and low <= tick.get_loc() <= high]
            own += [axis.label, axis.get_offset_text()]
        for text in own:
            if text.get_text().strip() and text.get_visible():
                yield text.get_text(), corners(text, renderer)
        if ax.get_legend() is not None:
            yield "legend", ax.get_legend().get_window_extent(renderer).corners()[[0, 1, 3, 2]]


def corners(text, renderer):
    """The corners of a text's box, which is turned with the text."""
    box, angle = text.get_window_extent(renderer), np.radians(text.get_rotation())
    text.set_rotation(0)
    flat = text.get_window_extent(renderer)
    text.set_rotation(np.degrees(angle))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    half = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [flat.width / 2, flat.height / 2]
    return half @ turn + [(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]


def apart(a, b):
    """Whether a line fits between two rectangles, or they touch by a pixel at most."""
    for direction in (a[1] - a[0], a[2] - a[1], b[1] - b[0], b[2] - b[1]):
        unit = direction / np.linalg.norm(direction)
        if min((a @ unit).max(), (b @ unit).max()) - max((a @ unit).min(), (b @ unit).min()) <= 1:
            return True
    return False


def overlaps(figure):
    figure.canvas.draw()
    pieces = list(texts_of(figure))
    assert len(pieces) > 5
    for (first, a), (second, b) in itertools.combinations(pieces, 2):
        if not apart(a, b):
            yield first, second
    for name, box in pieces:
        if (box < -1).any() or (box > figure.bbox.max + 1).any():
            yield name, "the edge of the figure"


def pictures():
    start = np.array([4.0, 2.5])
    valley = bowl(1, 10)
    runs = {f"$\\eta={lr}$": minimize(valley, start, lr=lr, steps=50, x_limit=100) for lr in (0.005, 0.04, 0.09, 0.105)}
    swept = optim.sweep(valley, start, np.geomspace(1e-3, 10, 6), target=1e-4, steps=100, loss_limit=1e10)
    many = optim.sweep(valley, start, np.geomspace(1e-4, 1, 24), target=1e-4, steps=100, loss_limit=1e10)
    wavy = {f"lr={lr}": minimize(wavy_bowl, np.array([2.5, 1.5]), lr=lr) for lr in (0.01, 0.05, 0.4)}
    line = {"plain": minimize(parabola, 10.0, lr=0.1), "momentum": minimize(parabola, 10.0, lr=0.05, momentum=0.9)}
    net = {"GD": minimize(rosenbrock, np.array([-1.0, 1.0, -0.5, 0.5, 1.5]), lr=5e-4)}
    steps = optim.lr_scheduler.StepLR
    found = optim.LrRange(np.geomspace(1e-6, 10, 50), np.linspace(3, 1, 50) ** 2, np.linspace(3, 1, 50))
    return {
        "contour": lambda: plot.contour(valley, runs, domain=((-5, 5), (-3, 3))),
        "equal": lambda: plot.contour(valley, runs, domain=((-5, 5), (-3, 3)), equal=True, fill=True),
        "valley": lambda: plot.contour(rosenbrock, log=True),
        "plane": lambda: plot.contour(rosenbrock, net, pca=True),
        "surface": lambda: plot.surface(wavy_bowl, wavy),
        "high": lambda: plot.surface(rosenbrock, elev=60),
        "curve": lambda: plot.curve(parabola, line),
        "losses": lambda: plot.losses(runs, limit=1e-3),
        "zeros": lambda: plot.losses({"a": [1.0, 1e-3, 1e-9, 0.0]}),
        "wide zeros": lambda: plot.losses({"a": [1e300, 1e-100, 0.0]}),
        "wide": lambda: plot.losses({"a": [1e-200, 1e250]}),
        "negative": lambda: plot.losses({"a": [1.0, -1.0]}),
        "close": lambda: plot.losses({"a": [3.0, 2.9]}),
        "iterates": lambda: plot.iterates(line),
        "distance": lambda: plot.iterates(line, minimum=-2.5, log=True),
        "sweep": lambda: plot.sweep(swept),
        "many": lambda: plot.sweep(many),
        "sweep losses": lambda: plot.losses(many),
        "race": lambda: plot.race(valley, runs, domain=((-5, 5), (-3, 3))),
        "fits": lambda: plot.fits([1, 2, 3], [1, 3, 2], {"one": (1, 0), "two": (0.5, 1)}),
        "spectrum": lambda: plot.spectrum(curvature.Spectrum([2.0, 20.0]), lr=0.05),
        "negative spectrum": lambda: plot.spectrum(curvature.Spectrum([-1, 2.0, 20.0], complete=False)),
        "schedule": lambda: plot.schedule(lambda o: steps(o, 10), 40, log=True),
        "range": lambda: plot.lr_range(found),
    }


@pytest.fixture(scope="module")
def standard():
    return pictures()


NAMES = [
    "contour", "equal", "valley", "plane", "surface", "high", "curve", "losses", "zeros", "wide zeros", "wide",
    "negative", "close", "iterates", "distance", "sweep", "many", "sweep losses", "race", "fits", "spectrum",
    "negative spectrum", "schedule", "range",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_picture_covers_another(name, standard):
    assert set(NAMES) == set(standard)
    ax = standard[name]()
    assert list(overlaps(ax.figure)) == []
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    if ax.get_legend() is not None:  # beside the picture
        assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1


def test_no_text_of_a_landscape_covers_another(around):
    assert list(overlaps(plot.landscape(around).figure)) == []
    ax = plt.figure(layout="constrained").add_subplot(projection="3d")
    assert list(overlaps(plot.landscape(around, ax=ax).figure)) == []


def test_three_pictures_side_by_side(descents):
    figure, axes = plt.subplots(1, 3, figsize=(14, 4), layout="constrained")
    for ax, (label, run) in zip(axes, descents.items(), strict=True):
        plot.contour(ROUND, {label: run}, domain=((-1, 5), (-4, 2)), ax=ax)
    assert list(overlaps(figure)) == []


def test_the_check_for_covered_text_sees_it():
    ax = plot.losses([1.0, 2.0, 3.0])
    ax.text(0.5, 0.5, "one", transform=ax.transAxes)
    ax.text(0.5, 0.5, "two", transform=ax.transAxes)
    ax.text(2.5, 0.5, "three", transform=ax.transAxes).set_in_layout(False)
    ax.text(0.2, 0.5, "a long text that is turned", rotation=45, transform=ax.transAxes)
    ax.text(0.2, 0.8, "in its corner", transform=ax.transAxes)
    ax.text(0.3, 0.6, "in its way", transform=ax.transAxes)
    found = {("one", "two"), ("a long text that is turned", "in its way"), ("three", "the edge of the figure")}
    assert set(overlaps(ax.figure)) == found


# Without Matplotlib


def test_the_package_is_named_if_it_is_missing(monkeypatch, swept, runners):
    for name in list(sys.modules):
        if name.partition(".")[0] == "matplotlib":
            monkeypatch.setitem(sys.modules, name, None)
    for call in (
        lambda: plot.contour(beale),
        lambda: plot.surface(beale),
        lambda: plot.curve(parabola),
        lambda: plot.losses([1.0]),
        lambda: plot.iterates([1.0]),
        lambda: plot.sweep(swept),
        lambda: plot.race(beale, runners),
        lambda: plot.animate(beale, runners),
        lambda: plot.fits([1.0, 2.0], [1.0, 2.0], (1, 0)),
        lambda: plot.spectrum([1.0]),
        lambda: plot.schedule(lambda o: optim.lr_scheduler.StepLR(o, 2), 3),
    ):
        with pytest.raises(MissingPackageError, match=r"pip install matplotlib \(the extra `plot`\)"):
            call()
    assert plot.project(np.eye(3)).explained.sum() == pytest.approx(1)


def test_pictures_need_no_display_and_import_matplotlib_late(tmp_path):
    import subprocess

    code = (
        "import sys, numpy as np\nfrom minigrad import plot\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plot.losses([1.0, 0.5]).figure.savefig('picture.png')\n"
    )
    environment = {"PATH": "", "MPLCONFIGDIR": str(tmp_path), "PYTHONPATH": str(Path(mg.__file__).parent.parent)}
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "picture.png").stat().st_size > 1000


def test_no_picture_warns_of_many_figures_that_it_did_not_make():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure, ax = plt.subplots()
        for _ in range(25):
            plot.losses([1.0, 2.0], ax=ax)
    assert plt.get_fignums() == [figure.number]


def _inside(point, limits):
    return limits[0] < point < limits[1]


def test_the_window_shows_the_valley_around_the_end_of_a_path():
    run = minimize(lambda x: (x - 3) ** 2, 10.0, lr=0.05, steps=30)
    limits = plot.curve(lambda x: (x - 3) ** 2, run).get_xlim()
    assert _inside(0.0, limits)
    assert _inside(10.0, limits)
    assert not _inside(-5.0, limits)

    def narrow(w):
        return w[0] ** 2 + 10 * w[1] ** 2

    along = minimize(narrow, [4.0, 1e-3], lr=0.04, steps=40)
    ax = plot.contour(narrow, along)  # it moves along the first axis only
    assert 0.5 < ax.get_ylim()[1] < 3
    falling = minimize(lambda x: mg.exp(-x), 0.0, lr=0.5, steps=30)  # there is no other side
    assert 0 < plot.curve(lambda x: np.exp(-x), falling).get_xlim()[1] - float(falling.x) < 2
    walled = minimize(lambda x: x - mg.log(x), 4.0, lr=0.1, steps=30)  # NaN to the left of 0
    assert plot.curve(lambda x: x - np.log(x), walled).get_xlim()[0] > -4


def test_the_window_of_an_objective_holds_starts_and_paths_beside_it():
    square = mg.objectives.square  # at home from -10 to 10
    assert plot.curve(square, minimize(square, 5.0, lr=0.1)).get_xlim() == (-10, 10)
    assert _inside(100.0, plot.curve(square, minimize(square, 100.0, lr=0.1)).get_xlim())
    assert _inside(10.0, plot.curve(square, minimize(square, 10.0, lr=0.1)).get_xlim())  # whole, not cut in halves
    assert plot.curve(square, minimize(square, 5.0, lr=1.2, steps=50)).get_xlim() == (-10, 10)


def test_a_curve_has_a_gap_at_a_pole_of_both_signs():
    ax = plot.curve(np.tan, domain=(-3, 3), points=301)
    x, y = ax.lines[0].get_data()
    low, high = ax.get_ylim()
    np.testing.assert_allclose(x[np.isnan(y)], [-np.pi / 2, np.pi / 2], atol=0.02)
    steps = np.diff(y)
    assert np.nanmax(np.abs(steps[(y[:-1] < high) & (y[1:] > low)])) < high - low
    x, y = plot.curve(lambda x: 1 / (x - 0.001) ** 2, domain=(-1, 1), points=300).lines[0].get_data()
    assert len(x) == 300


def test_starts_and_minima_are_named_only_where_they_are_seen():
    run = np.array([[3.0, 3.0], [0.5, 0.5]])
    for f in (plot.contour, plot.surface):
        assert names(f(ROUND, run, domain=(-1, 1))) == ["path"]
        assert names(f(ROUND, run, domain=(-2, 4))) == ["path", "start", "minimum"]
    ax = plot.contour(ROUND, [run, run / 2], domain=(-1, 2))
    assert names(ax) == ["path 1", "path 2", "start", "minimum"]
    np.testing.assert_array_equal(ax.lines[2].get_xydata(), [[1.5, 1.5]])
    assert names(plot.curve(parabola, [9.0, 1.0], domain=(0, 2))) == ["path"]


def test_a_pole_does_not_make_a_curve_flat():
    low, high = plot.curve(lambda x: 1 / x + x, domain=(1e-9, 5)).get_ylim()
    assert low < 2
    assert 5 < high < 50
    low, high = plot.curve(lambda x: -1 / x**2, [-3.0, -1.0], domain=(-4, 4), points=999).get_ylim()
    assert -50 < low < -1
    assert plot.curve(lambda x: np.exp(x), domain=(0, 5)).get_ylim()[1] > np.exp(5)  # steep, and no pole


def _touching(ax):
    """Whether the legend lies over its own axes or the names of another."""
    figure = ax.figure
    figure.canvas.draw()
    box = ax.get_legend().get_window_extent()
    others = [other.get_tightbbox() for other in figure.axes if other is not ax]
    return box.overlaps(ax.bbox) or any(box.overlaps(other) for other in others) or box.x1 > figure.bbox.x1


def test_a_legend_lies_over_nothing_in_axes_of_a_grid(descents):
    figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4))
    for _ in range(3):  # drawn again, the axes keep their size
        left.clear()
        plot.contour(ROUND, descents, ax=left)
    plot.losses(descents, ax=right)
    assert not _touching(left)
    assert not _touching(right)
    assert left.bbox.width > 0.17 * figure.bbox.width
    figure, (upper, _lower) = plt.subplots(2, 1, figsize=(3, 8))  # too narrow for a legend beside the axes
    plot.contour(ROUND, descents, ax=upper)
    assert not _touching(upper)
    assert upper.bbox.height > 0.1 * figure.bbox.height
    spatial = plt.figure(figsize=(9, 5)).add_subplot(projection="3d")
    plot.surface(ROUND, descents, log=True, points=20, ax=spatial)
    spatial.figure.canvas.draw()
    box, name = spatial.get_legend().get_window_extent(), spatial.zaxis.label.get_window_extent()
    assert box.x0 > name.x1
    assert box.x1 <= spatial.figure.bbox.x1


def test_losses_over_epochs():
    losses = np.arange(1.0, 9.0)
    ax = plot.losses({"a": losses, "b": losses[:3]}, steps_per_epoch=4, log=False)
    assert ax.get_xlabel() == "epoch"
    assert names(ax) == ["a", "b"]
    pale, _, means, unfinished = ax.lines
    assert pale.get_xdata().tolist() == (np.arange(8) / 4).tolist()
    assert pale.get_ydata().tolist() == losses.tolist()
    assert (means.get_xdata().tolist(), means.get_ydata().tolist()) == ([1, 2], [2.5, 6.5])
    assert (unfinished.get_xdata().tolist(), unfinished.get_ydata().tolist()) == ([0.75], [2])
    rows = plot.losses(losses, steps_per_epoch=1)
    assert rows.get_xlabel() == "epoch"
    assert len(rows.lines) == 1
    with pytest.raises(ValueError, match="leave out x or steps_per_epoch"):
        plot.losses(losses, x=losses, steps_per_epoch=2)
    with pytest.raises(ValueError, match="steps_per_epoch"):
        plot.losses(losses, steps_per_epoch=0)


def test_a_film_is_a_small_page_that_fetches_nothing(descents):
    film = plot.animate(ROUND, descents, frames=20)
    page = film.to_jshtml(default_mode="reflect")
    assert len(page) < 400_000
    assert "http" not in page
    assert '"mode": "reflect"' in page
    held = [base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)]
    first, *fronts = [Image.open(io.BytesIO(data)).convert("RGBA") for data in held]
    assert len(fronts) == 20
    wanted = film.pictures()
    for front, frame in zip(fronts, wanted, strict=True):
        seen = Image.alpha_composite(first, front).convert("RGB")
        assert (np.asarray(seen) == np.asarray(frame.convert("RGB"))).all()
    with pytest.raises(ValueError, match="default_mode"):
        film.to_jshtml(default_mode="round")
