"""What is written in minigrad leaves it: for other engines, as walks over a program."""

from typing import TYPE_CHECKING

from minigrad.later import imported_later

if TYPE_CHECKING:
    from minigrad.export.jax_program import to_jax

__all__ = ["to_jax"]

__getattr__ = imported_later(__name__, {"jax_program": ["to_jax"]})
