"""`torch.distributions`: densities, entropies, divergences, and samples that can be differentiated."""

import re
from typing import Any

from minigrad.torch.distributions import constraints, continuous, discrete, kl, multivariate
from minigrad.torch.distributions.distribution import Distribution
from minigrad.torch.distributions.kl import kl_divergence
from minigrad.torch.modules import module

_CLASSES = {
    name: getattr(part, name)
    for part in (continuous, discrete, multivariate)
    for name in part.__all__
    if name[0].isupper()
}
__all__ = ["Distribution", "constraints", "kl", "kl_divergence"]
__all__ += _CLASSES
__all__.sort(key=lambda name: (name[0].islower(), name))
globals().update(_CLASSES)
for _name, _class in _CLASSES.items():
    _file = re.sub("(?<=[a-z])(?=[A-Z])", "_", _name).lower()  # PyTorch has a file for each
    globals()[_file] = module(f"distributions.{_file}", **{_name: _class})


def __getattr__(name: str) -> Any:
    raise AttributeError(f"torch.distributions.{name} does not exist in minigrad.torch: there are {', '.join(__all__)}")
