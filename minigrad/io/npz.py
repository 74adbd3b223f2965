"""Archives of NumPy's: the description of the tree is a member, and the checksum is the comment, at the very end.

They are read here and not by NumPy, which takes 0.3 ms for an array, believes what a member says of its size, and lets
Python's own parser read what may be anything.
"""

import io
import math
import os
import re
from typing import Any, BinaryIO

import numpy as np

from minigrad.errors import FileError
from minigrad.errors.files import in_pickle, pickled, too_large, twice
from minigrad.io.streams import DIGEST, PIECE, checksum, exactly, fill, pieces, rest
from minigrad.io.trees import Arrays

_TREE = "minigrad.json"
_MARK = b"minigrad-sha256:"
_MAGIC = b"\x93NUMPY"
_AXES = 64  # that NumPy's arrays may have
_LONGEST = 10_000  # bytes of a header, as in NumPy
_OTHER_METHODS = {12: "bzip2", 14: "lzma", 93: "Zstandard"}
_SMALL = 30  # bytes of a member beside its name and its content


def write(file: BinaryIO, arrays: Arrays, form: str) -> None:
    """Write an archive to an empty file, which must be readable, too."""
    import zipfile

    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, value in arrays.items():
            header = _header(value)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.file_size = len(header) + value.nbytes
            with archive.open(info, "w") as member:
                member.write(header)
                for piece in pieces(value, order="F" if _fortran(value) else "C"):
                    member.write(piece)
        archive.writestr(zipfile.ZipInfo(_TREE), form)
        archive.comment = _MARK + b"0" * DIGEST
    place = file.seek(-DIGEST, os.SEEK_END)
    file.seek(0)
    found = checksum(file, place)
    file.seek(place)
    file.write(found.encode())


def _fortran(value: np.ndarray) -> bool:
    return value.flags.f_contiguous and not value.flags.c_contiguous


def _header(value: np.ndarray) -> bytes:
    header = io.BytesIO()
    described = {"descr": value.dtype.str, "fortran_order": _fortran(value), "shape": value.shape}
    np.lib.format.write_array_header_1_0(header, described)
    return header.getvalue()


def read(file: BinaryIO, limit: float) -> tuple[Arrays, str | None]:
    """The arrays of an archive, and the description of the tree if it is ours.

    What is unpacked takes `limit` bytes at most, and nothing is allocated before it is known to be so.
    """
    import zipfile

    signed = _check_sum(file)
    size = rest(file)
    arrays: Arrays = {}
    form = None
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        _check_members(members, size, limit)
        for info in members:
            name = info.filename
            with archive.open(info) as member:
                if name == _TREE and info.compress_type == zipfile.ZIP_STORED:
                    form = member.read().decode()
                elif name.endswith(".npy"):
                    source = (
                        io.BytesIO(member.read()) if info.file_size <= PIECE else member
                    )  # many small ones: quicker
                    arrays[name.removesuffix(".npy")] = _array(name, source, info.file_size)
                else:
                    raise FileError(f"{name!r} in the archive is no array")
    if form is not None and not signed:
        raise FileError("the checksum is missing")
    return arrays, form


def _check_sum(file: BinaryIO) -> bool:
    """Whether the file has a checksum, which then fits."""
    start, size = file.tell(), rest(file)
    if size < len(_MARK) + DIGEST:
        return False
    file.seek(-len(_MARK) - DIGEST, os.SEEK_END)
    end = exactly(file, len(_MARK) + DIGEST)
    file.seek(start)
    if not end.startswith(_MARK):
        return False
    if checksum(file, size - DIGEST).encode() != end[-DIGEST:]:
        raise FileError("the checksum does not fit")
    file.seek(start)
    return True


def _check_members(members: list[Any], size: int, limit: float) -> None:
    """Refuse what NumPy never writes, and what would be larger than is allowed when it is unpacked."""
    import zipfile

    if any(info.filename.endswith("data.pkl") for info in members):
        raise pickled("this is a file of torch.save, which holds a pickle")
    names = set()
    for info in members:
        if info.filename in names:
            raise twice(info.filename)
        names.add(info.filename)
        if info.flag_bits & 1:
            raise FileError(f"{info.filename!r} is encrypted: unpack the archive and pack it again without a password")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            method = _OTHER_METHODS.get(info.compress_type, f"method {info.compress_type}")
            raise FileError(
                f"{info.filename!r} is compressed by {method}, and only what NumPy writes is read, which is stored or "
                "deflated: unpack the archive and pack it again"
            )
        if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
            raise FileError(f"{info.filename!r} is stored, and has two sizes")
    if sum(info.compress_size + _SMALL + len(info.filename) for info in members) > size:
        raise FileError("its members lie one over another")
    total = sum(info.file_size for info in members)
    if total > limit:
        raise too_large(total, size, limit)


# An item of a header, which is the text of a Python dict, in which spaces mean nothing
_ITEM = r"'descr':'(?P<descr>[^']*)'|'fortran_order':(?P<fortran>True|False)|'shape':\((?P<shape>[\dL,]*)\)"
_HEADER = rf"\{{(?:(?:{_ITEM}),?){{3}}\}}"
_NUMBERS = r"[<>|=]?(?:[biufc]\d{1,2}|\?)"


def _array(name: str, member: Any, size: int) -> np.ndarray:
    """An array, for which there must be exactly as many bytes as it takes."""
    start = member.read(8)
    if start[:1] == b"\x80":
        raise in_pickle(name)
    if start[:6] != _MAGIC or start[6:] not in (b"\x01\x00", b"\x02\x00", b"\x03\x00"):
        raise FileError(f"{name!r} is no array")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(member.read(width), "little")
    if length > _LONGEST:
        raise FileError(f"the header of {name!r} has {length} bytes")
    dtype, shape, fortran = _described(name, member.read(length).decode("latin1"))
    if math.prod(shape) * dtype.itemsize != size - len(start) - width - length:
        raise FileError(f"{name!r} is said to have shape {shape}, for which there is not enough in the file, or more")
    value = fill(np.empty(math.prod(shape), dtype), member.read)
    return value.reshape(shape[::-1]).T if fortran else value.reshape(shape)


def _described(name: str, header: str) -> tuple[np.dtype[Any], tuple[int, ...], bool]:
    found = re.fullmatch(_HEADER, "".join(header.split()).replace('"', "'"))
    descr, fortran, dimensions = found.group("descr", "fortran", "shape") if found else (None, None, None)
    if descr is None or fortran is None or dimensions is None:
        raise FileError(f"the header of {name!r} describes no array that is made of numbers: {header[:80]!r}")
    if descr.lstrip("|") == "O":
        raise in_pickle(name)
    if not re.fullmatch(_NUMBERS, descr):
        raise FileError(f"Tensors are made of numbers, and {name!r} has dtype {descr!r}: convert it before it is saved")
    shape = tuple(int(length.removesuffix("L")) for length in dimensions.split(",") if length)
    if len(shape) > _AXES:
        raise FileError(f"{name!r} has {len(shape)} axes, and NumPy's arrays have {_AXES} at most")
    return np.dtype(descr), shape, fortran == "True"
