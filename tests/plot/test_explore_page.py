"""The page for exploring gradient descent in a real browser: what people do with it."""

import json
import re

import numpy as np
import pytest

from minigrad import objectives, optim, plot
from tests.browser import HOSTILE, SHIFT
from tests.plot.test_explore import DATA, bowl, regression
from tests.rows import each


@pytest.fixture
def show(open_page):
    def show(page, address="", **size):
        opened = open_page(str(page), **{"width": 1300, "height": 900, **size})
        if address:
            go(opened, address)
        settled(opened)
        return opened

    return show


def settled(page):
    """Wait until all is computed that is shown."""
    page.run(
        "(async () => { do await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));"
        "while (!explorer.entries.every(({ number, run }) => !explorer.settings().runs[number].on ||"
        " (run !== null && (run.over || run.made >= explorer.settings().shown)))); })()"
    )


def go(page, address):
    page.run(f"new Promise((done) => {{ location.hash = {json.dumps(address)}; setTimeout(done, 50); }})")
    settled(page)


def settings(page):
    return page.run("explorer.settings()")


def verdicts(page):
    return page.texts(".card:not(.off) .verdict")


BOWL = plot.explore(objectives.bowl(1, 5), [4.0, 2.5], optimizers=["SGD", "Adam"], lr=0.08, steps=100)
FOUR = plot.explore(objectives.wavy_bowl, [2.5, 1.5])


# What is shown


@each(("width", "dark"), [(1300, False), (1300, True), (420, False), (420, True), (320, False)])
def test_it_fits_the_screen_in_light_and_dark(width, dark, show):
    for made in (FOUR, plot.explore(objectives.parabola, 5)):
        page = show(made, width=width, dark=dark)
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), width
        assert page.run("document.title") == page.text("#title")
        _, _, wide, high = page.rectangle("#picture")
        assert wide > 0.45 * width
        assert high > 200
        colours = page.run(
            "(() => { const g = document.getElementById('picture'); const { data } ="
            "g.getContext('2d').getImageData(0, 0, g.width, g.height); const seen = new Set();"
            "for (let i = 0; i < data.length; i += 4) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);"
            "return seen.size; })()"
        )
        assert colours > 20


def test_runs_have_verdicts_numbers_and_words_for_readers(show):
    page = show(BOWL)
    runs = [
        optim.minimize(objectives.bowl(1, 5), [4.0, 2.5], optimizer=name, lr=0.08, steps=100)
        for name in ("SGD", "Adam")
    ]
    assert verdicts(page)[0] == runs[0].verdict == "converged in 92"
    assert page.texts("#rows th span") == ["SGD", "Adam"]
    assert page.texts("#rows td:nth-child(2)") == ["100", "100"]
    assert float(page.texts("#rows td:nth-child(3)")[1].replace("−", "-")) == pytest.approx(runs[1].loss, rel=1e-3)
    assert page.text("#status").startswith("SGD: converged in 92; Adam: ")
    unnamed = page.run(
        "[...document.querySelectorAll('button, input, select, canvas, textarea')].filter((x) => "
        "!x.textContent.trim() && !x.ariaLabel && !x.labels?.length && !x.getAttribute('aria-label')).length"
    )
    assert unnamed == 0


def test_curvature_is_that_of_the_chosen_run_or_of_the_cursor(show):
    page = show(BOWL)
    assert "2,  10" in page.text("#curvature")
    assert "2/λ = 0.2" in page.text("#curvature")
    assert "where SGD is" in page.text("#where")
    page.click(".card:nth-child(2) .name")
    assert "where Adam is" in page.text("#where")
    page = show(FOUR)
    left, top, width, height = page.rectangle("#picture")
    page.mouse("mouseMoved", left + width / 2, top + height / 3)
    page.settle()
    assert page.text("#where") == "at the cursor"
    assert page.text("#readout").startswith("(")


def test_curvature_says_what_momentum_allows(show):
    page = show(plot.explore(objectives.bowl(1, 5), [4.0, 2.5], optimizers=("SGD", {"momentum": 0.5}), lr=0.02))
    assert "2(1+β)/λ = 0.3" in page.text("#curvature")


