"""In JAX: special."""

from collections.abc import Callable
from typing import Any

SPECIAL: dict[str, Callable[..., Any]] = {}
