"""minigrad beside other libraries, and beside NumPy and C with gradients written by hand, on the same workloads.

    python tests/benchmarks/compare.py                                             # all that is installed
    python tests/benchmarks/compare.py --peers numpy_manual,minigrad,minigrad_jit,torch_eager --workloads vae,lstm
    python tests/benchmarks/compare.py --json results.json --plot results.svg      # also stored, and drawn
    python tests/benchmarks/compare.py --table results.json --plot results.svg     # of what is stored

It needs scikit-learn, for its digits, SciPy, and whatever the peers are: the extra `bench`.  c_fused needs a C compiler
with OpenMP (`CC` names it, or it is gcc), tinygrad clang.  Peers that are not there are skipped.

workloads.py says what is computed, and peers/NAME.py how.  Each peer runs in a process of its own; they take their
turns, forward in one round and backward in the next, so that what else the machine does hits all alike.  What counts is
the ratio of medians to hand-written NumPy, of one run.  With one thread they run on one processor.  A peer is void if
one of its answers is another one than NumPy's.  The first call has a column of its own: it includes compiling, unless a
cache of the compiler has the result already (`MINIGRAD_CACHE`, `TORCHINDUCTOR_CACHE_DIR`); the second is to warm up.
"""

import argparse
import gc
import importlib
import json
import os
import select
import statistics
import subprocess
import sys
import time
import traceback
from pathlib import Path

import workloads

HERE = Path(__file__).resolve().parent
REFERENCE = "numpy_manual"
SLOW = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # they force a slow BLAS kernel on some machines
LONG = 30  # seconds: a peer that takes so long runs twice at most

# What is drawn, with colours that can be told apart, and markers for those who see no colours
MAIN = {
    "minigrad_jit": ("#d55e00", "D"),
    "minigrad": ("#e69f00", "o"),
    "jax_jit": ("#0072b2", "s"),
    "torch_compile": ("#56b4e9", "^"),
    "torch_eager": ("#009e73", "v"),
    "tinygrad": ("#cc79a7", "P"),
    "autograd": ("#777777", "X"),
    "mygrad": ("#000000", "*"),
}


# In the processes of the peers


