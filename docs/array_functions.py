"""The table of array functions, made from the package itself.

A function's row says under which names NumPy leads to it, whether the Python Array API standard has it, how often it
can be differentiated, and what its derivative is where there is none.  The names come from the public namespaces and
from the register of NumPy functions, the orders from the rules of the operations, and the conventions from what the
docstrings say of derivatives.  What cannot be read off is listed here.
"""

import inspect
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minigrad.core import numpy_functions
from minigrad.ops.names import by_name, full_name, stand_in_for

Function: TypeAlias = Callable[..., Any]

PAGE = "_generated/array-functions.markdown"  # under docs/; included by guide/array-functions.md, so no page itself

# The functions of the standard, version 2024.12, in its order: https://data-apis.org/array-api/2024.12/
STANDARD = {
    "minigrad": """
        arange asarray empty empty_like eye from_dlpack full full_like linspace meshgrid ones ones_like tril triu zeros
        zeros_like astype can_cast finfo iinfo isdtype result_type abs acos acosh add asin asinh atan atan2 atanh
        bitwise_and bitwise_left_shift bitwise_invert bitwise_or bitwise_right_shift bitwise_xor ceil clip conj copysign
        cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot imag isfinite isinf isnan less
        less_equal log log1p log2 log10 logaddexp logical_and logical_not logical_or logical_xor maximum minimum
        multiply negative nextafter not_equal positive pow real reciprocal remainder round sign signbit sin sinh square
        sqrt subtract tan tanh trunc take take_along_axis __array_namespace_info__ matmul matrix_transpose tensordot
        vecdot broadcast_arrays broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze
        stack tile unstack argmax argmin count_nonzero nonzero searchsorted where unique_all unique_counts
        unique_inverse unique_values argsort sort cumulative_prod cumulative_sum max mean min prod std sum var all any
        diff
    """,
    "minigrad.linalg": """
        cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer
        pinv qr slogdet solve svd svdvals tensordot trace vecdot vector_norm
    """,
    "minigrad.fft": """
        fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftfreq rfftfreq fftshift ifftshift
    """,
}

# The namespaces, and the ones of other packages whose functions lead to them.
COUNTERPARTS = {
    "numpy": "minigrad",
    "numpy.linalg": "minigrad.linalg",
    "numpy.fft": "minigrad.fft",
    "scipy.special": "minigrad.special",
}
NAMESPACES = list(COUNTERPARTS.values())

# Names that lead to a function by another name, with arguments to be translated on the way.
RENAMED = {
    "numpy.cumprod": "minigrad.cumulative_prod",
    "numpy.cumsum": "minigrad.cumulative_sum",
    "numpy.transpose": "minigrad.permute_dims",
}

# The parts of the package where functions of arrays are defined, and what these parts have besides.  What else is
# public walks over graphs, trains models, reads files.
HOMES = {"ops", "creation", "inspection", "dtypes", "linalg", "fft", "special"}
OTHERS = {"minigrad.get_default_dtype", "minigrad.set_default_dtype"}

# Functions that are no primitives, and to whose results no derivative belongs: dtypes, indices, counts, arrays made of
# nothing that could be differentiated.  First modules of only such functions, then others.
CONSTANT_MODULES = {"minigrad.dtypes", "minigrad.inspection", "minigrad.ops.describing"}
CONSTANT = {
    "minigrad": """
        arange empty empty_like eye from_dlpack full full_like nonzero ones ones_like searchsorted tensor zeros
        zeros_like
    """,
    "minigrad.fft": "fftfreq rfftfreq",
    "numpy": """
        argpartition frombuffer fromfile fromfunction fromiter fromstring genfromtxt histogram_bin_edges identity
        loadtxt tri
    """,
}

# Conventions of which the docstrings do not speak, or not in one clause; "" where they speak of something else.
CONVENTIONS = {
    "minigrad.acos": "at -1 and 1 the derivative is -inf",
    "minigrad.acosh": "at 1 the derivative is inf",
    "minigrad.asin": "at -1 and 1 the derivative is inf",
    "minigrad.astype": "the gradient has the operand's dtype",
    "minigrad.atan2": "at the origin the derivative is taken as 0",
    "minigrad.atanh": "at -1 and 1 the derivative is inf",
    "minigrad.cumulative_prod": "exact with zeros: nothing is divided",
    "minigrad.log": "at 0 the derivative is inf",
    "minigrad.prod": "exact with zeros: nothing is divided",
    "minigrad.remainder": "at a jump the derivative is that on either side",
    "minigrad.sign": "the derivative is 0; of a complex number, that of `x / |x|`, and 0 at 0",
    "minigrad.sort": "each element takes its gradient with it",
    "minigrad.special.betainc": "by `x` only: to ask for the derivatives by `a` and `b` raises an error",
    "minigrad.special.erfcx": "",
    "minigrad.special.gammainc": "by `x` only: to ask for the derivative by `a` raises an error",
    "minigrad.special.gammaincc": "by `x` only: to ask for the derivative by `a` raises an error",
    "minigrad.special.i1": "",
    "minigrad.special.log_ndtr": "",
    "minigrad.special.polygamma": "",
    "minigrad.take": "an element that is taken twice gets both gradients",
    "minigrad.take_along_axis": "an element that is taken twice gets both gradients",
    "numpy.gradient": "",
    "numpy.polyder": "",
    "numpy.polyint": "",
}


