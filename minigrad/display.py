"""What a notebook shows: bundles of forms, tables, and pictures as small as a word.

The HTML carries its style inside, takes its colours from the page around it, and so fits light and dark ones.  It is
made of escaped text only, and loads and runs nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice, zip_longest
from typing import Any, NamedTuple

import numpy as np

# Bundles

_TYPES = {"html": "text/html", "svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


def mimebundle(
    plain: Callable[[], str],
    include: Collection[str] | None = None,
    exclude: Collection[str] | None = None,
    **rich: Callable[[], str | bytes],
) -> dict[str, str | bytes]:
    """What a method `_repr_mimebundle_` returns: the forms in which an object can be shown.

    Parameters
    ----------
    plain : callable
        Makes the text that is shown where there is nothing better.
    include, exclude : collection of str, optional
        The MIME types to make only, and those not to make, as IPython gives them to the method.
    **rich : callable
        Make the other forms: `html`, `svg`, `png`, `pdf`.

    Returns
    -------
    dict of str to str or bytes
        By MIME type.  A form whose function raises an exception is left out: to look at an object never fails.

    Examples
    --------
    >>> mimebundle(lambda: "one half", html=lambda: "<b>½</b>")
    {'text/plain': 'one half', 'text/html': '<b>½</b>'}
    >>> mimebundle(lambda: "one half", html=lambda: 1 / 0)
    {'text/plain': 'one half'}
    """
    makers = {"text/plain": plain, **{_TYPES[form]: make for form, make in rich.items()}}
    bundle: dict[str, str | bytes] = {}
    for mime, make in makers.items():
        if (include and mime not in include) or (exclude and mime in exclude):
            continue
        try:
            with np.errstate(all="ignore"):
                made = make()
        except Exception:  # whatever it is, the other forms are still worth showing
            continue
        # Half a surrogate pair cannot be sent to the page.
        bundle[mime] = made.encode("utf-8", "backslashreplace").decode() if isinstance(made, str) else made
    return bundle


# Text


class Html(str):
    """Text that is HTML already: `table` shows it as it is."""

    __slots__ = ()


def escaped(text: object) -> str:
    r"""Text as it may stand in HTML, with control characters, marks of direction and broken Unicode as escapes.

    Examples
    --------
    >>> escaped("<b>\n")
    '&lt;b&gt;\\n'
    """
    import html  # only what is shown needs it

    printable = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(text))
    return html.escape("".join(printable))


def memory(count: float) -> str:
    """A number of bytes, with a unit.

    Examples
    --------
    >>> memory(80), memory(3 * 2**19)
    ('80 B', '1.5 MiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            break
        count /= 1024
    return f"{count:.3g} {unit}" if count < 1000 else f"{count:,.0f} {unit}"


def warned(text: object) -> Html:
    """Text in red: for NaN, inf, and other things that should not be."""
    return Html(f'<span style="{_RED};font-weight:bold">{escaped(text)}</span>')


def faint(text: object) -> Html:
    """Text that stands back: titles, indices, remarks."""
    return Html(f'<span style="opacity:.65">{_raw(_word(text))}</span>')


def remark(text: object) -> Html:
    """A line below a table."""
    return Html(f'<div style="padding:0 .6em .3em">{faint(text)}</div>')


def indented(text: object, depth: int) -> Html:
    """Text with some space before it."""
    space = f"padding-left:{1.2 * min(depth, _DEEP):.3g}em"
    return Html(f'<span style="{space}">{escaped(_shortened(str(text), 100))}</span>')


# Tables

_RED = "color:#e5484d"  # seen on white as well as on black
_LINE = "1px solid rgba(128,128,128,.4)"
_CELL = "padding:.15em .6em;vertical-align:middle;white-space:pre;border:none"
_HEAD = f"{_CELL};border-bottom:{_LINE};font-weight:normal"


def table(
    rows: Iterable[Sequence[object]], header: Sequence[object] | None = None, *, sides: Sequence[str] | None = None
) -> Html:
    """A table in HTML.

    Parameters
    ----------
    rows : iterable of sequences
        The cells of each row: numbers, text, or `Html`.  Columns of numbers, with or without a unit, are set to the
        right.
    header : sequence, optional
        The titles of the columns.
    sides : sequence of str, optional
        To which each column is set instead, "left" or "right".

    Returns
    -------
    Html
    """
    body = [[_word(cell) for cell in row] for row in rows]
    columns = max(map(len, body), default=0)
    if sides is None:
        sides = ["right" if _is_numeric([row[i] for row in body if i < len(row)]) else "left" for i in range(columns)]
    head = [] if header is None else [_row("th", _HEAD, map(faint, header), sides)]
    inside = "".join(head + [_row("td", _CELL, map(_raw, row), sides) for row in body])
    style = "border-collapse:collapse;border:none;margin:.3em 0"
    return Html(f'<div style="overflow-x:auto"><table style="{style}">{inside}</table></div>')


def _row(tag: str, style: str, words: Iterable[str], sides: Sequence[str]) -> str:
    placed = zip_longest(words, sides, fillvalue="")
    cells = [f'<{tag} style="{style};text-align:{side or "left"}">{word}</{tag}>' for word, side in placed]
    return f"<tr>{''.join(cells)}</tr>"


def _word(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, (int, np.integer)) and not isinstance(cell, bool):
        return f"{cell:,}"
    return f"{cell:.6g}" if isinstance(cell, (float, complex, np.inexact)) else str(cell)


def _raw(word: str) -> str:
    """A word in HTML; a long one may take several lines, and a very long one is cut."""
    if isinstance(word, Html) or len(word) <= 60:
        return word if isinstance(word, Html) else escaped(word)
    style = "max-width:40em;white-space:pre-wrap;overflow-wrap:anywhere"
    return f'<div style="{style}">{escaped(_shortened(word, 400))}</div>'


def _shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _is_numeric(column: Sequence[str]) -> bool:
    """Whether all words of a column that say something are numbers, perhaps with a unit."""
    numbers = 0
    for word in column:
        if word in ("", "-"):
            continue
        number, _, unit = word.strip().partition(" ")
        try:
            complex(number.replace(",", "").rstrip("%"))
        except ValueError:
            return False
        if " " in unit or "(" in number:  # complex() would read "(3)", which is a shape
            return False
        numbers += 1
    return numbers > 0


# Pictures


@np.errstate(all="ignore")
def histogram(values: Any, bins: int = 16) -> list[int]:
    """How many of the finite values of an array lie in each of some bins of the same width.

    The bins go from the lowest to the highest finite value.  Of complex numbers the magnitudes are counted.

    Parameters
    ----------
    values : array_like
    bins : int

    Returns
    -------
    list of int
        All zero if no value is finite.

    Examples
    --------
    >>> histogram([0.0, 0.1, 1.0, float("nan")], bins=4)
    [2, 0, 0, 1]
    """
    # Halves, because the distance of the ends may exceed the largest number.
    halves = _finite(_real(np.asarray(values))) / 2
    if not halves.size:
        return [0] * bins
    low, high = halves.min(), halves.max()
    if low == high:
        place = np.full(halves.size, bins // 2)
    else:
        place = np.minimum((halves - low) / (high - low) * bins, bins - 1).astype(np.intp)
    counts: list[int] = np.bincount(place, minlength=bins).tolist()
    return counts


def bars(counts: Sequence[float]) -> str:
    """Numbers from 0 on as a row of columns, one character each; only 0 leaves no trace.

    Examples
    --------
    >>> bars([0, 1, 50, 100])
    ' ▁▅█'
    """
    top = max(counts, default=0)
    return "".join("▁▂▃▄▅▆▇█"[round(7 * count / top)] if count > 0 else " " for count in counts)


def columns(counts: Sequence[float], width: int = 160, height: int = 40) -> Html:
    """Numbers from 0 on as a small picture of columns: an inline SVG."""
    top, step = max(counts, default=0), width / max(1, len(counts))
    shapes = []
    for i, count in enumerate(counts):
        if count > 0:
            tall = max(1.0, height * count / top)
            shapes.append(
                f'<rect x="{i * step:.4g}" y="{height - tall:.4g}" width="{max(0.5, step - 1):.4g}" '
                f'height="{tall:.4g}" fill="currentColor" opacity=".6"/>'
            )
    return _svg(width, height, shapes, f"{len(counts)} bins, the fullest with {top:,}")


@np.errstate(all="ignore")
def curve(values: Any, width: int = 160, height: int = 40, log: bool = False) -> Html:
    """A series of numbers as a small curve: an inline SVG.

    Parameters
    ----------
    values : array_like
        In the order from left to right.  NaN and inf interrupt the curve and leave a red mark.
    width, height : int
        In pixels.
    log : bool
        Draw the logarithms, if all finite values are above 0.

    Returns
    -------
    Html
    """
    series = _real(np.asarray(values)).ravel()
    finite = np.isfinite(series)
    known = series[finite]
    title = f"from {known[0]:.4g} to {known[-1]:.4g}" if known.size else "no finite values"
    if log and known.size and known.min() > 0:
        title += ", on a logarithmic scale"
        series = np.log(np.where(finite, series, 1.0))
        known = series[finite]
    low, high = (known.min() / 2, known.max() / 2) if known.size else (0.0, 0.0)
    tall = (series / 2 - low) / (high - low) if high > low else np.full(series.size, 0.5)
    margin = 2
    x = margin + np.arange(series.size) / max(1, series.size - 1) * (width - 2 * margin)
    y = height - margin - tall * (height - 2 * margin)
    shapes = [_stroke(x[run], y[run]) for run in _runs(finite, width)]
    marks = np.unique(np.round(x[~finite]))
    shapes += [f'<path d="M{at:.4g} 0V{height}" style="stroke:#e5484d;opacity:.6"/>' for at in marks]
    return _svg(width, height, shapes, title)


def _runs(finite: np.ndarray, width: int) -> Iterator[np.ndarray]:
    """The places of each unbroken stretch; of a series with more points than can be seen, those of two per pixel."""
    places = np.linspace(0, max(0, finite.size - 1), min(finite.size, 2 * width)).astype(np.intp)
    known = finite[places]
    for run in np.split(places, np.flatnonzero(np.diff(known)) + 1):
        if run.size and finite[run[0]]:
            yield run


def _stroke(x: np.ndarray, y: np.ndarray) -> str:
    if x.size == 1:
        return f'<circle cx="{x[0]:.4g}" cy="{y[0]:.4g}" r="2" fill="currentColor"/>'
    points = " ".join(f"{a:.4g},{b:.4g}" for a, b in zip(x, y, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/>'


def _svg(width: int, height: int, shapes: Iterable[str], title: str) -> Html:
    return Html(
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'role="img" style="vertical-align:middle;margin:.3em 0"><title>{escaped(title)}</title>{"".join(shapes)}</svg>'
    )


# Arrays

_ALL = 1_000_000  # of larger arrays, mean, standard deviation and histogram are those of a sample
_SAMPLE = 100_000


class Statistics(NamedTuple):
    """An array in a few numbers; of complex ones, the magnitudes.  NaN and inf count in `nan` and `inf` only.

    Attributes
    ----------
    mean, std, min, max : float
        NaN if no value is finite.
    nan, inf : int
        How many are not finite.
    counts : tuple of int
        The histogram.
    sampled : int
        Of how many values mean, std and counts were computed; 0 if of all.
    """

    mean: float
    std: float
    min: float
    max: float
    nan: int
    inf: int
    counts: tuple[int, ...]
    sampled: int


@np.errstate(all="ignore")
def statistics(values: Any, bins: int = 32) -> Statistics:
    """The numbers that tell most of an array.

    Mean, standard deviation and histogram of an array with more than a million values are those of a sample, taken
    evenly from the whole; the other numbers are exact.

    Parameters
    ----------
    values : array_like
    bins : int
        Of the histogram; of few different integers, fewer.

    Returns
    -------
    Statistics
    """
    array = np.asarray(values)
    sizes = np.abs(array) if array.dtype.kind == "c" else array
    nan = inf = 0
    if sizes.dtype.kind == "f" and not np.isfinite(sizes.sum()):
        nan, inf = int(np.isnan(sizes).sum()), int(np.isinf(sizes).sum())
    known = _finite(sizes) if nan + inf else sizes
    if not known.size:
        return Statistics(np.nan, np.nan, np.nan, np.nan, nan, inf, (0,) * bins, 0)
    low, high = float(known.min()), float(known.max())
    bins = min(bins, int(high - low) + 1) if array.dtype.kind in "biu" else bins
    sampled = _SAMPLE if known.size > _ALL else 0
    some = _real(_sample(known, sampled) if sampled else known)
    scale = max(-low, high) or 1.0  # without it, the squares of large and small values would overflow and underflow
    mean, std = float((some / scale).mean()) * scale, float((some / scale).std()) * scale
    return Statistics(mean, std, low, high, nan, inf, tuple(histogram(some, bins)), sampled)


def _sample(array: np.ndarray, count: int) -> np.ndarray:
    """Values at multiples of the golden ratio, modulo the size: even, and in step with no axis."""
    places = (np.arange(count) * 0.6180339887498949 % 1 * array.size).astype(np.intp)
    chosen: np.ndarray = array.flat[places]
    return chosen


def _real(array: np.ndarray) -> np.ndarray:
    """As float64; of complex numbers, the magnitudes."""
    return (np.abs(array) if array.dtype.kind == "c" else array).astype(np.float64)


def _finite(array: np.ndarray) -> np.ndarray:
    known: np.ndarray = array[np.isfinite(array)]
    return known


def array_view(values: Any, kind: str = "ndarray", facts: Mapping[str, object] | None = None) -> Html:
    """An array: a row of facts about it, and its values; if they are many, their statistics and a histogram.

    Parameters
    ----------
    values : array_like
    kind : str
        The name of its class.
    facts : mapping, optional
        What else is known of it, by title.

    Returns
    -------
    Html
    """
    array = np.asarray(values)
    row = {"class": kind, "shape": str(array.shape), "dtype": str(array.dtype), **(facts or {})}
    row["memory"] = memory(array.nbytes)
    parts = [table([list(row.values())], list(row))]
    rows = array.reshape(-1, array.shape[-1] if array.ndim else 1) if array.size and array.ndim <= 2 else None
    if rows is not None and rows.shape[0] <= _ROWS and rows.shape[1] <= _COLUMNS:
        parts.append(_grid(rows, array.ndim))
    elif array.size:
        parts.append(_overview(array))
    return Html("".join(parts))


_ROWS, _COLUMNS = 20, 12


def _grid(array: np.ndarray, axes: int) -> Html:
    """The values themselves, with the digits that `repr` gives, and with the indices at the edges."""
    text = np.array2string(array.ravel(), separator="\n", threshold=array.size, max_line_width=1 << 20)
    words = iter(text[1:-1].split("\n"))
    strange = ~np.isfinite(array)
    cells = [[_figures(next(words), odd) for odd in line] for line in strange]
    sides = ["right"] * array.shape[1]
    if axes == 0:
        return table(cells)
    head = [f"[{i}]" for i in range(array.shape[1])]
    if axes == 1:
        return table(cells, head, sides=sides)
    body = [[faint(f"[{i}]"), *line] for i, line in enumerate(cells)]
    return table(body, ["", *head], sides=["right", *sides])


def _figures(word: str, strange: bool) -> Html:
    return Html(f'<span style="font-family:monospace">{warned(word) if strange else escaped(word)}</span>')


def _overview(array: np.ndarray) -> Html:
    found = statistics(array)
    row: dict[str, object] = {"mean": found.mean, "std": found.std, "min": found.min, "max": found.max}
    row |= {name: warned(f"{count:,}") for name, count in (("NaN", found.nan), ("inf", found.inf)) if count}
    row["histogram"] = columns(found.counts)
    parts = [table([list(row.values())], list(row))]
    if array.dtype.kind == "c":
        parts.append(remark("of the magnitudes"))
    if found.sampled:
        parts.append(remark(f"mean, std and histogram of a sample of {found.sampled:,} values"))
    return Html("".join(parts))


# Models

_PARTS = 200  # more are counted, but not shown
_DEEP = 24  # steps of indentation
_WORDY = 5_000  # parts, with repetitions, that a repr may name


def model_view(module: Any) -> Html:
    """A model: its parts, with the number and the shapes of the parameters of each, and the total.

    Parameters
    ----------
    module : Module
        Of any kind that keeps its parts in `_modules` and its parameters in `_parameters`.  A part that is met twice,
        as where modules hold each other, is listed once.

    Returns
    -------
    Html
    """
    rows: list[tuple[object, ...]] = []
    seen: set[int] = set()
    total = trained = count = 0
    for name, depth, part in _parts(module):
        count += 1
        own = {key: p for key, p in _held(part, "_parameters") if hasattr(p, "shape")}
        for parameter in own.values():
            if id(parameter) not in seen:
                seen.add(id(parameter))
                total += np.size(parameter)
                trained += np.size(parameter) * bool(parameter.requires_grad)
        if count <= _PARTS:
            shapes = ", ".join(f"{key} {tuple(p.shape)}" for key, p in own.items())
            size = sum(np.size(p) for p in own.values())
            rows.append((indented(name, depth), type(part).__name__, f"{size:,}" if size else "-", shapes))
    if count > _PARTS:
        rows.append((faint(f"{count - _PARTS:,} more parts"), "", "", ""))
    foot = remark(f"{total:,} parameters, {trained:,} of them trained")
    return Html(table(rows, ("part", "class", "parameters", "shapes")) + foot)


def model_text(module: Any) -> str:
    """The `repr` of a model; if that fails, or would go on for long because parts hold each other, a list of parts."""
    if sum(1 for _ in islice(_parts(module, once=False), _WORDY + 1)) <= _WORDY:
        with suppress(Exception):
            return repr(module)
    lines = [f"{'  ' * min(depth, _DEEP)}{name}: {type(part).__name__}" for name, depth, part in _parts(module)]
    more = [f"{len(lines) - _PARTS:,} more parts"] if len(lines) > _PARTS else []
    return "\n".join([*lines[:_PARTS], *more])


def _parts(module: Any, once: bool = True) -> Iterator[tuple[str, int, Any]]:
    """The module and its parts, with their names and depths; a part in several places once, or in each."""
    stack: list[tuple[str, int, Any]] = [("model", 0, module)]
    seen: set[int] = set()
    while stack:
        name, depth, part = stack.pop()
        if part is not None and not (once and id(part) in seen):
            seen.add(id(part))
            yield name, depth, part
            stack += [(key, depth + 1, child) for key, child in reversed(_held(part, "_modules"))]


def _held(part: Any, kind: str) -> list[tuple[str, Any]]:
    """What a module has of a kind; nothing if its ``__init__`` did not get so far."""
    return list((getattr(part, "__dict__", {}).get(kind) or {}).items())
