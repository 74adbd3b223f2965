"""scikit-learn's own checks of an estimator, one by one, in each version that is supported."""

import inspect
from unittest import SkipTest


def outcomes(estimator):
    """Each check's name, whether it passed, failed or was skipped, and the exception if it did not pass."""
    from sklearn.utils.estimator_checks import check_estimator  # it takes long, and imports pandas

    if "on_fail" in inspect.signature(check_estimator).parameters:  # since scikit-learn 1.6
        for result in check_estimator(estimator, on_fail=None, on_skip=None):
            yield result["check_name"], result["status"], result["exception"]
    else:
        for checked, check in check_estimator(estimator, generate_only=True):
            yield check.func.__name__, *_outcome(check, checked)


def _outcome(check, estimator):
    try:
        check(estimator)
    except SkipTest as reason:
        return "skipped", reason
    except Exception as problem:
        return "failed", problem
    return "passed", None
