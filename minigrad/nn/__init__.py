"""Layers and models, with PyTorch's names and semantics."""

from minigrad.nn import functional, init
from minigrad.nn.activation import ReLU, Sigmoid, Tanh
from minigrad.nn.container import Sequential
from minigrad.nn.linear import Linear
from minigrad.nn.module import Module, Parameter, functional_call

__all__ = [
    "Linear",
    "Module",
    "Parameter",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Tanh",
    "functional",
    "functional_call",
    "init",
]
