"""What optimizers and schedules say."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minigrad.errors import ArgumentError, DTypeError, GraphError, ShapeError, StateDictError
from minigrad.errors.words import an, called, describe, warn

# Parameters


def not_a_list(optimizer: str, params: Any) -> DTypeError:
    """For a single Tensor, or a model, in the place of parameters."""
    if hasattr(params, "parameters"):
        what, instead = f"a {type(params).__name__}", "model.parameters()"
    else:
        what, instead = f"a single Tensor of shape {params.shape}", "[w] instead of w"
    return DTypeError(f"{optimizer} takes an iterable of parameters, and this is {what}: write {instead}")


def no_parameters(optimizer: str) -> ArgumentError:
    """For an optimizer that has nothing to train."""
    return ArgumentError(
        f"{optimizer} got no parameters. What model.parameters() returns can be gone through once only: call it again, "
        "or keep list(model.parameters()). And a model finds those parameters that are its attributes, or those of "
        "modules that are: keep a list of layers in nn.ModuleList, and make a Tensor an nn.Parameter"
    )


def warn_of_used_up(function: str) -> None:
    """For a generator of parameters that gives nothing, which may have been gone through already."""
    warn(
        f"{function} got a generator that gives no parameters, and does nothing. What model.parameters() returns "
        "can be gone through once only: call it again, or keep list(model.parameters())"
    )


def not_a_parameter(optimizer: str, number: int, given: Any) -> DTypeError:
    """For something else than a Tensor among the parameters."""
    kind = type(given).__name__
    instead = {
        "tuple": "give model.parameters(), not named_parameters()",
        "str": "give model.parameters(), and not a dict",
        "ndarray": "make a Tensor of it, with tensor(array, requires_grad=True)",
    }.get(kind, "give Tensors that require grad")
    return DTypeError(f"{optimizer}: parameter {number} is no Tensor but {kind}: {instead}")


def not_a_leaf(optimizer: str, number: int, given: Any) -> GraphError:
    """For a Tensor that cannot be updated, since it is a constant, or the result of an operation."""
    if given.node is None:
        why = f"({describe(given)}) does not require grad: make it with tensor(..., requires_grad=True)"
    else:
        why = (
            f"is {called(given.node)}, of shape {given.shape}, and an update of it would not reach what it was "
            "computed from: give the leaves themselves, or make a leaf of the value, with "
            "w.detach().requires_grad_()"
        )
    return GraphError(f"{optimizer}: parameter {number} is no leaf that requires grad. It {why}")


def given_twice(optimizer: str, number: int, given: Any) -> ArgumentError:
    """For a parameter that would be updated twice in each step."""
    name = f" ({given.name!r})" if given.name else ""
    return ArgumentError(
        f"{optimizer}: parameter {number}{name}, of shape {given.shape}, is there twice, and would be updated twice in "
        "each step: leave one out (tied parameters are one, and model.parameters() gives them once)"
    )


# Options


def no_such_option(optimizer: str, name: str, meant: str) -> ArgumentError:
    """For a misspelt option of a group."""
    return ArgumentError(f"{optimizer} has no option {name}; did you mean {meant}?")


# Steps


def warn_of_no_step(optimizer: str) -> None:
    """For a step while no parameter has a gradient."""
    warn(
        f"{optimizer}.step() changed nothing, since no parameter has a gradient: call backward() on a loss that "
        "depends on them first, and zero_grad() before that, not after"
    )


def warn_of_order(scheduler: str) -> None:
    """For a schedule that goes on before the optimizer does."""
    warn(
        f"{scheduler}.step() before the first step of the optimizer skips the first learning rate: call "
        "optimizer.step() first"
    )


# States


def other_groups(optimizer: str, given: Sequence[int], own: Sequence[int]) -> StateDictError:
    """For a state of other parameters."""
    return StateDictError(
        f"the state_dict does not fit {optimizer}: groups of {list(given)} parameters do not fit an optimizer with "
        f"groups of {list(own)}. Make the optimizer with the same parameters, in the same groups, before its state is "
        "loaded"
    )


def other_optimizer(optimizer: str, unknown: Iterable[str]) -> StateDictError:
    """For a state of another optimizer."""
    return StateDictError(
        f"the state_dict does not fit {optimizer}: {optimizer} has no option {', '.join(unknown)}, so it is another "
        "optimizer's. Load it into an optimizer of the class that it was saved from"
    )


# Keywords of SciPy's `minimize` and of others, and what to write in ours.
_OF_MINIMIZE = {
    "args": "write them into the objective, as in minimize(lambda x: f(x, *args), x0), or give rows of data by data=",
    "jac": "leave it out, as gradients come from the graph",
    "hess": "leave it out, as second derivatives come from the graph",
    "hessp": "leave it out, as second derivatives come from the graph",
    "learning_rate": "write lr=",
    "disp": "look at the result, which prints itself, or give callback=",
    "verbose": "look at the result, which prints itself, or give callback=",
    **dict.fromkeys(("optimiser", "opt", "algorithm", "solver"), "write optimizer=, or method= for SciPy's"),
    **dict.fromkeys(("maxiter", "max_iter", "maxfun", "n_steps", "iterations", "epochs", "num_steps"), "write steps="),
    **dict.fromkeys(("ftol", "gtol", "xtol", "rtol", "atol"), "write tol=, which the gradient's norm falls below"),
}
_OF_SCIPYS_METHODS = ("ftol", "gtol", "xtol", "disp", "maxfun")


def other_options_of_minimize(names: Iterable[str], method: str | None = None) -> ArgumentError | None:
    """For keywords that neither the optimizer nor `minimize` has, but other minimisers; None if there are none."""
    known = [name for name in names if name in _OF_MINIMIZE]
    if not known:
        return None
    name = known[0]
    if method is not None and name in _OF_SCIPYS_METHODS:
        return ArgumentError(f"minimize has no {name}=: SciPy's methods take it as options={{{name!r}: ...}}")
    return ArgumentError(f"minimize has no {name}=: {_OF_MINIMIZE[name]}")


# Histories


def no_model_to_record(given: Any) -> DTypeError:
    """For something else than a model."""
    return DTypeError(
        f"History looks at a model, or at a dict of Tensors by their names, and this is {_kind_of(given)}: write "
        "History(model, optimizer), or History() to keep numbers alone"
    )


def no_optimizer_to_record(given: Any) -> DTypeError:
    """For something else than an optimizer."""
    return DTypeError(
        f"History reads the learning rate of an optimizer, and this is {_kind_of(given)}: write "
        "History(model, optimizer)"
    )


def _kind_of(given: Any) -> str:
    """What something is, in words, without what is in it."""
    kinds = {type(x).__name__ for x in given.values()} if isinstance(given, Mapping) else set()
    return an(type(given).__name__) + (f" of {', '.join(sorted(kinds))}" if kinds else "")


def no_single_number(function: str, name: str, given: Any) -> DTypeError | ShapeError:
    """For a value that is no single real number."""
    if given.dtype.kind not in "biuf":
        return DTypeError(f"{function}: {name} must be a real number, and has dtype {given.dtype}")
    return ShapeError(f"{function}: {name} must be one number, and has shape {given.shape}: give its mean")


def rate_given_twice(name: str) -> ArgumentError:
    """For a learning rate that is read and given."""
    return ArgumentError(
        f"History.record: {name!r} is read from the optimizer: leave it out, or give the other number another name"
    )


def warn_of_no_gradients() -> None:
    """For a record that is made when there are no gradients."""
    warn(
        "History.record found no gradient in any parameter: call it after loss.backward(), and before "
        "optimizer.zero_grad() sets them to None"
    )
