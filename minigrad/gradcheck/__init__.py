"""Gradient checks: derivatives against finite differences, with a report that names the operation at fault."""

from minigrad.gradcheck.check import gradcheck, gradgradcheck
from minigrad.gradcheck.report import DerivativeError, Failure

__all__ = ["DerivativeError", "Failure", "gradcheck", "gradgradcheck"]
