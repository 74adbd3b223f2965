"""What the two estimators share: parameters, checks of what is given, and the course of a fit."""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np

from minigrad import random
from minigrad.core import no_grad
from minigrad.creation import asarray, get_default_dtype
from minigrad.errors import ArgumentError, DTypeError, ShapeError
from minigrad.interop.sklearn.epochs import Samples, Training, batches
from minigrad.interop.sklearn.objective import Loss, Objective
from minigrad.interop.sklearn.scikit import (
    BaseEstimator,
    check_array,
    check_is_fitted,
    check_random_state,
    train_test_split,
    validate_data,
)
from minigrad.nn import init
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module
from minigrad.optim.minimizing import make_optimizer
from minigrad.optim.optimizer import Optimizer
from minigrad.options import whole_number
from minigrad.tensor import Tensor

_OF_MODULE = "module__"
_USUAL_RATE = 0.01  # of Adam, where no optimizer is chosen


class ModuleEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """The base of `Regressor` and `Classifier`, whose docstrings say what the parameters mean."""

    _losses: ClassVar[Mapping[str, Loss]]  # those that have names, the usual one first
    _target_checks: ClassVar[Mapping[str, bool]]  # options with which scikit-learn looks at y
    _stratified: ClassVar[bool]  # whether the rows that are held out shall have the classes of all rows
    loss_history_: list[float]
    validation_history_: list[float]

    def __init__(
        self,
        *,
        module: Any = None,
        loss: Any = None,
        optimizer: Any = None,
        lr: float | None = None,
        optimizer_params: Mapping[str, Any] | None = None,
        schedule: Callable[[Optimizer], Any] | None = None,
        epochs: int = 200,
        batch_size: int | None = None,
        shuffle: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        patience: int = 10,
        tol: float = 1e-4,
        warm_start: bool = False,
        random_state: Any = None,
        dtype: Any = None,
        verbose: bool = False,
        **module__options: Any,
    ) -> None:
        self.module, self.loss = module, loss
        self.optimizer, self.lr, self.optimizer_params, self.schedule = optimizer, lr, optimizer_params, schedule
        self.epochs, self.batch_size, self.shuffle = epochs, batch_size, shuffle
        self.early_stopping, self.validation_fraction = early_stopping, validation_fraction
        self.patience, self.tol, self.warm_start = patience, tol, warm_start
        self.random_state, self.dtype, self.verbose = random_state, dtype, verbose
        # The name of all of them begins as theirs, because scikit-learn takes it for that of a parameter.
        strange = [name for name in module__options if not name.startswith(_OF_MODULE)]
        if strange:
            raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument {strange[0]!r}")
        self.__dict__.update(module__options)

    # Options of the module, which are parameters of the estimator too: each is an attribute of its own

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name, those of the module among them."""
        return {**super().get_params(deep), **self._of_module()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; those that begin with ``module__`` need not have been there before."""
        own = {name: value for name, value in params.items() if name.startswith(_OF_MODULE)}
        super().set_params(**{name: value for name, value in params.items() if name not in own})
        self.__dict__.update(own)
        return self

    def _of_module(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name.startswith(_OF_MODULE)}

    # What a subclass says of its targets

    def _encoded(self, y: np.ndarray, dtype: np.dtype[Any], known: bool) -> np.ndarray:
        """The targets that the loss compares with; notes of what kind they are, or checks that if it is known."""
        raise NotImplementedError

    def _columns(self, objective: Objective) -> int:
        """How many outputs a module is to be made with."""
        raise NotImplementedError

    def _allowed_columns(self) -> tuple[int, ...]:
        """How many outputs a module may have."""
        raise NotImplementedError

    def _compared(self, objective: Objective, output: Tensor, samples: Samples) -> Tensor:
        """The loss of an output, a matrix with one row for each sample."""
        raise NotImplementedError

    def _weighted(self, samples: Samples) -> Samples:
        """The samples with all that is to be done to their weights."""
        return samples

    # The course of a fit

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train a module.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)
        y : array_like of shape (n_samples,), or with numbers also (n_samples, n_outputs)
        sample_weight : array_like of shape (n_samples,), optional
            How much each row counts; rows of weight 0 are left out.

        Raises
        ------
        ValueError
            If the data are not finite or do not fit together, or if a parameter makes no sense.  Also if training
            diverges, that is, if the loss or a parameter is not finite any more: as scikit-learn's own networks do.
        """
        goes_on = self.warm_start and hasattr(self, "module_")
        epochs, patience = self._count("epochs"), self._count("patience")
        samples = self._samples(X, y, sample_weight, goes_on, known=goes_on)
        with _conditions(self._new_generator()) as generator:
            module = copy.deepcopy(self.module_) if goes_on else self._new_module()
            training = self._new_training(module, generator)
            if self.early_stopping:
                kept, held_out = self._split(samples, generator)
                training.run_until_no_better(kept, held_out, epochs, self.verbose, patience, self.tol)
            else:
                training.run(samples, epochs, self.verbose)
        return self._keep(training, goes_on)

    def _fit_one_epoch(self, X: Any, y: Any, sample_weight: Any, known: bool) -> Self:
        """Go on with the module, optimizer and schedule of the fit before, or begin with new ones."""
        if self.early_stopping:
            raise ArgumentError(
                f"{type(self).__name__}: partial_fit goes on for one epoch, and has nothing to stop early: set "
                "early_stopping=False"
            )
        goes_on = hasattr(self, "module_")
        samples = self._samples(X, y, sample_weight, goes_on, known)
        with _conditions(self._generator if goes_on else self._new_generator()) as generator:
            if goes_on:
                training = self._training(self.module_, self.optimizer_, self.scheduler_, generator)
            else:
                training = self._new_training(self._new_module(), generator)
            training.run(samples, 1, self.verbose)
        return self._keep(training, goes_on)

    def _new_training(self, module: Module, generator: np.random.Generator) -> Training:
        optimizer = self._new_optimizer(module)
        scheduler = None if self.schedule is None else self.schedule(optimizer)
        return self._training(module, optimizer, scheduler, generator)

    def _training(
        self, module: Module, optimizer: Optimizer, scheduler: Any, generator: np.random.Generator
    ) -> Training:
        objective = self._objective()

        def loss(samples: Samples) -> Tensor:
            return self._compared(objective, self._outputs(module, samples.x), samples)

        size = None if self.batch_size is None else self._count("batch_size")
        return Training(type(self).__name__, module, optimizer, scheduler, loss, size, self.shuffle, generator)

    def _keep(self, training: Training, goes_on: bool) -> Self:
        """Note the results, the histories behind those of the fits before."""
        self.module_, self.optimizer_, self.scheduler_ = training.module, training.optimizer, training.scheduler
        self.loss_history_ = [*(self.loss_history_ if goes_on else ()), *training.losses]
        self.validation_history_ = [*(self.validation_history_ if goes_on else ()), *training.validation_losses]
        self.n_iter_ = len(self.loss_history_)
        self._generator = training.generator
        return self

    # What is made of the parameters

    def _count(self, name: str) -> int:
        return whole_number(getattr(self, name), f"{type(self).__name__}: {name}")

    def _dtype(self, goes_on: bool) -> np.dtype[Any]:
        """What everything is computed in: a module that is there already keeps its own."""
        if goes_on:
            return next(self.module_.parameters()).dtype
        return get_default_dtype() if self.dtype is None else np.dtype(self.dtype)

    def _objective(self) -> Objective:
        loss = next(iter(self._losses)) if self.loss is None else self.loss
        return Objective(loss, self._losses, type(self).__name__)

    def _new_generator(self) -> np.random.Generator:
        """A generator of its own, so that nobody else's numbers are used up."""
        if self.random_state is None:
            return np.random.default_rng()
        if isinstance(self.random_state, np.random.Generator):
            return np.random.default_rng(self.random_state.integers(2**32, size=4))
        return np.random.default_rng(check_random_state(self.random_state).randint(2**31, size=4))

    def _new_module(self) -> Module:
        given, features, columns = self.module, self.n_features_in_, self._columns(self._objective())
        options = {name.removeprefix(_OF_MODULE): value for name, value in self._of_module().items()}
        if options and (given is None or isinstance(given, Module)):
            raise ArgumentError(
                f"{type(self).__name__}: {_OF_MODULE}{next(iter(options))} is an option for what makes a module, and "
                f"module is {'None' if given is None else 'a Module that is made already'}: give a class or a function "
                "that is called with the numbers of features and outputs and with the option"
            )
        if given is None:
            made: Any = Linear(features, columns)
            for parameter in made.parameters():
                init.zeros_(parameter)
        elif isinstance(given, Module):
            made = copy.deepcopy(given)
        else:
            made = given(features, columns, **options) if callable(given) else given
        if not isinstance(made, Module):
            raise DTypeError(
                f"{type(self).__name__}: module must be a Module, or a class or function that makes one when it is "
                f"called with the numbers of features and outputs, and not {given!r}"
            )
        return made.astype(self._dtype(goes_on=False))

    def _new_optimizer(self, module: Module) -> Optimizer:
        given, options = self.optimizer, {} if self.lr is None else {"lr": self.lr}
        options.update(self.optimizer_params or {})
        if given is None:
            given, options = "Adam", {"lr": _USUAL_RATE, **options}
        return make_optimizer(given, list(module.parameters()), options)

    # Data

    def _samples(self, X: Any, y: Any, sample_weight: Any, goes_on: bool, known: bool) -> Samples:
        dtype = self._dtype(goes_on)
        X, y = validate_data(self, X=X, y=y, dtype=dtype, reset=not goes_on, **self._target_checks)
        weight = None
        if sample_weight is not None:
            weight = check_array(sample_weight, dtype=np.float64, ensure_2d=False, input_name="sample_weight")
            if weight.shape != (len(X),):
                raise ShapeError(
                    f"{type(self).__name__}: sample_weight of shape {weight.shape} does not fit {len(X)} rows of X: it "
                    "must have one number for each"
                )
            if (weight < 0).any() or not weight.any():
                what = "there are negative ones" if weight.any() else "all are zero"
                raise ArgumentError(f"{type(self).__name__}: sample_weight must hold weights above zero, and {what}")
            counted = weight > 0
            X, y, weight = X[counted], y[counted], weight[counted]
        return self._weighted(Samples(X, self._encoded(y, dtype, known), weight))

    def _split(self, samples: Samples, generator: np.random.Generator) -> tuple[Samples, Samples]:
        """Samples to train with, and some that are held out."""
        rows = train_test_split(
            np.arange(len(samples.x)),
            test_size=self.validation_fraction,
            random_state=int(generator.integers(2**31)),
            stratify=samples.target if self._stratified else None,
        )
        return samples.take(rows[0]), samples.take(rows[1])

    # Use

    def _outputs(self, module: Module, x: np.ndarray) -> Tensor:
        """What a module returns for rows of features, as a matrix."""
        output, owner, columns = module(asarray(x)), type(self).__name__, self._allowed_columns()
        if not isinstance(output, Tensor):
            raise DTypeError(f"{owner}: the module returned a {type(output).__name__}, not a Tensor")
        if output.shape == (len(x),) and 1 in columns:
            return output.reshape(-1, 1)
        if output.shape not in [(len(x), count) for count in columns]:
            wanted = " or ".join(f"({len(x)}, {count})" for count in columns)
            raise ShapeError(
                f"{owner}: for {len(x)} rows of {x.shape[1]} features the module returned shape {output.shape}, and "
                f"not {wanted}: the number of its outputs must be that of the targets"
            )
        return output

    def _predicted(self, X: Any) -> np.ndarray:
        """What the trained module returns, in batches as in training."""
        check_is_fitted(self, "module_")
        X = validate_data(self, X=X, dtype=self._dtype(goes_on=True), reset=False)
        with no_grad():
            parts = [self._outputs(self.module_, X[rows]).array for rows in batches(len(X), self.batch_size)]
        return np.concatenate(parts)


@contextmanager
def _conditions(generator: np.random.Generator) -> Iterator[np.random.Generator]:
    """Let modules draw from the generator, and leave it to the checks of the loss to find overflows."""
    with random.using(generator), np.errstate(all="ignore"):
        yield generator
