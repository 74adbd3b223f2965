"""Going downhill: the loop around an optimizer, when it ends, and what happens to the gradient on the way."""

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, repeat
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from minigrad.core import enable_grad
from minigrad.errors import ArgumentError, ProgramError, ShapeError
from minigrad.notes import notes_of
from minigrad.ops.elementwise import clip
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.problem import Problem, is_true, norm_of
from minigrad.optim.result import Result, Step, ends_diverged
from minigrad.options import real_number, whole_number
from minigrad.random import generator
from minigrad.tensor import Tensor

PATIENCE = 0.1  # seconds of steps one by one, before it is asked whether to compile
COMPILING = 0.5  # seconds that this takes
COMPARED = 2  # steps that are made both ways: an objective may be another one at each call


class Limits(NamedTuple):
    """When a run ends before its last step."""

    tol: float | None
    target: float | None
    loss: float
    x: float

    def passed(self, step: int, loss: float | None, x_norm: float, gradient_norm: float) -> tuple[str, str]:
        """What has become of the run, "converged" or "diverged" if it is over, and the reason."""
        when = f"after step {step}" if step else "at the start"
        if loss is not None and not math.isfinite(loss):
            return "diverged", f"the loss is {loss} {when}"
        if loss is not None and loss > self.loss:
            return "diverged", f"the loss passed {self.loss:g} {when}: {loss:.3g}"
        if not x_norm <= self.x:
            return "diverged", f"the norm of x passed {self.x:g} {when}: {x_norm:.3g}"
        if loss is not None and self.target is not None and loss < self.target:
            return "converged", f"the loss is below {self.target:g} {when}"
        if self.tol is not None and gradient_norm < self.tol:
            return "converged", f"the gradient's norm was below {self.tol:g} before step {step}"
        return "", ""


class Change:
    """What happens to a gradient before the optimizer sees it: noise is added, then it is clipped."""

    def __init__(self, noise: Any, clip_value: float | None, clip_norm: float | None) -> None:
        if isinstance(noise, (int, float, np.number)):
            real_number(noise, "minimize: noise", least=0, below=math.inf)
        self.noise = noise if noise is None or callable(noise) else lambda shape: generator().normal(0.0, noise, shape)
        self.clip_value = clip_value
        self.clip_norm = clip_norm

    def __call__(self, leaves: Sequence[Any]) -> None:
        """Change the gradients of the leaves."""
        gradients = [leaf.grad.array for leaf in leaves]
        if self.noise is not None:
            gradients = [g + self._drawn(g.shape) for g in gradients]
        if self.clip_value is not None:
            gradients = [np.clip(g, -self.clip_value, self.clip_value) for g in gradients]
        if self.clip_norm is not None and (norm := norm_of(gradients)) > self.clip_norm:
            gradients = [g * (self.clip_norm / norm) for g in gradients]
        for leaf, g in zip(leaves, gradients, strict=True):
            leaf.grad = g

    def _drawn(self, shape: tuple[int, ...]) -> np.ndarray:
        noise = np.asarray(self.noise(shape))
        if noise.shape != shape:
            raise ShapeError(f"minimize: noise of shape {noise.shape} does not fit a gradient of shape {shape}")
        return noise


class _Trial(NamedTuple):
    """What a compiled loop says of some steps, which are made in Python, too."""

    inside: Any
    end: int
    made: Any

    def agrees(self, losses: Sequence[float], leaves: Sequence[Any]) -> bool:
        """Whether they have come to the same, to the last bit."""
        count = len(self.made.losses)
        points = [p[-1] for p in self.made.points]
        return np.array_equal(self.made.losses, losses[-count:], equal_nan=True) and all(
            np.array_equal(p, leaf.array, equal_nan=True) for p, leaf in zip(points, leaves, strict=True)
        )


