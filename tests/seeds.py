"""Runs the experiments in `examples/seeds` and compares what they find with `references/seeds.json`.

``python tests/seeds.py`` runs them all and prints a table of every figure: expected, got, ok.  Names of experiments or
of scripts choose some: ``python tests/seeds.py bowl-and-rosenbrock e08``.  ``--pictures FOLDER`` keeps the pictures.

A script leaves its figures in a dict `figures`, {experiment: {name: value, or a dict of these}}, and its pictures in a
dict `pictures`, {experiment: Matplotlib figure}; what it prints is compared too.
"""

import argparse
import contextlib
import io
import json
import os
import re
import runpy
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted((ROOT / "examples" / "seeds").glob("e*.py"))
RTOL = 1e-12
ATOL = 1e-15  # of figures that are differences of larger numbers

# Figures that are rounding errors themselves: both must be as small as this.
ROUNDING = {
    "max_abs_diff": 1e-14,
    "max_abs_dev": 1e-13,
    "sum_of_gradient": 1e-15,
}
# Figures that rounding dominates, and what can be asked of them instead.
LOOSE = {
    "central_difference_h1e_6": 1e-9,
}
# Limits that differ: cut where the reference shows nothing but the run that diverges; with room for words above bars.
OTHER_LIMITS = {("bowl-three-rates", 2): "y", ("round-bowl-rates", 1): "xy", ("sweep", 1): "xy"}
# Curves that are wrong in the tutorials' pictures, and why.
WRONG_CURVES = {("sweep", 0): {"Convergence threshold": "it is drawn at 1e-6, and the runs are judged by 1e-4"}}


@cache
def references() -> dict[str, Any]:
    """The figures by experiment."""
    return json.loads((ROOT / "tests" / "references" / "seeds.json").read_text(encoding="utf-8"))


@dataclass
class Row:
    """One comparison."""

    experiment: str
    figure: str
    expected: str
    got: str
    ok: bool


@dataclass
class Outcome:
    """What a script printed and left behind."""

    printed: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, Any] = field(default_factory=dict)


def run(script: Path) -> Outcome:
    """Run one script, in a folder of its own."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    said, here = io.StringIO(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
        os.chdir(folder)
        try:
            left = runpy.run_path(str(script), run_name="__main__")
        finally:
            os.chdir(here)
    plt.close("all")
    return Outcome(said.getvalue(), left.get("figures", {}), left.get("pictures", {}))


def run_all(scripts: list[Path]) -> Outcome:
    """What several scripts found together: an experiment's figures may be spread over them."""
    total = Outcome()
    for script in scripts:
        one = run(script)
        total.printed += one.printed
        _merge(total.figures, one.figures)
        total.pictures.update(one.pictures)
    return total


