"""`torch.nn.utils.rnn`: sequences of different lengths."""

from collections.abc import Sequence
from typing import Any

import minigrad as mg
from minigrad.errors.dialects import not_in_the_dialect
from minigrad.torch.tensor import adopted, plain

__all__ = ["pad_sequence", "unpad_sequence"]
_PACKED = "pad the batch by pad_sequence, and leave out what is behind the ends by a mask"


def pad_sequence(sequences: Any, batch_first: bool = False, padding_value: float = 0.0) -> Any:
    """One array of sequences, filled up at their ends."""
    longest = max(len(x) for x in sequences)
    rows = [
        mg.pad(x, ((0, longest - len(x)), *((0, 0),) * (x.ndim - 1)), constant_values=padding_value)
        for x in map(plain, sequences)
    ]
    return adopted(mg.stack(rows, axis=0 if batch_first else 1))


def unpad_sequence(padded_sequences: Any, lengths: Sequence[Any], batch_first: bool = False) -> list[Any]:
    """The sequences, of these lengths, from such an array."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [row[: int(n)] for row, n in zip(rows, lengths, strict=True)]


def __getattr__(name: str) -> Any:
    raise AttributeError(str(not_in_the_dialect(f"nn.utils.rnn.{name}", _PACKED * ("pack" in name.lower()))))
