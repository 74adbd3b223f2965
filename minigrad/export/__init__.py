"""What is written in minigrad leaves it: for other engines, as walks over a program."""

from typing import TYPE_CHECKING

from minigrad.later import imported_later

if TYPE_CHECKING:
    from minigrad.export.jax_program import to_jax
    from minigrad.export.onnx_program import onnx

__all__ = ["onnx", "to_jax"]

__getattr__ = imported_later(__name__, {"jax_program": ["to_jax"], "onnx_program": ["onnx"]})