@each(("f", "start", "said"), [
    (objectives.saddle, [0.5, 0.5], "a saddle"),
    (lambda w: -(w[0] ** 2) - w[1] ** 2, [0.5, 0.5], "a hilltop"),
    (objectives.bowl(1, 5), [0.5, 0.5], "curves 5 times as much"),
])  # fmt: skip
def test_curvature_in_words(f, start, said, show):
    page = show(plot.explore(f, start, (-2, 2), optimizers="SGD", lr=0.01, steps=5))
    assert said in page.text("#curvature")


def test_eigenvalues_are_those_of_numpy(show):
    rng = np.random.default_rng(0)
    page = show(BOWL)
    for n in (1, 2, 3, 7):
        a = rng.normal(size=(n, n))
        a = a + a.T
        found = page.run(f"explorer.eigenvalues({json.dumps(a.ravel().tolist())}, {n})")
        np.testing.assert_allclose(found, np.linalg.eigvalsh(a), rtol=1e-10, atol=1e-12)


# What people do


def test_the_start_is_dragged_clicked_and_moved_by_keys(show):
    page = show(BOWL)
    left, top, _, _ = page.rectangle("#picture")
    x, y = page.run("explorer.handle()")
    page.drag(left + x, top + y, -100, 60)
    moved = settings(page)["start"]
    assert moved[0] < 4 - 0.5
    assert moved[1] < 2.5 - 0.3
    assert page.run("explorer.entries[0].run.points.slice(0, 2)") == {"0": moved[0], "1": moved[1]}
    page.click_at(left + x, top + y)
    assert np.allclose(settings(page)["start"], [4.0, 2.5], atol=0.05)
    page.run("document.getElementById('picture').focus()")
    before = settings(page)["start"]
    page.press("ArrowRight")
    page.press("ArrowDown", SHIFT)
    after = settings(page)["start"]
    assert after[0] == pytest.approx(before[0] + 0.1)
    assert after[1] == pytest.approx(before[1] - 0.5)


def test_a_start_is_typed(show):
    page = show(BOWL)
    for text, wanted, invalid in (("-1.25", -1.25, "false"), ("two", -1.25, "true"), ("", -1.25, "true")):
        page.run(
            f"(() => {{ const box = document.getElementById('start-0'); box.value = {json.dumps(text)};"
            "box.dispatchEvent(new Event('change')); })()"
        )
        page.settle()
        assert settings(page)["start"][0] == wanted
        assert page.run("document.getElementById('start-0').getAttribute('aria-invalid')") == invalid


def test_it_plays_pauses_steps_and_goes_back(show):
    page = show(BOWL)
    assert page.text("#moment") == "step 100 of 100"
    page.click("#back")
    assert page.text("#moment") == "step 0 of 100"
    assert verdicts(page) == ["at the start"] * 2
    page.click("#further")
    page.click("#further")
    page.click("#less")
    assert page.text("#moment") == "step 1 of 100"
    page.click("#play")
    assert page.run("document.getElementById('play').getAttribute('aria-pressed')") == "true"
    page.run("new Promise((done) => setTimeout(done, 400))")
    page.click("#play")
    stopped = settings(page)["shown"]
    assert 1 < stopped < 100
    page.run("new Promise((done) => setTimeout(done, 200))")
    assert settings(page)["shown"] == stopped
    page.click("#end")
    assert page.text("#moment") == "step 100 of 100"
    page.run("document.getElementById('picture').focus()")
    page.press(",")
    assert settings(page)["shown"] == 99
    page.press("Home")
    assert settings(page)["shown"] == 0
    page.press("End")
    assert settings(page)["shown"] == 100
    page.press(" ")
    assert page.run("document.getElementById('play').getAttribute('aria-pressed')") == "true"


def test_runs_are_switched_and_their_rates_changed(show):
    page = show(FOUR)
    assert len(verdicts(page)) == 4
    page.click(".card:nth-child(2) input[type=checkbox]")
    assert len(verdicts(page)) == 3
    assert page.count("#rows tr") == 3
    page.run(
        "(() => { const box = document.querySelector('.card input[type=range]'); box.value = 1000;"
        "box.dispatchEvent(new Event('input')); })()"
    )
    settled(page)
    assert settings(page)["runs"][0]["values"]["lr"] == pytest.approx(10)
    assert verdicts(page)[0].startswith("diverged after")
    page.run(
        "(() => { const box = document.querySelector('.card .slider input.number'); box.value = '0.05';"
        "box.dispatchEvent(new Event('change')); })()"
    )
    settled(page)
    assert verdicts(page)[0].startswith("converged in")


