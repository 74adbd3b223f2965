"""Run the programs of `hips_programs.py` with autograd 1.9, and store their figures beside this file."""

import inspect
import json
import sys
from pathlib import Path

import numpy as np
from hips_programs import PROGRAMS

sys.modules["funcsigs"] = inspect  # autograd imports the module that this one once was

if __name__ == "__main__":
    stored = {}
    for name, program in PROGRAMS.items():
        scope: dict = {}
        exec(compile(program.replace("ROOT", "autograd"), name, "exec"), scope)
        stored[name] = [np.asarray(x, float).tolist() for x in scope["result"]]
    Path(__file__).with_name("hips.json").write_text(json.dumps(stored) + "\n", encoding="utf-8")
