"""Trees: what is a branch, what a leaf, how they are made again, and which leaves of two trees belong together.

The derivatives are of ``sum(w**3) * b``: by w they are 3 w**2 b, by b sum(w**3).
"""

import collections
import copy
import dataclasses
from functools import cached_property
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from minigrad.testing import assert_gradients_close
from minigrad.tree import flatten, map_leaves, paths
from tests.rows import each

W, B = np.array([1.0, 2.0]), 3.0
BY_W, BY_B = 3 * W**2 * B, np.sum(W**3)


class Named(NamedTuple):
    w: Any
    b: Any


@dataclasses.dataclass
class Plain:
    w: Any
    b: Any = 3.0
    count: ClassVar[int] = 7


@dataclasses.dataclass(frozen=True)
class Frozen:
    w: Any
    b: Any


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Slotted:
    w: Any
    b: Any


@dataclasses.dataclass
class Checked:
    w: Any
    scale: dataclasses.InitVar[float] = 1.0
    b: Any = dataclasses.field(init=False)

    def __post_init__(self, scale):
        if np.any(np.asarray(self.w) > 5):  # as the derivatives are
            raise ValueError("w must be small")
        self.b = 3.0 * scale


@dataclasses.dataclass
class Labelled:
    w: Any
    b: Any
    label: str = dataclasses.field(default="", metadata={"static": True})
    power: int = dataclasses.field(default=3, metadata={"static": True})


@dataclasses.dataclass
class Cached:
    w: Any
    b: Any

    @cached_property
    def cubes(self):
        return (self.w**3).sum()


class Ordered(collections.OrderedDict):
    pass


class NewlyMade(Named):
    def __new__(cls, pair):
        return super().__new__(cls, *pair)


def loss(p):
    """``sum(w**3) * b`` of a tree, whether it has keys, places or fields."""
    w, b = (p["w"], p["b"]) if isinstance(p, dict) else p if isinstance(p, (list, tuple)) else (p.w, p.b)
    return (w**3).sum() * b


def parts(p):
    return (p["w"], p["b"]) if isinstance(p, dict) else tuple(p) if isinstance(p, (list, tuple)) else (p.w, p.b)


TREES = [
    {"w": W, "b": B}, [W, B], (W, B), Named(W, B), NewlyMade((W, B)),
    collections.OrderedDict(w=W, b=B), collections.defaultdict(list, w=W, b=B), collections.Counter(w=W, b=B),
    Ordered(w=W, b=B), Plain(W), Plain(W, B), Frozen(W, B), Slotted(w=W, b=B), Checked(W), Labelled(W, B, "layer"),
    Cached(W, B),
]  # fmt: skip
KINDS = [type(tree).__name__ for tree in TREES]


@each("tree", TREES)
def test_derivatives_have_the_class_of_the_tree(tree):
    value, gradient = mg.value_and_grad(loss)(tree)
    assert type(gradient) is type(tree)
    assert value == BY_B * B
    np.testing.assert_allclose(parts(gradient)[0], BY_W)
    np.testing.assert_allclose(parts(gradient)[1], BY_B)

    ones = map_leaves(np.ones_like, tree)
    np.testing.assert_allclose(mg.jvp(loss, (tree,), (ones,))[1], BY_W.sum() + BY_B)
    (pulled,) = mg.vjp(loss, tree)[1](2.0)
    np.testing.assert_allclose(parts(pulled)[0], 2 * BY_W)
    product = mg.hvp(loss, tree, ones)
    np.testing.assert_allclose(parts(product)[0], 6 * W * B + 3 * W**2)
    np.testing.assert_allclose(parts(product)[1], BY_W.sum() / B)

    hessian = mg.hessian(loss)(tree)
    np.testing.assert_allclose(parts(parts(hessian)[0])[0], np.diag(6 * W * B))
    np.testing.assert_allclose(parts(parts(hessian)[0])[1], 3 * W**2)
    assert type(hessian) is type(parts(hessian)[0]) is type(tree)