class Entry(NamedTuple):
    """A row of the table."""

    name: str  # with its namespace
    function: Function
    others: list[str]  # the names under which other packages lead to it
    standard: bool
    orders: str
    conventions: str


# What there is


def functions(namespace: str) -> dict[str, Function]:
    """The public functions of arrays in a namespace, by full name."""
    module = import_module(namespace)
    public = {f"{namespace}.{name}": getattr(module, name) for name in module.__all__}
    return {name: f for name, f in public.items() if inspect.isfunction(f) and _is_of_arrays(name, f)}


def _is_of_arrays(name: str, function: Function) -> bool:
    package, _, rest = function.__module__.partition(".")
    return package == "minigrad" and rest.split(".")[0] in HOMES and name not in OTHERS


def registered() -> dict[Function, list[str]]:
    """What functions of other packages lead to, with all their names: ``numpy.abs`` is ``numpy.absolute`` too."""
    by_names = {full_name(function): stand_in for function, stand_in in numpy_functions.items()} | by_name
    for module in (np, np.linalg, np.fft):
        for name in module.__all__:
            function = getattr(module, name)
            if hasattr(function, "__name__") and (stand_in := stand_in_for(function)) is not None:
                by_names[f"{module.__name__}.{name}"] = stand_in
    found: dict[Function, list[str]] = {}
    for name in sorted(by_names):
        found.setdefault(by_names[name], []).append(name)
    return found


def _counterpart(name: str) -> str:
    module, _, short = name.rpartition(".")
    return RENAMED.get(name, f"{COUNTERPARTS.get(module)}.{short}")


def entries() -> list[Entry]:
    """All rows: those of the public functions, and of what has names in other packages only."""
    every = {name: f for namespace in NAMESPACES for name, f in functions(namespace).items()}
    others: dict[str, list[str]] = {name: [] for name in every}
    for stand_in, names in registered().items():
        owners = {name for name, f in every.items() if f is stand_in} | every.keys() & set(map(_counterpart, names))
        if not owners:
            owners, every[names[0]] = {names[0]}, stand_in
        for owner in owners:
            others.setdefault(owner, []).extend(name for name in names if name != owner)
    return [_entry(name, every[name], sorted(others[name])) for name in sorted(every)]


# What is said of it


def _entry(name: str, function: Function, others: list[str]) -> Entry:
    standard = _is_listed(name, STANDARD)
    return Entry(name, function, others, standard, _orders(name, function), _conventions(name, function))


def _is_listed(name: str, lists: dict[str, str]) -> bool:
    namespace, _, short = name.rpartition(".")
    return short in lists.get(namespace, "").split()


def _orders(name: str, function: Function) -> str:
    """How often a function can be differentiated."""
    made = getattr(function, "primitive", None)
    if made is not None:
        return "every order" if made.differentiable else "none"
    if function.__module__ in CONSTANT_MODULES or _is_listed(name, CONSTANT):
        return "none"
    return "by composition"


def _conventions(name: str, function: Function) -> str:
    """What the derivative is at kinks: what is listed above, or the clauses of the docstring that speak of it."""
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    docstring = inspect.getdoc(function) or ""
    notes = re.search(r"\n\nNotes\n-+\n(.*?)(?=\n\n\w+\n-+\n|$)", docstring, re.S)
    text = re.split(r"\n\n\w+\n-+\n", docstring)[0] + " " + (notes[1] if notes else "")
    clauses = re.split(r"(?<=[.;])\s+", " ".join(text.split()))
    # What is in quotation marks is the title of a paper.
    kept = [c for c in clauses if re.search(r"derivative|gradient", c) and '"' not in c]
    return "; ".join(c[0].lower() + c[1:].rstrip(".;") for c in kept)


# The page


def _table(rows: list[Entry]) -> str:
    """Rows as a table in Markdown."""
    lines = ["| function | standard | derivatives | at kinks and limits | elsewhere |", "|---|---|---|---|---|"]
    for entry in rows:
        target = f"{entry.function.__module__}.{entry.function.__name__}"
        link = f"{{py:func}}`{_short(entry.name)} <{target}>`"
        name = link if entry.name.startswith("minigrad") else f"`{_short(entry.name)}`"
        others = ", ".join(f"`{_short(other)}`" for other in entry.others)
        cells = [name, "yes" if entry.standard else "", entry.orders, entry.conventions.replace("|", r"\|"), others]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _short(name: str) -> str:
    return re.sub(r"^numpy\.", "np.", re.sub(r"^minigrad\.", "mg.", name))


def write(docs: Path) -> None:
    """Write the page: a table for each namespace, and one for what has names in other packages only."""
    rows = entries()
    parts = []
    for namespace in NAMESPACES:
        parts += [f"## {namespace}", _table([row for row in rows if row.name.rpartition(".")[0] == namespace])]
    parts += ["## Only under NumPy's names", _table([row for row in rows if not row.name.startswith("minigrad")])]
    page = docs / PAGE
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
