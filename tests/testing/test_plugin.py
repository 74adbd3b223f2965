"""The plugin in projects of users: what it checks, what its reports show, and what it leaves alone."""

from importlib.metadata import entry_points

import hypothesis.extra.numpy  # noqa: F401  # or its plugin would load it again in each of the runs below
import pytest

from minigrad.core import numpy_functions, primitives

pytest_plugins = "pytester"


@pytest.fixture(autouse=True)
def _is_installed():
    found = [entry.value for entry in entry_points(group="pytest11", name="minigrad")]
    assert found, "install the package again (pip install -e .): its metadata does not name the plugin"


@pytest.fixture
def run(pytester):
    """Run tests with warnings as errors, but for NumPy's of NaN, and with the plugins that their environment has."""

    def run(source, *options, apart=False, **files):
        pytester.makepyfile(test_it=source, **files)
        runner = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return runner("-W", "error", "-W", "ignore::RuntimeWarning", "-p", "no:cacheprovider", *options)

    before = [(registry, dict(registry)) for registry in (primitives, numpy_functions)]
    yield run
    for registry, known in before:
        registry.clear()
        registry.update(known)


def shown(result):
    return "\n".join(line.rstrip() for line in result.outlines)


# The fixture

WRONG = """
    import numpy as np
    import minigrad as mg

    @mg.primitive(lambda g, y, x: g * (1 - y))
    def squash(x, /):
        return np.tanh(x)
"""


def test_the_fixture_passes_right_gradients(run):
    result = run("""
        import numpy as np

        def test_it(gradcheck):
            assert gradcheck(np.sin, np.ones(3))
            assert gradcheck(np.sin, np.ones(3), order=1, rtol=1e-4, fast=True)
            assert gradcheck(lambda x: x * x, 2.0, reference=lambda x: x**2)
            assert gradcheck(lambda p: p["w"].sum(), {"w": np.ones(2)}, reference={"w": [1.0, 1.0]})
    """)
    result.assert_outcomes(passed=1)


def test_a_wrong_gradient_fails_with_a_readable_report(run):
    result = run(
        WRONG
        + """
    def test_it(gradcheck):
        x = np.array([0.25])
        gradcheck(squash, x)
    """
    )
    result.assert_outcomes(failed=1)
    text = shown(result)
    assert "\n>       gradcheck(squash, x)\n" in text
    assert "\nE       AssertionError: First derivatives of squash: 1 of 1 gradients disagree" in text
    assert "\nE         output 0[0]  input 0[0]" in text
    assert "\nE       The operation 'squash' of shapes (1,) is to blame" in text
    # No frame but the test's: neither the plugin's, nor those of gradcheck, nor what caused it.
    failure = text[text.index("= FAILURES") : text.index("short test summary")]
    assert failure.count("test_it.py:") == 1
    assert ".py:" not in failure.replace("test_it.py:", "")
    assert "direct cause" not in failure
    assert "During handling" not in failure


@pytest.mark.parametrize(("call", "said"), [
    ("gradcheck(np.sin, np.ones(2, np.float32))", "DTypeError: gradcheck: input 0 is float32"),
    ("gradcheck(lambda x: None, 1.0)", "returned None. Is a `return` missing?"),
    ("gradcheck(lambda x: None, 1.0, order=1, reference=np.sin)", "returned None. Is a `return` missing?"),
    ("gradcheck(np.sin, 1.0, eps=-1)", "ArgumentError: gradcheck: eps"),
    ("gradcheck(1.0, np.sin)", "takes a function first"),
    ("gradcheck(np.sin, 1)", "no input is floating-point"),
])  # fmt: skip
def test_misuse_of_the_fixture_shows_the_line_of_the_test_alone(run, call, said):
    result = run(f"import numpy as np\n\ndef test_it(gradcheck):\n    {call}\n")
    result.assert_outcomes(failed=1)
    text = shown(result)
    assert said in text
    failure = text[text.index("= FAILURES") : text.index("short test summary")]
    assert failure.count("test_it.py:") == 1
    assert ".py:" not in failure.replace("test_it.py:", "")


