"""Pictures of optimization: contours with paths, surfaces, loss curves, sweeps, races, landscapes of networks.

They are drawn with Matplotlib (the extra `plot`), which is imported when the first picture is made.  Every function
draws into the axes that it is given, or into those of a new figure, and returns the axes, so that titles, limits and
colours can be changed with Matplotlib's own methods::

    import numpy as np
    from minigrad import objectives, optim, plot

    f = objectives.rosenbrock
    runs = {lr: optim.minimize(f, np.array([-1.5, 2.0]), lr=lr, steps=2000) for lr in (0.0005, 0.001)}
    ax = plot.contour(f, runs, log=True)
    ax.set_title("Two learning rates in the valley")
    ax.figure.savefig("paths.png")

The arguments `paths` and `runs` are in all functions one `Result` of `minigrad.optim.minimize` or one array, a list
of them, a dict from labels to them, or what `minigrad.optim.sweep` returned.

`dashboard` is a page of a whole training run, and `explore` one in which gradient descent runs live: browsers show
them, and neither needs Matplotlib.
"""

from typing import TYPE_CHECKING

from minigrad.later import imported_later
from minigrad.plot.contours import contour, curve, surface
from minigrad.plot.dashboards import Dashboard, dashboard
from minigrad.plot.histories import iterates, losses
from minigrad.plot.models import fits, landscape, spectrum
from minigrad.plot.projection import Projection, project
from minigrad.plot.racing import animate, race
from minigrad.plot.rates import lr_range, schedule, sweep

if TYPE_CHECKING:
    from minigrad.plot.live.exploring import LivePage, explore

__all__ = [
    "Dashboard",
    "LivePage",
    "Projection",
    "animate",
    "contour",
    "curve",
    "dashboard",
    "explore",
    "fits",
    "iterates",
    "landscape",
    "losses",
    "lr_range",
    "project",
    "race",
    "schedule",
    "spectrum",
    "surface",
    "sweep",
]

# Other pictures need no compiler.
__getattr__ = imported_later(__name__, {"live.exploring": ["LivePage", "explore"]})
