"""Training that is killed at any moment goes on from its last checkpoint, and ends as if nothing had happened."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills processes")
SCRIPT = Path(__file__).with_name("training_script.py")


class Run:
    """Runs of the script in one folder."""

    def __init__(self, folder, suffix, kind, steps, megabytes):
        self.folder, self.suffix, self.kind, self.steps, self.megabytes = folder, suffix, kind, steps, megabytes
        self.checkpoint = folder / f"run{suffix}"

    def start(self, every, checkpoint=None, result="result"):
        checkpoint = checkpoint or self.checkpoint
        arguments = (
            checkpoint,
            self.folder.with_name(result + self.suffix),
            self.steps,
            every,
            self.megabytes,
            self.kind,
        )
        command = [sys.executable, str(SCRIPT), *map(str, arguments)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, every, checkpoint=None, result="result"):
        """Let a run end by itself, and give what it has come to."""
        process = self.start(every, checkpoint, result)
        _, complaints = process.communicate(timeout=120)
        assert (process.returncode, complaints) == (0, "")
        return mg.load(self.folder.with_name(result + self.suffix))

    def kill(self, every, saves, delay):
        """Kill a run some time after so many saves: the last step that it told of, or None if it had ended before.

        Without a delay: as soon as the next file is seen that is half written.
        """
        process = self.start(every)
        word, done = process.stdout.readline().split()
        assert word == "started"
        for _ in range(saves):
            line = process.stdout.readline()
            if not line:
                break
            assert line.split()[0] == "saved"
            done = line.split()[1]
        while delay is None and not self.left() and process.poll() is None:
            pass
        time.sleep(delay or 0)
        process.send_signal(signal.SIGKILL)
        done = [done, *process.stdout.read().split()][-1]  # what was saved in the meantime
        _, complaints = process.communicate()
        assert complaints == ""
        return int(done) if process.returncode == -signal.SIGKILL else None

    def left(self):
        """Files that saves have left half written."""
        return [path for path in self.folder.iterdir() if path != self.checkpoint]


@pytest.mark.parametrize(("suffix", "kind"), [(".npz", "OneCycleLR"), (".safetensors", "SequentialLR")])
def test_a_run_that_is_killed_three_times(tmp_path, suffix, kind):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    folder = tmp_path / "run"
    folder.mkdir()
    run = Run(folder, suffix, kind, steps=60, megabytes=1)
    straight = run.finish(0, result="straight")
    assert len(straight["losses"]) == 60
    assert not run.checkpoint.exists()
    rng = np.random.default_rng(0)
    for _ in range(3):
        assert run.kill(3, saves=4, delay=0.02 * rng.random()) is not None
        saved = mg.load(run.checkpoint)
        assert saved["losses"] == straight["losses"][: len(saved["losses"])]
    np.testing.assert_equal(plain(run.finish(3)), plain(straight))
    assert run.left() == []


def plain(tree):
    """A tree with arrays instead of Tensors."""
    if isinstance(tree, dict):
        return {key: plain(value) for key, value in tree.items()}
    return tree.data if isinstance(tree, mg.Tensor) else tree


def test_a_run_that_was_not_resumed_would_be_noticed(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    run = Run(folder, ".npz", "OneCycleLR", steps=20, megabytes=1)
    straight = run.finish(7, result="straight")
    state = mg.load(run.checkpoint)
    state["random"]["state"]["inc"] += 2
    mg.save(run.checkpoint, state)
    resumed = run.finish(0)
    assert resumed["losses"][:14] == straight["losses"][:14]
    assert resumed["losses"][14:] != straight["losses"][14:]


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "kind"), [(".npz", "OneCycleLR"), (".safetensors", "SequentialLR")])
def test_a_run_that_is_killed_25_times_while_it_saves(tmp_path, suffix, kind, record_property):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    folder = tmp_path / "run"
    folder.mkdir()
    run = Run(folder, suffix, kind, steps=240, megabytes=4)
    straight = plain(run.finish(0, result="straight"))
    rng = np.random.default_rng(0)
    kills = middle = 0
    while kills < 25:
        delay = None if kills % 2 else 0.05 * rng.random()
        done = run.kill(1, saves=int(rng.integers(2, 7)), delay=delay)
        if done is None:  # it was at its end: once more from the start
            run.checkpoint.unlink()
            continue
        kills += 1
        left = run.left()
        assert len(left) <= 1, "what earlier kills have left was not swept"
        middle += len(left)
        saved = mg.load(run.checkpoint)
        assert len(saved["losses"]) in (done, done + 1)  # a save is told of after it
        assert saved["losses"] == straight["losses"][: len(saved["losses"])]
        copy = shutil.copy(run.checkpoint, tmp_path / f"copy{suffix}")
        np.testing.assert_equal(plain(run.finish(0, copy, "resumed")), straight)
    np.testing.assert_equal(plain(run.finish(1)), straight)
    assert run.left() == []
    record_property("kills in the middle of a file", middle)
    print(f"{suffix}: {kills} kills, {middle} of them in the middle of a file")
    assert middle >= 3