@each("tree", TREES)
def test_all_that_takes_trees_takes_this_one(tree):
    assert_gradients_close(loss, (tree,), order=2)
    if not isinstance(tree, list):  # which is an array for minimize
        result = mg.optim.minimize(lambda p: (parts(p)[0] ** 2).sum(), tree)
        assert type(result.x) is type(tree)
        assert type(tree).__name__.lower() in repr(result).lower() or isinstance(tree, (dict, tuple))

    def squares(p):
        return map_leaves(lambda x: x * x, p)

    doubled = mg.jacobian(squares)(tree)
    np.testing.assert_allclose(parts(parts(doubled)[0])[0], np.diag(2 * W))
    leaf = mg.tensor(W, requires_grad=True)
    given = map_leaves(lambda x: leaf if np.shape(x) else x, tree)
    mg.checkpoint(loss)(given).backward()
    np.testing.assert_allclose(leaf.grad, BY_W)


@each("tree", TREES)
def test_leaves_have_paths(tree):
    leaves, rebuild = flatten(tree)
    assert len(leaves) == 2
    for path, leaf in zip(paths(tree, "tree"), leaves, strict=True):
        assert eval(path, {"tree": tree}) is leaf
    again = rebuild(leaves)
    assert type(again) is type(tree)
    assert again is not tree


def test_what_a_dict_has_besides_is_kept():
    tree = collections.defaultdict(lambda: 5.0, w=W)
    seen = mg.grad(lambda p: (p["w"] ** 2).sum() * p["absent"])(tree)
    np.testing.assert_allclose(seen["w"], 10 * W)
    assert "absent" not in tree
    assert seen["other"] == 5.0
    ordered = collections.OrderedDict([("b", 1.0), ("a", 2.0)])
    assert list(mg.grad(lambda p: p["a"] * p["b"])(ordered)) == ["b", "a"]


def test_fields_that_are_static_are_kept():
    tree = Labelled(W, B, "layer", power=2)
    gradient = mg.grad(lambda p: (p.w**p.power).sum())(tree)
    assert (gradient.label, gradient.power, gradient.b) == ("layer", 2, 0)
    np.testing.assert_allclose(gradient.w, 2 * W)


def test_fields_that_are_no_numbers_are_refused():
    with pytest.raises(errors.DTypeError, match=r"three.*mark the field static"):
        mg.grad(loss)(Plain(W, "three"))
    with pytest.raises(errors.DTypeError, match="int"):
        mg.grad(loss)(Plain(W, 3))


def test_dataclasses_nest():
    tree = {"layers": [Plain(W, Frozen(2.0, None)), Named(Slotted(w=W, b=1.0), (4.0,))], "bias": None}
    gradient = mg.grad(lambda p: (p["layers"][0].w * p["layers"][1].w.w).sum() * p["layers"][0].b.w)(tree)
    np.testing.assert_allclose(gradient["layers"][0].w, 2 * W)
    np.testing.assert_allclose(gradient["layers"][0].b.w, W @ W)
    assert gradient["layers"][0].b.b is None
    assert gradient["layers"][1].b == (0,)
    assert paths(tree, "p") == [
        "p['layers'][0].w", "p['layers'][0].b.w", "p['layers'][1].w.w", "p['layers'][1].w.b", "p['layers'][1].b[0]",
    ]  # fmt: skip


def test_results_are_trees_too():
    value, pullback = mg.vjp(lambda x: Frozen(x**2, {"sum": x.sum()}), W)
    np.testing.assert_allclose(value.w, W**2)
    np.testing.assert_allclose(pullback(Frozen(np.ones(2), {"sum": 10.0}))[0], 2 * W + 10)


def test_a_cached_property_is_computed_from_the_leaves_that_are_there():
    tree = Cached(W, B)
    assert tree.cubes == 9
    np.testing.assert_allclose(mg.grad(lambda p: p.cubes * p.b)(tree).w, BY_W)


def test_an_attribute_that_is_no_field_is_refused():
    tree = Plain(W, B)
    tree.cubes = (W**3).sum()  # which would be the old one
    with pytest.raises(errors.DTypeError, match=r"Plain.*'cubes'.*property.*static"):
        mg.grad(loss)(tree)


