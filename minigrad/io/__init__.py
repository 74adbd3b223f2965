"""Saving and loading of nested dicts of Tensors, arrays, numbers and texts: never pickle, never code.

A file is an ``.npz`` archive of NumPy's, or a ``.safetensors`` file, that other programs can read: each array has a
name of its own, the path of keys that leads to it.  Beside the arrays there is a description of the tree in JSON, and a
checksum of the whole file, which finds any change of a byte.

    trees         a tree as JSON and arrays
    npz           the one kind of file
    safetensors   the other
    sharded       several of these, with an index
    streams       arrays and files a piece at a time
    damage        what is said of a file that cannot be read
    files         save and load
    checkpoints   the states of all parts of a training run
"""

from minigrad.io.checkpoints import load_checkpoint, save_checkpoint
from minigrad.io.files import load, save

__all__ = ["load", "load_checkpoint", "save", "save_checkpoint"]
