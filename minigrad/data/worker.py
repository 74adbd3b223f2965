"""Workers that prepare batches beside the main thread: threads, or processes."""

import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, NamedTuple, Protocol

import numpy as np

from minigrad import random
from minigrad.data.dataset import IterableDataset, fetch
from minigrad.errors import WorkerError
from minigrad.errors.files import stopped, worker_died, worker_late
from minigrad.nn.module import Parameter
from minigrad.tensor import Tensor


class WorkerInfo(NamedTuple):
    """Which worker this is: its number, how many there are, a seed of its own in this epoch, and the data set."""

    id: int
    num_workers: int
    seed: int
    dataset: Any


class _Here(threading.local):
    info: WorkerInfo | None = None


_here = _Here()


def get_worker_info() -> WorkerInfo | None:
    """Which worker is asking; None outside of workers.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.data.get_worker_info() is None
    True
    """
    return _here.info


class End:
    """What a worker answers when its data set has no more samples."""


class Job(NamedTuple):
    """What a loader does with a data set: everything that a worker needs to know.

    Attributes
    ----------
    dataset : Dataset or IterableDataset
    collate : callable
    convert : callable
        What is done to single samples, if there are no batches.
    batch_size : int or None
        Of an IterableDataset; None for single samples.
    drop_last : bool
    seed : int
        Of the epoch.
    first : int
        The number of the first batch that is made, if the epoch is resumed.
    """

    dataset: Any
    collate: Callable[[list[Any]], Any]
    convert: Callable[[Any], Any]
    batch_size: int | None
    drop_last: bool
    seed: int
    first: int = 0


# After the seed of an epoch come the numbers of batches, and, for what is drawn at other times, two numbers.
AT_START, IN_ORDER, IN_WORKER = (0, 1), (0, 2), (0, 3)


def ends_loops(error: BaseException) -> bool:
    """Whether Python would take an exception for the end of the loop over the batches, or did so in a generator."""
    return isinstance(error, StopIteration) or isinstance(error.__cause__, StopIteration)


class Fetcher:
    """Makes batches of a data set.

    Random numbers from the package's generator are those of a generator that is seeded for each batch by its number, so
    that they do not depend on how many workers there are.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.iterator = None
        if isinstance(job.dataset, IterableDataset):
            with random.using(np.random.default_rng((job.seed, *AT_START))):
                self.iterator = iter(job.dataset)

    def __call__(self, number: int, indices: Any) -> Any:
        """The batch with this number, of the samples with these numbers; or `End`."""
        job = self.job
        with random.using(np.random.default_rng((job.seed, number))):
            if self.iterator is None:
                if job.batch_size is None:
                    return job.convert(job.dataset[indices])
                return fetch(job.dataset, indices, job.collate)
            if job.batch_size is None:
                return next((job.convert(sample) for sample in self.iterator), End)
            samples = list(islice(self.iterator, job.batch_size))
            if not samples or (job.drop_last and len(samples) < job.batch_size):
                return End
            return job.collate(samples)


def run(info: WorkerInfo, job: Job, init: Callable[[int], Any] | None, receive: Any, send: Any) -> None:
    """What a worker does: answer requests until None comes."""
    _here.info = info
    fetcher: Any = None
    answer: tuple[Any, tuple[BaseException, str] | None]
    while (request := receive()) is not None:
        try:
            if fetcher is None:
                if init is not None:
                    init(info.id)
                fetcher = Fetcher(job)
            answer = fetcher(*request), None
        except BaseException as error:  # sys.exit(), too, which would end a thread without a word
            import traceback  # only here: it takes milliseconds

            problem = stopped(job.dataset, info.id) if ends_loops(error) else error
            answer = None, (problem, traceback.format_exc())
        send(answer)


class Worker(Protocol):
    """What a loader wants of a worker: answers come in the order of requests."""

    def request(self, number: int, indices: Any) -> None:
        """Ask for a batch."""

    def answer(self, timeout: float) -> Any:
        """Wait for the next batch."""

    def stop(self) -> None:
        """Let the worker end."""


def unpack(answer: Any, who: str) -> Any:
    """The batch of an answer; an exception of the worker is raised here, with its traceback as a note."""
    batch, problem = answer
    if problem is not None:
        error, trace = problem
        if isinstance(error, str):  # it could not be sent
            error = WorkerError(error)
        error.add_note(f"in {who}:\n{trace}")
        raise error
    return batch


class ThreadWorker:
    """A worker that is a thread: quick to start, and sees the data set itself; for work that releases Python's lock."""

    def __init__(self, info: WorkerInfo, job: Job, init: Callable[[int], Any] | None, context: Any = None) -> None:
        self.name = f"worker {info.id} (a thread)"
        self.requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        arguments = info, job, init, self.requests.get, self.answers.put
        self.thread = threading.Thread(target=run, args=arguments, name=self.name, daemon=True)
        self.thread.start()

    def request(self, number: int, indices: Any) -> None:
        """Ask for a batch."""
        self.requests.put((number, indices))

    def answer(self, timeout: float) -> Any:
        """Wait for the next batch."""
        try:
            return unpack(self.answers.get(timeout=timeout or None), self.name)
        except queue.Empty:
            raise worker_late(self.name, timeout) from None

    def stop(self) -> None:
        """Let the thread end after the batch that it is at; those that are asked for are dropped."""
        with suppress(queue.Empty):
            while True:
                self.requests.get_nowait()
        self.requests.put(None)


