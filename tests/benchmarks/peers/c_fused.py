"""Values and gradients written by hand as one loop of C, with the vector functions of glibc: another limit.

The compiler is what `CC` names, or gcc; it needs OpenMP.
"""

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np

SOURCE = r"""
#include <math.h>

double chain(const float *restrict x, float *restrict gx, long n) {
  double total = 0;
  #pragma omp parallel for reduction(+:total) schedule(static)
  for (long b = 0; b < n; b += 4096) {
    long e = b + 4096 < n ? b + 4096 : n;
    float part = 0;
    #pragma omp simd reduction(+:part)
    for (long k = b; k < e; k++) {
      float v = x[k], a = sinf(v), slope = cosf(v);
      float t = expf(2 * (a * v + .5f)), d = 1 - 2 / (t + 1);      /* tanh */
      float f = .3f * expf(d), g = logf(1 + f), i = g * d + a, j = cosf(i);
      part += j * j + g;
      float gi = -2 * j * sinf(i), gd = g * gi + (1 + gi * d) * f / (1 + f), gc = gd * (1 - d * d);
      gx[k] = (gc * v + gi) * slope + gc * a;
    }
    total += part;
  }
  return total;
}

void rosenbrock_step(double *w, double lr, double clip) {
  double x = w[0], y = w[1], r = y - x * x;
  w[0] = x - lr * fmin(fmax(-2 * (1 - x) - 400 * x * r, -clip), clip);
  w[1] = y - lr * fmin(fmax(200 * r, -clip), clip);
}
"""
# Without the last two, gcc makes one call of sin and cos of the same number, and that is not a vector function.
FLAGS = [
    "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math", "-fopenmp", "-shared", "-fPIC",
    "-fno-builtin-sinf", "-fno-builtin-cosf",
]  # fmt: skip
COMPILER = os.environ.get("CC", "gcc").split()
if shutil.which(COMPILER[0]) is None:
    raise ModuleNotFoundError(name=f"a C compiler ({COMPILER[0]})")


def library():
    with tempfile.TemporaryDirectory() as folder:
        source, compiled = Path(folder) / "fused.c", Path(folder) / "fused.so"
        source.write_text(SOURCE)
        subprocess.run([*COMPILER, *FLAGS, str(source), "-o", str(compiled), "-lm"], check=True)
        return ctypes.CDLL(str(compiled))  # stays loaded when the file is gone


def address(array):
    return ctypes.c_void_p(array.ctypes.data)


def elementwise_chain(spec):
    chain = library().chain
    chain.restype = ctypes.c_double
    gradient = np.empty_like(spec.x)
    arguments = address(spec.x), address(gradient), ctypes.c_long(spec.x.size)

    def run():
        for _ in range(spec.iters):
            value = chain(*arguments)
        return [value, gradient]

    return run


def rosenbrock(spec):
    """A call for each step, as of a compiled function."""
    step = library().rosenbrock_step
    step.restype = None
    w = np.empty(2)
    arguments = address(w), ctypes.c_double(spec.lr), ctypes.c_double(spec.clip)

    def run():
        w[:] = spec.start
        for _ in range(spec.steps):
            step(*arguments)
        return [w.copy()]

    return run
