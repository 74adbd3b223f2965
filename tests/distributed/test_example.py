"""The example of several processes, alone and started by a launcher."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.distributed.launching import REASON, launcher

SCRIPT = Path(__file__).parents[2] / "examples" / "distributed.py"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mpi")]


def said(command, folder):
    for package in ("sklearn", "threadpoolctl"):
        pytest.importorskip(package)
    names = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=folder, env=names, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def losses(text):
    return [float(loss) for loss in re.findall(r"^ +\d+ +([\d.]+) ", text, re.M)]


@pytest.mark.skipif(launcher() is None, reason=REASON)
@pytest.mark.parametrize("model", ["digits", "gpt"])
def test_two_ranks_have_the_losses_of_one(model, tmp_path):
    arguments = [sys.executable, SCRIPT, "--quick", "--model", model]
    alone = said(arguments, tmp_path)
    together = said([launcher(), "-n", "2", sys.executable, "-m", "mpi4py", *arguments[1:]], tmp_path)
    assert "ranks     2" in together
    assert losses(together) == pytest.approx(losses(alone), abs=2e-3)
    assert "resumed   after epoch" in said([*arguments, "--resume"], tmp_path)