def _seed_global_generators(entropy: tuple[int, ...]) -> None:
    """Let NumPy's and Python's global generators draw anew: all workers have begun as copies of one process."""
    import random as python_random  # here, and not at the top, as it takes milliseconds

    words = np.random.SeedSequence(entropy).generate_state(8)
    np.random.seed(words[:4])  # noqa: NPY002  # it is the old generator that data sets of other libraries use
    python_random.seed(words[4:].tobytes())


def _by_value(x: Tensor) -> Any:
    """How a Tensor goes to the main process: a result, whose history stays here, as a constant."""
    return (x if x.is_leaf else x.detach()).__reduce__()


def _process(info: WorkerInfo, job: Job, init: Callable[[int], Any] | None, connection: Any) -> None:
    import multiprocessing
    import pickle
    from multiprocessing.connection import wait
    from multiprocessing.reduction import ForkingPickler

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the main one ends the others
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    for kind in (Tensor, Parameter):
        ForkingPickler.register(kind, _by_value)
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    parent = multiprocessing.parent_process()
    assert parent is not None

    def read() -> None:
        """Read requests at once, so that the main process never waits with one while this one waits with a batch."""
        with suppress(EOFError, OSError):
            # If the main process is gone, the pipe need not show it: other workers may hold its end too.
            while connection in wait([connection, parent.sentinel]):
                requests.put(connection.recv())
        os._exit(1)  # whatever is being made, nobody wants it any more

    def send(answer: Any) -> None:
        try:
            if answer[1] is not None:
                pickle.loads(pickle.dumps(answer[1]))  # some exceptions cannot be made again of what they are stored as
            content = ForkingPickler.dumps(answer)
        except Exception as error:
            what = "batch" if answer[1] is None else f"exception {type(answer[1][0]).__name__}"
            trace = "" if answer[1] is None else answer[1][1]
            text = f"the {what} of a worker cannot be sent to the main process: {type(error).__name__}: {error}"
            content = ForkingPickler.dumps((None, (text, trace)))
        connection.send_bytes(content)

    threading.Thread(target=read, daemon=True).start()
    _seed_global_generators((job.seed, *IN_WORKER, info.id, job.first))
    with suppress(BrokenPipeError, ConnectionResetError):
        run(info, job, init, requests.get, send)


@contextmanager
def _undisturbed(method: str) -> Iterator[None]:
    """Let a process start with Ctrl-C blocked, until it has said that it ignores it."""
    if not hasattr(signal, "pthread_sigmask") or method == "forkserver":  # a server is not ours to change
        yield
        return
    if method == "spawn":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # it would be started now, and lift the block
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class ProcessWorker:
    """A worker that is a process: for work in Python itself; samples are copied to the main process."""

    def __init__(self, info: WorkerInfo, job: Job, init: Callable[[int], Any] | None, context: Any) -> None:
        self.name = f"worker {info.id} (a process)"
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_process, args=(info, job, init, theirs), name=self.name, daemon=True)
        with _undisturbed(context.get_start_method()):
            self.process.start()
        theirs.close()
        self.owner = os.getpid()

    def request(self, number: int, indices: Any) -> None:
        """Ask for a batch."""
        with suppress(OSError):  # if it has died, that is said when its answer is wanted, after those it has given
            self.connection.send((number, indices))

    def answer(self, timeout: float) -> Any:
        """Wait for the next batch."""
        from multiprocessing.connection import wait
        from multiprocessing.reduction import ForkingPickler

        ready = wait([self.connection, self.process.sentinel], timeout or None)
        if not ready:
            raise worker_late(self.name, timeout)
        content = None
        with suppress(EOFError, OSError):  # it may have died in the middle of an answer
            content = self.connection.recv_bytes() if self.connection.poll() else None
        if content is None:
            raise self._died()
        return unpack(ForkingPickler.loads(content), self.name)

    def _died(self) -> WorkerError:
        self.process.join(1)
        return worker_died(self.name, self.process.exitcode)

    def stop(self) -> None:
        """End the process at once."""
        if os.getpid() != self.owner:  # a copy, in a process that was forked since
            return
        self.connection.close()
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.process.close()
