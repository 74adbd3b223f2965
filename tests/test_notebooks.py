"""What people look at in a notebook: every object has a text and a table, whatever state it is in."""

import dataclasses
import gc
import inspect
import json
import subprocess
import sys
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from tests.rows import each
from tests.test_display import HOSTILE, Page, points

NAN, INF = float("nan"), float("inf")


def shown(thing, include=None, exclude=None):
    """What a notebook does with the last value of a cell: IPython's way to ask for it, and Jupyter's to send it."""
    assert not inspect.isclass(thing)
    assert not callable(getattr(thing, "_ipython_canary_method_should_not_exist_", None))
    bundle = thing._repr_mimebundle_(include=include, exclude=exclude)
    assert type(bundle) is dict
    json.dumps(bundle, ensure_ascii=False, allow_nan=False).encode("utf-8")
    return bundle


def page_of(thing):
    """The HTML form, read, of an object that has both forms."""
    bundle = shown(thing)
    assert set(bundle) == {"text/plain", "text/html"}
    return Page(bundle["text/html"])


def facts_of(tensor):
    titles, facts = page_of(tensor).rows[:2]
    return dict(zip(titles, facts, strict=True))


def leaf(shape=(3,), name=None):
    return mg.tensor(np.ones(shape), requires_grad=True, name=name)


def model():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Sequential(nn.Linear(8, 8, bias=False), nn.BatchNorm1d(8)))


def run(**options):
    return mg.optim.minimize(mg.objectives.bowl(1, 10), [4.0, 2.5], **{"lr": 0.05, "steps": 20} | options)


def lr_range():
    X = np.random.default_rng(0).normal(size=(32, 2))
    layer = nn.Linear(2, 1)
    return mg.optim.lr_range_test(lambda X: (layer(X) ** 2).mean(), layer, [(X,)])


THINGS = {
    "tensor": lambda: mg.tensor([1.0, 2.0]),
    "parameter": lambda: nn.Parameter([1.0, 2.0]),
    "module": model,
    "summary": lambda: nn.summary(model(), mg.zeros((2, 4))),
    "summary without input": lambda: nn.summary(model()),
    "result": run,
    "sweep": lambda: mg.optim.sweep(mg.objectives.bowl(1, 10), [4.0, 2.5], [0.01, 0.09, 0.3], steps=30),
    "learning rates": lr_range,
}


@pytest.mark.parametrize("name", THINGS)
def test_everything_has_its_repr_and_a_table(name):
    thing = THINGS[name]()
    assert shown(thing)["text/plain"] == repr(thing)
    assert page_of(thing).rows
    assert shown(thing) == shown(thing)


@pytest.mark.parametrize("name", THINGS)
def test_only_the_forms_that_are_wanted_are_made(name):
    thing = THINGS[name]()
    assert set(shown(thing, include={"text/html", "image/png"})) == {"text/html"}
    assert set(shown(thing, exclude=["text/html"])) == {"text/plain"}
    assert set(shown(thing, include=["text/plain"], exclude=["text/plain"])) == set()


@pytest.mark.parametrize("name", THINGS)
def test_strict_floating_point_and_other_print_options_do_no_harm(name):
    thing = THINGS[name]()
    with np.errstate(all="raise"), np.printoptions(precision=2, threshold=3, linewidth=20, sign=" "):
        page_of(thing)


# Tensors


def test_the_facts_about_a_tensor():
    x = leaf((2, 3), "w")
    assert facts_of(x) == {
        "class": "Tensor",
        "shape": "(2, 3)",
        "dtype": "float64",
        "name": "w",
        "requires grad": "yes",
        "made by": "leaf",
        "memory": "48 B",
    }
    y = (x * 2).sum()
    assert facts_of(y)["made by"] == "sum"
    assert "name" not in facts_of(y)
    assert facts_of(y.detach())["requires grad"] == "no"
    assert "made by" not in facts_of(y.detach())
    assert facts_of(nn.Linear(2, 2).weight)["class"] == "Parameter"


STATES = {
    "no axes": lambda: mg.tensor(3.0),
    "a scalar result": lambda: leaf().sum(),
    "empty": lambda: mg.zeros((0, 3)),
    "empty with many axes": lambda: mg.zeros((2, 0, 3, 1)),
    "bool": lambda: mg.tensor([True, False]),
    "large bool": lambda: mg.tensor([True, False] * 50),
    "int": lambda: mg.tensor([[1, -(2**63)]]),
    "uint8": lambda: mg.ones(300, dtype=mg.uint8),
    "float32": lambda: mg.ones((2, 2), dtype=mg.float32),
    "complex": lambda: mg.tensor([1 + 2j, complex(NAN, INF)], requires_grad=True),
    "large complex": lambda: mg.ones(100, dtype=mg.complex64) * 1j,
    "nan and inf": lambda: mg.tensor([NAN, INF, -INF, 0.0]),
    "only nan, large": lambda: mg.full((50,), NAN),
    "huge and tiny": lambda: mg.tensor([1.7e308, -1.7e308, 5e-324] * 10),
    "many axes": lambda: mg.ones((1,) * 20),
    "transposed": lambda: mg.ones((30, 40)).mT,
    "read-only": lambda: mg.broadcast_to(mg.tensor([1.0, 2.0]), (50, 2)),
}