def test_more_optimizers_can_be_added(show):
    page = show(FOUR)
    page.click("#more summary")
    page.click("#others .card input[type=checkbox]")
    settled(page)
    assert page.count("#rows tr") == 5


def test_noise_batches_and_seeds(show):
    page = show(plot.explore(regression, [0.0, 0.0], (-1, 5), data=DATA, batches=(4, 1), optimizers="SGD", lr=0.1))

    def end():
        settled(page)
        return page.run("Array.from(explorer.entries[0].run.point(300))")

    def change(name, value):
        page.run(
            f"(() => {{ const box = document.getElementById('{name}'); box.value = '{value}';"
            "box.dispatchEvent(new Event('change')); })()"
        )
        return end()

    four = end()
    assert page.texts("#batch option") == ["4 rows", "1 row", "all 20 rows"]
    everything = change("batch", 0)
    assert everything != four
    noisy = change("noise", 0.5)
    assert noisy != everything
    assert change("seed", 3) != noisy
    assert change("seed", 0) == noisy
    assert change("noise", 0) == everything
    assert change("batch", 4) == four


def test_the_surface_is_turned(show):
    page = show(FOUR)
    page.click("#surface")
    assert page.run("document.getElementById('surface').getAttribute('aria-pressed')") == "true"
    look = "document.getElementById('picture').toDataURL()"
    before = page.run(look)
    start = settings(page)["start"]
    left, top, width, height = page.rectangle("#picture")
    page.drag(left + width / 2, top + height / 2, 80, 30)
    after = page.run(look)
    assert after != before
    page.run("document.getElementById('picture').focus()")
    page.press("ArrowLeft")
    assert page.run(look) != after
    assert settings(page)["start"] == start
    page.click("#contours")
    page.click("#log")
    assert settings(page)["log"] is True


