"""Optimizers, with PyTorch's names and semantics, and `minimize` and `sweep`, which run them."""

from typing import TYPE_CHECKING

from minigrad.later import imported_later
from minigrad.optim.adadelta import Adadelta
from minigrad.optim.adafactor import Adafactor
from minigrad.optim.adagrad import Adagrad
from minigrad.optim.adam import Adam, AdamW
from minigrad.optim.adamax import Adamax
from minigrad.optim.asgd import ASGD
from minigrad.optim.lbfgs import LBFGS
from minigrad.optim.lion import Lion
from minigrad.optim.muon import Muon
from minigrad.optim.nadam import NAdam
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.radam import RAdam
from minigrad.optim.rmsprop import RMSprop
from minigrad.optim.rprop import Rprop
from minigrad.optim.sgd import SGD

if TYPE_CHECKING:
    from minigrad.optim import lr_scheduler, swa_utils
    from minigrad.optim.history import History
    from minigrad.optim.minimizing import minimize
    from minigrad.optim.result import Result, Step
    from minigrad.optim.sweeping import LrRange, SweepResult, lr_range_test, sweep
    from minigrad.optim.zero import ZeroRedundancyOptimizer

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "History",
    "Lion",
    "LrRange",
    "Muon",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Result",
    "Rprop",
    "Step",
    "SweepResult",
    "ZeroRedundancyOptimizer",
    "lr_range_test",
    "lr_scheduler",
    "minimize",
    "swa_utils",
    "sweep",
]

# To import is to wait: what many programs do without is imported when it is wanted.
__getattr__ = imported_later(__name__, {
    "history": ["History"],
    "lr_scheduler": ["lr_scheduler"],
    "minimizing": ["minimize"],
    "result": ["Result", "Step"],
    "swa_utils": ["swa_utils"],
    "sweeping": ["LrRange", "SweepResult", "lr_range_test", "sweep"],
    "zero": ["ZeroRedundancyOptimizer"],
})  # fmt: skip