@each("name", STATES)
def test_tensors_in_every_state(name):
    tensor = STATES[name]()
    facts = facts_of(tensor)
    assert facts["shape"] == str(tensor.shape)
    assert facts["dtype"] == str(tensor.dtype)
    assert shown(tensor)["text/plain"] == repr(tensor)


def test_a_tensor_whose_graph_is_released():
    x = leaf()
    y = x * 2
    z = y.sum()
    z.backward()
    assert facts_of(z)["made by"] == "sum"
    assert facts_of(y)["requires grad"] == "yes"
    assert facts_of(x.grad)["requires grad"] == "no"


@each("text", HOSTILE)
def test_hostile_names_of_tensors(text):
    assert facts_of(leaf(name=text))["name"] == HOSTILE[text]


def test_a_name_of_a_million_letters_is_cut():
    assert len(shown(leaf(name="x" * 10**6), include=["text/html"])["text/html"]) < 5000


def test_to_look_at_a_tensor_changes_nothing():
    x = leaf()
    y = x * 3
    node, inputs, sequence = y.node, y.node.inputs, y.node.seq
    value = y.array
    shown(y)  # warnings are errors here: grad, which y does not keep, is not asked for
    assert y.node is node
    assert (node.inputs, node.seq, node.notes) == (inputs, sequence, None)
    assert y.array is value
    assert x.grad is None
    after = x * 1
    assert after.node.seq == sequence + 1  # nothing was recorded in between
    y.sum().backward()
    assert x.grad.tolist() == [3.0] * 3


def test_a_display_does_not_keep_a_tensor_alive():
    data = np.ones(1000)
    tensor = mg.asarray(data)
    shown(tensor)
    reference = weakref.ref(data)
    del data, tensor
    gc.collect()
    assert reference() is None


def test_a_tensor_can_be_looked_at_while_a_function_is_differentiated():
    seen = []

    def f(x):
        y = x * x
        seen.extend([shown(x), shown(y)])
        return y.sum()

    assert mg.hessian(f)(mg.tensor([1.0, 2.0])).tolist() == [[2.0, 0.0], [0.0, 2.0]]
    assert all(set(bundle) == {"text/plain", "text/html"} for bundle in seen)


def test_ten_million_elements_are_sampled_and_what_is_strange_is_counted():
    values = np.random.default_rng(0).normal(size=10**7)
    assert "sample" in page_of(mg.asarray(values)).text
    values[1234567] = NAN
    page = page_of(mg.asarray(values))
    assert dict(zip(*page.rows[2:], strict=True))["NaN"] == "1"
    assert "sample" in page.text


# Models


def rows_of(module):
    header, *rows = page_of(module).rows
    assert header == ["part", "class", "parameters", "shapes"]
    return rows


def test_the_table_of_a_model():
    assert rows_of(model()) == [
        ["model", "Sequential", "-", ""],
        ["0", "Linear", "40", "weight (8, 4), bias (8,)"],
        ["1", "ReLU", "-", ""],
        ["2", "Sequential", "-", ""],
        ["0", "Linear", "64", "weight (8, 8)"],
        ["1", "BatchNorm1d", "16", "weight (8,), bias (8,)"],
    ]
    assert "120 parameters, 120 of them trained" in page_of(model()).text


def test_tied_and_frozen_parameters_in_the_total():
    tied = nn.Sequential(nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False))
    tied[1].weight = tied[0].weight
    assert "9 parameters, 9 of them trained" in page_of(tied).text
    tied.requires_grad_(False)
    assert "9 parameters, 0 of them trained" in page_of(tied).text


def test_the_total_is_that_of_summary():
    made = nn.summary(model(), mg.zeros((2, 4)))
    assert f"{made.parameters} parameters, {made.trainable} of them trained" in page_of(made).text
    assert ["0", "Linear", "(2, 8)", "40"] in page_of(made).rows


def test_to_look_at_a_model_does_not_run_it():
    class Loud(nn.Module):
        def forward(self, x):
            raise AssertionError

    part = Loud()
    part.train(False)
    assert rows_of(part) == [["model", "Loud", "-", ""]]
    assert not part.training


def cycle():
    outer, inner = nn.Sequential(nn.Linear(2, 2)), nn.Linear(2, 1)
    outer.add_module("inner", inner)
    inner.add_module("owner", outer)
    inner.add_module("itself", inner)
    return outer


def clique(n=14):
    parts = [nn.ReLU() for _ in range(n)]
    for part in parts:
        for i, other in enumerate(parts):
            part.add_module(str(i), other)
    return parts[0]


def doubled(depth=60):
    part = nn.ReLU()
    for _ in range(depth):
        part = nn.Sequential(part, part)
    return part


def deep(depth=3000):
    part = nn.Linear(1, 1)
    for _ in range(depth):
        part = nn.Sequential(part)
    return part


def without_init():
    class Forgetful(nn.Module):
        def __init__(self):
            pass

    return Forgetful()


