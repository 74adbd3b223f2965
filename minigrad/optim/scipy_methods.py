"""SciPy's minimisers, with every derivative that they ask for from the graph."""

import difflib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from minigrad import jacobians, transforms
from minigrad.core import no_grad
from minigrad.creation import asarray
from minigrad.errors import ArgumentError
from minigrad.errors.files import missing_package
from minigrad.optim.descent import Limits
from minigrad.optim.problem import Problem, is_true, norm_of
from minigrad.optim.result import Result, Step, ends_diverged

# SciPy's methods, and what each can use beside the value.
_GRADIENT, _HESSIAN, _PRODUCT = ("jac",), ("jac", "hess"), ("jac", "hessp")
_USES: dict[str, tuple[str, ...]] = {
    "Nelder-Mead": (),
    "Powell": (),
    "COBYLA": (),
    "COBYQA": (),
    "CG": _GRADIENT,
    "BFGS": _GRADIENT,
    "L-BFGS-B": _GRADIENT,
    "TNC": _GRADIENT,
    "SLSQP": _GRADIENT,
    "dogleg": _HESSIAN,
    "trust-exact": _HESSIAN,
    "Newton-CG": _PRODUCT,
    "trust-ncg": _PRODUCT,
    "trust-krylov": _PRODUCT,
    "trust-constr": _PRODUCT,
}


def scipy_minimize(
    problem: Problem,
    method: str,
    steps: int | None,
    limits: Limits,
    every: int,
    callback: Callable[[Step], Any] | None,
    *,
    bounds: Any = None,
    constraints: Any = (),
    options: dict[str, Any] | None = None,
) -> Result:
    """Let SciPy minimise; see `minigrad.optim.minimize`."""
    try:
        from scipy import optimize  # type: ignore[import-untyped]  # optional, so not at the top
    except ImportError as error:
        instead = "minigrad's own optimizers, chosen by optimizer=, need nothing"
        raise missing_package(f"minimize with method={method!r}", "scipy", "scipy", instead) from error
    name = _method(method)
    run = _Run(problem, limits, every, callback)
    settings = {"maxiter": steps, **(options or {})} if steps is not None else dict(options or {})
    if name == "TNC" and "maxiter" in settings:  # it counts evaluations instead
        settings["maxfun"] = settings.pop("maxiter")
    uses = _USES[name]
    start = run.start()
    run.arrive(start)
    if steps == 0 or run.state:
        return run.result(name, None)
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            done = optimize.minimize(
                run.value_and_gradient if "jac" in uses else run.value,
                start,
                method=name,
                jac="jac" in uses or None,
                hess=run.hessian if "hess" in uses else None,
                hessp=run.product if "hessp" in uses else None,
                bounds=_bounds(bounds, problem, optimize),
                constraints=_constraints(constraints, run, optimize),
                tol=limits.tol,
                callback=run.seen,
                options=settings,
            )
    except _Stopped:
        done = None
    except ValueError as error:  # of a factorization
        if "infs or NaNs" not in str(error):
            raise
        done, run.state, run.stop = None, "diverged", f"{name} met a value that is not finite"
    return run.result(name, done)


def _method(given: str) -> str:
    names = {name.casefold(): name for name in _USES}
    if not isinstance(given, str) or given.casefold() not in names:
        near = difflib.get_close_matches(str(given).casefold(), names, n=1, cutoff=0.0)[0]
        raise ArgumentError(
            f"scipy.optimize.minimize has no method {given!r}; did you mean {names[near]!r}? (minigrad's own "
            "optimizers are chosen by optimizer=)"
        )
    return names[given.casefold()]


class _Stopped(Exception):  # noqa: N818  # no error: it leaves SciPy's loop
    """The run is over before SciPy would end it."""


