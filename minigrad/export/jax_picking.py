"""In JAX: picking."""

from collections.abc import Callable
from typing import Any

PICKING: dict[str, Callable[..., Any]] = {}
