"""Gradient checks: derivatives against finite differences, with a report that names the operation at fault."""

from minigrad.gradcheck.check import gradcheck, gradcheck_report, gradgradcheck
from minigrad.gradcheck.failure import DerivativeError, Failure
from minigrad.gradcheck.report import Report
from minigrad.gradcheck.sweep import Sweep

__all__ = ["DerivativeError", "Failure", "Report", "Sweep", "gradcheck", "gradcheck_report", "gradgradcheck"]
