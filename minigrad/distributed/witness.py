"""A process of its own that says so when a rank is killed: the rank itself cannot, and the others are ended at once.

It is run as a script, with a name for the rank and the path of a file, and is told the step on its standard input.  Of
all witnesses the first one that makes the file speaks.  The launcher waits until nobody has the standard error any
more, so what comes after the message is done without.
"""

import contextlib
import os
import sys
import time

DONE, SAID = b"done", b"said"  # in place of a step: the rank ends in order, or has said itself why it does not
_PATIENCE = 1.0  # seconds, after which no other witness can come any more


def main(name: str, path: str) -> None:
    """Read steps until the rank has gone."""
    last = b"0"
    while data := os.read(0, 65536):
        last = data.split()[-1]
    if last == DONE or (last != SAID and not first(path)):
        return
    if last != SAID:
        text = f"{name}, step {last.decode()}: was killed, or has left without a word, and all ranks end\n"
        os.write(2, text.encode())
    os.close(2)
    time.sleep(_PATIENCE)
    with contextlib.suppress(OSError):
        os.unlink(path)


def first(path: str) -> bool:
    """Whether nobody has spoken yet."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL))
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main(*sys.argv[1:])
