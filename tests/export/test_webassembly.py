"""Functions and steps of training as WebAssembly, run in a real browser."""

import base64
import importlib.util
import json

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ArgumentError, MissingPackageError
from tests.export.in_browser import call, literal
from tests.export.programs import adam_step, assert_close, cnn, digits

ZIG = importlib.util.find_spec("ziglang")
needs_ziglang = pytest.mark.skipif(ZIG is None, reason="ziglang is not installed (the extra `jit`)")


def load(page, folder, called, f, *examples):
    code, script = mg.export.webassembly(f, *examples, path=folder / f"{called}.wasm")
    text, source = base64.b64encode(code.read_bytes()).decode(), json.dumps(script.read_text())
    page.run(f"""load({source}).then((found) => found.default(
        Uint8Array.from(atob("{text}"), (c) => c.charCodeAt(0)))).then((f) => {{ window.{called} = f; }})""")


@needs_ziglang
def test_a_model_and_a_step(page, tmp_path):
    model = cnn(np.float32)
    x = np.random.default_rng(0).normal(size=(2, 1, 8, 8)).astype(np.float32)
    load(page, tmp_path, "model", model, x)
    assert_close(call(page, "model", x), model(x).detach().numpy(), places=8)

    _, step = adam_step()
    x, y = digits()
    load(page, tmp_path, "step", step, x, y)
    losses = page.run(f"""(() => {{
      const x = {literal(x)}, y = {literal(y)}, losses = [];
      step.state.lr[0] = 0.02;
      for (let i = 0; i < 20; i++) losses.push(text(step(x, y)));
      return losses;
    }})()""")
    fast = mg.jit(step)
    assert_close(float(losses[0]), fast(x, y).item())
    assert page.run("step.state._0_weight_step[0]") == 20
    assert float(losses[-1]) < float(losses[0])


@needs_ziglang
def test_whole_numbers_and_what_is_refused(page, tmp_path):
    def f(x, i, scale):
        return {"picked": x[i] * scale, "twice": i * 2, "any": (i > 0).any()}

    x, i = np.arange(4.0), np.array([0, -1, 2])
    load(page, tmp_path, "pick", f, x, i, 2.0)
    assert dict(call(page, "pick", x, i, 3.0))["picked"].tolist() == [0, 9, 6]
    assert dict(call(page, "pick", x, i, 3.0))["twice"].tolist() == [0, -2, 4]
    with pytest.raises(RuntimeError, match="out of range"):
        call(page, "pick", x, np.array([0, 4, 1]), 1.0)
    with pytest.raises(RuntimeError, match="i has to be an array of 3 numbers"):
        page.run("pick([1, 2, 3, 4], [1], 1)")


@needs_ziglang
def test_names_that_the_module_has_itself(page, tmp_path):
    """Where they are looked up is not changed by arguments of the same names."""

    def f(base, at_x, x, compiled, memory, BigInt):
        return base * 2 + at_x.sum() * x + compiled + memory * BigInt

    inputs = (np.array([1.0, 2.0, 3.0]), np.arange(2.0), np.ones(3), 5.0, 7.0, 1.5)
    load(page, tmp_path, "names", f, *inputs)
    assert_close(call(page, "names", *inputs), f(*map(mg.asarray, inputs)).numpy())


def test_bad_calls(tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match=r"ending in \.wasm"):
        mg.export.webassembly(mg.sin, np.ones(2), path=tmp_path / "f.c")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="extra `jit`"):
        mg.export.webassembly(mg.sin, np.ones(2), path=tmp_path / "f.wasm")
