"""How a rank ends: by itself only if all others do, and otherwise with all of them."""

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from minigrad.distributed import witness

if TYPE_CHECKING:
    from minigrad.distributed.group import Group

# Often all ranks raise the same, and one message is enough.  Rank 0 has this time to be the first, in seconds; and who
# was the first has that time to end the others.
_FIRST, _ENOUGH = 0.5, 1.0


class Ending:
    """What a rank of several leaves in order: what is done with exceptions, at the exit, and by its witness."""

    def __init__(self, group: "Group") -> None:
        self.group = group
        self._path = group.gather_objects(os.path.join(tempfile.gettempdir(), f"minigrad-ranks-{uuid4().hex}"))[0]
        name = f"rank {group.rank} of {group.size}"
        self._witness = subprocess.Popen(
            [sys.executable, "-S", "-E", witness.__file__, name, self._path],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        assert self._witness.stdin is not None
        self._pipe = self._witness.stdin.fileno()
        os.set_blocking(self._pipe, False)
        self._before: Callable[..., Any] = sys.excepthook
        sys.excepthook = self._ends_all
        atexit.register(self._leave)  # which comes before MPI's own end, in which ranks wait for each other

    def at_step(self, step: int) -> None:
        """Note how far the rank is."""
        self._tell(b"%d " % step)

    def cancel(self) -> None:
        """Let this process end as any other."""
        sys.excepthook = self._before
        atexit.unregister(self._leave)
        self._tell(b" " + witness.DONE)

    def _tell(self, text: bytes) -> None:
        with contextlib.suppress(OSError):  # it is no reason to stop if nobody listens
            os.write(self._pipe, text)

    def _leave(self) -> None:
        self.group.leave()
        self._tell(b" " + witness.DONE)

    def _ends_all(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if self.group.rank > 0:
            time.sleep(_FIRST)
        if not witness.first(self._path):  # which also keeps witnesses from speaking of those who are ended now
            time.sleep(_ENOUGH)
        self._tell(b" " + witness.SAID)
        self._before(kind, error, traceback)
        where = f"rank {self.group.rank} of {self.group.size}, step {self.group.step}"
        print(f"{where}: {kind.__name__} ends all ranks", file=sys.stderr, flush=True)
        sys.stdout.flush()
        self.group.abort()
