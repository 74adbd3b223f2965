"""What is written in minigrad leaves it: for other engines, as walks over a program."""

from typing import TYPE_CHECKING

from minigrad.later import imported_later

if TYPE_CHECKING:
    from minigrad.export.as_text.c_file import c
    from minigrad.export.as_text.js_module import javascript
    from minigrad.export.as_text.wasm_module import webassembly
    from minigrad.export.for_jax.program import to_jax
    from minigrad.export.for_onnx.program import onnx

__all__ = ["c", "javascript", "onnx", "to_jax", "webassembly"]

__getattr__ = imported_later(
    __name__,
    {
        "as_text.c_file": ["c"],
        "as_text.js_module": ["javascript"],
        "as_text.wasm_module": ["webassembly"],
        "for_jax.program": ["to_jax"],
        "for_onnx.program": ["onnx"],
    },
)
