"""Gradient checks: derivatives against finite differences, with a report that names the operation at fault."""

import importlib
from typing import TYPE_CHECKING, Any

from minigrad.gradcheck.check import gradcheck, gradcheck_report, gradgradcheck
from minigrad.gradcheck.failure import DerivativeError, Failure

if TYPE_CHECKING:
    from minigrad.gradcheck.report import Report
    from minigrad.gradcheck.step_sweep import Sweep

__all__ = ["DerivativeError", "Failure", "Report", "Sweep", "gradcheck", "gradcheck_report", "gradgradcheck"]

# What a report is made of is imported when the first check makes one.
_LATER = {"Report": "report", "Sweep": "sweep"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
