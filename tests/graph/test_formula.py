"""The formulas of derivatives, as pictures show them."""

import pytest

import minigrad as mg
from minigrad.core import primitives
from minigrad.graph.formula import formulas


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sin", {"x": "g * np.cos(x)"}),
        ("multiply", {"a": "g * b", "b": "g * a"}),
        ("matmul", {"a": "g @ b.T; of vectors their outer or plain product."}),
        ("pow", {"a": "g * b * a ** (b - 1), and 0 where `b` is 0, even if the power is infinite."}),
        ("softmax", {"x": "y * (g - sum(g * y)), summed along the axis."}),
        ("masked_softmax", {"scores": "y * (g - sum(g * y)), summed along the axis."}),
        ("inverse", {"x": "From d(x**-1) = -x**-1 dx x**-1."}),
        ("abs", {"x": "slope(g, np.conjugate(x), y) if x.dtype.kind == 'c' else g * np.sign(x)"}),
        ("solve", {"all operands": "Of `b` gb = solve(a.T, g), and of `a` -gb @ y.T."}),
        ("standardized", {"x": "(g - mean(g) - y * mean(g * y)) / sqrt(var(x) + eps)."}),
    ],
)
def test_formulas_of_operations(name, expected):
    found = dict(formulas(primitives[name].primitive))
    assert {operand: found[operand] for operand in expected} == expected


def test_what_is_more_than_a_call_is_shown_as_it_is():
    found = dict(formulas(primitives["recurrence"].primitive))
    assert found["a"] == "_recurrence_from_end(a, g, axis) * _delay(y, axis, 0)"


def test_every_derivative_has_a_formula():
    for function in primitives.values():
        if function.primitive.differentiable:
            assert all(text for _, text in formulas(function.primitive)), function.primitive.name


def test_a_rule_of_many_lines_has_a_name_and_what_its_docstring_says():
    def slope(g, y, x):
        """Twice the gradient."""
        twice = 2 * g
        return twice

    def doubled(x, /):
        return x * 2

    made = mg.primitive(slope)(doubled)
    assert formulas(made.primitive) == [("x", "slope(g, y, x): Twice the gradient.")]
    primitives.pop("doubled", None)
