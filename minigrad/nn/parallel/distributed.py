"""Data-parallel training: each rank has the model and a part of each batch, and gradients are averaged."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from minigrad import autograd, random
from minigrad.core import Node, interpreter, no_grad
from minigrad.distributed.collectives import broadcast
from minigrad.distributed.group import ACTIVE, JOINED, Group, current
from minigrad.errors.distributed import (
    create_graph_in_parallel,
    joined_in_a_program,
    not_a_power_of_two,
    not_averaged,
    nothing_to_train,
    warn_of_equal_draws,
    without_gradients,
)
from minigrad.nn.dropout import Dropout
from minigrad.nn.module import Module, Parameter
from minigrad.nn.parallel.averaging import Tree, averaged, in_parts
from minigrad.options import real_number


class DistributedDataParallel(Module):
    """A module whose gradients are averaged over all ranks at the end of each `backward`.

    At the start rank 0's parameters and buffers go to all.  A loss that is a mean over the samples of a rank has then,
    with equally many samples on each, the gradient of the mean over all samples of all ranks.

    Parameters
    ----------
    module : Module
        The same on all ranks.
    broadcast_buffers : bool
        Whether rank 0's buffers, such as the statistics of batch normalization, go to all before each call in training.
    bucket_cap_mb : float
        How many megabytes (2**20 bytes) go in one message.
    find_unused_parameters : bool
        Whether a parameter may have no gradient on some ranks: it counts as 0 there.
    deterministic : bool
        Add gradients in a tree over all micro-batches, so that 1, 2 and 4 ranks give the same bits for the same
        micro-batches.  Each rank does equally many of them, 1, 2, 4, ..., all but the last within `no_sync`, the first
        rank the first ones.  Their losses are divided by how many there are on a rank.

    Attributes
    ----------
    module : Module
        The module that was given.  Its `state_dict` has no names with ``module.`` in front.

    Raises
    ------
    DistributedError
        If there is no process group; if parameters differ in names, order, shape or dtype from rank to rank; in
        `backward`, if a rank has left, or has gradients of other parameters.
    UnsupportedError
        From ``backward(create_graph=True)``.
    ArgumentError
        If nothing requires grad.

    Warns
    -----
    UserWarning
        If dropout draws the same numbers on all ranks: see `minigrad.distributed.manual_seed`.

    Notes
    -----
    Gradients are complete when `backward` returns: clip them after it.  Each step sends one small header, which tells
    whether all ranks do the same, and then all gradients, one row for each dtype.  PyTorch's names and meanings: S. Li
    et al., "PyTorch Distributed: Experiences on Accelerating Data Parallel Training", VLDB 2020.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.distributed.init_process_group()
    >>> model = mg.nn.parallel.DistributedDataParallel(mg.nn.Linear(2, 1))
    >>> (model(np.ones((4, 2))) ** 2).mean().backward()
    >>> model.module.weight.grad.shape
    (1, 2)
    >>> mg.distributed.destroy_process_group()
    """

    def __init__(
        self,
        module: Module,
        *,
        broadcast_buffers: bool = True,
        bucket_cap_mb: float = 25.0,
        find_unused_parameters: bool = False,
        deterministic: bool = False,
    ) -> None:
        super().__init__()
        group = current("DistributedDataParallel")
        size = int(real_number(bucket_cap_mb, "DistributedDataParallel: bucket_cap_mb", above=0) * 2**20)
        if deterministic and group.size & (group.size - 1):
            raise not_a_power_of_two("ranks", group.size)
        self.module = module
        self.broadcast_buffers, self.find_unused_parameters = broadcast_buffers, find_unused_parameters
        self._group, self._tree = group, Tree() if deterministic else None
        trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        if not trained:
            raise nothing_to_train()
        if wrong := [name for name, p in trained if p.dtype == np.float16]:
            raise not_averaged(wrong)
        self._trained = tuple(trained)
        reduce = group.reduce_in_tree if deterministic else partial(group.reduce, op="sum")
        self._send = in_parts(reduce, size)
        self._syncs, self._joins, self._checked = True, False, False
        self._last_active = 0
        state = dict(module.state_dict())
        group.header("make a model of " + ", ".join(f"{k} {x.dtype} {x.shape}" for k, x in state.items()))
        self._what = "average gradients of " + ", ".join(f"{k} {p.dtype} {p.shape}" for k, p in trained)
        self._send_state(0)
        autograd.after_backward(self._backward_done)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module returns."""
        if self.training and self._group.size > 1:
            if not self._checked:
                self._check_dropout()
            if self.broadcast_buffers and self._syncs and not self._joins:
                self._send_buffers()
        return self.module(*args, **kwargs)

    @contextmanager
    def no_sync(self) -> Iterator[None]:
        """Let gradients of the block add up on each rank: they are averaged at the end of the next `backward` after it.

        Examples
        --------
        >>> import numpy as np
        >>> import minigrad as mg
        >>> mg.distributed.init_process_group()
        >>> model = mg.nn.parallel.DistributedDataParallel(mg.nn.Linear(2, 1))
        >>> with model.no_sync():
        ...     model(np.ones((4, 2))).mean().backward()
        >>> model(np.zeros((4, 2))).mean().backward()
        >>> mg.distributed.destroy_process_group()
        """
        before, self._syncs = self._syncs, False
        try:
            yield
        finally:
            self._syncs = before

    @contextmanager
    def join(self) -> Iterator[None]:
        """Let ranks train on differently many batches: one that is through fills in with zeros until all are.

        The averages stay those over all ranks.  At the end all have the parameters and buffers of a rank that was
        through last; states of optimizers stay as they are.

        Examples
        --------
        >>> import minigrad as mg
        >>> mg.distributed.init_process_group()
        >>> model = mg.nn.parallel.DistributedDataParallel(mg.nn.Linear(2, 1))
        >>> with model.join():
        ...     pass  # a loop over batches
        >>> mg.distributed.destroy_process_group()
        """
        self._joins = True
        try:
            yield
            if self._group.size > 1:
                while self._filled_in():
                    pass
                self._send_state(self._last_active)
        finally:
            self._joins = False

    def _filled_in(self) -> bool:
        """Take part in one step of those who still train; whether there was anybody."""
        group = self._group
        heard = group.header(self._what, JOINED, joinable=True)
        if not (heard[:, 1] == ACTIVE).any():
            return False
        self._note_active(heard)
        group.advance()
        has = self._united(np.zeros(len(self._trained), np.uint8))
        for parameters in self._by_dtype(has).values():
            averaged([np.zeros(p.shape, p.dtype) for p in parameters], group, self._send, _nothing)
        return True

    def _note_active(self, heard: np.ndarray) -> None:
        self._last_active = int(np.flatnonzero(heard[:, 1] == ACTIVE)[0])

    # Gradients

    def _backward_done(self, found: "dict[Node, Any]", create_graph: bool) -> None:
        """At the end of a backward pass: if it was one through this module, average."""
        parameters = self._parameters_trained()
        if not any(p.node in found for p in parameters):
            return
        if create_graph:
            raise create_graph_in_parallel()
        if self._tree is not None:
            self._tree.add([None if p.grad is None else p.grad for p in parameters])
            for p in parameters:
                p.grad = None
        if self._syncs:
            self._average()

    def _average(self) -> None:
        group = self._group
        if self._tree is not None:
            count, sums = self._tree.total()
            if count & (count - 1):
                raise not_a_power_of_two("micro-batches on each rank", count)
            for p, g in zip(self._parameters_trained(), sums, strict=True):
                p.grad = g
        has = np.array([p.grad is not None for p in self._parameters_trained()], np.uint8)
        announce: Callable[[], object] = _nothing
        if interpreter() is None:
            has = self._announced(has)
        elif self._joins:
            raise joined_in_a_program()
        else:
            has = self._united(has) if self.find_unused_parameters else has
            announce = partial(self._announced, has)
        with no_grad():
            for parameters in self._by_dtype(has).values():
                gradients = [np.zeros(p.shape, p.dtype) if p.grad is None else p.grad for p in parameters]
                found = averaged(gradients, group, self._send, announce)
                for p, g in zip(parameters, found, strict=True):
                    p.grad = g
                announce = _nothing  # once for all dtypes

    def _announced(self, has: np.ndarray) -> np.ndarray:
        """Agree on a step; which parameters have a gradient on any rank."""
        group = self._group
        heard = group.header(self._what, ACTIVE, more=_checksum(has), joinable=self._joins)
        self._note_active(heard)
        if self.find_unused_parameters or self._joins:
            has = self._united(has)
        elif (heard[:, 2] != heard[0, 2]).any():
            self._raise_of_others(has)
        group.advance()
        return has

    def _united(self, has: np.ndarray) -> np.ndarray:
        has = has.copy()
        self._group.reduce(has, "max")
        return has

    def _raise_of_others(self, has: np.ndarray) -> None:
        table = self._group.gather(has)
        names = [name for name, _ in self._trained]
        lacking = {
            rank: [names[i] for i in np.flatnonzero(~row.astype(bool) & table.any(axis=0))]
            for rank, row in enumerate(table)
        }
        raise without_gradients({rank: some for rank, some in lacking.items() if some}, self._group.step)

    def _parameters_trained(self) -> list[Parameter]:
        return [p for _, p in self._trained]

    def _by_dtype(self, has: np.ndarray) -> dict[Any, list[Parameter]]:
        """The parameters with a gradient, by their dtypes."""
        found: dict[Any, list[Parameter]] = {}
        for p, there in zip(self._parameters_trained(), has, strict=True):
            if there:
                found.setdefault(p.dtype, []).append(p)
        return found

    # Parameters, buffers and random numbers

    def _send_state(self, src: int) -> None:
        _send_all([*self.module.parameters(), *self.module.buffers()], self._group, src)

    def _send_buffers(self) -> None:
        for buffer in self.module.buffers():
            with no_grad():
                broadcast(buffer, 0)

    def _check_dropout(self) -> None:
        """Warn once if dropout is the same on all ranks."""
        self._checked = True
        if any(isinstance(m, Dropout) and m.p > 0 for m in self.module.modules()):
            state = repr(random.generator().bit_generator.state)
            heard = self._group.header("look at the random numbers", more=_checksum(state.encode()))
            if (heard[:, 2] == heard[0, 2]).all() and self._group.rank == 0:
                warn_of_equal_draws()


def _nothing() -> None:
    """What is to be said when all has been said."""


def _checksum(data: Any) -> int:
    return zlib.crc32(bytes(data))


def _send_all(tensors: list[Any], group: Group, src: int) -> None:
    """Put one rank's values into the Tensors of all, in one row for each dtype."""
    if group.size == 1:
        return
    by_dtype: dict[Any, list[Any]] = {}
    for x in tensors:
        by_dtype.setdefault(x.dtype, []).append(x)
    for some in by_dtype.values():
        row = np.concatenate([np.reshape(x.array, -1) for x in some])
        group.broadcast(row, src)
        start = 0
        for x in some:
            _put(x, row[start : start + x.array.size])
            start += x.array.size


def _put(x: Any, values: np.ndarray) -> None:
    new = values.reshape(x.shape)
    if isinstance(x, Parameter):
        x.data = new
    else:
        with no_grad():
            x[...] = new
