"""What the page for exploring costs: its size, the time to its first picture, and the work of a frame.

``python -m tests.benchmarks.explore`` prints a table.  Times are those of the page's own clock, in a browser without a
window; the work of a frame is what the page computes and draws in it, without what the browser does after it.
"""

from time import perf_counter

import numpy as np

from minigrad import objectives, plot
from tests.browser import MISSING, Browser, find_chromium

RNG = np.random.default_rng(42)
X = RNG.normal(size=1000)
DATA = (X, 3 * X + 2 + 0.5 * RNG.normal(size=1000))


def regression(w, x, y):
    """The mean square of the errors of a line."""
    return np.mean((w[0] * x + w[1] - y) ** 2)


PAGES = {
    "rosenbrock": lambda: plot.explore(objectives.rosenbrock, [-1.5, 2.0]),
    "bowl": lambda: plot.explore(objectives.bowl(1, 5), [4.0, 2.5]),
    "wavy bowl": lambda: plot.explore(objectives.wavy_bowl, [2.5, 1.5]),
    "parabola": lambda: plot.explore(objectives.parabola, 10.0),
    "1000 rows, all": lambda: plot.explore(regression, [0.0, 0.0], (-1, 5), data=DATA),
    "1000 rows, by 62": lambda: plot.explore(regression, [0.0, 0.0], (-1, 5), data=DATA, batches=62),
}
FORGET = "Object.assign(explorer.work, { frames: 0, total: 0, longest: 0 })"
PLAY = (
    "new Promise((done) => {{ document.getElementById('back').click(); {forget};"
    "document.getElementById('play').click(); setTimeout(() => done({{ ...explorer.work }}), 3000); }})"
)


def main() -> None:
    """Print the table."""
    if find_chromium() is None:
        raise SystemExit(MISSING)
    print(f"{'':18}{'made in':>10}{'size':>10}{'picture':>10}{'playing':>24}{'dragging':>24}")
    with Browser() as browser:
        for name, make in PAGES.items():
            begun = perf_counter()
            made = make()
            seconds = perf_counter() - begun
            page = browser.open(str(made), width=1300, height=900)
            page.run("new Promise((done) => setTimeout(done, 500))")
            ready = page.run("explorer.work.ready")
            playing = page.run(PLAY.format(forget=FORGET))
            page.run("document.getElementById('end').click()")
            page.run("new Promise((done) => setTimeout(done, 500))")
            left, top, width, height = page.rectangle("#picture")
            page.run(FORGET)
            for i in range(60):
                page.mouse("mousePressed" if i == 0 else "mouseMoved", left + width / 2 + 2 * i, top + height / 3 + i,
                           button="left", buttons=1)  # fmt: skip
            dragging = page.run("({ ...explorer.work })")
            page.close()
            print(
                f"{name:18}{seconds:9.2f}s{len(str(made).encode()) / 1000:7.0f} kB{ready:7.0f} ms"
                f"{_said(playing)}{_said(dragging)}"
            )


def _said(work: dict[str, float]) -> str:
    each = work["total"] / max(work["frames"], 1)
    return f"{each:8.1f} ms, {work['longest']:5.0f} most"


if __name__ == "__main__":
    main()
