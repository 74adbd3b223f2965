"""Gradient checks: derivatives against finite differences, with a report that names the operation at fault."""

from typing import TYPE_CHECKING

from minigrad.gradcheck.check import gradcheck, gradcheck_report, gradgradcheck
from minigrad.gradcheck.failure import DerivativeError, Failure
from minigrad.later import imported_later

if TYPE_CHECKING:
    from minigrad.gradcheck.report import Report
    from minigrad.gradcheck.step_sweep import Sweep

__all__ = ["DerivativeError", "Failure", "Report", "Sweep", "gradcheck", "gradcheck_report", "gradgradcheck"]

# What a report is made of is imported when the first check makes one.
__getattr__ = imported_later(__name__, {"report": ["Report"], "step_sweep": ["Sweep"]})