class _Run:
    """A problem as SciPy sees it, a function of one vector of float64, and what was seen of the run."""

    def __init__(self, problem: Problem, limits: Limits, every: int, callback: Callable[[Step], Any] | None) -> None:
        self.problem = problem
        self.limits = limits._replace(tol=None)  # SciPy sees to it
        self.every = every
        self.callback = callback
        self.state, self.stop = "", ""
        self.evaluations = 0
        self.points: list[np.ndarray] = []
        self.losses: list[float] = []
        self.norms: list[float] = []
        self._at, self._known = b"", (0.0, np.zeros(0))

    # The function and its derivatives

    def start(self) -> np.ndarray:
        """Where the variable is, as one vector."""
        return np.concatenate([leaf.array.ravel() for leaf in self.problem.leaves]).astype(np.float64)

    def of_vector(self, function: Callable[..., Any]) -> Callable[[Any], Any]:
        """A function of a variable in the form of x0, as one of a vector."""
        return lambda x: function(self.problem.rebuild(self.problem.parts(x)))

    def value(self, x: np.ndarray) -> float:
        """Its value alone."""
        self.evaluations += 1
        with no_grad():
            return float(self.problem.of_vector(asarray(x)).detach())

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Both, computed once for each point."""
        if x.tobytes() != self._at:
            value, gradient = transforms.value_and_grad(self.problem.of_vector)(np.array(x))
            self.evaluations += 1
            self._at, self._known = x.tobytes(), (float(value), np.asarray(gradient))
        return self._known[0], self._known[1].copy()

    def hessian(self, x: np.ndarray) -> np.ndarray:
        """All second derivatives, of shape (n, n)."""
        return np.asarray(jacobians.hessian(self.problem.of_vector)(np.array(x)))

    def product(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The Hessian times a vector."""
        return np.asarray(transforms.hvp(self.problem.of_vector, np.array(x), np.array(v).reshape(x.shape)))

    # What happens

    def seen(self, x: np.ndarray, *_: Any) -> None:
        """SciPy has made a step."""
        self.arrive(np.asarray(x, np.float64))
        step = len(self.points) - 1
        if self.callback is not None and not self.state:
            told = self.callback(Step(step, self.point(x), self.losses[-1], self.norms[-2], math.nan))
            if is_true(told):
                self.state, self.stop = "stopped", f"the callback said so after step {step}"
        if self.state:
            raise _Stopped

    def arrive(self, x: np.ndarray) -> None:
        """Record a point, and see whether the run is over."""
        loss, gradient = self.value_and_gradient(x)
        step = len(self.points)
        if step == 0 and not (math.isfinite(loss) and np.isfinite(gradient).all()):
            raise ArgumentError(f"minimize: at x0 the objective is {loss}, its gradient {gradient}: start elsewhere")
        self.points.append(np.array(x))
        self.losses.append(loss)
        self.norms.append(norm_of([gradient]))
        if math.isfinite(loss):  # otherwise SciPy looks for a better point
            self.state, self.stop = self.limits.passed(step, loss, norm_of([x]), math.inf)

    def point(self, x: np.ndarray) -> Any:
        """A vector in the form and the dtypes of x0."""
        parts = zip(self.problem.parts(np.asarray(x)), self.problem.leaves, strict=True)
        return self.problem.rebuild([np.array(part, leaf.dtype) for part, leaf in parts])

    def result(self, name: str, done: Any) -> Result:
        """The run in the words of `minimize`."""
        if done is not None and self.points[-1].tobytes() != np.asarray(done.x, np.float64).tobytes():
            self.arrive(np.asarray(done.x, np.float64))
        steps = len(self.points) - 1
        kept = [i for i in range(steps + 1) if i % self.every == 0 or i == steps]
        losses = np.array(self.losses)
        columns = zip(*[self.problem.parts(point) for point in self.points], strict=True)
        return Result(
            x=self.point(self.points[-1]),
            loss=self.losses[-1],
            path=self.problem.rebuild([np.stack(column)[kept] for column in columns]),
            losses=losses[kept],
            recorded=np.array(kept),
            gradient_norms=np.array(self.norms[:-1]),
            batch_losses=losses[:-1],
            steps=steps,
            evaluations=self.evaluations,
            converged=self.state == "converged" or (done is not None and bool(done.success)),
            diverged=self.state == "diverged" or not math.isfinite(self.losses[-1]) or ends_diverged(losses),
            stop=self.stop or ("made 0 steps" if done is None else str(done.message)),
            name=name,
            scipy=done,
            problem=self.problem,
        )


