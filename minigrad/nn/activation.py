"""Activations as layers."""

from typing import Any

from minigrad.nn import functional
from minigrad.nn.module import Module


class ReLU(Module):
    """The larger of each element and 0."""

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        return functional.relu(input)


class Tanh(Module):
    """Hyperbolic tangent of each element."""

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        return functional.tanh(input)


class Sigmoid(Module):
    """``1 / (1 + exp(-x))`` of each element."""

    def forward(self, input: Any) -> Any:
        """Apply the function."""
        return functional.sigmoid(input)
