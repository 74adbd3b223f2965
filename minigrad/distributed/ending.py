"""How a rank ends: by itself only if all others do, and otherwise with all of them."""

import atexit
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.distributed.group import Group

# Often all ranks raise the same.  Rank 0 has this time to say it, and to end the others before they do.
_FIRST = 0.5

_before: Callable[..., Any] | None = None


def end_together(group: "Group") -> None:
    """Let an exception that nobody catches end all ranks, and let the others know when the program is over."""
    global _before
    _before = sys.excepthook

    def ends_all(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if group.rank > 0:
            time.sleep(_FIRST)
        assert _before is not None
        _before(kind, error, traceback)
        where = f"rank {group.rank} of {group.size}, step {group.step}"
        print(f"{where}: {kind.__name__} ends all ranks", file=sys.stderr, flush=True)
        sys.stdout.flush()
        group.abort()

    sys.excepthook = ends_all
    atexit.register(group.leave)  # which comes before MPI's own end, in which ranks wait for each other


def end_with_all(group: "Group") -> None:
    """Let this process end as any other."""
    global _before
    if _before is not None:
        sys.excepthook, _before = _before, None
        atexit.unregister(group.leave)
