"""The versions that are declared are those that are tried."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TOOLS = {
    "docs",
    "lint",
    "examples",
    "jax",
    "jit",
    "mpi",
    "onnx",
    "bench",
    "all",
}  # not needed to use or to test minigrad alone


def release(version):
    """A version as numbers, so that 8 and 8.0.0 are the same."""
    numbers = [int(number) for number in version.split(".")]
    while numbers[-1] == 0:
        numbers.pop()
    return numbers


def pinned():
    """The packages of the constraints file that pyproject.toml asks for, and their versions."""
    wanted = (ROOT / "tests" / "minimum-versions.txt").read_text().partition("\n\n")[0]
    return {name: release(version) for name, version in re.findall(r"^([\w-]+)==([\d.]+)$", wanted, re.MULTILINE)}


def test_the_oldest_versions_that_are_tried_are_the_lower_bounds():
    extras = [packages for extra, packages in PROJECT["optional-dependencies"].items() if extra not in TOOLS]
    bounds = [re.fullmatch(r"([\w-]+)>=([\d.]+)", package).groups() for package in sum(extras, PROJECT["dependencies"])]
    tried = pinned()
    assert {name for name, _ in bounds} == set(tried)
    for name, version in bounds:
        assert release(version) == tried[name], name


def test_tools_and_users_have_the_same_lower_bounds():
    tried = pinned()
    for extra in TOOLS:
        for package in PROJECT["optional-dependencies"][extra]:
            name, _, version = package.partition(">=")
            if name in tried:
                assert release(version) == tried[name], package


def test_the_oldest_python_is_the_one_that_is_required():
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert pythons == sorted(pythons, key=release)
