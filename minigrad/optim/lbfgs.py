"""L-BFGS: Newton's method with a curvature that is learned from the last steps."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from minigrad.core import enable_grad, interpreter, unwrap
from minigrad.diagnostics import user_place
from minigrad.errors import ArgumentError
from minigrad.errors.programs import cannot_be_traced
from minigrad.optim.line_search import Point, strong_wolfe
from minigrad.optim.optimizer import Optimizer
from minigrad.options import one_of
from minigrad.tensor import Tensor
from minigrad.tree import map_leaves
from minigrad.writes import note_write


class LBFGS(Optimizer):
    """L-BFGS (J. Nocedal, "Updating quasi-Newton matrices with limited storage", 1980; D. C. Liu and J. Nocedal, 1989).

    Each call of `step` makes up to `max_iter` iterations, and needs a closure that computes the loss and its gradients
    anew.  All parameters are one vector here, so there is a single group.

    Parameters
    ----------
    params : iterable of Tensor
    lr : float
        The length of a step, or of the first that the line search tries.
    max_iter : int
        Iterations in a step.
    max_eval : int, optional
        Calls of the closure in a step; by default 5 / 4 of `max_iter`.  A line search may use what the first call has
        left, and without any it does not move: ``max_iter=1`` needs ``max_eval=25``, say.
    tolerance_grad : float
        Stop when no element of the gradient is larger.
    tolerance_change : float
        Stop when no parameter, or the loss, changes by more.
    history_size : int
        How many steps the curvature is learned from.
    line_search_fn : {None, "strong_wolfe"}
        None goes the whole step unseen.

    Examples
    --------
    >>> import minigrad as mg
    >>> w = mg.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimizer = mg.optim.LBFGS([w], max_iter=100, line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = mg.objectives.rosenbrock(w)
    ...     loss.backward()
    ...     return loss
    >>> loss_before = optimizer.step(closure)
    >>> w.detach().round(4)
    tensor([1., 1.])
    """

    nonnegative = ("lr", "tolerance_grad", "tolerance_change")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        options: dict[str, Any] = {"lr": lr, "max_iter": max_iter, "history_size": history_size}
        options["max_eval"] = max_iter * 5 // 4 if max_eval is None else max_eval
        options |= {"tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change}
        super().__init__(params, {**options, "line_search_fn": line_search_fn})

    def check(self, options: dict[str, Any]) -> None:
        """There is one group, and one line search."""
        if self.param_groups and options.get("params") is not self.param_groups[0]["params"]:
            raise ArgumentError("LBFGS takes all parameters as one vector: give it a single group")
        one_of(options["line_search_fn"], "LBFGS: line_search_fn", (None, "strong_wolfe"))

    # All parameters as one vector

    def _gather(self) -> np.ndarray:
        parts = [
            np.zeros(p.array.size, p.dtype) if p.grad is None else p.grad.array.ravel() for p in self._parameters()
        ]
        return np.concatenate(parts)

    def _move(self, t: float, direction: np.ndarray) -> None:
        start, place = 0, user_place()
        for p in self._parameters():
            p.array[...] += t * direction[start : start + p.array.size].reshape(p.shape)
            start += p.array.size
            note_write(p.node, place)  # type: ignore[arg-type]  # parameters are leaves

    def _evaluator(self, closure: Callable[[], float], direction: np.ndarray) -> Callable[[float], Point]:
        """The loss and its gradient at a distance from where the parameters are now; they stay there."""
        saved = [p.array.copy() for p in self._parameters()]

        def evaluate(t: float) -> Point:
            try:
                self._move(t, direction)
                value, gradient = closure(), self._gather()
            finally:
                for p, old in zip(self._parameters(), saved, strict=True):
                    p.array[...] = old
            return Point(t, value, gradient, float(gradient @ direction))

        return evaluate

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to `max_iter` iterations.

        Parameters
        ----------
        closure : callable
            Sets the gradients to None, computes the loss and its gradients, and returns the loss.

        Returns
        -------
        The loss before the first iteration, as the closure returned it.
        """
        if closure is None:
            raise ArgumentError("LBFGS computes the loss several times in a step: write step(closure)")
        if interpreter() is not None:
            raise cannot_be_traced(
                "LBFGS",
                "how often it computes the loss depends on the values",
                "Trace its closure alone, and call it outside",
            )
        compute: Callable[[], Any] = closure

        def value() -> float:
            with enable_grad():
                return float(compute().detach())

        group = self.param_groups[0]
        state = self.state.setdefault(group["params"][0], {"func_evals": 0, "n_iter": 0})
        with enable_grad():
            before = compute()
        self._steps += 1
        loss, gradient, evaluations = float(before.detach()), self._gather(), 1
        state["func_evals"] += 1
        tolerance, limit = group["tolerance_change"], group["max_eval"]
        for iteration in range(1, group["max_iter"] + 1):
            if np.abs(gradient).max(initial=0) <= group["tolerance_grad"]:
                break
            direction = self._direction(state, gradient, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = gradient.copy(), loss
            first = state["n_iter"] == 1
            t = min(1.0, 1 / float(np.abs(gradient).sum())) * group["lr"] if first else group["lr"]
            state["d"], state["t"] = direction, t
            slope = float(gradient @ direction)
            if slope > -tolerance:
                break
            spent = 0
            if group["line_search_fn"] is not None:
                start = Point(0.0, loss, gradient, slope)
                largest = float(np.abs(direction).max())
                point, spent = strong_wolfe(
                    self._evaluator(value, direction), start, t, largest, max_steps=limit - evaluations
                )
                loss, gradient, state["t"] = point.value, point.gradient, point.t
                self._move(point.t, direction)
            else:
                self._move(t, direction)
                if iteration != group["max_iter"]:
                    loss, gradient, spent = value(), self._gather(), 1
            evaluations += spent
            state["func_evals"] += spent
            if evaluations >= limit or np.abs(direction * state["t"]).max() <= tolerance:
                break
            if abs(loss - state["prev_loss"]) < tolerance:
                break
        return before

    def _direction(self, state: dict[str, Any], gradient: np.ndarray, size: int) -> np.ndarray:
        """Downhill, by the curvature that the last steps have shown (Nocedal and Wright, algorithm 7.4)."""
        state["n_iter"] += 1
        if state["n_iter"] == 1:
            state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1.0)
            return -gradient
        change, step = gradient - state["prev_flat_grad"], state["d"] * state["t"]
        curvature = float(change @ step)
        changes, steps, weights = state["old_dirs"], state["old_stps"], state["ro"]
        if curvature > 1e-10:
            for old, new in ((changes, change), (steps, step), (weights, 1 / curvature)):
                old.append(new)
                del old[: max(len(old) - size, 0)]
            state["H_diag"] = curvature / float(change @ change)
        direction, shares = -gradient, []
        for change, step, weight in zip(changes[::-1], steps[::-1], weights[::-1], strict=True):
            shares.append(float(step @ direction) * weight)
            direction -= shares[-1] * change
        direction *= state["H_diag"]
        for change, step, weight, share in zip(changes, steps, weights, shares[::-1], strict=True):
            direction += (share - float(change @ direction) * weight) * step
        return direction

    def needed(self, parameter: Tensor) -> set[str]:
        """The names in the state without which no step can be made."""
        return {"func_evals", "n_iter"}

    def fitting(self, value: Any, name: str, number: int, parameter: Tensor) -> Any:
        """A copy of one entry of the state, whose vectors are of all parameters together."""

        def copied(leaf: Any) -> Any:
            leaf = unwrap(leaf)
            return np.array(leaf) if isinstance(leaf, np.ndarray) else leaf

        return map_leaves(copied, value)
