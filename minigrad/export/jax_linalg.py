"""In JAX: linalg."""

from collections.abc import Callable
from typing import Any

LINALG: dict[str, Callable[..., Any]] = {}