@pytest.mark.parametrize("reference", [None, "np.sin"])
def test_an_exception_in_the_function_shows_where_it_was_raised(run, reference):
    result = run(f"""
        import numpy as np

        def f(x):
            return {{}}["absent"]

        def test_it(gradcheck):
            gradcheck(f, 1.0, {reference})
    """)
    result.assert_outcomes(failed=1)
    text = shown(result)
    assert '>       return {}["absent"]' in text
    failure = text[text.index("= FAILURES") : text.index("short test summary")]
    assert failure.count("test_it.py:") == 2
    assert ".py:" not in failure.replace("test_it.py:", "")


@pytest.mark.parametrize("call", [
    "testing.assert_gradients_close(squash, [x])",
    "testing.assert_gradients_close(squash, [x], np.tanh)",
    "testing.assert_gradients_close(lambda x: squash(x).sum(), x, [0.0])",
    "testing.assert_close({'w': x}, {'w': x + 1})",
])  # fmt: skip
def test_assertions_show_no_frames_of_their_own(run, call):
    result = run(
        WRONG
        + f"""
    from minigrad import testing

    def test_it():
        x = np.array([0.25])
        {call}
    """
    )
    text = shown(result)
    failure = text[text.index("= FAILURES") : text.index("short test summary")]
    assert f"\n>       {call}\n" in text
    assert ".py:" not in failure.replace("test_it.py:", "")
    assert "[0]" in failure