def environment(threads):
    """The environment of a peer: no forced kernels, and so many threads for every library that asks."""
    found = {name: value for name, value in os.environ.items() if name not in SLOW}
    for library in ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR"):
        found[f"{library}_NUM_THREADS"] = str(threads)
    found["CPU_COUNT"] = str(threads)  # tinygrad's
    if threads == 1:
        found["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return found


def load(peer):
    return importlib.import_module(f"peers.{peer}")


def describe(peer):
    """Print which workloads a peer has, or why it cannot be imported, as JSON."""
    with only_answers() as answers:
        try:
            module = load(peer)
            answer = {"workloads": [name for name in workloads.NAMES if hasattr(module, name)]}
        except ModuleNotFoundError as error:
            answer = {"missing": f"{error.name} is not installed"}
        except Exception as error:
            answer = {"missing": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


def only_answers():
    """The standard output as it was; what libraries print goes to standard error from now on."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def blas_kernels():
    """Which kernels a BLAS has chosen, and how many threads, where that can be asked."""
    try:
        import threadpoolctl
    except ImportError:
        return []
    pools = threadpoolctl.threadpool_info()
    return [f"{pool['internal_api']}:{pool.get('architecture')}:{pool['num_threads']}" for pool in pools]


def serve(peer, workload, threads):
    """Run a workload for each line that comes in; answer with the time and what came out, as a line of JSON."""
    answers = only_answers()

    def answer(**found):
        print(json.dumps(found), file=answers, flush=True)

    try:
        spec = getattr(workloads, workload)()
        asked = getattr(spec, "iters", 1)
        module = load(peer)
        if threads == 1 and hasattr(os, "sched_setaffinity"):
            # After the imports, which are made side by side, and before any library has started its threads
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        run = getattr(module, workload)(spec)
        answer(blas=blas_kernels(), rtol=spec.rtol)
        for _ in sys.stdin:
            gc.collect()
            begun = time.perf_counter()
            results = run()
            seconds = time.perf_counter() - begun
            scale = asked / getattr(spec, "iters", 1)  # a slow peer may do less of the same
            answer(seconds=seconds * scale, numbers=workloads.fingerprint(spec, results))
    except BaseException as error:
        traceback.print_exc()  # for those who start this process by hand
        answer(error=f"{type(error).__name__}: {str(error)[:200]}")
        os._exit(1)  # whatever threads there are


# In the process that compares


class Peer:
    """The process of one peer for one workload, and what it has answered."""

    def __init__(self, name, workload, threads, timeout):
        self.name, self.timeout = name, timeout
        self.start, self.times, self.answers, self.error = {}, [], [], None
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, workload, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(threads),
        )

    def read(self):
        """The next answer; nothing if there is none, with the reason in `error`."""
        ready, _, _ = select.select([self.process.stdout], [], [], self.timeout)
        if not ready:
            self.process.kill()
            self.error = f"took more than {self.timeout:g} s"
            return {}
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"error": f"ended by itself, with status {self.process.wait()}"}
        self.error = answer.get("error")
        return {} if self.error else answer

    def started(self):
        self.start = self.read()

    def call(self):
        """One more run of the workload, unless something has gone wrong."""
        if self.error:
            return
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self.error = f"ended by itself, with status {self.process.wait()}"
            return
        answer = self.read()
        if answer:
            self.times.append(answer["seconds"])
            self.answers.append(answer["numbers"])

    def close(self):
        try:
            self.process.stdin.close()
            self.process.wait(5)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def row(self, threads, reference):
        """What is stored: the first call, the median of those that count, and whether all answers agree."""
        found = {"threads": threads, "blas": self.start.get("blas", [])}
        if self.error:
            found["error"] = self.error
        if not self.times:
            return found
        counting = self.times[2:] or self.times[1:]  # without a call to warm up, where one call takes long
        found |= {"first": self.times[0], "check": self.answers[0]}
        if counting:
            found |= {"median": statistics.median(counting), "min": min(counting), "max": max(counting)}
            found["n"] = len(counting)
        if reference:
            rtol = self.start["rtol"]
            found["agrees"] = all(workloads.agree(numbers, reference, rtol) for numbers in self.answers)
        return found


def compare(workload, names, threads, options):
    """One workload by several peers, in turn."""
    peers = [Peer(name, workload, threads, options.timeout) for name in names]
    try:
        for peer in peers:
            peer.started()  # they import side by side
        for _ in range(2):
            for peer in peers:
                if not any(seconds > LONG for seconds in peer.times):
                    peer.call()
        begun = time.perf_counter()
        for i in range(options.reps):
            if i >= 3 and time.perf_counter() - begun > options.budget:
                break
            for peer in peers[:: -1 if i % 2 else 1]:
                if not (len(peer.times) >= 2 and max(peer.times) > LONG):
                    peer.call()
    finally:
        for peer in peers:
            peer.close()
    reference = next((peer.answers[0] for peer in peers if peer.name == REFERENCE and peer.answers), None)
    return {peer.name: peer.row(threads, reference) for peer in peers}


def available(names, threads):
    """The workloads of each peer that can be imported; a line for each that cannot."""
    found = {}
    for name in names:
        command = [sys.executable, __file__, "--describe", name]
        ran = subprocess.run(command, capture_output=True, text=True, env=environment(threads))
        answer = (
            json.loads(ran.stdout) if ran.returncode == 0 else {"missing": f"its import ended with {ran.returncode}"}
        )
        if "missing" in answer:
            print(f"{name} is skipped: {answer['missing']}", flush=True)
        else:
            found[name] = answer["workloads"]
    return found


def duration(seconds):
    if seconds is None:
        return "-"
    size, unit = (1, "s") if seconds >= 1 else (1e-3, "ms") if seconds >= 1e-3 else (1e-6, "us")
    number = seconds / size
    return f"{number:.{2 if number < 10 else 1 if number < 100 else 0}f} {unit}"


def print_table(sections):
    for title, rows in sections.items():
        by_hand = rows.get(REFERENCE, {}).get("median")
        print(f"\n{title}\n  {'peer':16} {'median':>10} {'x NumPy':>10} {'first call':>12}")
        for name, row in sorted(rows.items(), key=lambda item: item[1].get("median", float("inf"))):
            median, first = row.get("median"), row.get("first")
            ratio = f"{median / by_hand:.2f}" if median and by_hand else "-"
            note = "" if row.get("agrees", True) else "  VOID: another answer than NumPy's"
            if "error" in row:
                note += f"  failed: {row['error']}"
            print(f"  {name:16} {duration(median):>10} {ratio:>10} {duration(first):>12}{note}")
    sys.stdout.flush()


def draw(sections, path):
    """For each workload the ratios to hand-written NumPy, as dots on a logarithmic axis."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    ratios = {}
    for title, rows in sections.items():
        by_hand = rows.get(REFERENCE, {}).get("median")
        sound = {name: row["median"] for name, row in rows.items() if row.get("agrees") and "median" in row}
        if by_hand:
            ratios[title.removesuffix(" (1 thread)")] = {name: sound[name] / by_hand for name in MAIN if name in sound}
    places = range(len(ratios))
    settings = {"svg.hashsalt": "compare", "font.size": 11}  # the same file for the same figures
    with plt.rc_context(settings):
        figure, axes = plt.subplots(figsize=(10, 1.4 + 0.36 * len(ratios)), layout="constrained")  # 1000 px at 100 dpi
        axes.axvline(1, color="black", linewidth=1.2, label="numpy_manual", zorder=1)
        axes.hlines(places, 0, 1, transform=axes.get_yaxis_transform(), color="#dddddd", linewidth=0.8, zorder=0)
        drawn = [name for name in MAIN if any(name in row for row in ratios.values())]
        for k, name in enumerate(drawn):
            colour, marker = MAIN[name]
            beside = 0.5 * ((k + 0.5) / len(drawn) - 0.5)  # a little above or below, so that none hides another
            dots = [(row[name], i + beside) for i, row in enumerate(ratios.values()) if name in row]
            look = {"color": colour, "marker": marker, "edgecolor": "white", "linewidth": 0.7, "zorder": 9 - k}
            axes.scatter(*zip(*dots, strict=True), s=65, label=name, **look)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda ratio, _: f"{ratio:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(places, list(ratios))
        axes.invert_yaxis()
        axes.set_xlabel("time, as a ratio to NumPy with gradients by hand (less is better)")
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.tick_params(axis="y", length=0)
        figure.legend(loc="outside right upper", frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None})
        plt.close(figure)


def chosen(text, names, what):
    """The names in a list with commas, or all."""
    found = text.split(",") if text else names
    for name in found:
        if name not in names:
            sys.exit(f"there is no {what} {name!r}; there are {', '.join(names)}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", help="names with commas between them; all of them by default")
    parser.add_argument("--workloads", help="likewise")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--reps", type=int, default=7, help="calls that count")
    parser.add_argument("--budget", type=float, default=60, help="seconds for a workload; three calls are made anyway")
    parser.add_argument("--timeout", type=float, default=120, help="seconds that one call may take")
    parser.add_argument("--json", type=Path, metavar="FILE", help="store the results there, beside what is there")
    parser.add_argument("--table", type=Path, metavar="FILE", help="print what is stored there, and measure nothing")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw the ratios")
    parser.add_argument("--describe", help=argparse.SUPPRESS)
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.describe:
        describe(options.describe)
        return
    if options.serve:
        peer, workload, threads = options.serve
        serve(peer, workload, int(threads))
        return
    stored = options.table or options.json
    results = json.loads(stored.read_text()) if stored and (options.table or stored.exists()) else {}
    sections = results.setdefault("workloads", {})
    if options.table:
        print_table(sections)
    else:
        all_peers = sorted(path.stem for path in (HERE / "peers").glob("[!_]*.py"))
        wanted = chosen(options.workloads, workloads.NAMES, "workload")
        peers = available(chosen(options.peers, all_peers, "peer"), options.threads)
        for workload in wanted:
            title = f"{workload} ({options.threads} thread{'s' if options.threads > 1 else ''})"
            names = [name for name, has in peers.items() if workload in has]
            sections[title] = compare(workload, names, options.threads, options)
            print_table({title: sections[title]})
            if options.json:
                options.json.write_text(json.dumps(results, indent=1) + "\n")
    if options.plot:
        draw(sections, options.plot)


if __name__ == "__main__":
    main()
