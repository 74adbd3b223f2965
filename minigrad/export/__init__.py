"""What is written in minigrad leaves it: for other engines, as walks over a program."""

from typing import TYPE_CHECKING

from minigrad.later import imported_later

if TYPE_CHECKING:
    from minigrad.export.c_file import c
    from minigrad.export.jax_program import to_jax
    from minigrad.export.js_module import javascript
    from minigrad.export.wasm_module import webassembly

__all__ = ["c", "javascript", "to_jax", "webassembly"]

__getattr__ = imported_later(
    __name__,
    {
        "c_file": ["c"],
        "js_module": ["javascript"],
        "jax_program": ["to_jax"],
        "wasm_module": ["webassembly"],
    },
)
