"""Every experiment of the tutorials, reproduced by the scripts in examples/seeds, without a derivative by hand.

The comparison is done by seeds.py, which prints a table of all figures when it is run: ``python tests/seeds.py``.
"""

import ast
import re

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

from tests import seeds
from tests.rows import each

SLOW = {  # they take seconds, and are run with all the others only
    "e06_bowl_and_rosenbrock", "e14_batches", "e15_epochs", "e16_full_batch_or_mini_batch", "e17_noise", "e18_momentum",
    "e22_schedule", "e25_next_to_scikit_learn",
}  # fmt: skip


@pytest.mark.parametrize("script", [s for s in seeds.SCRIPTS if s.stem not in SLOW], ids=lambda script: script.stem)
def test_a_script_finds_prints_and_draws_what_is_known(script):
    outcome = seeds.run(script)
    assert outcome.figures
    for experiment in outcome.figures:
        rows = seeds.rows_of(experiment, outcome, partial=True)
        assert rows
        assert all(row.ok for row in rows), seeds.table([row for row in rows if not row.ok])


@pytest.mark.slow
def test_together_they_find_every_figure():
    outcome = seeds.run_all(seeds.SCRIPTS)
    rows = [row for experiment in seeds.references() for row in seeds.rows_of(experiment, outcome)]
    assert all(row.ok for row in rows), seeds.table([row for row in rows if not row.ok])
    assert len(seeds.references()) == 31
    assert len(rows) > 1000
    assert len(outcome.pictures) >= 12


# The comparison itself


@each(("expected", "got", "ok"), [
    (1.0, 1.0 + 5e-13, True),
    (1.0, 1.0 + 5e-12, False),
    (1e29, 1e29 * (1 + 5e-12), False),
    (2.68e-21, 2.69e-21, True),  # a difference of numbers near 1
    ([1.0, 2.0], [1.0, 2.0, 3.0], False),
    ([1.0, 2.0], [1.0, np.nan], False),
    (3, 3.0000001, False),
    (None, None, True),
    (None, 1.0, False),
    (True, np.True_, True),
    (True, False, False),
    ("a", "b", False),
    (1.0, "missing", False),
    ({"length": 3, "all": [1.0, 2.0, 3.0]}, [1.0, 2.0, 3.0], True),
    ({"length": 3, "all": [1.0, 2.0, 3.0]}, [1.0, 2.0], False),
    ({"length": 3, "at": {"2": 3.0}}, [0.0, 0.0, 3.0], True),
    ({"length": 3, "at": {"2": 3.0}}, [0.0, 0.0, 3.1], False),
    ({"length": 2, "all": [[1.0, 2.0], [3.0, 4.0]]}, [[1.0, 2.0], [3.0, 4.0]], True),
    ({"a": 1.0}, {"a": 2.0}, False),
    ({"a": 1.0}, {}, False),
    ({"0.1": 1.0}, {0.1: 1.0}, True),
    ({"max_abs_diff": 1e-15}, {"max_abs_diff": 3e-15}, True),
    ({"max_abs_diff": 1e-15}, {"max_abs_diff": 3e-13}, False),
])  # fmt: skip
def test_the_comparison_sees_what_is_wrong(expected, got, ok):
    rows = list(seeds.compare("id", expected, got))
    assert rows
    assert all(row.ok for row in rows) == ok
    assert seeds.table(rows)


def test_printed_lines_are_equal_to_the_digit():
    def oks(printed):
        return [row.ok for row in seeds.printed_rows("id", ["eta = 0.001: x", "no figure"], printed)]

    assert oks("eta =  0.001: x\n") == [True]
    assert oks("eta = 0.0010: x\n") == [False]


# No derivative by hand

SOURCES = [*sorted((seeds.ROOT / "examples").rglob("*.py")), seeds.ROOT / "minigrad" / "objectives.py"]
DERIVATIVE = re.compile(
    r"^(?!check_|clip_|draw_|plot_)(.*_)?"
    r"(grads?|gradients?|derivatives?|jac(obian)?|hess(ian)?|prime|backward|d[wbxy]\d?)($|_)"
)


def derivatives_by_hand(tree):
    """Functions that are named like derivatives, rules of primitives, and descent by anything but a `.grad`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and DERIVATIVE.search(node.name):
            yield f"function {node.name}"
        elif isinstance(node, ast.FunctionDef) and any("primitive" in ast.unparse(d) for d in node.decorator_list):
            yield f"primitive {node.name}"
        elif isinstance(node, ast.Assign | ast.AugAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                name = ast.unparse(target)
                if isinstance(node.value, ast.Lambda) and DERIVATIVE.search(name):
                    yield f"function {name}"
                elif re.fullmatch(r"d[wbxy]\d?", name):
                    yield f"variable {name}"
        if (step := _step(node)) is not None and ".grad" not in ast.unparse(step):
            yield f"update {ast.unparse(node)}"


def _step(node):
    """The product E of an update ``w -= E`` or ``w = w - E``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub):
        step = node.value
    elif (
        isinstance(node, ast.Assign)
        and isinstance(node.value, ast.BinOp)
        and isinstance(node.value.op, ast.Sub)
        and ast.unparse(node.value.left) == ast.unparse(node.targets[0])
    ):
        step = node.value.right
    else:
        return None
    return step if isinstance(step, ast.BinOp) and isinstance(step.op, ast.Mult) else None


@each("source", SOURCES)
def test_no_derivative_is_written_by_hand(source):
    assert list(derivatives_by_hand(ast.parse(source.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize("source", [
    "def grad_f(x): return 2 * x",
    "def f_prime(x): return 2 * x",
    "gradient = lambda w: [2 * w[0], 10 * w[1]]",
    "dw, db = 1, 2\ndw = 2 * mean(err * X)",
    "w -= lr * 2 * w",
    "w = w - lr * g",
    "@mg.primitive(lambda g, y, x: g)\ndef f(x): return x",
])  # fmt: skip
def test_a_derivative_by_hand_would_be_seen(source):
    assert list(derivatives_by_hand(ast.parse(source)))


@pytest.mark.parametrize("source", ["w -= lr * w.grad", "gradient = mg.grad(f)(x)", "n -= 1", "best = best - 1"])
def test_what_the_graph_does_is_not_taken_for_it(source):
    assert list(derivatives_by_hand(ast.parse(source))) == []