def part_without_init():
    return nn.Sequential(nn.Linear(2, 2), without_init())


def broken_repr():
    class Broken(nn.Module):
        def extra_repr(self):
            raise RuntimeError("not today")

    return nn.Sequential(Broken())


def empty_parameter():
    part = nn.Linear(2, 2)
    part._parameters["weight"] = nn.Parameter.__new__(nn.Parameter)
    return part


def broken_tables():
    part = nn.Linear(2, 2)
    part._modules["number"] = 3
    part._parameters["weight"] = "a word"
    return part


BROKEN = {
    f.__name__: f
    for f in (
        cycle,
        clique,
        doubled,
        deep,
        without_init,
        part_without_init,
        broken_repr,
        empty_parameter,
        broken_tables,
    )
}


@pytest.mark.parametrize("name", BROKEN)
def test_models_in_pieces_are_still_shown(name):
    thing = BROKEN[name]()
    rows = rows_of(thing)
    assert rows[0][:2] == ["model", type(thing).__name__]
    assert type(thing).__name__ in shown(thing)["text/plain"]


def test_in_a_cycle_each_part_is_listed_once():
    thing = cycle()
    assert [row[0] for row in rows_of(thing)] == ["model", "0", "inner"]
    assert "9 parameters" in page_of(thing).text
    assert shown(thing)["text/plain"] == "model: Sequential\n  0: Linear\n  inner: Linear"


def test_a_part_in_two_places_is_listed_in_the_first():
    part = nn.ReLU()
    assert [row[0] for row in rows_of(nn.Sequential(part, nn.Tanh(), part))] == ["model", "0", "1"]


def test_of_many_parts_the_first_are_shown_and_all_are_counted():
    thing = nn.Sequential(*[nn.Linear(1, 1) for _ in range(6_000)])
    rows = rows_of(thing)
    assert rows[-1][0] == f"{6_001 - (len(rows) - 1):,} more parts"
    assert "12,000 parameters" in page_of(thing).text
    bundle = shown(thing)
    assert len(bundle["text/html"]) < 200_000
    assert bundle["text/plain"].endswith("5,801 more parts")


@each("text", HOSTILE)
def test_hostile_names_of_parts_and_classes(text):
    name = text.replace(".", "_")
    kind = type(text.replace("\x00", "\x01"), (nn.Linear,), {}) if text != "\ud800" else nn.Linear
    thing = nn.Sequential()
    thing.add_module(name, kind(2, 1))
    thing[0].register_parameter(name + "p", nn.Parameter(1.0))
    page = page_of(thing)
    assert page.rows[2][0] == HOSTILE[text].replace(".", "_")
    assert page.rows[2][1] == HOSTILE[text].replace("\\x00", "\\x01") or kind is nn.Linear
    assert HOSTILE[text].replace(".", "_") + "p" in page.rows[2][3]


# Runs


def test_the_table_of_a_result_says_what_its_repr_says():
    result = run()
    lines = [line.split(maxsplit=1)[0] for line in repr(result).splitlines()[1:]]
    rows = page_of(result).rows
    assert [row[0].split()[0] for row in rows] == [*lines, "losses"]
    ((first, *_, last),) = points(shown(result)["text/html"])
    assert first[1] < last[1]  # the loss falls, and y goes down


@each("losses", [[1.0], [NAN], [INF, -INF], [3, NAN, 1, INF], [1e308, -1e308], [0.0, 0.0], [1e-320, 1.0]])
def test_losses_of_any_kind(losses):
    result = dataclasses.replace(run(), losses=np.array(losses))
    assert page_of(result).rows[-1][0] == "losses"


def test_a_run_that_diverges_with_nan():
    result = mg.optim.minimize(lambda x: mg.log(x).sum() * 1e3, [1.0], lr=1.0, steps=5)
    assert result.diverged
    assert "diverged" in page_of(result).text


def test_a_large_tree_does_not_make_a_long_line():
    result = mg.optim.minimize(
        lambda p: sum((x**2).sum() for x in p.values()),
        {f"<{i}>": np.ones((30, 30)) for i in range(50)},
        lr=0.1,
        steps=3,
    )
    assert len(shown(result, include=["text/html"])["text/html"]) < 20_000


def test_the_best_run_of_a_sweep_is_marked():
    sweep = THINGS["sweep"]()
    page = page_of(sweep)
    assert [row[0] for row in page.rows if row[-1].endswith(", the best")] == [f"{sweep.best:g}"]
    assert len(page.shapes("svg")) == 3
    lost = mg.optim.sweep(mg.objectives.bowl(1, 10), [4.0, 2.5], [0.5, 0.9], steps=30)
    assert "best" not in page_of(lost).text


# The package


def test_displays_are_imported_when_they_are_wanted_and_need_no_notebook():
    code = """
import sys
import minigrad as mg
x = mg.tensor([1.0], requires_grad=True, name="<")
before = set(sys.modules)
assert "&lt;" in x._repr_mimebundle_()["text/html"]
made = {name.partition(".")[0] for name in set(sys.modules) - before}
assert made <= {"minigrad", "html"}, made
"""
    subprocess.run([sys.executable, "-c", code], check=True)
