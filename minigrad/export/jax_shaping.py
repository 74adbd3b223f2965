"""In JAX: shaping."""

from collections.abc import Callable
from typing import Any

SHAPING: dict[str, Callable[..., Any]] = {}
