"""Modules of JavaScript in a page: loaded, called with trees of arrays, and their results read."""

import json

import numpy as np

import minigrad as mg

# Numbers as texts, which are exact, and parts of objects as lists of three.
START = """
const numbers = (tree) => typeof tree === "number" || typeof tree === "boolean" ? text(+tree) :
  ArrayBuffer.isView(tree) ? Array.from(tree, text) : Array.isArray(tree) ? tree.map(numbers) :
  tree === null ? null : Object.entries(tree).map(([name, part]) => ["pair", name, numbers(part)]);
const text = (x) => Object.is(x, -0) ? "-0" : String(x);
const load = async (source) => await import("data:text/javascript," + encodeURIComponent(source));
"""


def literal(tree):
    """A tree of arrays as JavaScript writes it."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"[{json.dumps(str(k))}]: {literal(part)}" for k, part in tree.items()) + "}"
    if isinstance(tree, list | tuple):
        return f"[{', '.join(map(literal, tree))}]"
    if np.ndim(tree):
        return f"Float64Array.of({', '.join(map(literal, np.ravel(tree)))})"
    return str(float(tree)).replace("nan", "NaN").replace("inf", "Infinity")


def load(page, called, f, *examples, **options):
    source = json.dumps(mg.export.javascript(f, *examples, **options))
    page.run(
        f"load({source}).then((found) => {{ window.{called} = found.default; window.create_{called} = found.create; }})"
    )


def call(page, name, *inputs):
    """The results, as arrays in their tree: objects are lists of pairs of a name and a value."""
    return parsed(page.run(f"numbers({name}({', '.join(map(literal, inputs))}))"))


def parsed(tree):
    if isinstance(tree, list):
        if tree and all(isinstance(x, str) for x in tree):
            return np.array([float(x) for x in tree])
        return [parsed(x) if not isinstance(x, list) or not _is_pair(x) else (x[1], parsed(x[2])) for x in tree]
    return None if tree is None else float(tree)


def _is_pair(x):
    return len(x) == 3 and x[0] == "pair"
