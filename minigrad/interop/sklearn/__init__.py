"""Modules of minigrad as scikit-learn estimators.

`Regressor` and `Classifier` wrap any `minigrad.nn.Module`: they are trained by `fit`, and used in pipelines, grid
searches and cross-validation like the estimators of scikit-learn itself.  To import this module, scikit-learn 1.5 or
newer must be there (the extra ``sklearn``).

::

    objective.py    what is minimized: a loss as the weighted mean over rows
    training.py     how: epochs, batches, early stopping
    scikit.py       what is used of scikit-learn: the only file that imports it
    estimator.py    what both estimators share: parameters, checks, the course of a fit
    regressor.py    targets that are numbers
    classifier.py   targets that are classes
"""

from minigrad.interop.sklearn.classifier import Classifier
from minigrad.interop.sklearn.regressor import Regressor

__all__ = ["Classifier", "Regressor"]
