"""No class takes an option that it does not have, such as a misspelt one, in silence."""

import inspect

import pytest

from minigrad import data, nn, optim
from minigrad.optim import lr_scheduler, swa_utils

CLASSES = {
    cls
    for module in (nn, optim, data, lr_scheduler, swa_utils)
    for cls in (getattr(module, name) for name in getattr(module, "__all__", dir(module)))
    if inspect.isclass(cls) and cls.__module__.startswith(("minigrad.nn", "minigrad.optim", "minigrad.data"))
}
ANY = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
# Layers and data sets in any number, or under any name; a layer that stands in the place of any other; and options that
# go on to another optimizer.
OPEN = {nn.Identity, nn.Sequential, data.StackDataset, data.TensorDataset, optim.ZeroRedundancyOptimizer}


def parameters(cls):
    try:
        return inspect.signature(cls).parameters.values()
    except ValueError:  # the constructor is Python's own
        return ()


def test_classes_take_only_what_they_name():
    assert len(CLASSES) > 150
    assert {cls for cls in CLASSES if ANY & {p.kind for p in parameters(cls)}} == OPEN


def test_surplus_arguments_are_refused():
    for cls in sorted(CLASSES - OPEN, key=lambda cls: cls.__name__):
        required = {p.name: None for p in parameters(cls) if p.default is p.empty}
        with pytest.raises(TypeError, match=r"no_such_option|takes no (keyword )?arguments"):
            cls(**required, no_such_option=1)
        count = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters(cls))
        with pytest.raises(TypeError, match=r"positional argument|takes no arguments"):
            cls(*[None] * (count + 1))