class Fixed(dict):
    def __setitem__(self, key, value):
        raise TypeError("it cannot be changed")


class Pair(tuple):
    def __new__(cls, w, b):
        return super().__new__(cls, (w, b))


class NoCopy(dict):
    def __init__(self, number, **items):
        super().__init__(items)

    def __copy__(self):
        raise RuntimeError("there is one only")


@pytest.mark.parametrize("tree", [Fixed(w=W, b=B), Pair(W, B), NoCopy(1, w=W, b=B)], ids=lambda t: type(t).__name__)
def test_a_class_that_cannot_be_made_again_is_named(tree):
    with pytest.raises(errors.DTypeError, match=rf"{type(tree).__name__} in a tree.*plain dict"):
        mg.grad(loss)(tree)


def test_other_objects_are_leaves():
    with pytest.raises(errors.DTypeError, match="SimpleNamespace"):
        mg.grad(lambda p: p.w)(SimpleNamespace(w=W))


# Two trees


def test_leaves_belong_together_by_key():
    x, v = {"a": 1.0, "b": 2.0}, {"b": 10.0, "a": 1000.0}

    def f(p):
        return p["a"] ** 2 * p["b"]  # the gradient is (2ab, a**2) = (4, 1), the Hessian [[2b, 2a], [2a, 0]]

    assert mg.jvp(f, (x,), (v,))[1] == 4 * 1000 + 1 * 10
    assert mg.hvp(f, x, v) == {"a": 4 * 1000 + 2 * 10, "b": 2 * 1000}
    _, pullback = mg.vjp(lambda t: {"a": t, "b": 5 * t}, 1.0)
    assert pullback(v) == (1000 + 5 * 10,)
    assert map_leaves(lambda one, other: (one, other), x, v) == {"a": (1.0, 1000.0), "b": (2.0, 10.0)}
    nested = [{"p": x}, (x,)]
    other = ({"p": v}, [v])
    assert map_leaves(lambda one, more: more - one, nested, other) == [{"p": {"a": 999, "b": 8}}, ({"a": 999, "b": 8},)]


@each("other", [
    {"a": W}, {"a": W, "c": W}, {"a": W, "b": W, "c": W}, [W, W], None, {"a": W, "b": None}, Frozen(W, W), W,
    {"a": W, "b": {"c": W}},
])  # fmt: skip
def test_trees_of_other_forms_are_refused(other):
    tree = {"a": W, "b": {"d": W}}

    def f(p):
        return (p["a"] * p["b"]["d"]).sum()

    for call in (
        lambda: mg.jvp(f, (tree,), (other,)),
        lambda: mg.hvp(f, tree, other),
        lambda: mg.vjp(lambda x: {"a": x, "b": {"d": x}}, W)[1](other),
        lambda: map_leaves(np.add, tree, other),
    ):
        with pytest.raises(errors.ShapeError, match="is expected"):
            call()


def test_a_missing_direction_is_no_direction():
    with pytest.raises(errors.ShapeError, match=r"tangent\[0\] is None"):
        mg.jvp(lambda x: x * x, (2.0,), (None,))
    with pytest.raises(errors.ShapeError, match="cotangent is None"):
        mg.vjp(lambda x: x * x, 2.0)[1](None)


def test_a_list_may_stand_for_an_array():
    np.testing.assert_allclose(mg.hvp(lambda x: (x**3).sum(), W, [1.0, 0.0]), [6, 0])
    assert mg.jvp(lambda x: (x**2).sum(), (W,), ([1.0, 1.0],))[1] == 6


def test_a_tree_is_not_changed():
    tree = collections.defaultdict(list, w=W, b=B)
    before = copy.deepcopy(tree)
    _, rebuild = flatten(tree)
    tree["new"] = 1.0
    assert rebuild([W, B]).keys() == before.keys()
    assert rebuild([1.0, 2.0])["w"] == 1.0
    assert rebuild([W, B])["w"] is W
