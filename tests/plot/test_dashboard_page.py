"""The dashboard in a real browser: what is drawn, what is read out, and what people do with it."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim, plot
from tests.browser import HOSTILE, SHIFT, Browser
from tests.rows import each

NAMES = ["block.0.weight", "block.0.bias", "block.1.weight", "block.1.bias", "head.weight", "dead.weight", "still.w"]
TOP, BOTTOM = 10, 24  # the margins of a picture


def history_of(steps=40, names=NAMES, bad=(), **options):
    """A history with norms that are known: that of parameter i at step s is (i + 1) * (s + 1)."""
    rng = np.random.default_rng(0)
    parameters = {name: mg.tensor(rng.normal(size=400), requires_grad=True) for name in names}
    history = optim.History(parameters, **options)
    for step in range(steps):
        for i, (name, p) in enumerate(parameters.items()):
            gradient = np.zeros(400)
            gradient[0] = 0.0 if name.startswith("dead") else (i + 1.0) * (step + 1)
            p.grad = None if name.startswith("still") else gradient
            p.array[:] += 0.05
        if step in bad:
            parameters[names[2]].grad = np.full(400, np.nan)
            parameters[names[2]].array[0] = np.inf
        history.record(loss=np.nan if step in bad else 4.0 / (step + 1), lr=0.1 if step < steps / 2 else 0.01)
        if (step + 1) % 10 == 0:
            history.end_epoch(val_loss=5.0 / (step + 1), accuracy=1 - 1 / (step + 2))
    return history


@pytest.fixture
def show(open_page):
    def show(given, width=1300, height=1100, dark=False, **options):
        return open_page(plot.dashboard(given, **options).html, width=width, height=height, dark=dark)

    return show


def readings(page, panel):
    """The numbers in the legend of a panel, by name."""
    return dict(zip(page.texts(f"#{panel} .legend .name"), page.texts(f"#{panel} .legend b"), strict=True))


def inside(page, panel):
    """Left, top, width and height of a picture without its margins, in itself."""
    left, bottom, width = numbers(path(page, f"#{panel} .frame"))
    return left, TOP, width, bottom - TOP


def point_at(page, panel, part, height=0.5):
    """Move the pointer to a place of a picture, as parts of its width and height."""
    x, y, _, _ = page.rectangle(f"#{panel} .plot")
    left, top, width, tall = inside(page, panel)
    place = x + left + part * width, y + top + height * tall
    page.mouse("mouseMoved", *place)
    page.settle()
    return place


def colour_at(page, panel, part, height):
    """What the canvas of a panel shows there: red, green, blue and opacity."""
    left, top, width, tall = inside(page, panel)
    place = f"{int(left + part * width)}, {int(top + height * tall)}"
    return page.run(
        f"(() => {{ const shown = document.querySelector('#{panel} canvas');"
        "const copy = new OffscreenCanvas(shown.width, shown.height).getContext('2d', { willReadFrequently: true });"
        f"copy.drawImage(shown, 0, 0); return [...copy.getImageData({place}, 1, 1).data]; }})()"
    )


def path(page, selector):
    return page.run(f"document.querySelector({selector!r}).getAttribute('d')")


def numbers(text):
    return [float(x) for x in re.findall(r"-?\d+\.?\d*", text)]


def cursors(page):
    """Where the cursor is in each panel, as a part of its width."""
    parts = []
    for panel in page.run("[...document.querySelectorAll('.panel')].map(({ id }) => id)"):
        left, _, width, _ = inside(page, panel)
        parts.append((numbers(path(page, f"#{panel} .cursor"))[0] - left) / width)
    return parts


# What is drawn


def test_all_panels_are_there_with_their_numbers_at_the_last_step(show):
    page = show(history_of(), title="Forty steps")
    assert page.text("h1") == page.run("document.title") == "Forty steps"
    assert page.texts("h2") == ["Losses", "Measures", "Learning rate", "Gradient norms", "Weights"]
    assert page.text("#facts") == "40 steps, 4 epochs"
    assert (page.text("#unit"), page.text("#moment")) == ("Step", "40")
    mean = np.mean(4.0 / np.arange(31, 41))
    assert readings(page, "losses") == {"loss": "0.1", "loss, per epoch": f"{mean:.4g}", "val_loss": "0.125"}
    assert readings(page, "rates") == {"lr": "0.01"}
    assert readings(page, "measures") == {"accuracy": "0.9756"}
    total = np.sqrt(sum((40 * i) ** 2 for i in (1, 2, 3, 4, 5)))
    assert page.text("#gradients .readout") == f"block.0.weight: 40  ·  all together: {total:.4g}"
    assert page.text("#weights .readout").startswith("block.0.weight at step 39: mean ")


def test_curves_go_through_their_numbers(show):
    page = show({"loss": [1.0, 4.0, 2.0], "lr": [0.1, 0.2, 0.3]}, log=False)
    left, top, width, tall = inside(page, "losses")
    x0, y0, x1, y1, x2, y2 = numbers(path(page, "#losses .curve[data-line=loss]"))
    assert (x0, x1, x2) == pytest.approx((left, left + width / 2, left + width), abs=0.01)
    assert top < y1 < y2 < y0 < top + tall
    assert (y0 - y2) / (y0 - y1) == pytest.approx(1 / 3, abs=1e-3)
    page.click("#losses .tools button")
    _, y0, _, y1, _, y2 = numbers(path(page, "#losses .curve[data-line=loss]"))
    assert (y0 - y2) / (y0 - y1) == pytest.approx(1 / 2, abs=1e-3)  # log 2 of log 4
    assert "H" in path(page, "#rates .curve[data-line=lr]")  # a rate holds until it changes


def test_gaps_have_marks_and_a_number_between_two_is_a_dot(show):
    page = show({"loss": [1.0, 2.0, np.nan, 3.0, np.inf, 2.0, 1.0]})
    assert path(page, "#losses .curve[data-line=loss]").count("M") == 3
    assert path(page, "#losses .gap").count("M") == 2
    assert path(page, "#losses .curve.dots").count("M") == 1
    left, _, width, _ = inside(page, "losses")
    assert numbers(path(page, "#losses .gap"))[0] == pytest.approx(left + width / 3, abs=0.01)
    point_at(page, "losses", 2 / 6)
    assert readings(page, "losses") == {"loss": "not finite"}
    point_at(page, "losses", 3 / 6)
    assert readings(page, "losses") == {"loss": "3"}


def test_on_a_logarithmic_axis_zeros_stand_below_it(show):
    page = show({"loss": [1.0, 0.0, 10.0, -1.0, 0.1]}, log=True)
    assert path(page, "#losses .below").count("M") == 2
    assert path(page, "#losses .curve[data-line=loss]").count("M") == 3
    assert page.count("#losses .gap") == 0


def test_a_curve_of_merged_rows_has_a_band_that_holds_the_spike(show):
    losses = np.ones(100_000)
    losses[50_000] = 9.0
    page = show({"loss": losses})
    _, top, _, tall = inside(page, "losses")
    heights = numbers(path(page, "#losses .band"))[1::2]
    assert min(heights) == pytest.approx(top + tall * 0.05 / 1.1, abs=1)
    assert page.text("#notes li").startswith("Curves: up to 128 steps make one point")
    assert page.text("#moment") == "99,999"


def test_cells_of_the_heat_map_say_what_they_are(show):
    page = show(history_of(bad=(20, 21)))
    rows = [(i + 0.5) / len(NAMES) for i in range(len(NAMES))]
    assert colour_at(page, "gradients", 20.5 / 40, rows[2]) == [0xD5, 0x5E, 0, 255]  # not finite
    assert colour_at(page, "gradients", 0.3, rows[5]) == [0xC3, 0xC9, 0xCF, 255]  # exactly 0
    assert colour_at(page, "gradients", 0.3, rows[6]) == [0, 0, 0, 0]  # no gradient
    low, high = (colour_at(page, "gradients", *place) for place in ((0.001, rows[0]), (0.99, rows[4])))
    assert low[:3] == [68, 1, 84]
    assert high[0] > 240
    assert high[1] > 220
    keys = page.texts("#gradients .legend li")
    assert keys == ["1", "200", "not finite", "exactly 0", "no gradient"]


def test_a_single_bad_step_among_many_is_seen_on_a_narrow_screen(show):
    norms = np.ones(1000)
    norms[333] = np.nan
    rows = {f"{i}.weight": norms if i == 3 else np.ones(1000) for i in range(8)}
    page = show({"gradients": rows}, width=420)
    width = inside(page, "gradients")[2]
    bad = [
        x for x in range(int(width)) if colour_at(page, "gradients", (x + 0.5) / width, 3.5 / 8)[:3] == [0xD5, 0x5E, 0]
    ]
    assert 1 <= len(bad) <= 2
    assert bad[0] / width == pytest.approx(1 / 3, abs=0.01)


def test_histograms_are_drawn_where_the_values_are(show):
    w = mg.tensor(np.concatenate([np.zeros(300), np.ones(100)]), requires_grad=True)
    w.grad = np.ones(400)
    history = optim.History({"w": w})
    for _ in range(4):
        history.record(loss=1.0)
    page = show(history)
    part = 0.05 / 1.1  # of the margin of the axis
    zeros, ones = (colour_at(page, "weights", 0.5, height) for height in (1 - part - 0.01, part + 0.01))
    assert zeros[:3] == pytest.approx([0, 84, 140], abs=3)
    assert zeros[0] < ones[0] < 255
    assert colour_at(page, "weights", 0.5, 0.5) == [0, 0, 0, 0]
    widths = [numbers(piece) for piece in path(page, "#weights .bars").split("Z")[:-1]]
    lengths = [piece[2] - piece[0] for piece in widths]
    assert lengths[-1] / lengths[0] == pytest.approx(1 / 3, abs=0.02)
    assert page.text("#weights .readout") == "w at step 3: mean 0.25 ± 0.433, from 0 to 1"


# The cursor


def test_one_cursor_runs_through_all_panels(show):
    page = show(history_of())
    for panel in ("losses", "rates", "measures", "gradients", "weights"):
        part = {"losses": 0.25, "rates": 0.5, "measures": 0.75, "gradients": 0.1, "weights": 0.9}[panel]
        point_at(page, panel, part)
        assert page.text("#moment") == f"{40 * part:.0f}"
        assert cursors(page) == pytest.approx([part] * 5, abs=1e-4)
        step = round(40 * part)
        assert readings(page, "losses")["loss"] == f"{4 / (step + 1):.4g}"
        assert readings(page, "rates")["lr"] == ("0.1" if step < 20 else "0.01")
        assert page.run("Number(document.getElementById('step').value)") == step
    point_at(page, "losses", 5 / 40)
    assert readings(page, "losses")["val_loss"] == "–"  # there is none yet
    assert page.text("#gradients .readout").startswith("block.0.weight: 6 ")


def test_the_cursor_stays_where_the_pointer_has_left(show):
    page = show(history_of())
    point_at(page, "losses", 0.5)
    page.mouse("mouseMoved", 5, 5)
    page.settle()
    assert page.text("#moment") == "20"


def test_arrows_move_the_cursor(show):
    page = show(history_of())
    for key, modifiers, step in [
        ("ArrowLeft", 0, 39), ("ArrowLeft", SHIFT, 37), ("ArrowRight", 0, 38), ("Home", 0, 0), ("ArrowLeft", 0, 0),
        ("ArrowRight", SHIFT, 2), ("End", 0, 40), ("ArrowRight", 0, 40),
    ]:  # fmt: skip
        page.run("document.querySelector('#losses .plot').focus()")
        page.press(key, modifiers)
        assert page.text("#moment") == str(step)
    page.run("document.getElementById('step').focus()")
    page.press("ArrowLeft")
    assert page.text("#moment") == "39"
    page.run("document.activeElement.blur()")
    page.press("ArrowLeft")
    assert page.text("#moment") == "38"


def test_in_a_long_run_an_arrow_is_a_point_of_the_curve(show):
    page = show({"loss": np.ones(100_000)})
    page.press("Home")
    page.run("document.querySelector('#losses .plot').focus()")
    page.press("ArrowLeft")
    assert page.text("#moment") == "99,871"


def test_without_curves_an_arrow_is_a_column_of_the_gradients(show):
    page = show({"gradients": {"a": np.ones(50)}})
    page.run("document.querySelector('#gradients .plot').focus()")
    page.press("ArrowLeft")
    assert page.text("#moment") == "48"


def test_arrows_up_and_down_choose_a_row_and_its_histograms(show):
    page = show(history_of())
    page.run("document.querySelector('#gradients .plot').focus()")
    page.press("ArrowDown")
    page.press("ArrowDown")
    assert page.text("#gradients .readout").startswith("block.1.weight: 120 ")
    assert page.text("#weights .readout").startswith("block.1.weight at ")
    assert page.run("document.querySelector('#weights select').value") == "2"
    assert page.texts("#gradients text.chosen") == ["block.1.weight" * 2]  # with a title for what is cut
    page.press("ArrowUp")
    assert page.text("#gradients .readout").startswith("block.0.bias: 80 ")
    for _ in range(10):
        page.press("ArrowDown")
    assert page.text("#gradients .readout").startswith("still.w: no gradient ")


def test_a_click_on_a_row_chooses_it_and_pointing_at_one_reads_it(show):
    page = show(history_of())
    place = point_at(page, "gradients", 0.5, 4.5 / 7)
    assert page.text("#gradients .readout").startswith("head.weight: 105 ")
    assert page.text("#weights .readout").startswith("block.0.weight")
    page.click_at(*place)
    assert page.text("#weights .readout").startswith("head.weight")


def test_a_parameter_is_chosen_from_the_list(show):
    page = show(history_of())
    page.run(
        "(() => { const list = document.querySelector('#weights select'); list.value = 5;"
        "list.dispatchEvent(new Event('change')); })()"
    )
    assert page.text("#weights .readout").startswith("dead.weight")
    assert page.text("#gradients .readout").startswith("dead.weight: 0 ")


def test_what_is_said_to_those_who_do_not_see(show):
    page = show(history_of())
    page.run("document.getElementById('step').focus()")
    page.press("Home")
    page.run("new Promise((done) => setTimeout(done, 600))")
    said = page.text("#said")
    assert said.startswith("step 0: loss 4; loss, per epoch –; val_loss –; accuracy –; lr 0.1; block.0.weight 1; ")
    assert page.run("document.getElementById('said').getAttribute('role')") == "status"
    labels = page.run("[...document.querySelectorAll('.plot')].map((x) => x.getAttribute('aria-label'))")
    assert labels[0].startswith("Losses over the steps: loss from 4 to 0.1; loss, per epoch from ")
    assert labels[3] == "Gradient norms: 7 rows (each parameter) over the steps, norms from 1 to 200"
    assert labels[4].startswith("Weights: histograms of block.0.weight at 40 steps, values from ")
    names = page.run(
        "[...document.querySelectorAll('button:not([hidden]), select, input, .plot')].map((x) => x.ariaLabel ||"
        " x.textContent.trim() || x.labels?.[0]?.textContent.trim())"
    )
    assert all(names)
    assert page.count(".plot[tabindex='0'][role=img]") == 5


# Switches


def test_scales_curves_and_forms_are_switched(show):
    page = show(history_of())
    assert page.run("document.querySelector('#losses .tools button').ariaPressed") == "true"  # 4 to 0.1
    assert "0.1" in page.texts("#losses svg text")
    page.click("#losses .tools button")
    assert page.run("document.querySelector('#losses .tools button').ariaPressed") == "false"
    assert page.count("#losses .curve[data-line=val_loss]") == 1
    page.click("#losses .legend li:last-child button")
    assert page.count("#losses .curve[data-line=val_loss]") == 0
    page.click("#losses .legend li:last-child button")
    assert page.count("#losses .curve[data-line=val_loss]") == 1
    assert page.count("#gradients .curve") == 0
    page.click("#gradients .tools button")
    assert page.count("#gradients .curve[data-line]") == len(NAMES)
    assert path(page, "#gradients .below").count("M") == 40  # zeros
    page.click("#gradients .tools button")
    assert page.count("#gradients .curve") == 0


def test_parameters_are_taken_together(show):
    page = show(history_of())
    assert page.texts("#gradients option") == ["each parameter", "each layer", "blocks of depth 1", "all together"]

    def choose(level):
        page.run(
            f"(() => {{ const list = document.querySelector('#gradients select'); list.value = {level};"
            "list.dispatchEvent(new Event('change')); })()"
        )
        return page.text("#gradients .readout").split("  ·  ")

    point_at(page, "gradients", 9 / 40, 0.001)
    assert choose(1)[0] == f"block.0: {np.hypot(10, 20):.4g}"
    assert choose(2)[0] == f"block: {np.sqrt(10**2 + 20**2 + 30**2 + 40**2):.4g}"
    (total,) = choose(3)
    assert total == f"all: {10 * np.sqrt(55):.4g}"
    assert choose(0)[0] == "block.0.weight: 10"


def test_few_rows_are_curves_at_first_and_runs_are_not_taken_together(show):
    runs = optim.sweep(mg.objectives.bowl(1, 10), (4.0, 2.5), [0.01, 0.09], steps=20)
    page = show(runs)
    assert page.count("#gradients .curve[data-line]") == 2
    assert page.count("#gradients select") == 0
    assert page.text("#gradients .readout").startswith("lr=0.01: ")
    assert "together" not in page.text("#gradients .readout")


def test_the_alarm_leads_to_the_first_step_that_is_not_finite(show):
    page = show(history_of(bad=(17, 30)))
    assert page.text("#alarm") == "First not finite: loss, step 17"
    page.click("#alarm")
    assert page.text("#moment") == "17"
    assert readings(page, "losses")["loss"] == "not finite"
    rows = {"a.w": [1.0, 2.0, 3.0], "b.w": [1.0, np.inf, np.nan]}
    page = show({"loss": [1.0, 2.0, np.nan], "gradients": rows})
    assert page.text("#alarm") == "First not finite: gradient of b.w, step 1"
    page.click("#alarm")
    assert page.text("#gradients .readout") == "b.w: not finite  ·  all together: not finite"
    assert not show(history_of()).visible("#alarm")


def test_weights_that_are_not_finite_are_read_out(show):
    page = show(history_of(bad=(5,)))
    page.run("document.querySelector('#gradients .plot').focus()")
    page.press("ArrowDown")
    page.press("ArrowDown")
    assert page.text("#weights .readout").endswith("block.1.weight: 1 not finite")
    assert path(page, "#weights .gap").count("M") == 35  # from step 5 on


# Sizes, schemes, and what is strange


def broad(page):
    """Elements that stand out of the page to the right."""
    return page.run(
        "[...document.querySelectorAll('body *')].filter((x) => x.checkVisibility() && !x.closest('.unseen') && "
        "x.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((x) => x.outerHTML)"
    )


STRANGE = {
    "usual": lambda: history_of(),
    "bad": lambda: history_of(bad=range(5, 30)),
    "one step": lambda: {"loss": [1.0]},
    "one step of everything": lambda: history_of(1),
    "nothing finite": lambda: {"loss": [np.nan, np.inf], "gradients": {"a": [np.nan, np.nan]}},
    "zeros": lambda: {"loss": [0.0, 0.0], "lr": [0.0, 0.0], "gradients": {"a": [0.0, 0.0]}},
    "enormous": lambda: {"loss": [-1e308, 1e308], "val_loss": [1e-300, 1e300], "gradients": {"a": [1e-300, 1e300]}},
    "constant": lambda: {"loss": [3.0] * 9, "lr": [1e-7] * 9},
    "negative": lambda: {"loss": [-3.0, -4.0]},
    "late": lambda: {"loss": ([10**9, 10**9 + 7], [2.0, 1.0])},
    "long": lambda: {"loss": np.linspace(1, 0.5, 100_000), "gradients": {f"a{i}": np.ones(5000) for i in range(9)}},
    "gradients only": lambda: {"gradients": {f"layers.{i}.weight": [1.0, 2.0] for i in range(30)}},
    "names": lambda: {name: [1.0, 2.0] for name in HOSTILE},
    "names of layers": lambda: {"loss": [1.0], "gradients": {name: [1.0, 0.5] for name in HOSTILE}},
    "deep": lambda: history_of(20, [f"layers.{i}.{part}" for i in range(200) for part in ("weight", "bias")]),
    "many curves": lambda: {f"loss {i}": [1.0, i] for i in range(40)},
}


@each(("name", "make"), STRANGE.items())
def test_strange_runs_are_shown_at_both_widths_without_trouble(show, name, make):
    history = make()
    for width, dark in ((1300, False), (420, True)):
        page = show(history, width=width, dark=dark)
        assert broad(page) == []
        texts = page.run("[...document.querySelectorAll('text, .readout, .legend')].map((x) => x.textContent).join()")
        assert not re.search(r"NaN|undefined|Infinity|null", texts)
        places = page.run("[...document.querySelectorAll('svg *')].map((x) => x.outerHTML).join()")
        assert not re.search(r"NaN|undefined|Infinity", places)
        point_at(page, "losses" if page.count("#losses") else "gradients", 0.3)
        page.press("ArrowRight")


def test_hostile_names_are_shown_as_text(show):
    parameters = {name: mg.tensor([1.0, 2.0], requires_grad=True) for name in HOSTILE}
    for p in parameters.values():
        p.grad = [1.0, 2.0]
    history = optim.History(parameters)
    for _ in range(3):
        history.record(**{f"loss {name}": 1.0 for name in HOSTILE}, **dict.fromkeys(HOSTILE, 2.0))
    page = show(history, title=HOSTILE[0])
    wanted = [name.replace("\u202e", r"\u202e") for name in HOSTILE]

    def plain(texts):
        return [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in texts]

    assert page.text("h1") == HOSTILE[0]
    assert plain(page.texts("#measures .legend .name")) == plain(wanted)
    assert plain(page.texts("#weights option")) == plain(wanted)
    page.run("document.querySelector('#gradients .plot').focus()")
    for name in wanted:
        assert plain([page.text("#gradients .readout")])[0].startswith(plain([name])[0])
        page.press("ArrowDown")
    assert page.run("typeof window.hacked") == "undefined"
    assert page.count("img, iframe, object, a") == 0
    assert page.count("script") == 2


def test_hundreds_of_layers_begin_as_blocks_that_fit(show):
    page = show(STRANGE["deep"]())
    assert page.texts("#gradients option") == ["each parameter", "each layer", "all together"]
    assert page.run("document.querySelector('#gradients select').value") == "1"
    tall = page.rectangle("#gradients .plot")[3]
    assert tall <= 400
    names = page.run("[...document.querySelectorAll('#gradients .names text')].map((x) => Number(x.getAttribute('y')))")
    assert len(names) < 40
    assert min(np.diff(names)) >= 13
    assert page.count("#weights option") == 400


def test_the_page_follows_its_window(show):
    page = show(history_of())
    wide = page.rectangle("#losses .plot")[2]
    page.send("Emulation.setDeviceMetricsOverride", width=420, height=900, deviceScaleFactor=2, mobile=False)
    page.run("new Promise((done) => setTimeout(done, 200))")
    assert page.rectangle("#losses .plot")[2] < wide
    left, _, width, _ = inside(page, "losses")
    assert left + width <= page.rectangle("#losses .plot")[2]
    x, *_ = page.rectangle("#losses")
    assert page.rectangle("#gradients")[0] == x  # below it, and not beside it
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.settle()
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(16, 20, 24)"


def luminance(colour):
    parts = np.array(colour) / 255
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("dark", [False, True])
def test_texts_and_curves_stand_out_from_the_paper(show, dark):
    page = show(history_of(bad=(3,)), dark=dark)

    def colour(variable):
        found = page.run(f"getComputedStyle(document.documentElement).getPropertyValue('--{variable}').trim()")
        return [int(found[i : i + 2], 16) for i in (1, 3, 5)]

    def contrast(variable):
        low, high = sorted([luminance(colour(variable)), luminance(colour("card"))])
        return (high + 0.05) / (low + 0.05)

    curves = [(f"c{i}", 3) for i in range(7)]
    for variable, least in [("ink", 7), ("faint", 4.5), ("alarm-ink", 4.5), ("alarm", 3), *curves]:
        assert contrast(variable) >= least, (variable, contrast(variable))


def test_a_notebook_shows_it_in_a_frame(browser: Browser):
    bundle = plot.dashboard(history_of())._repr_mimebundle_()
    page = browser.open(f"<!DOCTYPE html><body>{bundle['text/html']}", width=1000, height=950)
    page.run("new Promise((done) => setTimeout(done, 500))")
    page.troubles = [trouble for trouble in page.troubles if trouble != "request: about:srcdoc"]
    assert page.run("document.querySelector('iframe').contentDocument") is None  # a page of its own
    page.close()
