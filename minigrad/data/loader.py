"""DataLoader: goes through a data set in batches, and can have them prepared by workers."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import islice, repeat
from typing import Any, ClassVar, Literal

import numpy as np

from minigrad import random
from minigrad.data.collate import default_collate, default_convert
from minigrad.data.dataset import IterableDataset
from minigrad.data.sampler import (
    BatchSampler,
    RandomOrder,
    RandomSampler,
    SequentialSampler,
    draw_seed,
    is_number,
    restore,
)
from minigrad.data.worker import (
    IN_ORDER,
    End,
    Fetcher,
    Job,
    ProcessWorker,
    ThreadWorker,
    Worker,
    WorkerInfo,
    ends_loops,
)
from minigrad.errors import ArgumentError, StateDictError
from minigrad.errors.files import no_data_set, stopped
from minigrad.options import one_of, real_number, whole_number


class DataLoader:
    """Batches of a data set.

    Parameters
    ----------
    dataset : Dataset or IterableDataset
        Or anything with ``__getitem__`` and ``__len__``.
    batch_size : int or None
        None for single samples instead of batches.
    shuffle : bool, optional
        Whether the samples come in a new random order in each epoch.
    sampler : iterable of int, optional
        In which order the samples come, instead.
    batch_sampler : iterable of list of int, optional
        Which samples make each batch, instead.
    num_workers : int
        How many workers prepare batches ahead; with 0 each is made when it is wanted.
    collate_fn : callable, optional
        Makes a batch of a list of samples; by default `default_collate`.
    pin_memory : bool
        Accepted for PyTorch's sake; without a GPU it has no effect there either.
    drop_last : bool
        Whether to leave out the last batch if it is smaller than the others.
    timeout : float
        How many seconds to wait for a worker; 0 for ever.
    worker_init_fn : callable, optional
        Called in each worker with its number.
    multiprocessing_context : str or context, optional
        How processes are started, as in `multiprocessing.get_context`.
    generator : numpy.random.Generator, optional
        For the random order; by default the package's.
    prefetch_factor : int
        How many batches each worker prepares ahead.
    persistent_workers, in_order : bool
        Accepted for PyTorch's sake: workers start anew in each epoch, and batches always come in order.
    workers : {"threads", "processes"}
        Threads start at once and share memory; they help where samples come from disk or out of NumPy. Processes help
        where they are made in Python; data set and batches must be picklable.

    Raises
    ------
    ArgumentError
        If options do not go together.
    WorkerError
        While going through it: if a worker dies, or does not answer in time, or if StopIteration comes out of the data
        set, which Python would take for the end of the loop.  Other exceptions of a data set keep their type.

    Notes
    -----
    Random numbers that a data set takes from the package's generator (`minigrad.random.generator`) are seeded for each
    batch, so that batches are the same with any number and kind of workers.  The global generators of NumPy
    (``np.random``) and of Python (``random``) are seeded in each process and epoch, from `generator`, before
    `worker_init_fn` is called, so that they are the same again with the same number of processes.  Threads share them
    with the program, and draw in whatever order they come.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> data = mg.data.TensorDataset(np.arange(5.0), np.arange(5))
    >>> for x, label in mg.data.DataLoader(data, batch_size=2):
    ...     print(x, label)
    tensor([0., 1.]) tensor([0, 1])
    tensor([2., 3.]) tensor([2, 3])
    tensor([4.]) tensor([4])
    """

    is_of_one_rank: ClassVar[bool] = True  # in a checkpoint each rank has its own

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], Any] | None = None,
        multiprocessing_context: Any = None,
        generator: "np.random.Generator | None" = None,
        *,
        prefetch_factor: int = 2,
        persistent_workers: bool = False,
        in_order: bool = True,
        workers: Literal["threads", "processes"] = "threads",
    ) -> None:
        whole_number(num_workers, "DataLoader: num_workers", least=0)
        whole_number(prefetch_factor, "DataLoader: prefetch_factor")
        real_number(timeout, "DataLoader: timeout", least=0)
        if batch_size is not None:
            whole_number(batch_size, "DataLoader: batch_size")
        one_of(workers, "DataLoader: workers", ("threads", "processes"))
        if sampler is not None and shuffle:
            raise ArgumentError("DataLoader: a sampler says in which order samples come: give no shuffle with it")
        if batch_sampler is not None and (batch_size != 1 or shuffle or sampler is not None or drop_last):
            raise ArgumentError(
                "DataLoader: a batch_sampler says which samples make a batch: give no batch_size, shuffle, sampler or "
                "drop_last with it"
            )
        if batch_size is None and drop_last:
            raise ArgumentError("DataLoader: without batches there is no last one to drop")
        iterable = isinstance(dataset, IterableDataset)
        if iterable and (shuffle or sampler is not None or batch_sampler is not None):
            raise ArgumentError("DataLoader: the samples of an IterableDataset come in their own order")
        if not iterable:
            counted = sampler is None and batch_sampler is None
            for method in ("__getitem__", "__len__")[: 1 + counted]:
                if not hasattr(dataset, method):
                    raise no_data_set(dataset, method)
        self.dataset, self.num_workers, self.timeout, self.workers = dataset, num_workers, timeout, workers
        self.drop_last, self.worker_init_fn, self.prefetch_factor = drop_last, worker_init_fn, prefetch_factor
        self.generator, self.multiprocessing_context = generator, multiprocessing_context
        self.collate_fn = collate_fn
        self.sampler: Any = None
        if not iterable:
            order = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
            self.sampler = order if sampler is None else sampler
        self.batch_sampler: Any = batch_sampler
        if batch_sampler is None and batch_size is not None and not iterable:
            self.batch_sampler = BatchSampler(self.sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self._seed: int | None = None  # of the running epoch
        self._position = 0  # how many batches of it were given out
        self._continues = False
        self._running: object = None  # stands for the iterator that seed and position are of: the last
        self._before: Any = None  # the state of a sampler that is not ours, before that

    def __len__(self) -> int:
        """How many batches there are in an epoch."""
        if isinstance(self.dataset, IterableDataset):
            count = len(self.dataset)  # type: ignore[arg-type]  # TypeError, as it should, if it has no length
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(count // -self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)

    # An epoch

    def __iter__(self) -> Iterator[Any]:
        skipped = self._position if self._continues else 0
        if not self._continues or self._seed is None:
            self._seed = draw_seed(self.generator)
        self._continues, self._position, self._running = False, skipped, object()
        convert = self.collate_fn or default_convert
        batched = self.batch_size is not None
        iterable = isinstance(self.dataset, IterableDataset)  # which is gone through from its start again
        first = 0 if iterable else skipped
        collate = self.collate_fn or default_collate
        job = Job(self.dataset, collate, convert, self.batch_size, self.drop_last, self._seed, first)
        requests = repeat(None) if iterable else self._order(self.batch_sampler if batched else self.sampler)
        numbered = islice(enumerate(requests), first, None)
        batches = self._parallel(job, numbered) if self.num_workers else self._serial(job, numbered)
        return self._counted(islice(batches, skipped, None) if iterable else batches, self._running)

    def _order(self, sampler: Iterable[Any]) -> Iterator[Any]:
        """What a sampler gives; what it draws for that does not depend on when it is asked."""
        assert self._seed is not None
        draw, stateful = np.random.default_rng((self._seed, *IN_ORDER)), self._stateful()
        self._before = None if stateful is None else stateful.state_dict()
        with nullcontext() if isinstance(stateful, RandomOrder) else random.using(draw):
            order = iter(sampler)

        def rest() -> Iterator[Any]:
            while True:
                with random.using(draw):
                    request = next(order, End)
                if request is End:
                    return
                yield request

        return rest()

    def _counted(self, batches: Iterator[Any], this: object) -> Iterator[Any]:
        for batch in batches:
            if self._running is this:
                self._position += 1
            yield batch
        if self._running is this:
            self._seed, self._position = None, 0

    def _serial(self, job: Job, requests: Iterator[tuple[int, Any]]) -> Iterator[Any]:
        fetcher: Fetcher | None = None
        for number, indices in requests:
            try:
                fetcher = fetcher or Fetcher(job)
                batch = fetcher(number, indices)
            except (StopIteration, RuntimeError) as error:
                if ends_loops(error):
                    raise stopped(job.dataset, None) from error
                raise
            if batch is End:
                return
            yield batch

    def _parallel(self, job: Job, requests: Iterator[tuple[int, Any]]) -> Iterator[Any]:
        """Batches in order: every worker is asked in turn, and asked again as soon as it has answered."""
        context, kind = None, ThreadWorker
        if self.workers == "processes":
            import multiprocessing  # only where it is wanted: it takes milliseconds

            given = self.multiprocessing_context
            context = multiprocessing.get_context(given) if given is None or isinstance(given, str) else given
            kind = ProcessWorker  # type: ignore[assignment]
        team: list[Worker] = []
        try:
            for i in range(self.num_workers):
                info = WorkerInfo(i, self.num_workers, job.seed + i, job.dataset)
                team.append(kind(info, job, self.worker_init_fn, context))
            asked: deque[Worker] = deque()
            for worker in team * self.prefetch_factor:
                _ask(worker, requests, asked)
            ended: set[int] = set()
            while asked:
                worker = asked.popleft()
                batch = worker.answer(self.timeout)
                if batch is End:
                    ended.add(id(worker))
                    continue
                if id(worker) not in ended:
                    _ask(worker, requests, asked)
                yield batch
        finally:
            for worker in team:
                worker.stop()

    # Resuming

    def _stateful(self) -> Any:
        """The sampler that has a state of its own, if there is one."""
        samplers = self.batch_sampler, getattr(self.batch_sampler, "sampler", None), self.sampler
        return next((sampler for sampler in samplers if hasattr(sampler, "load_state_dict")), None)

    def state_dict(self) -> dict[str, Any]:
        """Where the loader is: in the middle of an epoch, from which it can go on, or between two.

        If several iterators are under way, the state is that of the last.  Random numbers that are drawn later come
        from the generator, whose state is included if it is the loader's own; that of the package's is
        `minigrad.random.get_state`.
        """
        state: dict[str, Any] = {"seed": self._seed, "position": self._position, "sampler": None, "generator": None}
        sampler, within = self._stateful(), self._seed is not None
        if isinstance(sampler, RandomOrder):
            state["sampler"] = sampler.state_dict() if within else {**sampler.state_dict(), "seed": None}
        elif sampler is not None:
            state["sampler"] = self._before if within else sampler.state_dict()
        if self.generator is not None:
            state["generator"] = dict(self.generator.bit_generator.state)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next epoch be the rest of the one that was running when `state_dict` gave this.

        Raises
        ------
        StateDictError
            If it is the state of something else; nothing has been changed then.
        """
        missing = [key for key in ("seed", "position", "sampler", "generator") if key not in state_dict]
        if missing:
            raise StateDictError(f"the state_dict does not fit a DataLoader: {', '.join(missing)} missing")
        seed, position, sampler = state_dict["seed"], state_dict["position"], self._stateful()
        if not (seed is None or is_number(seed)) or not is_number(position):
            raise StateDictError(f"the state_dict does not fit a DataLoader: seed {seed!r}, position {position!r}")
        before = None if self.generator is None else self.generator.bit_generator.state
        restore(self.generator, state_dict["generator"])
        try:
            if sampler is not None and state_dict["sampler"] is not None:
                sampler.load_state_dict(state_dict["sampler"])
        except Exception:
            restore(self.generator, before)
            raise
        self._seed, self._position, self._before = seed, position, state_dict["sampler"]
        self._continues, self._running = seed is not None, None


def _ask(worker: Worker, requests: Iterator[tuple[int, Any]], asked: "deque[Worker]") -> None:
    request = next(requests, None)
    if request is not None:
        worker.request(*request)
        asked.append(worker)
