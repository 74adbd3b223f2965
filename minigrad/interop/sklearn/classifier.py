"""Targets that are classes."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import numpy as np

from minigrad.errors import ArgumentError
from minigrad.interop.sklearn.epochs import Samples
from minigrad.interop.sklearn.estimator import ModuleEstimator
from minigrad.interop.sklearn.objective import Loss, Objective
from minigrad.interop.sklearn.scikit import ClassifierMixin, check_classification_targets
from minigrad.nn.losses import classification
from minigrad.ops import reductions
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

# Losses of a score for each class; and the one of a single score for the second of two.
_OF_ALL = (classification.cross_entropy, classification.nll_loss, classification.multi_margin_loss)
_OF_ONE = classification.binary_cross_entropy_with_logits


class Classifier(ClassifierMixin, ModuleEstimator):  # type: ignore[misc]
    """A module that is trained to tell classes apart, as an estimator of scikit-learn.

    The parameters are those of `Regressor`, but for these.

    Parameters
    ----------
    module : Module, class or callable, optional
        As for `Regressor`.  Its outputs are logits, scores that no softmax or sigmoid has been applied to: one for each
        class, or, for two classes, a single one for the second.
    loss : str, callable or loss layer, optional
        "cross_entropy" (by default), "nll" for modules that return logarithms of probabilities, "multi_margin", or
        "bce_with_logits" for a single logit; a layer of `minigrad.nn`; or a function of output and target.  The target
        holds the numbers of the classes in `classes_`, as integers of shape (n,); for a single logit it holds 0.0 and
        1.0, in shape (n, 1).  Weights of classes in a loss multiply the losses of their rows, but the mean is not
        divided by them.
    class_weight : dict or "balanced", optional
        How much the rows of each class count, by label (1 for those that are not there): it multiplies `sample_weight`,
        and rows that count nothing are left out.  "balanced" lets all classes of a fit count the same, by
        ``sum(sample_weight) / (n_classes * sum(sample_weight of the class))``; without weights, that is
        ``n_samples / (n_classes * count of the class)``.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        The labels, sorted.
    module_, optimizer_, scheduler_, loss_history_, validation_history_, n_iter_, n_features_in_, feature_names_in_
        As for `Regressor`.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> from minigrad.interop.sklearn import Classifier
    >>> def network(n_features, n_outputs):
    ...     return mg.nn.Sequential(mg.nn.Linear(n_features, 8), mg.nn.Tanh(), mg.nn.Linear(8, n_outputs))
    >>> X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> model = Classifier(module=network, lr=0.05, optimizer="Adam", random_state=0).fit(X, ["no", "yes", "yes", "no"])
    >>> model.predict(X).tolist()
    ['no', 'yes', 'yes', 'no']
    """

    _losses: ClassVar[Mapping[str, Loss]] = {
        "cross_entropy": classification.cross_entropy,
        "nll": classification.nll_loss,
        "multi_margin": classification.multi_margin_loss,
        "bce_with_logits": _OF_ONE,
    }
    _target_checks: ClassVar[Mapping[str, bool]] = {}
    _stratified: ClassVar[bool] = True
    classes_: np.ndarray

    # scikit-learn reads the names of the parameters off the signature.
    def __init__(
        self,
        *,
        module: Any = None,
        loss: Any = None,
        class_weight: "Mapping[Any, float] | str | None" = None,
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
        super().__init__(
            module=module,
            loss=loss,
            optimizer=optimizer,
            lr=lr,
            optimizer_params=optimizer_params,
            schedule=schedule,
            epochs=epochs,
            batch_size=batch_size,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            patience=patience,
            tol=tol,
            warm_start=warm_start,
            random_state=random_state,
            dtype=dtype,
            verbose=verbose,
            **module__options,
        )
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train for one epoch more, with the same optimizer and schedule.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : array_like, optional
            All labels that there will ever be: needed in the first call, unless `fit` was called before.
        """
        if isinstance(self.class_weight, str):
            raise ArgumentError(
                f"Classifier: class_weight={self.class_weight!r} needs all rows, and partial_fit sees some of them: "
                "give a dict of weights, such as sklearn.utils.class_weight.compute_class_weight makes of all labels"
            )
        given = None if classes is None else np.unique(classes)
        if hasattr(self, "module_"):
            if given is not None and not np.array_equal(given, self.classes_):
                raise ArgumentError(f"Classifier: the classes were {self.classes_} before, and are now {given}")
        elif given is None:
            raise ArgumentError(
                "Classifier: the first call of partial_fit needs all labels that there will be: "
                "partial_fit(X, y, classes=...)"
            )
        else:
            self.classes_ = _at_least_two(given)
        return self._fit_one_epoch(X, y, sample_weight, known=True)

    def decision_function(self, X: Any) -> np.ndarray:
        """The scores of the classes: what the module returns.

        Parameters
        ----------
        X : array_like of shape (n_samples, n_features)

        Returns
        -------
        array of shape (n_samples, n_classes), or (n_samples,) for two classes
            Of two classes, by how much the score of the second is above that of the first.
        """
        scores = self._scores(X)
        return scores if len(self.classes_) > 2 else scores[:, 1] - scores[:, 0]

    def predict_proba(self, X: Any) -> np.ndarray:
        """The softmax of the scores, of shape (n_samples, n_classes): probabilities, if the loss is a cross-entropy."""
        found: np.ndarray = reductions.softmax(self._scores(X))
        return found

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """The logarithms of `predict_proba`, without underflow."""
        found: np.ndarray = reductions.log_softmax(self._scores(X))
        return found

    def predict(self, X: Any) -> np.ndarray:
        """The label with the highest score for each row, the first of those that share it."""
        best = self._scores(X).argmax(axis=1)
        found: np.ndarray = self.classes_[best]
        return found

    def _scores(self, X: Any) -> np.ndarray:
        """One score for each class; a single one, that of the second of two, is beside 0 for the first."""
        found = self._predicted(X)
        return np.pad(found, ((0, 0), (1, 0))) if found.shape[1] == 1 else found

    # Targets

    def _encoded(self, y: np.ndarray, dtype: np.dtype[Any], known: bool) -> np.ndarray:
        check_classification_targets(y)
        if not known:
            self.classes_ = _at_least_two(np.unique(y))
        places = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        strange = self.classes_[places] != y
        if strange.any():
            raise ArgumentError(
                f"Classifier: y has labels that are none of the classes {self.classes_}, such as {y[strange][0]!r}"
            )
        return places

    def _weighted(self, samples: Samples) -> Samples:
        if self.class_weight is None:
            return samples
        of_rows = _class_weights(self.class_weight, self.classes_, samples)[samples.target]
        weight = of_rows if samples.weight is None else of_rows * samples.weight
        counted = weight > 0
        if not counted.any():
            raise ArgumentError(f"Classifier: with class_weight={self.class_weight!r} no row of y counts")
        return samples._replace(weight=weight).take(counted)

    def _columns(self, objective: Objective) -> int:
        if objective.function is not _OF_ONE:
            return len(self.classes_)
        if len(self.classes_) > 2:
            raise ArgumentError(
                f"Classifier: {objective.name} is a loss for two classes, and y has {len(self.classes_)}: take "
                "'cross_entropy'"
            )
        return 1

    def _allowed_columns(self) -> tuple[int, ...]:
        return (len(self.classes_),) if len(self.classes_) > 2 else (2, 1)

    def _compared(self, objective: Objective, output: Tensor, samples: Samples) -> Tensor:
        if output.shape[1] > 1:
            return objective(output, samples.target, samples.weight)
        if objective.function in _OF_ALL:
            raise ArgumentError(
                f"Classifier: {objective.name} compares the scores of all classes, and the module returns one score: "
                "let it return two, or take the loss 'bce_with_logits'"
            )
        return objective(output, samples.target[:, None].astype(output.dtype), samples.weight)


def _class_weights(given: Any, classes: np.ndarray, samples: Samples) -> np.ndarray:
    """A weight for each class, as `sklearn.utils.class_weight.compute_class_weight` defines them."""
    if isinstance(given, str) and given == "balanced":
        counts = np.bincount(samples.target, samples.weight, len(classes))
        present = counts > 0
        balanced: np.ndarray = counts.sum() / (present.sum() * np.where(present, counts, np.inf))
        return balanced
    if not isinstance(given, Mapping):
        raise ArgumentError(f"Classifier: class_weight is a dict, 'balanced' or None, and not {given!r}")
    labels = classes.tolist()
    strange = [label for label in given if label not in labels]
    if strange and not all(label in given for label in labels):
        raise ArgumentError(f"Classifier: class_weight has {strange[0]!r}, which is none of the classes {classes}")
    weights = np.array([given.get(label, 1.0) for label in labels], np.float64)
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise ArgumentError(f"Classifier: class_weight must hold finite weights, none below zero, and is {given!r}")
    return weights


def _at_least_two(classes: np.ndarray) -> np.ndarray:
    if len(classes) < 2:
        raise ArgumentError(f"Classifier: there is nothing to tell apart, since y holds one class only: {classes}")
    return classes