def _bounds(given: Any, problem: Problem, optimize: Any) -> Any:
    """SciPy's bounds, of the numbers of a tree one after another."""
    form = problem.rebuild(range(len(problem.leaves)))
    if given is None or isinstance(form, int) or isinstance(given, optimize.Bounds):
        return given
    pairs = dict(_pairs(given, form, "bounds"))
    low, high = (
        np.concatenate([
            np.broadcast_to(infinite if pairs[i][side] is None else pairs[i][side], leaf.shape).ravel()
            for i, leaf in enumerate(problem.leaves)
        ])
        for side, infinite in enumerate((-math.inf, math.inf))
    )  # fmt: skip
    return optimize.Bounds(low, high)


def _pairs(given: Any, form: Any, where: str) -> Iterator[tuple[int, Any]]:
    """The pair of each leaf, by its number in the tree."""
    if isinstance(form, int):
        try:
            low, high = (None, None) if given is None else given
        except (TypeError, ValueError):
            raise ArgumentError(
                f"minimize: {where} is a pair of the lowest and the greatest value, or None, and not {given!r}"
            ) from None
        yield form, (low, high)
    elif isinstance(form, dict):
        if not isinstance(given, dict) or given.keys() - form.keys():
            raise ArgumentError(
                f"minimize: {where} of a dict is a dict of pairs, with keys among {', '.join(map(repr, form))}, and "
                f"not {given!r}"
            )
        for key, part in form.items():
            yield from _pairs(given.get(key), part, f"{where}[{key!r}]")
    elif isinstance(form, list | tuple):
        if not isinstance(given, list | tuple) or len(given) != len(form):
            raise ArgumentError(
                f"minimize: {where} of a tuple of {len(form)} is as many pairs, one for each, and not {given!r}"
            )
        for i, part in enumerate(form):
            yield from _pairs(given[i], part, f"{where}[{i}]")
    else:
        raise ArgumentError(
            f"minimize: {where} of a {type(form).__name__} are given as scipy.optimize.Bounds of its numbers"
        )


def _constraints(given: Any, run: _Run, optimize: Any) -> Any:
    """SciPy's constraints, with the derivatives that they lack."""
    if isinstance(given, (dict, optimize.LinearConstraint, optimize.NonlinearConstraint)):
        return _constraint(given, run, optimize)
    return [_constraint(one, run, optimize) for one in given]


def _constraint(given: Any, run: _Run, optimize: Any) -> Any:
    if isinstance(given, dict):
        if "jac" in given:
            return given
        function, args = given["fun"], given.get("args", ())
        of_x = run.of_vector(lambda x: function(x, *args))
        return {"type": given["type"], "fun": lambda x: np.asarray(of_x(x)), "jac": jacobians.jacobian(of_x)}
    if isinstance(given, optimize.NonlinearConstraint):
        of_x = run.of_vector(given.fun)
        kept = given.keep_feasible, given.finite_diff_rel_step, given.finite_diff_jac_sparsity
        return optimize.NonlinearConstraint(
            lambda x: np.asarray(of_x(x)),
            given.lb,
            given.ub,
            jacobians.jacobian(of_x) if given.jac == "2-point" else given.jac,
            lambda x, v: np.asarray(jacobians.hessian(lambda x: (of_x(x) * v).sum())(np.array(x))),
            *kept,
        )
    return given
