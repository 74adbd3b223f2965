"""In JAX: reductions."""

from collections.abc import Callable
from typing import Any

REDUCTIONS: dict[str, Callable[..., Any]] = {}
