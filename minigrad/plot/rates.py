"""Learning rates: sweeps over them, schedules of them, and the test that finds their range."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad.creation import tensor
from minigrad.errors import ArgumentError, DTypeError
from minigrad.optim.result import Result
from minigrad.optim.sgd import SGD
from minigrad.optim.sweeping import LrRange, SweepResult
from minigrad.options import whole_number
from minigrad.plot.figure import COLOURS, add_legend, axes, finite, fit_y, heights_of_lines, style, whole_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colour and hatching of a bar for what became of the run.
_LOOKS = {"converged": (COLOURS[2], ""), "slow": (COLOURS[4], "//"), "diverged": (COLOURS[1], "xx")}


def sweep(swept: SweepResult | Mapping[Any, Result], *, ax: "Axes | None" = None) -> "Axes":
    r"""Bars of the numbers of steps in which runs with different learning rates converged, and the verdicts above.

    A run that did not converge has a hollow bar with a broken line, as high as the longest run: not in these steps.

    Parameters
    ----------
    swept : SweepResult
        What `minigrad.optim.sweep` returned.  A dict from labels to Results serves too.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    DTypeError
        If it is given anything else.
    ValueError
        If there are no runs.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> f = mg.objectives.bowl(1, 10)
    >>> swept = mg.optim.sweep(f, (4.0, 2.5), [0.01, 0.09, 1.0], steps=100, target=1e-4, loss_limit=1e10)
    >>> ax = plot.sweep(swept)
    >>> [text.get_text() for text in ax.texts]
    ['slow', 'converged\nin 32', 'diverged\nafter 4']
    """
    if isinstance(swept, SweepResult):
        labels, results, what = [f"{lr:.4g}" for lr in swept.lrs], list(swept.results), "learning rate"
    elif isinstance(swept, Mapping) and all(isinstance(result, Result) for result in swept.values()):
        labels, results, what = [str(label) for label in swept], list(swept.values()), "run"
    else:
        raise DTypeError(
            f"this picture is of what optim.sweep returned, or of a dict of Results, not {type(swept).__name__}"
        )
    if not results:
        raise ArgumentError("there is no run to draw a bar for in an empty dict")
    ax = axes(ax, size=(max(6.4, 1.2 + 0.9 * min(len(results), 14)), 4.8))
    longest = max(result.steps for result in results)
    heights = [result.steps_to_converge if result.converged else longest for result in results]
    for i, (result, height) in enumerate(zip(results, heights, strict=True)):
        colour, hatch = _LOOKS[result.verdict.split()[0]]
        look = {"color": colour, "edgecolor": "black"} if result.converged else {
            "facecolor": "none", "edgecolor": colour, "hatch": hatch, "linestyle": "--", "alpha": 0.7,
        }  # fmt: skip
        ax.bar(i, height, linewidth=0.8, **look)
    _write_above(ax, heights, [result.verdict for result in results])
    ax.set_xticks(range(len(labels)), labels, rotation=90 if len(labels) > 14 or _longest(labels) > 9 else 0)
    ax.set(xlim=(-0.6, len(labels) - 0.4), xlabel=what, ylabel="steps to converge")
    whole_ticks(ax.yaxis)
    return ax


def _longest(words: Sequence[str]) -> int:
    return max(map(len, words))


def _write_above(ax: "Axes", heights: Sequence[int], words: Sequence[str]) -> None:
    """Words above bars, upright where the bars are too narrow for them, and room for the words."""
    wide, high = (ax.bbox.width / ax.figure.dpi, ax.bbox.height / ax.figure.dpi)  # in inches
    slot = wide / len(words)
    upright = slot < 0.85
    for i, (height, word) in enumerate(zip(heights, words, strict=True)):
        text = word if upright else word.replace(" ", "\n", 1)
        ax.annotate(
            text, (i, height), (0, 4), textcoords="offset points", ha="center", va="bottom",
            fontsize=min(8.5, 60 * slot), rotation=90 if upright else 0,
        )  # fmt: skip
    room = 0.09 * _longest(words) if upright else 0.55  # inches of text above the highest bar
    ax.set_ylim(0, max(*heights, 1) / max(0.2, 1 - room / high))


def schedule(
    make: Any, steps: int, *, lr: float = 1.0, log: bool = False, legend: bool | str = True, ax: "Axes | None" = None
) -> "Axes":
    """The learning rate at each step under a schedule, which is run with a dummy optimizer.

    Parameters
    ----------
    make : callable, or dict or list of these
        From an optimizer (an SGD with momentum) to a scheduler of `minigrad.optim.lr_scheduler`.
    steps : int
        How many steps to make.
    lr : float
        The learning rate that the optimizer is made with.
    log : bool
        A logarithmic axis.
    legend : bool or str
        As for `contour`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its first lines are the schedules, of `steps` points each.

    Raises
    ------
    ValueError
        If `steps` is less than 1, or the scheduler waits for a loss, as ReduceLROnPlateau does.

    Examples
    --------
    >>> import minigrad as mg
    >>> from minigrad import plot
    >>> ax = plot.schedule(lambda o: mg.optim.lr_scheduler.StepLR(o, 2, gamma=0.1), 4)
    >>> ax.lines[0].get_ydata()
    array([1. , 1. , 0.1, 0.1])
    """
    whole_number(steps, "steps")
    if isinstance(make, dict):
        makers = list(make.items())
    else:
        makers = [(None, one) for one in (make if isinstance(make, (list, tuple)) else [make])]
    if not makers:
        raise ArgumentError("there is no schedule to draw in an empty collection")
    curves = [_rates(one, steps, lr) for _, one in makers]
    ax = axes(ax)
    ax.set_autoscaley_on(False)
    for i, ((label, _), (name, rates)) in enumerate(zip(makers, curves, strict=True)):
        look = {**style(i), "marker": "o" if steps == 1 else None}
        ax.plot(range(steps), rates, drawstyle="steps-post", linewidth=1.8, label=str(label or name), **look)
    note = fit_y(ax, heights_of_lines(ax), log)
    ax.set(xlabel="step", ylabel=f"learning rate\n({note})" if note else "learning rate")
    ax.grid(alpha=0.25)
    add_legend(ax, legend)
    return ax


def _rates(make: Callable[[Any], Any], steps: int, lr: float) -> tuple[str, np.ndarray]:
    """The name of a scheduler, and the learning rate of each step."""
    weight = tensor(0.0, requires_grad=True)
    optimizer = SGD([weight], lr=lr, momentum=0.9)
    scheduler = make(optimizer)
    if not hasattr(scheduler, "lr_at"):
        raise ArgumentError(
            f"a schedule is drawn if it depends on the number of the step alone; {type(scheduler).__name__} does not"
        )
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        weight.grad = np.zeros_like(weight.array)
        optimizer.step()
        scheduler.step()
    return type(scheduler).__name__, np.array(rates)


def lr_range(found: LrRange, *, log: bool = True, legend: bool | str = True, ax: "Axes | None" = None) -> "Axes":
    """The loss while the learning rate grew, and the rate that is suggested.

    Parameters
    ----------
    found : LrRange
        What `minigrad.optim.lr_range_test` returned.
    log : bool
        A logarithmic axis for the loss; that of the rate always is.
    legend : bool or str
        As for `contour`.
    ax : matplotlib Axes, optional

    Returns
    -------
    matplotlib Axes
        Its lines are the losses, the smoothed losses and the suggestion.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad import optim, plot
    >>> losses = np.array([4.0, 3.9, 3.0, 1.0, 0.8, 5.0])
    >>> ax = plot.lr_range(optim.LrRange(np.geomspace(1e-4, 1e1, 6), losses, losses))
    >>> ax.get_xscale(), ax.lines[2].get_label()
    ('log', 'suggestion 0.01')
    """
    ax = axes(ax)
    ax.set_autoscaley_on(False)
    ax.set_xscale("log")
    ax.plot(found.lrs, found.losses, color="0.6", linewidth=1.0, label="loss")
    ax.plot(found.lrs, found.smoothed, color=COLOURS[0], linewidth=2.0, label="smoothed")
    ax.axvline(found.suggestion, color=COLOURS[1], linestyle="--", label=f"suggestion {found.suggestion:.3g}")
    note = fit_y(ax, finite([found.losses, found.smoothed]), log)
    ax.set(xlabel="learning rate", ylabel=f"loss\n({note})" if note else "loss")
    ax.grid(alpha=0.25)
    add_legend(ax, legend)
    return ax