def _merge(total: dict[Any, Any], more: dict[Any, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(total.get(key), dict):
            _merge(total[key], value)
        else:
            total[key] = value


# Numbers


def compare(experiment: str, expected: Any, got: Any, name: str = "", partial: bool = False) -> Iterator[Row]:
    """A row for each number or sequence of numbers; with `partial` only for those that are there."""
    if isinstance(expected, dict) and "first5_flat" in expected:
        yield _data_row(experiment, name, expected, got)
    elif isinstance(expected, dict) and "length" in expected and ("all" in expected or "at" in expected):
        yield _sequence_row(experiment, name, expected, got)
    elif isinstance(expected, dict):
        found = {str(key): value for key, value in got.items()} if isinstance(got, dict) else {}
        for key, value in expected.items():
            path = f"{name}/{key}" if name else key
            if key in found:
                yield from compare(experiment, value, found[key], path, partial)
            elif not partial:
                yield Row(experiment, path, _brief(value), "missing", False)
    else:
        yield Row(experiment, name, _brief(expected), _brief(got), same(expected, got, name.rsplit("/", 1)[-1]))


def same(expected: Any, got: Any, name: str = "") -> bool:
    """Whether a figure is the one expected, to a relative 1e-12."""
    if expected is None or isinstance(expected, (bool, str)):
        return got is None if expected is None else bool(expected == got)
    try:
        a, b = np.asarray(expected), np.asarray(got)
        if a.dtype.kind in "US":
            return a.shape == b.shape and bool((a == b).all())
        a, b = a.astype(np.float64), b.astype(np.float64)
    except (TypeError, ValueError):
        return False
    if a.shape != b.shape:
        return False
    for ending, least in ROUNDING.items():
        if name.endswith(ending):
            return bool((np.abs(a) <= least).all() and (np.abs(b) <= least).all())
    if np.asarray(expected).dtype.kind == "i":
        return bool((a == b).all())
    return bool(np.allclose(b, a, rtol=LOOSE.get(name, RTOL), atol=ATOL * _scale(a), equal_nan=True))


def _scale(values: np.ndarray) -> float:
    """The size of the numbers that figures below 1 were computed from; a history that grows has no say."""
    first = np.abs(values).ravel()[:1]
    return float(min(max(first.max(initial=0.0), 1.0), 1e3))


def _sequence_row(experiment: str, name: str, expected: dict[str, Any], got: Any) -> Row:
    length = expected["length"]
    if got is None or np.ndim(got) == 0 or len(got) != length:
        count = "nothing" if got is None or np.ndim(got) == 0 else f"{len(got)} values"
        return Row(experiment, name, f"{length} values", count, False)
    got = np.asarray(got, np.float64)
    if expected.get("all") is not None:
        indices, values = list(range(length)), expected["all"]
    else:
        indices, values = [int(i) for i in expected["at"]], list(expected["at"].values())
    values = np.asarray(values, np.float64)
    ok = values.shape == got[indices].shape and same(values.tolist(), got[indices])
    checked = f"{length} values" if len(indices) == length else f"{length} values, {len(indices)} known"
    return Row(experiment, name, f"{checked}, last {_brief(values[-1])}", f"last {_brief(got[-1])}", ok)


def _data_row(experiment: str, name: str, expected: dict[str, Any], got: Any) -> Row:
    got = np.asarray(got, np.float64)
    flat = got.ravel()
    parts = [
        (expected["shape"], list(got.shape)),
        (expected["first5_flat"], flat[:5]),
        (expected["last3_flat"], flat[-3:]),
        (expected["sum"], flat.sum()),
        (expected["sum_sq"], (flat**2).sum()),
        (expected["all_flat"], flat if expected["all_flat"] is not None else None),
    ]
    ok = all(same(a, b) for a, b in parts)
    return Row(experiment, name, f"shape {tuple(expected['shape'])}", f"shape {got.shape}", ok)


def _brief(value: Any) -> str:
    if isinstance(value, dict):
        return f"{len(value)} figures"
    if isinstance(value, (str, bool)) or value is None:
        return str(value)
    array = np.asarray(value)
    if array.dtype == object:
        return type(value).__name__
    if array.ndim == 0:
        return str(array[()])
    return textwrap.shorten(np.array2string(array, threshold=6, edgeitems=2, precision=8), 60, placeholder=" ...")


# Printed lines


def printed_rows(experiment: str, lines: list[str], printed: str) -> Iterator[Row]:
    """A row for each printed line that holds a figure: equal to the digit, up to runs of blanks."""
    said = [_collapsed(line) for line in printed.splitlines()]
    for line in map(_collapsed, lines):
        if re.search(r"\d", line):
            yield Row(experiment, "printed", line, line if line in said else "not printed", line in said)


def _collapsed(line: str) -> str:
    return re.sub(r"\s+", " ", line).strip()


# Pictures


def picture_rows(experiment: str, expected: list[dict[str, Any]], picture: Any) -> Iterator[Row]:
    """A row for each thing that a picture's axes must hold."""
    wanted = [axes for figure in expected for axes in figure["axes"]]
    shown = [ax for ax in picture.axes if ax.get_label() != "<colorbar>"] if picture is not None else []
    yield Row(experiment, "picture/axes", str(len(wanted)), str(len(shown)), len(wanted) == len(shown))
    for number, (axes, ax) in enumerate(zip(wanted, shown, strict=False)):
        wrong = WRONG_CURVES.get((experiment, number), {})
        axes["lines"] = [line for line in axes["lines"] if line["label"] not in wrong]
        for name, a, b, ok in _of_axes(axes, ax, OTHER_LIMITS.get((experiment, number), "")):
            yield Row(experiment, f"picture/{number}/{name}", a, b, ok)


def _of_axes(axes: dict[str, Any], ax: Any, other_limits: str) -> Iterator[tuple[str, str, str, bool]]:
    for name in ("xscale", "yscale", "xlabel", "ylabel", "zlabel"):
        if axes.get(name):
            got = getattr(ax, f"get_{name}")()
            yield name, axes[name], got, got == axes[name]
    for name in ("xlim", "ylim", "zlim"):
        if name in axes and name[0] not in other_limits:
            got = np.array(getattr(ax, f"get_{name}")(), np.float64)
            yield name, _brief(axes[name]), _brief(got), bool(np.allclose(got, axes[name], rtol=1e-9))
    for name in ("elev", "azim"):
        if name in axes:
            yield name, str(axes[name]), str(getattr(ax, name)), getattr(ax, name) == axes[name]
    sets = [c for c in ax.collections if type(c).__name__ in ("QuadContourSet", "TriContourSet")]
    for i, contour in enumerate(axes.get("contours", [])):
        ok = any(_same_contour(contour, c) for c in sets)
        found = "found" if ok else f"{[len(c.levels) for c in sets]} levels"
        yield f"contour {i}", f"{contour['kind']}, {len(contour['levels'])} levels", found, ok
    curves = list(_curves(ax))
    for line in axes.get("lines", []):
        ok = any(_same_curve(line, curve) for curve in curves)
        yield f"curve {line['label']}", f"{line['n']} points to {_brief(line['last'])}", "found" if ok else "no", ok
    for count in axes.get("scatter", []):
        ok = any(len(curve) == count for curve in curves)
        yield "scatter", f"{count} points", "found" if ok else "no", ok
    if "bars" in axes:
        heights = [patch.get_height() for patch in ax.patches]
        yield "bars", str(axes["bars"]), str(heights), same(axes["bars"], heights)


def _same_contour(expected: dict[str, Any], drawn: Any) -> bool:
    filled = expected["kind"] == "contourf"
    levels = np.asarray(expected["levels"])
    fits = drawn.filled == filled and drawn.levels.shape == levels.shape and np.allclose(drawn.levels, levels)
    return bool(fits and np.allclose([drawn.zmin, drawn.zmax], [expected["zmin"], expected["zmax"]], rtol=1e-9))


def _curves(ax: Any) -> Iterator[np.ndarray]:
    """The points of everything that is drawn as a line or as dots."""
    for line in ax.lines:
        if hasattr(line, "get_data_3d"):
            yield np.stack([np.asarray(c, np.float64) for c in line.get_data_3d()], axis=1)
        else:
            yield np.stack([np.asarray(c, np.float64) for c in line.get_data()], axis=1)
    for dots in ax.collections:
        if type(dots).__name__ == "PathCollection":
            yield np.asarray(dots.get_offsets(), np.float64)


def _same_curve(expected: dict[str, Any], points: np.ndarray) -> bool:
    if len(points) != expected["n"]:
        return False
    ends = [same(expected[name], points[i]) for name, i in (("first", 0), ("last", -1))]
    return all(ends)


# All of it


def rows_of(experiment: str, outcome: Outcome, partial: bool = False) -> list[Row]:
    """Everything that is known of an experiment, compared; with `partial` only the figures that are there."""
    known = references()[experiment]
    rows = list(compare(experiment, known["figures"], outcome.figures.get(experiment, {}), partial=partial))
    rows += printed_rows(experiment, known.get("printed", []), outcome.printed)
    if "picture" in known:
        rows += picture_rows(experiment, known["picture"], outcome.pictures.get(experiment))
    return rows


def table(rows: list[Row]) -> str:
    """The rows, aligned."""
    cells = [("id", "figure", "expected", "got", "ok")]
    cells += [(r.experiment, r.figure, r.expected, r.got, "ok" if r.ok else "NO") for r in rows]
    cells = [tuple(textwrap.shorten(cell, 60, placeholder=" ...") for cell in row) for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "names", nargs="*", help="experiments such as bowl-and-rosenbrock, or scripts such as e08; all by default"
    )
    parser.add_argument("--pictures", type=Path, help="a folder to keep the pictures in")
    parser.add_argument("--wrong", action="store_true", help="show only what is not ok")
    options = parser.parse_args()
    chosen = [s for s in SCRIPTS if any(s.stem.startswith(name) for name in options.names)]
    outcome = run_all(chosen if chosen and all(not n[0].isdigit() for n in options.names) else SCRIPTS)
    experiments = [name for name in references() if name in options.names or not options.names]
    experiments = experiments or [name for name in references() if name in outcome.figures]
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
        for name, picture in outcome.pictures.items():
            picture.savefig(options.pictures / f"{name}.png", dpi=100)
    rows = [row for name in experiments for row in rows_of(name, outcome)]
    print(table([row for row in rows if not (options.wrong and row.ok)]))
    good = sum(row.ok for row in rows)
    print(f"\n{len(experiments)} experiments, {len(rows)} figures: {good} ok, {len(rows) - good} not")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
