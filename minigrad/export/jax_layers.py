"""In JAX: layers."""

from collections.abc import Callable
from typing import Any

LAYERS: dict[str, Callable[..., Any]] = {}
