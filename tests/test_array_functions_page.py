"""The table of array functions in the documentation: it has all of them, and what it says of them is right."""

import inspect
import re
import runpy
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad.core import numpy_functions
from tests.op_tables import TABLE
from tests.rows import each

DOCS = Path(__file__).parent.parent / "docs"
PAGE = SimpleNamespace(**runpy.run_path(str(DOCS / "array_functions.py")))
ENTRIES = {entry.name: entry for entry in PAGE.entries()}
REGISTERED = {*map(PAGE.full_name, numpy_functions), *PAGE.by_name}  # now: tests register more

# Modules whose public functions are not functions of arrays, or are no part of an array namespace.
OTHER_MODULES = (
    "autograd", "checkpointing", "compiling", "control", "core", "several", "gradcheck", "io", "jacobians", "mapping",
    "random", "settings", "threads", "transforms",
)  # fmt: skip


@pytest.mark.parametrize("namespace", PAGE.NAMESPACES)
def test_every_public_function_has_a_row(namespace):
    module = import_module(namespace)
    functions = [name for name in module.__all__ if inspect.isfunction(getattr(module, name))]
    of_arrays = {
        f"{namespace}.{name}"
        for name in functions
        if not getattr(module, name).__module__.startswith(tuple(f"minigrad.{part}" for part in OTHER_MODULES))
    }
    assert of_arrays - PAGE.OTHERS == {name for name in ENTRIES if name.rpartition(".")[0] == namespace}


def test_every_function_of_numpy_that_leads_to_minigrad_has_a_row():
    shown = {name for entry in ENTRIES.values() for name in (entry.name, *entry.others)}
    assert shown >= REGISTERED


@pytest.mark.parametrize("namespace", PAGE.STANDARD)
def test_the_standard_is_complete(namespace):
    wanted = {f"{namespace}.{name}" for name in PAGE.STANDARD[namespace].split()}
    assert {name for name, entry in ENTRIES.items() if entry.standard and entry.name.startswith(namespace)} >= wanted


def rows(entry):
    """The rows of the operations' table that are about a function, by itself or by its name."""
    for row in TABLE:
        if row.function is entry.function or row.operation == entry.name.rpartition(".")[2]:
            yield row


@each("name", ENTRIES)
def test_orders_agree_with_what_is_tested(name):
    checked = [row.orders for row in rows(ENTRIES[name])]
    if checked:
        assert (ENTRIES[name].orders != "none") == (max(checked) > 0)


def test_what_is_listed_by_hand_exists():
    lists = [f"{space}.{name}" for space, names in PAGE.CONSTANT.items() for name in names.split()]
    for name in {*lists, *PAGE.CONVENTIONS, *PAGE.OTHERS, *PAGE.RENAMED, *PAGE.RENAMED.values()}:
        module, _, short = name.rpartition(".")
        assert hasattr(import_module(module), short), name


INF = np.inf


@pytest.mark.parametrize(
    ("name", "point", "slopes"),
    [
        ("acos", [-1.0, 1.0], [-INF, -INF]),
        ("acosh", [1.0], [INF]),
        ("asin", [-1.0, 1.0], [INF, INF]),
        ("atanh", [-1.0, 1.0], [INF, INF]),
        ("log", [0.0], [INF]),
        ("sign", [0.0, 2.0], [0.0, 0.0]),
        ("sqrt", [0.0], [INF]),
        ("cbrt", [0.0], [INF]),
        ("abs", [0.0], [0.0]),
        ("floor", [1.0], [0.0]),
        ("prod", [0.0, 2.0, 3.0], [6.0, 0.0, 0.0]),
        ("max", [1.0, 4.0, 4.0], [0.0, 0.5, 0.5]),
        ("std", [2.0, 2.0], [0.0, 0.0]),
    ],
)
def test_conventions_are_right(name, point, slopes):
    x = mg.tensor(point, requires_grad=True)
    with np.errstate(all="ignore"):
        getattr(mg, name)(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), slopes)
    assert ENTRIES[f"minigrad.{name}"].conventions


def test_the_page_is_tables(tmp_path):
    PAGE.write(tmp_path)
    text = (tmp_path / PAGE.PAGE).read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert len(rows) == len(ENTRIES) + 2 * text.count("\n## ") + 2