class Descent:
    """The loop, and what it has seen."""

    def __init__(
        self,
        problem: Problem,
        optimizer: Optimizer,
        *,
        limits: Limits,
        change: Change,
        every: int,
        scheduler: Any,
        callback: Callable[[Step], Any] | None,
        compiled: Any = "auto",
    ) -> None:
        self.problem = problem
        self.optimizer = optimizer
        self.limits = limits
        self.change = change
        self.every = every
        self.scheduler = scheduler
        self.callback = callback
        self.compiled = compiled
        self.state, self.stop = "", ""
        self.lr = math.nan  # of the last step
        self.steps = 0
        self.evaluations = 0
        self.points: list[list[np.ndarray]] = []
        self.losses: list[float] = []
        self.recorded: list[int] = []
        self.norms: list[float] = []
        self.batch_losses: list[float] = []

    def go(self, batches: Any, steps: int | None) -> None:
        """Make a step on all rows, or on each batch of them, until a limit is passed or there are no more."""
        value = self._arrive(batches is None)
        when, trial = self._when_inside(batches), None
        begun = perf_counter()
        for rows in islice(self._orders(batches), steps) if not self.state else ():
            if trial is not None and self.steps == trial.end:
                if trial.agrees(self.batch_losses, self.problem.leaves):
                    value = self._go_inside(trial.inside, value, steps)
                    if self.state:
                        return
                trial = None
            elif when is not None and self.steps and self._is_worth_it(when, begun, steps):
                when, trial = None, self._traced(steps)
            if self.steps == steps:
                break  # they were made inside
            if batches is not None:
                value = self._evaluate(rows)
            self.batch_losses.append(float(value.detach()))
            norm = self._differentiate(value)
            if not math.isfinite(norm):
                self._refuse_start("the gradient's norm", norm)
                self.state, self.stop = "diverged", f"the gradient's norm is {norm} after step {self.steps}"
                return
            self.norms.append(norm)
            self._update(value, rows)
            value = self._arrive(batches is None)
            if self.state:
                return
        if not self.state:
            self.stop = f"made {self.steps} steps" if self.steps == steps else f"{self.steps} batches were used up"

    # Many steps at once

    def _when_inside(self, batches: Any) -> float | None:
        """After so many seconds it is asked whether to make the other steps in a compiled loop; None: never."""
        outside = (batches, self.scheduler, self.callback, self.change.noise, self.change.clip_norm)
        possible = all(x is None for x in outside)
        if self.compiled is True and not possible:
            raise ArgumentError(
                "minimize: compiled=True makes all steps in one loop, which knows no batches, noise, clip_norm, "
                "schedule or callback: leave it out, or use mg.jit on a step of your own"
            )
        if not self.compiled or not possible:
            return None
        return 0.0 if self.compiled is True else PATIENCE

    def _is_worth_it(self, when: float, begun: float, steps: int | None) -> bool:
        """Whether to compile would not take longer than to go on."""
        passed = perf_counter() - begun
        if passed < when:
            return False
        return when == 0.0 or (steps is not None and passed / self.steps * (steps - self.steps) > COMPILING)

    def _traced(self, steps: int | None) -> "_Trial | None":
        """A step as the body of a compiled loop, with what it says of the next steps; None if that is not possible."""
        from minigrad.optim.inside import Steps  # with the compiler, which takes long to import

        notes = [notes_of(leaf.node) for leaf in self.problem.leaves if leaf.node is not None]
        written = [(n.written, n.where) for n in notes]
        try:
            inside = Steps(self._step_to_trace, self.problem.leaves)
        except Exception:  # of any kind: it is made in Python, where it will say what it has to say
            if self.compiled is True:
                raise
            return None
        finally:  # the trace writes to the leaves, and takes that back
            for n, before in zip(notes, written, strict=True):
                n.written, n.where = before
        if not inside.complete:
            if self.compiled is True:
                raise ArgumentError(
                    "minimize: compiled=True: a step changes something outside that is not there before it, or gathers "
                    "from step to step: leave it out"
                )
            return None
        count = COMPARED if steps is None else min(COMPARED, steps - self.steps)
        return _Trial(inside, self.steps + count, inside.make(count, inside.now()))

    def _go_inside(self, inside: Any, value: Tensor, steps: int | None) -> Tensor:
        """Make the other steps in a compiled loop; the value at the point reached."""
        while not self.state and inside.fits() and (steps is None or self.steps < steps):
            before = inside.now()
            count = inside.most if steps is None else min(inside.most, steps - self.steps)
            made = inside.make(count, before)
            first = self.steps
            for k in range(count):
                loss = float(made.losses[k])
                if k and self._arrive_inside(made, k - 1, loss):
                    break
                gradients = [g[k] for g in made.gradients]
                norm = norm_of(gradients)
                self.batch_losses.append(loss)
                if not math.isfinite(norm):
                    self.state, self.stop = "diverged", f"the gradient's norm is {norm} after step {self.steps}"
                    break
                self.norms.append(norm)
                self.lr = self.optimizer.param_groups[0]["lr"]
                self.steps += 1
            done = self.steps - first
            inside.settle(made.carry if done == count else inside.make(done, before).carry)
            if not self.state:
                value = self._arrive(whole=True)
        return value

    def _step_to_trace(self) -> Any:
        """A step as it is made on all rows; returns the value, and the gradients before they are changed."""
        with enable_grad():
            value = self.problem(self.problem.leaves)
        for leaf in self.problem.leaves:
            leaf.grad = None
        value.backward()
        gradients = [leaf.grad for leaf in self.problem.leaves]
        if any(g is None for g in gradients):
            raise ProgramError("minimize: the objective does not depend on all of x")
        if self.change.clip_value is not None:
            for leaf, g in zip(self.problem.leaves, gradients, strict=True):
                leaf.grad = clip(g, -self.change.clip_value, self.change.clip_value)
        self.optimizer.step()
        return value.detach(), gradients

    def _arrive_inside(self, made: Any, k: int, loss: float) -> bool:
        """What `_arrive` does, for the point after a step that was made inside; whether the run is over."""
        self.evaluations += 1
        points = [p[k] for p in made.points]
        if self.steps % self.every == 0:
            self.points.append([p.copy() for p in points])
            self.losses.append(loss)
            self.recorded.append(self.steps)
        x_norm = norm_of(points) if self.limits.x < math.inf else 0.0
        self.state, self.stop = self.limits.passed(self.steps, loss, x_norm, self.norms[-1])
        return bool(self.state)

    def _orders(self, batches: Any) -> Iterable[Any]:
        """The rows of one step after the other; None stands for all."""
        if batches is None:
            return repeat(None)
        if not self.problem.data:
            raise ArgumentError("minimize: batches are of rows of data: give data=(X, y) too, and f takes them after x")
        if not isinstance(batches, (int, np.integer)):
            return (rows if isinstance(rows, slice) else np.asarray(rows) for rows in batches)
        size, count = whole_number(batches, "minimize: batches"), len(self.problem.data[0])
        orders = (generator().permutation(count) for _ in repeat(None))
        return (order[i : i + size] for order in orders for i in range(0, count, size))

    def _arrive(self, whole: bool) -> Any:
        """Look at the point reached: record it if that is due, and see whether the run is over.

        Where each step is made on all rows, the value here is the one to differentiate next.
        """
        due = self.steps % self.every == 0
        value, loss = None, None
        if whole:
            value = self._evaluate(None)
            loss = float(value.detach())
        elif due:
            loss = self.problem.loss()
        if loss is not None and not math.isfinite(loss):
            self._refuse_start("the objective", loss)
        if due and loss is not None:
            self._record(loss)
        gradient_norm = self.norms[-1] if self.norms else math.inf
        x_norm = norm_of([leaf.array for leaf in self.problem.leaves]) if self.limits.x < math.inf else 0.0
        self.state, self.stop = self.limits.passed(self.steps, loss, x_norm, gradient_norm)
        if self.steps and self.callback is not None:
            seen = loss if loss is not None and whole else self.batch_losses[-1]
            told = self.callback(Step(self.steps, self._point(), seen, gradient_norm, self.lr))
            if is_true(told) and not self.state:
                self.state, self.stop = "stopped", f"the callback said so after step {self.steps}"
        return value

    def _evaluate(self, rows: Any) -> Tensor:
        self.evaluations += 1
        with enable_grad():
            value: Tensor = self.problem(self.problem.leaves, rows)
        return value

    def _differentiate(self, value: Tensor) -> float:
        """Leave the gradients for the optimizer in the leaves; the norm that they had before they were changed."""
        self.problem.differentiate(value)
        norm = norm_of([leaf.grad.array for leaf in self.problem.leaves if leaf.grad is not None])
        self.change(self.problem.leaves)
        return norm

    def _update(self, value: Tensor, rows: Any) -> None:
        """A step of the optimizer, which may want the value and the gradient at other points too."""
        known = [value]

        def closure() -> Tensor:
            if known:
                return known.pop()
            value = self._evaluate(rows)
            self._differentiate(value)
            return value

        self.lr = self.optimizer.param_groups[0]["lr"]
        self.optimizer.step(closure)
        if self.scheduler is not None:
            self.scheduler.step()
        self.steps += 1

    def _refuse_start(self, what: str, value: float) -> None:
        if self.steps == 0:
            raise ArgumentError(f"minimize: {what} is {value} at x0: start where it is a number")

    def _record(self, loss: float) -> None:
        self.points.append([leaf.array.copy() for leaf in self.problem.leaves])
        self.losses.append(loss)
        self.recorded.append(self.steps)

    def _point(self) -> Any:
        return self.problem.rebuild([leaf.array.copy() for leaf in self.problem.leaves])

    def result(self, name: str) -> Result:
        """What the run has come to."""
        if self.recorded[-1] != self.steps:
            self._record(self.problem.loss())
        losses, norms = np.array(self.losses), np.array(self.norms)
        judged = self.limits.tol is None and self.limits.target is None and self.state == ""
        settled = _settled(norms) if judged else None
        return Result(
            x=self._point(),
            loss=self.losses[-1],
            path=self.problem.rebuild([np.stack(points) for points in zip(*self.points, strict=True)]),
            losses=losses,
            recorded=np.array(self.recorded),
            gradient_norms=norms,
            batch_losses=np.array(self.batch_losses),
            steps=self.steps,
            evaluations=self.evaluations,
            converged=self.state == "converged" or settled is not None,
            diverged=self.state == "diverged" or ends_diverged(losses),
            stop=self.stop,
            name=name,
            problem=self.problem,
            settled=settled,
        )


def _settled(norms: np.ndarray) -> int | None:
    """After how many steps the gradient's norm was below 1e-6, for good; None if it was not in the end."""
    others = np.flatnonzero(~(norms < 1e-6))  # NaN among them
    if not norms.size or (others.size and others[-1] == norms.size - 1):
        return None
    return int(others[-1]) + 1 if others.size else 0
