"""What is used of scikit-learn: the only file that imports it, and where its versions differ."""

from typing import Any

import numpy as np

from minigrad.errors.files import missing_package

try:
    from sklearn.base import (  # type: ignore[import-untyped]
        BaseEstimator,
        ClassifierMixin,
        MultiOutputMixin,
        RegressorMixin,
    )
    from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
    from sklearn.utils import check_array, check_random_state, validation  # type: ignore[import-untyped]
    from sklearn.utils.multiclass import check_classification_targets  # type: ignore[import-untyped]
except ImportError as error:
    raise missing_package(
        "minigrad.interop.sklearn", "scikit-learn", "sklearn", "It must be version 1.5 or newer"
    ) from error

__all__ = [
    "BaseEstimator",
    "ClassifierMixin",
    "MultiOutputMixin",
    "RegressorMixin",
    "check_array",
    "check_classification_targets",
    "check_is_fitted",
    "check_random_state",
    "train_test_split",
    "validate_data",
]

check_is_fitted = validation.check_is_fitted


def validate_data(estimator: Any, **options: Any) -> Any:
    """Check what an estimator is given, and note or compare the names and the number of features."""
    with np.errstate(over="ignore"):  # numbers too large for the dtype become infinite, which is what it complains of
        if hasattr(validation, "validate_data"):
            return validation.validate_data(estimator, **options)
        return estimator._validate_data(**options)  # scikit-learn 1.5