def test_an_error_in_the_function_itself_is_shown_where_it_is(run):
    result = run("""
        def broken(x):
            return x.no_such_thing

        def test_it(gradcheck):
            gradcheck(broken, 1.0)
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([">       return x.no_such_thing", "*AttributeError*"])


def test_a_project_may_have_a_fixture_of_this_name_itself(run):
    result = run(
        "def test_it(gradcheck): assert gradcheck == 'mine'",
        conftest="import pytest\n\n@pytest.fixture\ndef gradcheck(): return 'mine'",
    )
    result.assert_outcomes(passed=1)


def test_the_fixture_in_a_test_of_hypothesis(run):
    result = run("""
        import numpy as np
        from hypothesis import given, settings
        from minigrad.testing import strategies

        @settings(max_examples=10, deadline=None, database=None)
        @given(strategies.tensors(2, apart=0.1))
        def test_it(gradcheck, x):
            gradcheck(np.abs, x)
    """)
    result.assert_outcomes(passed=1)


# NaN and inf

ANOMALOUS = """
    import pytest
    import minigrad as mg

    def logarithm(x):
        return mg.log(x)  # the line at fault

    def test_it():
        x = mg.tensor([1.0, -1.0], requires_grad=True)
        assert logarithm(x).shape == (2,)
"""


def test_nan_is_no_failure_by_itself(run):
    run(ANOMALOUS).assert_outcomes(passed=1)


@pytest.mark.parametrize("how", ["option", "ini", "marker"])
def test_under_anomaly_nan_fails_and_the_line_is_named(run, pytester, how):
    source = ANOMALOUS
    if how == "ini":
        pytester.makeini("[pytest]\nminigrad_anomaly = true")
    elif how == "marker":
        source = source.replace("    def test_it", "    @pytest.mark.minigrad_anomaly\n    def test_it")
    result = run(source, *["--minigrad-anomaly"] * (how == "option"))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *AnomalyError: *NaN*test_it.py:5 `return mg.log(x)  # the line at fault`)"])


def test_anomaly_in_a_fixture_is_found_and_does_not_outlast_the_test(run):
    result = run("""
        import pytest
        import minigrad as mg

        @pytest.fixture
        def broken():
            return mg.log(mg.tensor(-1.0, requires_grad=True))

        @pytest.mark.minigrad_anomaly
        def test_fixture(broken):
            pass

        def test_after():
            mg.log(mg.tensor(-1.0, requires_grad=True))
    """)
    result.assert_outcomes(errors=1, passed=1)


def test_one_test_is_left_out(run):
    source = ANOMALOUS.replace("    def test_it", "    @pytest.mark.minigrad_anomaly(False)\n    def test_it")
    run(source, "--minigrad-anomaly").assert_outcomes(passed=1)


def test_anomaly_in_classes_of_unittest(run):
    result = run(
        """
        import unittest
        import minigrad as mg

        class Case(unittest.TestCase):
            def test_it(self):
                mg.log(mg.tensor(-1.0, requires_grad=True))
    """,
        "--minigrad-anomaly",
    )
    result.assert_outcomes(failed=1)


def test_anomaly_in_the_workers_of_xdist(run):
    pytest.importorskip("xdist")
    run(ANOMALOUS, "--minigrad-anomaly", "-n", "1").assert_outcomes(failed=1)


# Random numbers


def test_a_seeded_test_has_the_same_numbers_whatever_ran_before(run):
    result = run(
        """
        import numpy as np
        import pytest
        import minigrad as mg
        from minigrad import nn

        seen = []

        @pytest.fixture
        def model():
            return nn.Linear(2, 2)

        @pytest.mark.minigrad_seed(7)
        @pytest.mark.parametrize("i", [0, 1])
        def test_seeded(i, model):
            seen.append([*model.weight.detach().numpy().ravel(), mg.random.rand().item()])
            mg.manual_seed(i)

        def test_others():
            rng = np.random.default_rng(7)
            assert seen[0] == seen[1]
            assert mg.random.get_state() == before

        mg.manual_seed(3)
        before = mg.random.get_state()
    """,
        "--strict-markers",
    )
    result.assert_outcomes(passed=3)


@pytest.mark.parametrize("arguments", ["", "('a')", "(-1)", "(seed=1)"])
def test_a_seed_that_is_none(run, arguments):
    result = run(f"""
        import pytest

        @pytest.mark.minigrad_seed{arguments}
        def test_it():
            pass
    """)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *ArgumentError: the marker minigrad_seed takes a whole number, as in @pytest*"])


def test_an_argument_of_the_other_marker_that_it_does_not_have(run):
    result = run("import pytest\n\n@pytest.mark.minigrad_anomaly(off=True)\ndef test_it(): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *TypeError: *off*"])


# What tests leave behind


def test_what_a_test_changed_is_set_back_and_what_a_fixture_changed_is_not(run):
    result = run("""
        import pytest
        import minigrad as mg

        kept = []

        @pytest.fixture(scope="module")
        def single():
            mg.set_default_dtype("float32")
            yield
            mg.set_default_dtype("float64")

        def test_leaks():
            mg.set_default_dtype("float16")
            kept.append(mg.no_grad())
            kept[0].__enter__()
            raise ValueError("on the way out, too")

        def test_after():
            assert mg.is_grad_enabled()
            assert mg.get_default_dtype() == "float64"

        def test_with_fixture(single):
            assert mg.get_default_dtype() == "float32"
            mg.set_default_dtype("float16")

        def test_with_fixture_of_the_module(single):
            assert mg.get_default_dtype() == "float32"
    """)
    result.assert_outcomes(failed=1, passed=3)


# Being there without being wanted

UNUSED = """
    import sys

    def test_it():
        assert not [name for name in sys.modules if name.split(".")[0] in ("minigrad", "numpy")]
"""


def test_the_plugin_imports_nothing_until_it_is_used(run):
    others = [x for name in ("hypothesispytest", "jaxtyping") for x in ("-p", f"no:{name}")]
    run(UNUSED, *others, apart=True).assert_outcomes(passed=1)
    used = UNUSED.replace("assert not", "gradcheck(lambda x: x, 1.0)\n        assert")
    used = used.replace("test_it()", "test_it(gradcheck)")
    run(used, *others, apart=True).assert_outcomes(passed=1)


def test_a_leak_is_set_back_though_minigrad_was_not_there_before_the_test(run):
    source = """
        def test_leaks():
            import minigrad as mg
            mg.set_default_dtype("float32")

        def test_after():
            import minigrad as mg
            assert mg.get_default_dtype() == "float64"
    """
    run(source, apart=True).assert_outcomes(passed=2)


def test_it_can_be_switched_off(run):
    result = run("def test_it(gradcheck): pass", "-p", "no:minigrad")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *fixture 'gradcheck' not found"])


def test_help_markers_and_fixtures_speak_of_it(pytester):
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(["minigrad:", "*--minigrad-anomaly*", "*minigrad_anomaly (bool):*"])
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.minigrad_anomaly(on=True):*", "@pytest.mark.minigrad_seed(seed):*"])
    result = pytester.runpytest_inprocess("--fixtures")
    result.stdout.fnmatch_lines(["gradcheck *", "    Check derivatives: gradcheck(f, inputs*"])