def test_a_finger_on_the_ring_moves_it_and_beside_it_the_page(show):
    page = show(BOWL, width=420, height=800)
    left, top, _, _ = page.rectangle("#picture")
    x, y = page.run("explorer.handle()")
    before = settings(page)["start"]

    def touch(x, y, dy):
        page.send("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        for part in (0.3, 0.6, 1.0):
            page.send("Input.dispatchTouchEvent", type="touchMove", touchPoints=[{"x": x, "y": y + part * dy}])
        page.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        page.settle()

    touch(left + x, top + y, 60)
    after = settings(page)["start"]
    assert after[1] < before[1] - 0.5
    touch(left + 80, top + 150, -70)
    assert settings(page)["start"] == after


# Addresses


def test_an_address_tells_everything(show):
    page = show(FOUR)
    shared = "steps=50&shown=20&noise=0.1&seed=5&speed=60&log=true&view=surface&start=1,-1"
    go(page, f"{shared}&run1=on:0,lr:0.5&run3=betas_0:0.3,amsgrad:1")
    found = settings(page)
    assert {key: found[key] for key in ("steps", "shown", "noise", "seed", "speed", "log", "view", "start")} == {
        "steps": 50, "shown": 20, "noise": 0.1, "seed": 5, "speed": 60, "log": True, "view": "surface",
        "start": [1, -1],
    }  # fmt: skip
    assert found["runs"][1]["on"] is False
    assert found["runs"][1]["values"]["lr"] == 0.5
    assert found["runs"][3]["switches"]["amsgrad"] is True
    page.click("#share")
    written = page.run("location.hash")
    go(page, "")
    assert settings(page) != found
    go(page, written)
    assert settings(page) == found
    page.click("#reset")
    assert settings(page)["steps"] == 300
    assert page.run("location.hash") in ("", "#")


BAD = [
    "steps=1e9&shown=-3&noise=nan&seed=1.5&speed=0&log=maybe&view=<b>&start=1",
    "start=,&steps=&run0=lr:&run1=lr:abc,momentum:,on:2",
    "start=1,2,3&steps=-1&run0=__proto__:1,constructor:1,toString:3&run99=lr:1",
    "__proto__=1&constructor=2&hasOwnProperty=3&toString=4",
    "start=Infinity,NaN&noise=Infinity&steps=0x10000000&batch=7&batch=8",
    "run0=lr:-5,momentum:1e308,betas_0:-1&noise=-1",
    "<script>window.hacked=1</script>", "%00%ff%zz", "a" * 20000, "start=1e400,1",
    *HOSTILE,
]  # fmt: skip


@each("address", BAD)
def test_hostile_addresses_are_harmless(address, show):
    page = show(FOUR, address)
    found = settings(page)
    assert found["steps"] in range(1, 20001)
    assert 0 <= found["shown"] <= found["steps"]
    assert all(np.isfinite(found["start"]))
    assert 0 <= found["noise"] < 1e7
    for run in found["runs"]:
        assert all(np.isfinite(value) and value >= 0 for value in run["values"].values())
        assert run["values"].get("momentum", 0) < 1
        assert set(run) == {"on", "values", "switches"}
    assert page.run("window.hacked === undefined")
    assert page.run("({}).polluted === undefined && Object.keys(Object.prototype).length === 0")


@each("text", HOSTILE)
def test_hostile_names_are_text(text, show):
    page = show(plot.explore(bowl, [3.0, 2.0], title=text, optimizers={text: "SGD"}))
    assert page.run("window.hacked === undefined")
    assert page.count("script") == 2
    assert page.count("img") == 0
    if text.isprintable():
        assert page.text("#title") == text
        assert page.texts(".card .name") == [text]


# Python


def test_python_is_told_so_that_it_makes_the_same_run(show):
    page = show(FOUR, "run0=lr:0.03,momentum:0.4&run3=betas_1:0.9,amsgrad:1&start=1.5,0.25&steps=40")
    page.click("#python")
    code = page.run("document.getElementById('copied').value")
    lines = [line for line in code.splitlines() if line.startswith("optim.minimize(")]
    assert len(lines) == 4
    ends = page.run("explorer.entries.slice(0, 4).map(({ run }) => Array.from(run.point(40)))")
    for line, end in zip(lines, ends, strict=True):
        run = eval(line, {"optim": optim, "f": objectives.wavy_bowl})
        np.testing.assert_allclose(end, run.x, rtol=1e-12)


def test_labels_cannot_put_lines_into_the_python(show):
    label = "harmless\nimport os"
    page = show(plot.explore(bowl, [3.0, 2.0], optimizers={label: "SGD", "mine": lambda p: optim.SGD(p, lr=0.1)}))
    page.click("#python")
    lines = page.run("document.getElementById('copied').value").splitlines()
    assert [line.startswith(("#", "optim.minimize(f, [3, 2], optimizer=")) for line in lines] == [True] * 3
    assert "a function of your own" in lines[2]


# Where it stands


def test_a_page_has_each_name_once_and_is_the_same_every_time():
    one = str(plot.explore(bowl, [3.0, 2.0]))
    assert one == str(plot.explore(bowl, [3.0, 2.0]))
    names = re.findall(r"\bid=\"([^\"]+)\"", one.partition("<script")[0])
    assert len(names) > 30
    assert len(names) == len(set(names))


def test_it_works_in_a_notebooks_frame(open_page, tmp_path):
    def picture(inside):
        outer = open_page(f"<!DOCTYPE html><body style='margin:0;background:#fff'>{inside}", width=1000, height=920)
        outer.run("new Promise((done) => setTimeout(done, 800))")
        for place in ((500, 300), (60, 620)):  # the picture, and the first button below it
            outer.click_at(*place)
        outer.run("new Promise((done) => setTimeout(done, 500))")  # until it would write its address
        outer.screenshot(tmp_path / "picture.png")
        return len((tmp_path / "picture.png").read_bytes())

    frame = BOWL._repr_mimebundle_()["text/html"]
    assert picture(frame) > 5 * picture(re.sub('srcdoc=".*?"', 'srcdoc=""', frame, flags=re.S)), "it is empty"
    assert 'sandbox="allow-scripts"' in frame, "it can reach nothing of the notebook"


@each(("count", "said"), [(30, "30 coordinates are too many"), (5, "2 … 10"), (4, "2,  4,  6,  8")])
def test_curvature_of_many_coordinates(count, said, show):
    def f(w):
        return (w**2 * np.arange(1.0, count + 1)).sum()

    plane = (np.zeros(count), np.eye(count)[0], np.eye(count)[1])
    page = show(plot.explore(f, np.ones(count), plane=plane, optimizers="SGD", lr=0.01))
    assert said in page.text("#curvature")
