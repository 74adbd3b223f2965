"""In JAX: elementwise."""

from collections.abc import Callable
from typing import Any

ELEMENTWISE: dict[str, Callable[..., Any]] = {}
