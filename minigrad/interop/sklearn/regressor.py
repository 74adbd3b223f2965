"""Targets that are numbers."""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np

from minigrad.errors import ArgumentError, ShapeError
from minigrad.interop.sklearn.epochs import Samples
from minigrad.interop.sklearn.estimator import ModuleEstimator
from minigrad.interop.sklearn.objective import Loss, Objective
from minigrad.interop.sklearn.scikit import MultiOutputMixin, RegressorMixin
from minigrad.nn.losses import regression
from minigrad.tensor import Tensor


class Regressor(MultiOutputMixin, RegressorMixin, ModuleEstimator):  # type: ignore[misc]
    """A module that is trained to predict numbers, as an estimator of scikit-learn.

    Parameters
    ----------
    module : Module, class or callable, optional
        What is trained.  A Module is copied at each fit, so that all fits start from its parameters and none changes
        them.  Anything else is called with the numbers of features and of outputs, and returns a new Module.  By
        default a linear model whose weights and bias start at zero.
    module__<name>
        Options for the class or function `module`, as ``module__hidden=32``, which a grid search can choose.
    loss : str, callable or loss layer, optional
        What is minimized: "mse" (by default), "l1", "huber" or "smooth_l1", a layer of `minigrad.nn`, or a function of
        output and target, both of shape (n, n_outputs).  In each batch it is the mean over rows, weighted by
        `sample_weight`, of the losses that it gives for single rows; a function without an option `reduction` may also
        return one number for all rows, if there are no weights.
    optimizer : str, class or callable, optional
        "SGD", "Adam" and so on or a class of `minigrad.optim`; or a function that makes an Optimizer of the parameters
        alone, without `lr` and `optimizer_params`.  By default Adam with a learning rate of 0.01.
    lr : float, optional
        The learning rate, by default the optimizer's own.
    optimizer_params : dict, optional
        More options of the optimizer, as ``{"momentum": 0.9}``.
    schedule : callable, optional
        Makes a scheduler of the optimizer.  It is stepped after each epoch; a `ReduceLROnPlateau` is given the
        validation loss, or without early stopping the training loss.
    epochs : int
        How often each row is used; with early stopping, how often at most.
    batch_size : int, optional
        By default all rows are used at once, for one step in each epoch.  Only then are integer weights the same as
        repeated rows.
    shuffle : bool
        Whether rows come in a new order in each epoch, which matters only if there are several batches.
    early_stopping : bool
        Whether to hold out rows, stop when their loss does not fall any more, and go back to the parameters with which
        it was lowest.
    validation_fraction : float
        The share of the rows that is held out.
    patience : int
        For how many epochs the validation loss may fail to fall before training stops.
    tol : float
        By how much it must be below the lowest one to count as fallen.
    warm_start : bool
        Whether `fit` goes on from the parameters of the fit before, with a new optimizer.
    random_state : int, numpy.random.RandomState or numpy.random.Generator, optional
        Where initial values, the order of rows, the rows held out, and what the module draws (dropout) come from: an
        integer gives the same at each fit, a generator something new.  By default nothing can be foreseen.
        Generators of NumPy's and minigrad's that others use are neither read nor changed, so that
        ``numpy.random.seed`` has no influence, other than elsewhere in scikit-learn.
    dtype : dtype, optional
        The floating-point dtype in which all is computed, by default minigrad's default dtype.
    verbose : bool
        Whether a progress bar on the standard error stream shows epochs and losses.

    Attributes
    ----------
    module_ : Module
        The trained module, as in use (`Module.eval`).
    optimizer_ : Optimizer
    scheduler_ : object, or None
    loss_history_ : list of float
        For each epoch the mean loss of its batches as they were when they were used, before the steps that they led to.
        If there is only one batch, that is the loss before each step.
    validation_history_ : list of float
        For each epoch the loss of the rows that were held out, after it; empty without early stopping.
    n_iter_ : int
        The number of epochs, with those of fits that `warm_start` or `partial_fit` went on from.
    n_features_in_ : int
    feature_names_in_ : array of str
        Only if `X` has names of columns.

    Notes
    -----
    A module that needs other axes than (rows, features) can begin with `minigrad.nn.Unflatten`.  Estimators can be
    pickled if their parameters can: for that let `module` and the like be functions of a module and not lambdas.

    Examples
    --------
    >>> import numpy as np
    >>> from minigrad.interop.sklearn import Regressor
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> model = Regressor(optimizer="SGD", lr=0.1).fit(X, [1.0, 3.0, 5.0, 7.0])
    >>> model.predict([[4.0]]).round(3)
    array([9.])
    >>> len(model.loss_history_)
    200

    A grid search over an option of the module:

    >>> import minigrad as mg
    >>> from sklearn.model_selection import GridSearchCV
    >>> def network(n_features, n_outputs, hidden=8):
    ...     return mg.nn.Sequential(mg.nn.Linear(n_features, hidden), mg.nn.Tanh(), mg.nn.Linear(hidden, n_outputs))
    >>> model = Regressor(module=network, epochs=20, random_state=0)
    >>> sorted(GridSearchCV(model, {"module__hidden": [2, 4]}, cv=2).fit(X, [1.0, 3.0, 5.0, 7.0]).best_params_)
    ['module__hidden']
    """

    _losses: ClassVar[Mapping[str, Loss]] = {
        "mse": regression.mse_loss,
        "l1": regression.l1_loss,
        "huber": regression.huber_loss,
        "smooth_l1": regression.smooth_l1_loss,
    }
    _target_checks: ClassVar[Mapping[str, bool]] = {"multi_output": True, "y_numeric": True}
    _stratified: ClassVar[bool] = False
    _shape: tuple[int, ...]  # of one row of y

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train for one epoch more, with the same optimizer and schedule; the parameters are those of `fit`."""
        return self._fit_one_epoch(X, y, sample_weight, known=hasattr(self, "module_"))

    def predict(self, X: Any) -> np.ndarray:
        """The numbers that the module predicts.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples,) or (n_samples, n_outputs), as `y` was in `fit`
        """
        found = self._predicted(X)
        return found.reshape(len(found), *self._shape)

    def _encoded(self, y: np.ndarray, dtype: np.dtype[Any], known: bool) -> np.ndarray:
        shape = y.shape[1:]
        if known and shape != self._shape:
            raise ShapeError(
                f"Regressor: each row of y has shape {shape}, and in the fit that this one goes on from it had "
                f"{self._shape}"
            )
        self._shape = shape
        with np.errstate(over="ignore"):
            target = y.reshape(len(y), -1).astype(dtype)
        if not np.isfinite(target).all():
            raise ArgumentError(
                f"Regressor: y has numbers that are too large for {dtype}: scale them, or choose a dtype"
            )
        return target

    def _columns(self, objective: Objective) -> int:
        return self._shape[0] if self._shape else 1

    def _allowed_columns(self) -> tuple[int, ...]:
        return (self._shape[0] if self._shape else 1,)

    def _compared(self, objective: Objective, output: Tensor, samples: Samples) -> Tensor:
        return objective(output, samples.target, samples.weight)
