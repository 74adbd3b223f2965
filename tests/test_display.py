"""The HTML of notebooks: escaped, balanced, and numbers that are right for values of any size."""

import html
import math
import re
import warnings
from html.parser import HTMLParser

import numpy as np
import pytest

from minigrad import display
from tests.rows import each

INF, NAN = float("inf"), float("nan")


TAGS = {"table", "tr", "th", "td", "span", "div", "svg", "title", "rect", "polyline", "circle", "path"}


class Page(HTMLParser):
    """Reads HTML, refuses tags that do not match and what could load or run anything, and keeps the text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.text, self.rows, self.tags = [], "", [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS
        assert len({name for name, _ in attrs}) == len(attrs)
        for name, value in attrs:
            assert not name.startswith("on")
            assert name not in {"href", "src", "id", "class"}
            assert "url(" not in value
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    def cells(self, tag="td"):
        return [attrs["style"] for name, attrs in self.tags if name == tag]

    def shapes(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


def points(svg):
    """The corners of the lines of a curve."""
    lines = [attrs["points"].split() for attrs in Page(svg).shapes("polyline")]
    return [[tuple(map(float, pair.split(","))) for pair in line] for line in lines]


# Bundles


def fails():
    raise ValueError("no such form")


def test_a_bundle_has_every_form_under_its_type():
    bundle = display.mimebundle(lambda: "p", html=lambda: "h", svg=lambda: "s", png=lambda: b"\x89", pdf=lambda: b"%")
    assert bundle == {
        "text/plain": "p",
        "text/html": "h",
        "image/svg+xml": "s",
        "image/png": b"\x89",
        "application/pdf": b"%",
    }


@pytest.mark.parametrize(
    ("plain", "rich", "left"),
    [(fails, str, {"text/html"}), (str, fails, {"text/plain"}), (fails, fails, set())],
)
def test_a_form_that_fails_is_left_out(plain, rich, left):
    assert set(display.mimebundle(plain, html=rich)) == left


def test_an_endless_recursion_is_a_failure_too():
    def endless():
        return endless()

    assert display.mimebundle(lambda: "p", html=endless) == {"text/plain": "p"}


def test_who_stops_the_program_stops_it():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        display.mimebundle(interrupted)


@each(
    ("include", "exclude", "made"),
    [
        (None, None, {"text/plain", "text/html"}),
        ((), (), {"text/plain", "text/html"}),
        (["text/html"], None, {"text/html"}),
        ({"text/html", "image/png"}, None, {"text/html"}),
        ({"image/png"}, None, set()),
        (None, ["text/html"], {"text/plain"}),
        ({"text/html"}, {"text/html"}, set()),
        ({"text/plain", "text/html"}, {"text/plain"}, {"text/html"}),
    ],
)
def test_include_and_exclude(include, exclude, made):
    calls = []
    bundle = display.mimebundle(
        lambda: calls.append("text/plain") or "p", include, exclude, html=lambda: calls.append("text/html") or "h"
    )
    assert set(bundle) == set(calls) == made  # what is not wanted is not computed


def test_every_text_of_a_bundle_can_be_sent():
    bundle = display.mimebundle(lambda: "a\ud800é", html=lambda: "b\udfff")
    assert bundle == {"text/plain": "a\\ud800é", "text/html": "b\\udfff"}


def test_what_numpy_is_told_to_raise_does_not_reach_a_display():
    with np.errstate(all="raise"):
        bundle = display.mimebundle(lambda: str(np.float64(1) / np.float64(0)))
        assert bundle == {"text/plain": "inf"}
        assert sum(display.histogram([1e308, -1e308, 5e-324, INF, NAN])) == 3
        assert display.statistics([1e-200, 3e-200]).std == pytest.approx(1e-200)
        Page(display.curve([1.0, NAN, 0.0, 5e-324], log=True))


# Text

HOSTILE = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "\"'><img src=x onerror=1>": "\"'><img src=x onerror=1>",
    "&lt;&amp;": "&lt;&amp;",
    "-->]]>": "-->]]>",
    "\ud800": "\\ud800",
    "a\x00b\x1b[31m\x7f": "a\\x00b\\x1b[31m\\x7f",
    "\u202egnp.exe": "\\u202egnp.exe",
    "\u200b\u2066": "\\u200b\\u2066",
    "line\nbreak\r\t": "line\\nbreak\\r\\t",
    "שלום Größe 雪 🎿": "שלום Größe 雪 🎿",
}


@each("text", HOSTILE)
def test_hostile_text_is_shown_and_not_obeyed(text):
    made = display.escaped(text)
    assert html.unescape(made) == HOSTILE[text]
    assert not set("<>\"'") & set(made)
    made.encode()
    for shown in (display.table([[text]], [text]), display.warned(text), display.faint(text), display.remark(text)):
        assert HOSTILE[text] in Page(shown).text
    assert Page(display.indented(text, 3)).text == HOSTILE[text]


def test_escaped_takes_any_object():
    assert display.escaped(3) == "3"
    assert display.escaped(None) == "None"


def test_memory_has_the_unit_that_suits_it():
    sizes = [0, 1, 999, 1023, 1024, 1536, 1023 << 10, 1 << 20, 3 << 29, 5 << 40]
    made = [display.memory(size) for size in sizes]
    assert made == [
        "0 B",
        "1 B",
        "999 B",
        "1,023 B",
        "1 KiB",
        "1.5 KiB",
        "1,023 KiB",
        "1 MiB",
        "1.5 GiB",
        "5,120 GiB",
    ]


# Tables


def sides(made):
    return [re.search("text-align:(left|right)", style).group(1) for style in Page(made).cells()]


@each(
    ("column", "side"),
    [
        ([1, 20], "right"),
        ([1.5, NAN], "right"),
        ([1 + 2j, -1], "right"),
        (["1,234", "-"], "right"),
        (["1.5 KiB", ""], "right"),
        (["12%", "-3e-5 ms"], "right"),
        ([np.float32(1), np.int8(3)], "right"),
        (["model", "0"], "left"),
        (["(5,)", "(3)"], "left"),
        (["3 of 4", "1"], "left"),
        (["-", ""], "left"),
        ([True, False], "left"),
        ([None], "left"),
    ],
)
def test_columns_of_numbers_are_set_to_the_right(column, side):
    assert sides(display.table([[cell] for cell in column])) == [side] * len(column)


def test_sides_can_be_given():
    assert sides(display.table([[1, "a"]], sides=["left", "right"])) == ["left", "right"]


def test_numbers_in_cells_are_short():
    row = [12345, 1 / 3, 1 / 3 + 2j, np.float64(2) / 3, np.int64(1000), True, None]
    shown = ["12,345", "0.333333", "0.333333+2j", "0.666667", "1,000", "True", "None"]
    assert Page(display.table([row])).rows == [shown]


@each("rows", [[], [[]], [[1], [2, 3], []]])
@each("header", [None, [], ["a"], ["a", "b", "c", "d"]])
def test_rows_need_not_have_one_length(rows, header):
    given = [*([] if header is None else [header]), *rows]
    page = Page(display.table(rows, header))
    assert len(page.rows) == len(given)
    for shown, row in zip(page.rows, given, strict=True):
        assert shown == [*map(str, row), *[""] * (len(shown) - len(row))]


def test_html_stands_in_a_cell_as_it_is_and_text_does_not():
    page = Page(display.table([[display.warned("NaN"), "<b>"]]))
    assert page.rows == [["NaN", "<b>"]]
    assert "span" in dict(page.tags)
    assert not isinstance(display.warned("a") + "<b>", display.Html)  # what is added to HTML may not be HTML


def test_long_text_takes_several_lines_and_very_long_text_is_cut():
    assert "pre-wrap" in display.table([["x" * 61]])
    assert "pre-wrap" not in display.table([["x" * 60]])
    assert len(display.table([["<" * 10**6]])) < 5000
    assert Page(display.table([["x" * 1000]])).rows == [["x" * 399 + "…"]]


def test_no_colour_but_the_warning_is_fixed():
    made = display.table([[1, display.curve([1.0, 2.0]), display.columns([1, 2])]], ["a", "b", "c"])
    made += display.faint("x") + display.remark("x") + display.indented("x", 1)
    colours = set(re.findall(r"#\w+|rgba?\([^)]*\)|currentColor|black|white(?!-)", made))
    assert colours == {"currentColor", "rgba(128,128,128,.4)"}
    assert "background" not in made


# Histograms

ARRAYS = {
    "float": np.linspace(-1, 1, 101),
    "no axes": np.float64(3),
    "empty": np.zeros((0, 3)),
    "one": [2.5],
    "equal": np.full(7, 0.1),
    "bool": np.array([True, False, True]),
    "int": np.arange(-5, 6),
    "least and greatest int": np.array([-(2**63), 2**63 - 1]),
    "uint64": np.array([0, 2**64 - 1], np.uint64),
    "float16": np.array([1, 65504, 65504], np.float16),
    "float32": np.array([1e38, 3e38, -3e38], np.float32),
    "complex": np.array([3 + 4j, 0, 1j]),
    "nan": np.array([NAN, 1.0, 2.0]),
    "only nan": np.array([NAN, NAN]),
    "inf": np.array([INF, -INF, 1.0, 0.0]),
    "huge": np.array([-1.7e308, 0.0, 1.7e308]),
    "tiny": np.array([5e-324, 1e-323, 0.0]),
    "narrow": np.array([1.0, 1.0 + 2**-52]),
    "two axes": np.arange(12.0).reshape(3, 4),
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "strided": np.arange(100.0)[::-7],
    "broadcast": np.broadcast_to(np.arange(3.0), (40, 3)),
}


@each("bins", [1, 2, 16])
@each("name", ARRAYS)
def test_a_histogram_counts_every_finite_value_once(name, bins):
    values = np.asarray(ARRAYS[name])
    counts = display.histogram(values, bins)
    assert len(counts) == bins
    assert sum(counts) == np.isfinite(values).sum()
    assert all(type(count) is int for count in counts)


def test_the_bins_are_those_of_numpy():
    values = np.random.default_rng(0).normal(size=1000)
    assert display.histogram(values, 13) == np.histogram(values, 13)[0].tolist()
    assert display.histogram([-1.7e308, 0.0, 1.7e308], 3) == [1, 1, 1]
    assert display.histogram([0.0, 5e-324 * 4], 2) == [1, 1]
    assert display.histogram([3 + 4j, 5, -5], 3) == [0, 3, 0]  # all of magnitude 5


def test_bars_rise_with_the_counts():
    assert display.bars([0, 1, 2, 3, 4, 5, 6, 7]) == " ▂▃▄▅▆▇█"
    assert display.bars([0, 1, 10**9]) == " ▁█"  # what is there is seen
    assert display.bars([0, 0]) == "  "
    assert display.bars([]) == ""
    assert display.bars([0.25, 0.5]) == "▅█"


@each("counts", [[], [0], [0, 0], [1], [1, 0, 10**6], [0.5, 2], range(500)])
def test_columns_are_of_the_right_height(counts):
    rects = Page(display.columns(counts, 100, 40)).shapes("rect")
    assert len(rects) == sum(count > 0 for count in counts)
    for rect, count in zip(rects, [count for count in counts if count > 0], strict=True):
        assert float(rect["height"]) == pytest.approx(max(1, 40 * count / max(counts)), rel=1e-3)
        assert float(rect["y"]) + float(rect["height"]) == pytest.approx(40, abs=0.01)
        assert 0 <= float(rect["x"]) <= 100


# Curves


def test_a_curve_goes_through_its_values():
    ((first, middle, last),) = points(display.curve([0.0, 1.0, 0.5], 104, 44))
    assert first == (2, 42)
    assert middle == (52, 2)
    assert last == (102, 22)


def test_a_curve_of_positive_values_can_be_logarithmic():
    assert points(display.curve([1.0, 10.0, 100.0], 104, 44, log=True)) == [[(2, 42), (52, 22), (102, 2)]]
    assert "logarithmic" in display.curve([1.0, 10.0], log=True)
    for series in ([0.0, 10.0, 100.0], [-1.0, 1.0]):
        made = display.curve(series, log=True)
        assert made == display.curve(series)
        assert "logarithmic" not in made


def test_what_is_not_finite_interrupts_a_curve_and_is_marked():
    made = display.curve([1.0, 2.0, NAN, 3.0, INF, -INF, 4.0, 5.0], log=True)
    page = Page(made)
    assert [len(line) for line in points(made)] == [2, 2]
    assert len(page.shapes("circle")) == 1  # between two that are not finite
    assert len(page.shapes("path")) == 3


@each("log", [False, True])
@each("name", ARRAYS)
def test_a_curve_stays_in_its_frame(name, log):
    made = display.curve(ARRAYS[name], 100, 30, log)
    assert not re.search("nan|inf", made)
    drawn = [point for line in points(made) for point in line]
    drawn += [(float(dot["cx"]), float(dot["cy"])) for dot in Page(made).shapes("circle")]
    assert bool(drawn) == bool(np.isfinite(ARRAYS[name]).any())
    assert all(2 <= x <= 98 and 2 <= y <= 28 for x, y in drawn)


def test_a_long_curve_is_drawn_with_two_points_per_pixel_from_the_first_to_the_last():
    series = np.linspace(5.0, 3.0, 100_000)
    series[50_000] = NAN
    made = display.curve(series, 100, 40)
    assert len(made) < 5000
    ends = points(made)
    assert ends[0][0] == (2, 2)
    assert ends[-1][-1] == (98, 38)
    assert len(Page(made).shapes("path")) == 1  # no matter whether that point is drawn
    assert "from 5 to 3" in made


# Arrays


@each("name", ARRAYS)
def test_statistics_are_those_of_the_finite_values(name):
    values = np.asarray(ARRAYS[name])
    found = display.statistics(values)
    sizes = (np.abs(values) if values.dtype.kind == "c" else values).astype(float)
    known = sizes[np.isfinite(sizes)]
    assert (found.nan, found.inf) == (np.isnan(sizes).sum(), np.isinf(sizes).sum())
    assert sum(found.counts) == known.size
    assert found.sampled == 0
    if not known.size:
        assert all(map(math.isnan, found[:4]))
        return
    assert (found.min, found.max) == (known.min(), known.max())
    exact = [float(x) for x in known]
    assert found.mean == pytest.approx(
        math.fsum(x / len(exact) for x in exact), rel=1e-12, abs=1e-12 * abs(known).max()
    )
    scale = abs(known).max() or 1
    assert found.std == pytest.approx(np.std(known / scale) * scale, rel=1e-12)


def test_few_integers_have_a_bin_each():
    assert display.statistics(np.array([True] * 30 + [False] * 70)).counts == (70, 30)
    assert display.statistics(np.array([3, 3, 5])).counts == (2, 0, 1)
    assert len(display.statistics(np.arange(1000)).counts) == 32


@pytest.mark.parametrize("layout", ["in order", "transposed", "strided"])
def test_of_large_arrays_a_sample_is_taken_and_named_but_nothing_strange_is_missed(layout):
    values = np.random.default_rng(0).normal(3.0, 2.0, (1100, 2000))
    values = {"in order": values, "transposed": values.T, "strided": values[:, ::-1]}[layout]
    values[77, 5] = -1000.0
    found = display.statistics(values)
    assert 0 < found.sampled < values.size
    assert sum(found.counts) == found.sampled
    assert found.mean == pytest.approx(3.0, abs=0.05)
    assert found.min == -1000.0
    assert found.nan == found.inf == 0
    values[5, 5] = NAN
    values[6, 6] = INF
    found = display.statistics(values)
    assert (found.nan, found.inf, found.min) == (1, 1, -1000.0)
    assert math.isfinite(found.mean)
    assert f"a sample of {found.sampled:,} values" in Page(display.array_view(values)).text


def test_a_sample_is_not_in_step_with_an_axis():
    values = np.zeros((4000, 1000))
    values[:, ::10] = 1.0
    assert display.statistics(values).mean == pytest.approx(0.1, abs=0.01)


@each("name", ARRAYS)
def test_any_array_has_a_view(name):
    values = np.asarray(ARRAYS[name])
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        page = Page(display.array_view(values, "Thing", {"note": "<a>"}))
    titles, facts = page.rows[:2]
    assert titles == ["class", "shape", "dtype", "note", "memory"]
    assert facts == ["Thing", str(values.shape), str(values.dtype), "<a>", display.memory(values.nbytes)]


@each("shape", [(), (1,), (12,), (20, 12), (1, 1), (20, 1)])
def test_the_values_of_small_arrays_are_shown(shape):
    values = np.arange(math.prod(shape), dtype=float).reshape(shape) + 0.5
    page = Page(display.array_view(values))
    shown = [[word.strip() for word in row] for row in page.rows[2:]]
    if len(shape) > 0:
        assert shown.pop(0)[-1] == f"[{shape[-1] - 1}]"
    if len(shape) == 2:
        assert [row.pop(0) for row in shown] == [f"[{i}]" for i in range(shape[0])]
    assert np.array_equal(np.array(shown, float).reshape(shape), values)


@pytest.mark.parametrize("shape", [(13,), (21, 1), (1, 13), (2, 2, 2), (1, 1, 1)])
def test_of_other_arrays_the_statistics_are_shown(shape):
    page = Page(display.array_view(np.ones(shape)))
    assert page.rows[2] == ["mean", "std", "min", "max", "histogram"]
    assert page.rows[3][:4] == ["1", "0", "1", "1"]


def test_digits_and_decimal_points_are_those_of_repr():
    page = Page(display.array_view(np.array([[1.0, 22.25], [0.125, 3.0]])))
    assert [row[1:] for row in page.rows[3:]] == [[" 1.   ", "22.25 "], [" 0.125", " 3.   "]]


@pytest.mark.parametrize("shape", [(4,), (40,)])
def test_what_is_not_finite_is_red(shape):
    values = np.ones(shape)
    assert "#e5484d" not in display.array_view(values)
    values[:2] = NAN, -INF
    made = display.array_view(values)
    assert made.count("#e5484d") == 2
    assert re.search(r"nan|NaN", Page(made).text)


def test_a_view_does_not_depend_on_the_size():
    assert len(display.array_view(np.random.default_rng(0).normal(size=10**6))) < 10_000
    assert len(display.array_view(np.ones((20, 12), complex) / 3)) < 60_000
