"""The report of a gradient check must show what is wrong, hide nothing, and never be the one that fails."""

import gc
import html.parser
import re
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.gradcheck import DerivativeError, Report, gradcheck, gradcheck_report, gradgradcheck


def point(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0.2, 1.5, shape)


def sine(rule, name="wrong_sine"):
    def forward(x, /):
        return np.sin(x)

    forward.__name__ = name
    return mg.primitive(rule)(forward)


def spoiled(factor, place=1):
    return sine(lambda g, y, x: np.where(np.arange(x.size).reshape(x.shape) == place, factor, 1.0) * g * np.cos(x))


in_one_element = spoiled(1.001)
nan_in_one_element = spoiled(np.nan)
too_large = sine(lambda g, y, x: g * np.cos(x) * 1.001)
of_wrong_shape = sine(lambda g, y, x: np.sum(g * np.cos(x)))


def grid_of(text, title):
    """The rows of the heat map with this title, in the text of a report."""
    lines = text[text.index(f"\n{title}\n") :].split("\n")[2:]
    start = next(i for i, line in enumerate(lines) if line.startswith("  +-"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("  |"):
            return rows
        rows.append(line[3:-1])
    raise AssertionError("the map has no end")


class Page(html.parser.HTMLParser):
    """Whether a page is well formed, and what it would load or run."""

    VOID = ("meta", "br", "path", "rect", "circle", "polyline", "polygon", "ellipse")

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.suspect, self.words = [], [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open += [] if tag in ("meta", "br") else [tag]
        for name, value in attrs:
            assert name not in ("d", "x", "y", "cx", "cy", "points") or not re.search("nan|inf", value), (tag, value)
            loads = name in ("src", "href", "xlink:href", "srcset", "action") or name.startswith("on")
            if loads or "url(" in (value or "") or "javascript:" in (value or ""):
                self.suspect.append((tag, name, value))

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(self.words)


def checked_page(report, *more):
    page = Page(report.html(*more))
    assert page.suspect == []
    assert "script" not in page.tags
    return page


@pytest.fixture(params=[True, False], ids=["graphviz", "no-graphviz"])
def graphviz(request, monkeypatch):
    """With Graphviz if there is one, and without."""
    if not request.param:
        monkeypatch.setenv("MINIGRAD_DOT", "there-is-no-such-program")
    else:
        from minigrad.graph.render import find_dot

        try:
            find_dot()
        except mg.errors.MissingPackageError:
            pytest.skip("there is no Graphviz")
    return request.param


# What is reported


def test_a_right_function_has_a_report_too():
    report = gradcheck_report(lambda x, w: mg.tanh(x @ w), (point(3, 2), point(2, 4)))
    assert isinstance(report, Report)
    assert report.passed
    assert (report.kind, report.failures, report.operations, report.count) == ("right", [], [], 0)
    assert report.total == 12 * (6 + 8)
    assert "168 of 168 derivatives agree" in str(report)
    assert report.disagreement(0, 0).shape == (3, 4, 3, 2)
    assert report.disagreement(0, 1).shape == (3, 4, 2, 4)
    assert report.disagreement(0, 1).max() < 1


@pytest.mark.parametrize(("check", "order"), [(gradcheck, 1), (gradgradcheck, 2)])
def test_the_exception_carries_the_report_of_the_same_check(check, order):
    def f(x):
        return too_large(x) ** 2

    with pytest.raises(DerivativeError) as caught:
        check(f, point(3))
    error, report = caught.value, gradcheck_report(f, point(3), order=order)
    for found in (error.report, report):
        assert not found.passed
        assert found.message == str(error)
        assert str(error) in str(found)
        assert (found.kind, found.operations, found.count) == (error.kind, error.operations, error.count)
        assert found.title == f"{check.__name__} of f"
    assert str(error.report) == str(report)


def test_a_report_is_not_made_before_it_is_looked_at():
    calls = 0

    def f(x):
        nonlocal calls
        calls += 1
        return mg.sin(x)

    gradcheck(f, point(3))
    plain, calls = calls, 0
    report = gradcheck_report(f, point(3))
    assert calls == plain
    report.sweep()
    swept = calls
    assert swept == plain + 2 * 49
    str(report), report.html(), report.sweep()
    assert calls == swept, "a sweep is measured once"


def test_neither_report_nor_exception_keeps_the_graph_alive():
    big = mg.tensor(point(4), requires_grad=True)

    def f(x):
        return too_large(x) * big

    gc.disable()
    try:
        try:
            gradcheck(f, point(4))
        except DerivativeError as error:
            report = error.report
            error.report.html()
        seen = weakref.ref(report)
        del report
        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("fast", [False, True])
def test_complex_and_several_inputs_and_outputs(fast, graphviz):
    z, x = point(2, 2) + 1j * point(2, 2, seed=1), point(3)
    report = gradcheck_report(lambda z, x, k: (z * mg.exp(z), k * mg.sum(x)), (z, x, 2), fast=fast)
    assert report.passed
    page = checked_page(report)
    assert "output 1 by input 1" in page.text or fast
    if not fast:
        assert report.disagreement(0, 0).shape == (2, 2, 2, 2, 2, 2)
        assert report.disagreement(1, 1).shape == (3,)
        sweep = report.sweep(output=0, output_element=(1, 0, "imag"), input_element=(1, 0, "real"))
        assert sweep.place == "output 0[1, 0, imag] by input 0[1, 0, real]"
        assert re.search(r"the worst of all outputs, in the shape \(2, 2\)", str(report))


# Heat maps


def test_the_wrong_element_is_the_hot_one():
    report = gradcheck_report(in_one_element, point(2, 3))
    ratios = report.disagreement()
    hot = np.argwhere(ratios > 1)
    assert hot.tolist() == [[0, 1, 0, 1]]
    assert 900 < ratios[0, 1, 0, 1] < 1001  # 0.1 % over a tolerance of 1e-6, relative
    text = str(report)
    rows = grid_of(text, "output 0 by input 0")
    assert [len(row) for row in rows] == [6] * 6
    assert [(i, j) for i, row in enumerate(rows) for j, shade in enumerate(row) if shade not in " .:-"] == [(1, 1)]
    assert rows[1][1] == "*"
    assert [[shade in " .:-" for shade in row] for row in grid_of(text, "input 0")] == [[True, False, True], [True] * 3]


@pytest.mark.parametrize(("f", "inputs", "sign"), [
    (nan_in_one_element, np.array([0.1, 0.2, 0.3]), "N"),
    (mg.log, np.array([1.0, 0.0, 2.0]), "N"),
    (mg.abs, np.array([1.0, 0.0, 2.0]), "K"),
    (lambda x: mg.floor(x) * x, np.array([1.5, 1.0, 2.5]), "K"),
])  # fmt: skip
def test_what_has_no_derivative_is_never_hidden(f, inputs, sign, graphviz):
    report = gradcheck_report(f, inputs)
    text = str(report)
    assert grid_of(text, "output 0 by input 0")[1][1] == sign
    assert grid_of(text, "input 0")[0][1] == sign
    assert {"N": "NaN or inf", "K": "no derivative: a kink or a jump"}[sign] in checked_page(report).text


def test_a_block_of_a_large_map_shows_the_worst_that_is_in_it():
    def f(x):
        return nan_in_one_element(x).reshape(-1)

    report = gradcheck_report(f, point(10, 31))
    maps = {found.title: found for found in report.heat_maps()}
    ((_, grid),) = maps["output 0 by input 0"].planes
    assert max(grid.shape) <= 60
    assert "310 rows for the output, 310 columns for the input" in maps["output 0 by input 0"].note
    assert "each cell is the worst of a block of 6 x 6" in maps["output 0 by input 0"].note
    assert grid[0, 0] == 11  # the NaN
    assert (grid[1:, 1:] <= 3).all()
    assert "block" not in maps["input 0"].note
    text_rows = grid_of(str(report), "output 0 by input 0")
    assert len(text_rows) <= 24
    assert max(map(len, text_rows)) <= 60
    assert text_rows[0][0] == "N"


def test_an_input_with_three_axes_is_shown_in_planes():
    report = gradcheck_report(lambda x: too_large(x[3]).sum(), point(4, 2, 3))
    planes = {found.title: found for found in report.heat_maps()}["input 0"].planes
    assert [name for name, _ in planes] == ["[0, :, :]", "[1, :, :]", "[2, :, :]", "[3, :, :]"]
    assert [bool((grid > 3).all()) for _, grid in planes] == [False, False, False, True]
    many = gradcheck_report(lambda x: too_large(x[3]).sum(), point(13, 2, 1))
    planes = {found.title: found for found in many.heat_maps()}["input 0"].planes
    assert [name for name, _ in planes] == [
        "[0:3, :, :]",
        "[3:6, :, :]",
        "[6:9, :, :]",
        "[9:12, :, :]",
        "[12:13, :, :]",
    ]
    assert [bool((grid > 3).all()) for _, grid in planes] == [False, True, False, False, False]


def test_of_many_maps_the_worst_are_shown_and_the_others_counted():
    inputs = [point(2, 2, seed=i) for i in range(20)]
    report = gradcheck_report(
        lambda *xs: sum(too_large(x).sum() if i == 17 else x.sum() for i, x in enumerate(xs)), inputs
    )
    maps = report.heat_maps()
    assert len(maps) == 24
    assert {"output 0 by input 17", "input 17"} <= {found.title for found in maps}
    assert "... 16 more maps" in maps[-1].note
    assert "output 0 by input 17" in str(report)


def test_a_tolerance_of_zero_divides_by_nothing():
    report = gradcheck_report(lambda x: 2 * x, np.array([1.0, 2.0]), atol=0.0, rtol=0.0)
    assert (report.disagreement() >= 0).all()
    assert report.disagreement()[0, 1] == 0
    checked_page(report)


def test_overflow_in_the_function_breaks_no_picture():
    report = gradcheck_report(lambda x: mg.exp(x) * too_large(x), np.array([709.78, 0.1, 710.0]))
    assert "NaN or inf" in str(report)
    for element in range(3):
        checked_page(report, report.sweep(input_element=(element,), output_element=(element,)))
        assert str(report.sweep(input_element=(element,), output_element=(element,)))


# The sweep of the step


def test_the_curve_of_a_right_derivative_is_a_v_with_the_best_step_in_it():
    x = 0.7
    sweep = gradcheck_report(mg.exp, x).sweep()
    assert sweep.kind == "right"
    # The error is f''' h^2 / 6, and that of rounding no larger than a few units in the last place, over h.
    assert sweep.truncation == pytest.approx(np.exp(x) / 6, rel=0.01)
    assert 1e-18 < sweep.rounding < 1e-15
    least = sweep.steps[sweep.errors.argmin()]
    assert 1e-7 < least < 1e-4
    assert 1e-6 < sweep.best < 3e-5
    assert sweep.used == 2.0**-17
    large, small = sweep.errors[-8:], sweep.errors[:8]
    assert np.allclose(np.diff(np.log10(large)), 0.5, atol=0.05)  # slope 2, four steps in a decade
    assert small.mean() > 1e3 * sweep.errors.min()
    assert "falls" in sweep.verdict


def test_the_curve_of_a_wrong_derivative_is_flat_at_the_size_of_its_error():
    x = point(2, 3)
    report = gradcheck_report(in_one_element, x)
    sweep = report.sweep()
    assert sweep.place == "output 0[0, 1] by input 0[0, 1]"
    error = 0.001 * np.cos(x[0, 1])
    assert np.allclose(sweep.errors[8:-8], error, rtol=0.05)
    assert sweep.expected.min() < 1e-6 * error, "the differences themselves are good"
    assert f"flat at {error:.1e}" in sweep.verdict
    other = report.sweep(output_element=(0, 0), input_element=(0, 0))
    assert other.kind == "right"
    assert other.errors.min() < 1e-9


@pytest.mark.parametrize("slopes", [(2.0, -1.0), (0.0, 1.0)])
def test_the_slopes_at_a_kink_keep_their_distance(slopes):
    left, right = slopes

    @mg.primitive(lambda g, y, x: g * np.where(x < 0, left, right))
    def bent(x, /):
        return np.where(x < 0, left * x, right * x)

    sweep = gradcheck_report(bent, 0.0).sweep()
    assert sweep.kind == "kink"
    assert np.allclose(sweep.half_jump, abs(right - left) / 2)
    assert np.allclose(sweep.errors, abs(right - left) / 2), "the rule is that of the right side"
    assert sweep.truncation is None
    assert f"a distance of {abs(right - left):.3g}" in sweep.verdict


def test_a_jump_is_told_from_a_kink():
    assert "without end" in gradcheck_report(lambda x: mg.floor(x) * x, np.array([1.0])).sweep().verdict


def test_a_derivative_that_rounding_hides_is_not_called_right_or_wrong():
    sweep = gradcheck_report(lambda x: 1e8 + 1e-3 * mg.sin(x), np.array([1.0])).sweep()
    assert sweep.kind == "uncertain"
    assert "Rounding hides" in sweep.verdict
    assert sweep.truncation is None
    assert sweep.rounding > 1e-9


def test_steps_grow_with_the_number_that_is_moved():
    sweep = gradcheck_report(lambda x: mg.sin(x / 50), np.array([1000.0])).sweep()
    assert sweep.steps[[0, -1]] == pytest.approx([1e-10, 100.0])
    assert sweep.used == pytest.approx(1000 * 2.0**-17)
    assert "from 1e-10 to 1e+02" in str(sweep)


def test_of_a_linear_or_constant_function_only_what_there_is_is_drawn():
    linear = gradcheck_report(lambda x: 3 * x, 0.3).sweep()
    assert linear.truncation is None
    assert linear.best is None
    assert "no truncation" in str(linear)
    constant = gradcheck_report(lambda x: 0 * x, 0.3).sweep()
    assert (constant.errors == 0).all()
    assert constant.expected is None
    assert "0000" in str(constant)
    for sweep in (linear, constant):
        Page(sweep.html())


def test_steps_that_the_function_refuses_are_missing_and_counted():
    def f(x):
        if x.data > 1.05:
            raise ValueError("<too large>")
        return mg.sin(x)

    sweep = gradcheck_report(f, 1.0).sweep()
    assert np.isnan(sweep.errors).sum() == np.isnan(sweep.errors[-2:]).sum() == 2
    assert "With 2 of the 49 steps there is no difference: the function raised ValueError: <too large>" in str(sweep)
    assert "N" in str(sweep).split("\n")[1]
    assert "<too large>" in Page(sweep.html()).text
    beyond = gradcheck_report(mg.log, 0.05).sweep()
    assert "NaN or inf" in str(beyond)


def test_what_is_not_finite_has_no_curve_and_says_so():
    sweep = gradcheck_report(nan_in_one_element, point(3)).sweep()
    assert sweep.kind == "not finite"
    assert "There is no curve" in str(sweep)
    assert "nan" in str(sweep)
    assert "<svg" not in sweep.html()


def test_the_worst_of_what_is_asked_for_is_swept():
    report = gradcheck_report(lambda x, y: (too_large(x), mg.sin(y)), (np.array([1.2, 0.1]), point(2)))
    assert report.sweep().place == "output 0[1] by input 0[1]"  # the cosine is larger there
    assert report.sweep(input_element=(0,), input=0).place == "output 0[0] by input 0[0]"
    assert report.sweep(output=1).kind == "right"
    assert report.sweep(output=1) is report.sweep(output=1)


@pytest.mark.parametrize("place", [{"input": 1}, {"output": 5}, {"input_element": (7,)}, {"output_element": ("real",)}])
def test_a_derivative_that_is_not_there_cannot_be_swept(place):
    with pytest.raises(ArgumentError, match="no derivative was compared of"):
        gradcheck_report(mg.sin, point(2)).sweep(**place)


# The graph


def test_the_operation_at_fault_is_marked(graphviz):
    report = gradcheck_report(lambda x: mg.exp(in_one_element(mg.sqrt(x)) * 2), point(3))
    text = str(report)
    (marked,) = [line for line in text.split("\n") if ">>" in line]
    assert "wrong_sine(%1)" in marked
    assert marked.endswith("<== wrong")
    page = checked_page(report)
    assert "input 0" in page.text
    if graphviz:
        assert "pre" not in page.tags
        assert page.text.count("wrong_sine") == 2  # in words, and in the picture
    else:
        assert "<== wrong" in page.text
        assert "MINIGRAD_DOT" in page.text  # what to do about it


def test_a_kink_is_marked_where_it_is():
    text = str(gradcheck_report(lambda x: mg.sin(mg.abs(x)), np.array([0.0, 1.0])))
    (marked,) = [line for line in text.split("\n") if ">>" in line]
    assert "abs(%0)" in marked
    assert marked.endswith("<== kink")


@mg.primitive(None, lambda g, y, a, x: -g * a * np.cos(x))
def times_cosine(a, x, /):
    return a * np.cos(x)


def test_in_second_order_the_graph_that_holds_the_fault_is_drawn():
    report = gradcheck_report(sine(lambda g, y, x: times_cosine(g, x), "deep"), point(3), order=2)
    assert report.operations == ["deep", "times_cosine"]
    assert [drawing.title for drawing in report.drawings] == [
        "the graph of the function",
        "the graph of the function and its gradient",
    ]
    marked = [line.split("<==")[0].split()[3:4] for line in str(report).split("\n") if ">>" in line]
    assert marked == [["deep(%0)"], ["times_cosine(%1,"]]
    checked_page(report)


def test_of_a_long_graph_the_text_shows_the_place_of_the_fault():
    def f(x):
        for i in range(100):
            x = too_large(x) if i == 60 else x * 1.01
        return x

    text = gradcheck_report(f, point(2)).drawings[0].text()
    lines = text.split("\n")
    assert len(lines) < 12
    assert "more" in lines[0]
    assert "more" in lines[-1]
    assert sum(">>" in line for line in lines) == 1


# What cannot be compared


def fickle(x):
    return x * np.random.default_rng().normal()


@pytest.mark.parametrize(("f", "kind"), [
    (fickle, "not deterministic"),
    (of_wrong_shape, "shape"),
    (sine(lambda g, y, x: g * g * np.cos(x)), "not linear"),
    (lambda x: mg.tensor([1.0]), "right"),
])  # fmt: skip
@pytest.mark.parametrize("order", [1, 2])
def test_without_two_jacobians_the_rest_is_shown(f, kind, order, graphviz):
    report = gradcheck_report(f, np.array([np.pi, 0.0]), order=order)
    if order == 1:
        assert report.kind == kind
    assert str(report).startswith(report.title)
    page = checked_page(report)
    if kind in ("not deterministic", "shape"):
        assert "no two Jacobians were compared" in page.text
        with pytest.raises(ArgumentError, match="no derivatives were compared"):
            report.sweep()
    assert [drawing.title for drawing in report.drawings]


def test_a_gradient_of_the_wrong_shape_is_reported_in_both_orders():
    for order in (1, 2):
        report = gradcheck_report(of_wrong_shape, point(3), order=order)
        assert (report.kind, report.operations) == ("shape", ["wrong_sine"])
        assert "<== wrong shape" in str(report)
        assert len(report.drawings) == 1


def test_nothing_to_check_is_a_report_too():
    report = gradcheck_report(lambda k: mg.tensor([1.0]), 3)
    assert (report.passed, report.kind) == (False, "nothing to check")
    assert "no graph" in checked_page(report).text


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_empty_arrays(shape):
    alone = gradcheck_report(lambda x: x * 2, np.zeros(shape))
    assert alone.passed
    assert "nothing to compare" in str(alone)
    checked_page(alone)
    beside = gradcheck_report(lambda x, y: (x.sum() * 2, y * 3), (np.zeros(shape), point(2)))
    assert beside.passed
    assert beside.disagreement(0, 0).shape == shape
    assert "output 0 by input 0" not in str(beside)
    checked_page(beside)


def test_the_fast_mode_has_no_heat_map_and_says_so():
    report = gradcheck_report(too_large, point(30, 4), fast=True)
    assert report.heat_maps() == []
    assert "There is no heat map: the fast mode" in str(report)
    assert "There is no heat map: the fast mode" in checked_page(report).text
    assert report.sweep().kind == "wrong"
    with pytest.raises(ArgumentError, match="fast mode"):
        report.disagreement()


def test_misuse_is_refused():
    with pytest.raises(ArgumentError, match="order is 1 or 2"):
        gradcheck_report(mg.sin, point(2), order=3)
    with pytest.raises(ArgumentError, match="order=2"):
        gradcheck_report(mg.sin, point(2), point(2))
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        gradcheck_report(mg.sin, point(2), point(3), order=2)
    with pytest.raises(DTypeError, match="float32"):
        gradcheck_report(mg.sin, point(2).astype(np.float32))
    with pytest.raises(ArgumentError, match="no output 3"):
        gradcheck_report(mg.sin, point(2)).disagreement(output=3)


# Files and notebooks


def test_the_page_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    report = gradcheck_report(in_one_element, point(3))
    path = tmp_path / "report é.html"
    report.save(path, report.sweep(output_element=(0,), input_element=(0,)))
    saved = path.read_text(encoding="utf-8")
    assert saved.startswith("<!DOCTYPE html>")
    assert "output 0[0] by input 0[0]" in Page(saved).text

    def fail(*more):
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "html", fail)
    with pytest.raises(KeyboardInterrupt):
        report.save(path)
    assert path.read_text(encoding="utf-8") == saved
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="folder"):
        report.save(tmp_path)


def test_nothing_that_a_name_says_becomes_part_of_the_page(graphviz):
    evil = "<script>alert(1)</script>\"'&\ud800"
    wrong = sine(lambda g, y, x: g * np.cos(x) * 1.001, evil)

    def f(x):
        return wrong(x)

    f.__name__ = evil
    page = checked_page(gradcheck_report(f, point(2)))
    assert "<script>alert(1)</script>" in page.text
    assert page.open == []


def test_notebooks_show_the_page_and_never_an_exception(monkeypatch):
    report = gradcheck_report(in_one_element, point(3))
    for shown in (report, report.sweep()):
        bundle = shown._repr_mimebundle_()
        assert bundle["text/plain"] == str(shown)
        Page(bundle["text/html"])
        assert set(shown._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert "<html" not in bundle["text/html"]

    def fail(*args):
        raise RuntimeError

    monkeypatch.setattr(Report, "heat_maps", fail)
    assert report._repr_mimebundle_() == {}
    assert repr(report) == "<Report: gradcheck of wrong_sine, wrong>"


def test_the_page_has_no_network_to_go_to():
    page = gradcheck_report(mg.sin, point(2)).html()
    assert "default-src 'none'" in page
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
