"""The report as HTML: one page that carries everything inside, loads nothing, and runs nothing."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from minigrad import errors
from minigrad.core import Array
from minigrad.display import escaped, table
from minigrad.gradcheck import heat_map
from minigrad.gradcheck.curve import sweep_section
from minigrad.gradcheck.failure import table as table_of_failures
from minigrad.gradcheck.marked_graph import Drawing
from minigrad.gradcheck.step_sweep import HOW_TO_READ, Sweep
from minigrad.gradcheck.style import framed

if TYPE_CHECKING:
    from minigrad.gradcheck.report import Report

# Blue within the tolerance and from yellow to brown beyond it (ColorBrewer's Blues and YlOrBr, which people with every
# kind of colour vision can tell apart).  The last two have a sign as well.
COLOURS = (
    "#f3f7fb", "#d6e6f4", "#abd0e6", "#6aaed6", "#fee391", "#fec44f", "#fe9929", "#d95f0e", "#993404", "#662506",
    "#cc79a7", "#000000",
)  # fmt: skip
SIGNS = {heat_map.KINK: "m.2 .75l.3 -.5l.3 .5", heat_map.NOT_FINITE: "m.2 .2l.6 .6m0 -.6l-.6 .6"}
_TOLD = 900  # cells of a map that have a tooltip each

# No address may be loaded, and no script be run, whatever stands in the page.
_HEAD = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body{{margin:0 auto;max-width:1128px;background:#fff}}</style>
</head>
<body>
"""


def page(report: "Report", more: Sequence[Sweep]) -> str:
    """The whole page."""
    return f"{_HEAD.format(title=escaped(report.title))}{body(report, more)}</body>\n</html>\n"


def body(report: "Report", more: Sequence[Sweep]) -> str:
    """What the page shows, as a notebook takes it."""
    return framed("\n".join([*_verdict(report), *_graphs(report), *_maps(report), *_sweeps(report, more)]))


def _verdict(report: "Report") -> Iterator[str]:
    word = "passed" if report.passed else "failed"
    yield f"<h1>{escaped(report.title)}: {word}</h1>"
    yield f'<div class="verdict {word}">{escaped(report.summary)}</div>'
    if report.failures:
        titles, *rows = table_of_failures(report.names, report.failures)
        yield f'<div class="wide">{table(rows, titles)}</div>'
        if report.count > len(report.failures):
            yield f'<p class="small">and {report.count - len(report.failures):,} more</p>'
    for text in report.findings:
        yield f'<div class="verdict {word}">{"<br>".join(map(escaped, text.splitlines()))}</div>'
    yield f'<p class="small">{escaped(report.settings)}</p>'


# The graph


def _graphs(report: "Report") -> Iterator[str]:
    for drawing in report.drawings:
        marked = ", with what is wrong marked" if drawing.culprits else ""
        title = f"{drawing.title[0].upper()}{drawing.title[1:]}{marked}"
        yield f"<h2>{escaped(title)}</h2>"
        yield _picture(drawing)


def _picture(drawing: Drawing) -> str:
    try:
        return f'<div class="wide graph">{drawing.svg()}</div>'
    except (errors.GraphError, errors.MissingPackageError) as error:
        lines = "\n".join(map(escaped, drawing.text().splitlines()))
        return f'<pre class="wide">{lines}</pre><p class="small">Shown as text: {escaped(error)}</p>'


# Heat maps


def _maps(report: "Report") -> Iterator[str]:
    yield "<h2>Analytic against numeric Jacobian</h2>"
    if report.missing:
        yield f"<p>{escaped(report.missing)}</p>"
    if not report.total:
        return
    titles, *rows = report.table
    yield f'<div class="wide">{table(rows, titles)}</div>'
    maps = report.heat_maps()
    if maps:
        yield "<p>Each cell is |analytic − numeric| over the tolerance, of one derivative:</p>"
        yield _key(np.unique([level for found in maps for _, grid in found.planes for level in np.unique(grid)]))
        yield f'<div class="maps">{"".join(map(_map, maps))}</div>'


def _key(used: Array) -> str:
    """The colours that occur, and all that are within the tolerance or a little beyond it."""
    shown = sorted({*range(6), *(int(level) for level in used)})
    words = (f"<span>{_svg(np.array([[level]]), 15)}{escaped(heat_map.WORDS[level])}</span>" for level in shown)
    return f'<div class="key">{"".join(words)}</div>'


def _map(found: heat_map.HeatMap) -> str:
    parts = []
    for name, grid in found.planes:
        side = float(np.clip(360 / max(grid.shape), 6, 26))
        parts.append(f'<div><div class="small">{escaped(name)}</div>{_svg(grid, side)}</div>')
    note = "<br>".join(map(escaped, found.note.splitlines()))
    planes = f'<div class="planes">{"".join(parts)}</div>'
    return f'<div class="map"><h3>{escaped(found.title)}</h3>{planes}<div class="small">{note}</div></div>'


def _svg(grid: Array, side: float) -> str:
    """A grid of levels as squares; those of a small one say what they are when the pointer rests on them."""
    rows, columns = grid.shape
    told = 1 < grid.size <= _TOLD
    shapes = []
    for level in np.unique(grid):
        cells = [(int(i), int(j)) for i, j in np.argwhere(grid == level)]
        groups = [[cell] for cell in cells] if told else [cells]
        for group in groups:
            squares = "".join(f"M{j} {i}h1v1h-1z" for i, j in group)
            title = (
                f"<title>cell {group[0][0]}, {group[0][1]}: {escaped(heat_map.WORDS[level])}</title>" if told else ""
            )
            shapes.append(f'<path d="{squares}" fill="{COLOURS[level]}">{title}</path>')
        if level in SIGNS:
            signs = "".join(f"M{j} {i}{SIGNS[int(level)]}" for i, j in cells)
            shapes.append(f'<path d="{signs}" fill="none" stroke="#fff" stroke-width=".12" pointer-events="none"/>')
    width, height = columns * side + 2, max(14, rows * side) + 2
    lines = ""
    if side > 10:
        across = "".join(f"M0 {i}h{columns}" for i in range(1, rows))
        lines = across + "".join(f"M{j} 0v{rows}" for j in range(1, columns))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.4g}" height="{height:.4g}" '
        f'viewBox="-.05 -.05 {columns + 0.1:.6g} {rows + 0.1:.6g}" preserveAspectRatio="none">{"".join(shapes)}'
        f'<path d="{lines}" stroke="#fff" stroke-width=".06"/>'
        f'<rect width="{columns}" height="{rows}" fill="none" stroke="#5a6068" stroke-width="{1 / side:.3g}"/></svg>'
    )


# The sweep of the step


def _sweeps(report: "Report", more: Sequence[Sweep]) -> Iterator[str]:
    if not report.total:
        return
    yield "<h2>The step: truncation and rounding</h2>"
    yield f"<p>{escaped(HOW_TO_READ)}</p>"
    for sweep in (report.sweep(), *more):
        yield sweep_section(sweep)
