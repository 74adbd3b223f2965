"""Schedules of learning rates and averages of weights; test_training_references compares the numbers."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad import errors, nn
from minigrad.optim import SGD, Adagrad, Adam, lr_scheduler, swa_utils
from minigrad.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    PolynomialLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)
from minigrad.optim.swa_utils import SWALR, AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn, update_bn
from tests.rows import each

SCHEDULES = {
    "StepLR": lambda o, last=-1: StepLR(o, 3, 0.5, last),
    "MultiStepLR": lambda o, last=-1: MultiStepLR(o, [2, 5, 5, 9], 0.5, last),
    "ExponentialLR": lambda o, last=-1: ExponentialLR(o, 0.9, last),
    "ConstantLR": lambda o, last=-1: ConstantLR(o, 0.5, 4, last),
    "LinearLR": lambda o, last=-1: LinearLR(o, 0.1, 0.9, 7, last),
    "LinearLR-at-once": lambda o, last=-1: LinearLR(o, total_iters=0, last_epoch=last),
    "PolynomialLR": lambda o, last=-1: PolynomialLR(o, 8, 2.0, last),
    "LambdaLR": lambda o, last=-1: LambdaLR(o, [lambda step: 1 / (1 + step), lambda step: 0.5**step], last),
    "MultiplicativeLR": lambda o, last=-1: MultiplicativeLR(o, lambda step: 1 - 1 / (step + 1), last),
    "CosineAnnealingLR": lambda o, last=-1: CosineAnnealingLR(o, 5, 0.01, last),
    "CosineAnnealingWarmRestarts": lambda o, last=-1: CosineAnnealingWarmRestarts(o, 2, 2, 0.01, last),
    "OneCycleLR": lambda o, last=-1: OneCycleLR(o, [0.3, 0.6], total_steps=20, last_epoch=last),
    "OneCycleLR-three": lambda o, last=-1: OneCycleLR(
        o, 0.3, total_steps=20, three_phase=True, anneal_strategy="linear", last_epoch=last
    ),
    "OneCycleLR-plain": lambda o, last=-1: OneCycleLR(
        o, 0.3, epochs=4, steps_per_epoch=5, cycle_momentum=False, last_epoch=last
    ),
    "CyclicLR": lambda o, last=-1: CyclicLR(o, 0.1, [0.3, 0.6], 3, 2, last_epoch=last),
    "CyclicLR-exp": lambda o, last=-1: CyclicLR(
        o, 0.1, 0.3, 3, mode="exp_range", gamma=0.9, cycle_momentum=False, last_epoch=last
    ),
    "CyclicLR-function": lambda o, last=-1: CyclicLR(
        o, 0.1, 0.3, 3, scale_fn=lambda cycle: 0.5**cycle, last_epoch=last
    ),
    "SWALR": lambda o, last=-1: SWALR(o, [0.01, 0.02], 6, last_epoch=last),
    "ChainedScheduler": lambda o, last=-1: ChainedScheduler(
        [LinearLR(o, 0.1, 1.0, 4, last), ExponentialLR(o, 0.9, last)]
    ),
    "SequentialLR": lambda o, last=-1: SequentialLR(o, [LinearLR(o, 0.1, 1.0, 4), StepLR(o, 2, 0.5)], [4], last),
    "SequentialLR-three": lambda o, last=-1: SequentialLR(
        o, [ConstantLR(o), OneCycleLR(o, 0.3, total_steps=9), StepLR(o, 2)], [2, 9], last
    ),
    "SequentialLR-nested": lambda o, last=-1: SequentialLR(
        o,
        [
            SequentialLR(o, [ConstantLR(o, 0.5, 2), ExponentialLR(o, 0.9)], [3]),
            ChainedScheduler([LinearLR(o, 0.5), StepLR(o, 3)]),
        ],
        [7],
        last,
    ),
}
each_schedule = pytest.mark.parametrize("make", SCHEDULES.values(), ids=SCHEDULES)


@pytest.fixture(params=[".npz", ".safetensors"])
def suffix(request):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors")
    return request.param


def saved(tree, tmp_path, suffix):
    """A tree as it comes back from a file."""
    mg.save(tmp_path / f"x{suffix}", tree)
    return mg.load(tmp_path / f"x{suffix}")


def two_groups(kind=SGD, rates=(0.1, 0.4)):
    """An optimizer with two groups, whose steps change nothing."""
    groups = [{"params": [mg.zeros(2).requires_grad_()], "lr": lr} for lr in rates]
    for group in groups:
        group["params"][0].grad = np.zeros(2)
    return kind(groups, **({"momentum": 0.9} if kind is SGD else {}))


def go(optimizer, *schedules, steps=1):
    """The rates after each of so many steps."""
    course = []
    for _ in range(steps):
        optimizer.step()
        for schedule in schedules:
            schedule.step()
        course.append([group["lr"] for group in optimizer.param_groups])
    return course


def by_function(schedule, base, steps, group=0):
    return [schedule.lr_at(step, base, group) for step in steps]


def test_no_schedule_is_forgotten():
    assert {name.split("-")[0] for name in SCHEDULES} - {"SWALR"} | {"LRScheduler", "ReduceLROnPlateau"} == set(
        lr_scheduler.__all__
    )


# A pure function


@each_schedule
@each("kind", [SGD, Adam])
def test_the_function_agrees_with_stepping(make, kind):
    optimizer = two_groups(kind)
    schedule = make(optimizer)
    start, bases = schedule.get_last_lr(), schedule.base_lrs
    course = [start, *go(optimizer, schedule, steps=15)]
    for group in range(2):
        assert by_function(schedule, bases[group], range(16), group) == [rates[group] for rates in course]
    backwards = [schedule.lr_at(step, bases[0]) for step in reversed(range(16))]
    assert backwards == [rates[0] for rates in reversed(course)]
    last = schedule.options_at(15, bases[1], 1)
    assert {key: optimizer.param_groups[1][key] for key in last} == last
    assert schedule.last_epoch == 15
    assert schedule.scales == [1.0, 1.0]


@each_schedule
def test_rates_are_proportional_to_the_first_or_do_not_depend_on_it(make):
    schedule = make(two_groups())
    for step in range(12):
        once, twice = schedule.lr_at(step, 0.2), schedule.lr_at(step, 0.4)
        affine = schedule.lr_at(step, 0.3)
        assert math.isclose(affine, (once + twice) / 2, rel_tol=1e-12)


@each_schedule
def test_a_step_may_be_given(make):
    optimizer = two_groups()
    schedule = make(optimizer)
    go(optimizer, schedule, steps=3)
    expected = [schedule.lr_at(7, base, i) for i, base in enumerate(schedule.base_lrs)]
    schedule.step(7)
    assert schedule.get_last_lr() == expected
    assert go(optimizer, schedule) == [[schedule.lr_at(8, base, i) for i, base in enumerate(schedule.base_lrs)]]


@settings(max_examples=200, deadline=None)
@given(
    total=st.integers(1, 40),
    start=st.floats(0, 1),
    three=st.booleans(),
    strategy=st.sampled_from(["cos", "linear"]),
)
def test_one_cycle_is_defined_for_every_number_of_steps(total, start, three, strategy):
    options = {"pct_start": start, "three_phase": three, "anneal_strategy": strategy}
    schedule = OneCycleLR(two_groups(), 1.0, total_steps=total, **options)
    rates = by_function(schedule, 0.0, range(total))
    assert all(0 < rate <= 1 + 1e-12 for rate in rates)
    if not three:
        assert schedule.lr_at(total - 1, 0.0) == pytest.approx(1.0 if start == 1 and total > 1 else 4e-6, rel=1e-6)


def test_one_cycle_whose_rise_takes_a_single_step():
    schedule = OneCycleLR(two_groups(), 1.0, total_steps=10, pct_start=0.1)
    rates = by_function(schedule, 0.0, range(10))
    assert rates[0] == 1.0
    assert rates == sorted(rates, reverse=True)


# Several schedules, and other hands


PAIRS = [k for k in SCHEDULES if k in ("StepLR", "ExponentialLR", "LinearLR", "MultiStepLR", "PolynomialLR")]


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(PAIRS, 2)))
def test_two_schedules_stepped_back_to_back_multiply(one, other):
    optimizer = two_groups()
    first, second = SCHEDULES[one](optimizer), SCHEDULES[other](optimizer)
    course = [[group["lr"] for group in optimizer.param_groups], *go(optimizer, first, second, steps=12)]
    for group, base in enumerate((0.1, 0.4)):
        factors = [first.lr_at(step, 1.0, group) * second.lr_at(step, 1.0, group) for step in range(13)]
        np.testing.assert_allclose(
            [rates[group] for rates in course], base * np.array(factors), rtol=1e-12, atol=1e-300
        )


def test_the_example_of_pytorchs_documentation():
    optimizer = two_groups(rates=(1.0,))
    schedules = ExponentialLR(optimizer, gamma=0.9), MultiStepLR(optimizer, milestones=[3, 8], gamma=0.1)
    course = [rates[0] for rates in go(optimizer, *schedules, steps=10)]
    expected = [0.9**t * 0.1 ** ((t >= 3) + (t >= 8)) for t in range(1, 11)]
    np.testing.assert_allclose(course, expected, rtol=1e-12)


def test_a_plateau_beside_a_schedule():
    optimizer = two_groups()
    schedule, plateau = ExponentialLR(optimizer, 0.9), ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    for step in range(1, 10):
        optimizer.step()
        schedule.step()
        plateau.step(1.0)
        reductions = (step - 1) // 2 if step > 1 else 0
        expected = [base * 0.9**step * 0.5**reductions for base in (0.1, 0.4)]
        np.testing.assert_allclose(schedule.get_last_lr(), expected, rtol=1e-12)


# As in PyTorch: most schedules multiply the rate that they find, two its distance from their end (in the second group),
# and some write over it; in a sequence the next schedule does, which starts at the next step here.
ENDS = {"CosineAnnealingLR": 0.01, "SWALR": 0.02}
BY_STEP_ALONE = {
    name
    for name in SCHEDULES
    if name.startswith(("LambdaLR", "CosineAnnealingWarm", "OneCycleLR", "CyclicLR", "SequentialLR"))
} - {"SequentialLR-nested"}


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_a_plateau_of_the_negative_is_one_of_the_other_mode(mode, threshold_mode):
    """PyTorch's values of positive metrics, in test_training_references, are those of negative ones, then."""
    courses = [
        [1.0] * 20,
        [-1.0] * 20,
        [0.0] * 20,
        [1.0 + 1e-5 * i for i in range(20)],
        [5.0 - 0.5 * i for i in range(20)],
        [-1e-5 * i for i in range(20)],
        [math.nan, 1.0, math.inf, -3.0, -3.0, -3.0, -math.inf, 0.0, math.nan, -3.0],
    ]
    for threshold, course in itertools.product((0.0, 1e-4, 0.3, 1.0, 2.0), courses):
        rates = []
        for sign, way in ((1.0, mode), (-1.0, "max" if mode == "min" else "min")):
            plateau = ReduceLROnPlateau(
                two_groups(), way, 0.5, patience=2, threshold=threshold, threshold_mode=threshold_mode
            )
            for value in course:
                plateau.step(sign * value)
            rates.append((plateau.get_last_lr(), plateau.num_bad_epochs, sign * plateau.best))
        assert rates[0] == rates[1]


def test_a_plateau_of_a_constant_is_one_whatever_its_sign():
    for value, mode, threshold_mode in itertools.product((-1.0, 0.0, 1.0, -1e9), ("min", "max"), ("rel", "abs")):
        plateau = ReduceLROnPlateau(two_groups(), mode, 0.5, patience=3, threshold_mode=threshold_mode)
        for _ in range(5):
            plateau.step(value)
        assert plateau.get_last_lr() == [0.05, 0.2], (value, mode)
    unending = ([math.nan] * 5, "min"), ([math.inf] * 5, "min"), ([-math.inf] * 6, "min"), ([-1.0] * 5, "max")
    for values, mode in unending:
        plateau = ReduceLROnPlateau(two_groups(), mode, 0.5, patience=3, threshold=1.0)
        for value in values:
            plateau.step(value)
        assert plateau.get_last_lr() == [0.05, 0.2], (values, mode)
    plateau = ReduceLROnPlateau(two_groups(), patience=0)  # ten times what it must be better by
    for value in (-1.0, -1.001, -1.002, -1.00209):
        assert plateau.get_last_lr() == [0.1, 0.4]
        plateau.step(value)
    assert plateau.get_last_lr() != [0.1, 0.4]


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_rate_that_is_changed_by_hand_stays_changed(name):
    plain, changed = two_groups(), two_groups()
    left, right = SCHEDULES[name](plain), SCHEDULES[name](changed)
    go(plain, left, steps=3)
    go(changed, right, steps=3)
    changed.param_groups[1]["lr"] *= 0.25
    before, end = left.get_last_lr()[1], ENDS.get(name, 0.0)
    assert right.get_last_lr()[1] == 0.25 * before
    factor = 1.0 if name in BY_STEP_ALONE else (0.25 * before - end) / (before - end)
    # The change is lost where a cosine comes to its end, and where the next schedule starts, as in PyTorch.
    steps = {"CosineAnnealingLR": 2, "SequentialLR-nested": 3}.get(name, 8)
    expected = [[a, end + factor * (b - end)] for a, b in go(plain, left, steps=steps)]
    np.testing.assert_allclose(go(changed, right, steps=steps), expected, rtol=1e-12)


def test_a_rate_of_0_by_hand_is_no_end():
    optimizer = two_groups(rates=(1.0, 1.0))
    schedule = ExponentialLR(optimizer, 0.5)
    go(optimizer, schedule)
    optimizer.param_groups[0]["lr"] = 0.0
    assert go(optimizer, schedule, steps=2) == [[0.0, 0.25], [0.0, 0.125]]
    optimizer.param_groups[0]["lr"] = 0.0625  # half of what it would be
    assert go(optimizer, schedule, steps=2) == [[0.03125, 0.0625], [0.015625, 0.03125]]


def test_a_rate_of_0_by_schedule_is_no_end():
    optimizer = two_groups(rates=(1.0,))
    schedule = LambdaLR(optimizer, lambda step: float(step != 1))
    assert go(optimizer, schedule, steps=3) == [[0.0], [1.0], [1.0]]
    optimizer = two_groups(rates=(1.0,))
    schedule = ConstantLR(optimizer, factor=0.0, total_iters=2)
    assert go(optimizer, schedule, steps=3) == [[0.0], [1.0], [1.0]]
    optimizer = two_groups(rates=(1.0,))
    schedule = PolynomialLR(optimizer, total_iters=2)
    assert go(optimizer, schedule, steps=3) == [[0.5], [0.0], [0.0]]
    optimizer.param_groups[0]["lr"] = 7.0  # the schedule is over
    assert go(optimizer, schedule) == [[7.0]]


# States


@each_schedule
@each("done", [0, 1, 6])
def test_a_state_in_a_file_continues_bit_for_bit(make, done, tmp_path, suffix):
    optimizer = two_groups()
    schedule = make(optimizer)
    go(optimizer, schedule, steps=done)
    optimizer.param_groups[0]["lr"] *= 0.3  # and nobody knows yet
    state = saved([optimizer.state_dict(), schedule.state_dict()], tmp_path, suffix)
    courses = []
    for order in (0, 1), (1, 0):
        again = two_groups(rates=(7.0, 8.0))
        resumed = make(again)
        if done:
            go(again, resumed, steps=2)
        for i in order:
            (again, resumed)[i].load_state_dict(state[i])
        assert resumed.state_dict() == state[1] == schedule.state_dict()
        courses.append((go(again, resumed, steps=8), [{**g, "params": 0} for g in again.param_groups]))
    straight = go(optimizer, schedule, steps=8), [{**g, "params": 0} for g in optimizer.param_groups]
    assert courses == [straight] * 2


@each_schedule
def test_a_change_after_loading_is_kept(make):
    optimizer = two_groups()
    schedule = make(optimizer)
    go(optimizer, schedule, steps=3)
    again = two_groups()
    resumed = make(again)
    again.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(schedule.state_dict())
    for group in (*optimizer.param_groups, *again.param_groups):
        group["lr"] *= 0.1
    assert go(again, resumed, steps=4) == go(optimizer, schedule, steps=4)


@each_schedule
def test_a_state_dict_is_a_copy_both_ways(make):
    optimizer, other = two_groups(), two_groups()
    schedule, resumed = make(optimizer), make(other)
    go(optimizer, schedule, steps=2)
    state = schedule.state_dict()
    text = str(state)
    resumed.load_state_dict(state)
    for o, s in ((optimizer, schedule), (other, resumed)):
        o.param_groups[0]["lr"] *= 2
        go(o, s, steps=3)
    assert str(state) == text


@pytest.mark.parametrize("name", [*SCHEDULES, "ReduceLROnPlateau"])
def test_no_misfit_state_changes_anything(name):
    makers = {**SCHEDULES, "ReduceLROnPlateau": ReduceLROnPlateau}
    optimizer = two_groups()
    schedule = makers[name](optimizer)
    before = str(schedule.state_dict())
    state = schedule.state_dict()
    kind = type(schedule)
    bad = [
        {},
        {**state, "what": 1},
        {"last_epoch": 3},
        *({k: v for k, v in state.items() if k != key} for key in state),
    ]
    if "_schedulers" in state:
        bad += [
            {**state, "_schedulers": parts}
            for parts in ([], state["_schedulers"][:1], [{}] * len(state["_schedulers"]))
        ]
        bad += [
            {
                **state,
                "_schedulers": [state["_schedulers"][0], *([{"last_epoch": 3}] * (len(state["_schedulers"]) - 1))],
            }
        ]
    else:  # but for those that have nothing of their own but functions
        functions = {LambdaLR, MultiplicativeLR}
        alike = functions if kind in functions else {kind}
        bad += [other.state_dict() for make in makers.values() if type(other := make(two_groups())) not in alike]
    if name not in ("LambdaLR", "SWALR", "OneCycleLR", "CyclicLR"):
        one = makers[name](two_groups(rates=(0.1,)))
        bad.append(one.state_dict())
    for misfit in bad:
        with pytest.raises(errors.StateDictError):
            schedule.load_state_dict(misfit)
        assert str(schedule.state_dict()) == before
    with pytest.raises((errors.StateDictError, TypeError, AttributeError)):
        schedule.load_state_dict(None)
    assert str(schedule.state_dict()) == before


def test_functions_are_not_in_the_state():
    optimizer = two_groups()
    for make in (SCHEDULES["LambdaLR"], SCHEDULES["MultiplicativeLR"], SCHEDULES["CyclicLR-function"]):
        state = make(optimizer).state_dict()
        assert not any(map(callable, state.values()))


def test_a_plateau_in_a_file_continues(tmp_path, suffix):
    metrics = [3.0, 2.0, 2.0, 2.0, 2.0, 1.9, 2.0, 2.0, 2.0, 2.0]
    optimizer, again = two_groups(), two_groups(rates=(7.0, 7.0))
    plateau, resumed = (ReduceLROnPlateau(o, factor=0.5, patience=1, cooldown=1) for o in (optimizer, again))
    fresh = saved(plateau.state_dict(), tmp_path, suffix)  # with inf in it
    assert fresh == plateau.state_dict()
    for value in metrics[:4]:
        plateau.step(value)
    states = saved([optimizer.state_dict(), plateau.state_dict()], tmp_path, suffix)
    again.load_state_dict(states[0])
    resumed.load_state_dict(states[1])
    for value in metrics[4:]:
        plateau.step(value)
        resumed.step(mg.tensor(value, requires_grad=True))
        assert plateau.get_last_lr() == resumed.get_last_lr()
    assert plateau.get_last_lr() != [0.1, 0.4]


def settings_of(optimizer):
    return [{**group, "params": 0} for group in optimizer.param_groups]


@each_schedule
def test_a_state_of_any_step_continues_bit_for_bit(make):
    for done in range(15):
        optimizer, again = two_groups(), two_groups(rates=(7.0, 8.0))
        schedule, resumed = make(optimizer), make(again)
        go(optimizer, schedule, steps=done)
        again.load_state_dict(optimizer.state_dict())
        resumed.load_state_dict(schedule.state_dict())
        assert go(again, resumed, steps=5) == go(optimizer, schedule, steps=5)
        assert settings_of(again) == settings_of(optimizer)


@each_schedule
def test_going_on_from_a_step_is_as_if_nothing_had_been(make):
    for done in range(1, 15):
        optimizer = two_groups()
        schedule = make(optimizer)
        go(optimizer, schedule, steps=done)
        again = two_groups(rates=(7.0, 8.0))
        again.load_state_dict(optimizer.state_dict())
        resumed = make(again, done - 1)
        assert resumed.last_epoch == schedule.last_epoch == done
        for _ in range(5):
            for one, other in zip(settings_of(optimizer), settings_of(again), strict=True):
                assert one.keys() == other.keys()
                assert one.pop("momentum") == pytest.approx(other.pop("momentum"), rel=1e-12)
                assert one.pop("lr") == pytest.approx(other.pop("lr"), rel=1e-12)
                assert one == other
            go(optimizer, schedule)
            go(again, resumed)


def test_parts_of_a_sequence_may_go_on_themselves():
    def make(o, last=-1, first=-1, second=-1):
        return SequentialLR(o, [ExponentialLR(o, 0.5, first), ExponentialLR(o, 0.25, second)], [3], last)

    for done, parts in ((2, (1, -1)), (2, (1, 0)), (3, (2, -1)), (5, (2, 1)), (5, (-1, -1))):
        optimizer = two_groups()
        schedule = make(optimizer)
        course = go(optimizer, schedule, steps=8)
        again = two_groups()
        for group, rate in zip(again.param_groups, course[done - 1], strict=True):
            group["initial_lr"], group["lr"] = group["lr"], rate
        resumed = make(again, done - 1, *parts)
        assert again.param_groups[0]["lr"] == course[done - 1][0], (done, parts)
        assert go(again, resumed, steps=8 - done) == course[done:], (done, parts)
        assert [part.last_epoch for part in resumed._schedulers] == [part.last_epoch for part in schedule._schedulers]


def test_parts_of_a_chain_go_on_from_one_step():
    optimizer = two_groups()
    for group in optimizer.param_groups:
        group["initial_lr"] = group["lr"]
    with pytest.raises(errors.ArgumentError, match=r"these are at \[0, 4\]: give all of them the same last_epoch"):
        ChainedScheduler([ExponentialLR(optimizer, 0.5, 3), ExponentialLR(optimizer, 0.5)])


def test_going_on_from_a_step_needs_the_first_rates():
    optimizer = two_groups()
    with pytest.raises(errors.ArgumentError, match=r"to go on from step 3, group 0 .* needs an entry 'initial_lr'"):
        ExponentialLR(optimizer, 0.5, last_epoch=3)
    for group in optimizer.param_groups:
        group["initial_lr"] = 1.0
    schedule = ExponentialLR(optimizer, 0.5, last_epoch=3)
    assert schedule.get_last_lr() == [0.1, 0.4]  # until the next step
    assert go(optimizer, schedule) == [[0.5**5] * 2]


# Misuse


def test_a_step_before_the_optimizers_warns():
    optimizer = two_groups()
    schedule = ExponentialLR(optimizer, 0.5)
    with pytest.warns(UserWarning, match=r"ExponentialLR.step\(\) before the first step of the optimizer") as caught:
        schedule.step()
    assert caught[0].filename == __file__
    schedule.step()  # once is enough
    go(optimizer, ExponentialLR(optimizer, 0.5))


def test_a_group_that_is_added_later_is_not_forgotten():
    optimizer = two_groups()
    schedule = ExponentialLR(optimizer, 0.5)
    go(optimizer, schedule)
    optimizer.add_param_group({"params": [mg.zeros(1).requires_grad_()], "lr": 3.0})
    with pytest.raises(errors.ArgumentError, match="made for 2 groups of parameters, and the optimizer has 3 by now"):
        schedule.step()
    assert schedule.get_last_lr() == [0.05, 0.2, 3.0]
    go(optimizer, ExponentialLR(optimizer, 0.5))


def test_one_cycle_ends():
    optimizer = two_groups()
    schedule = OneCycleLR(optimizer, 1.0, total_steps=3)
    go(optimizer, schedule, steps=3)
    with pytest.raises(errors.ArgumentError, match="this schedule has 3 steps, and no step 4"):
        schedule.step()


@each(
    "make",
    [
        lambda o: StepLR(o, 0),
        lambda o: StepLR(o, -1),
        lambda o: ConstantLR(o, 1.5),
        lambda o: ConstantLR(o, -0.5),
        lambda o: LinearLR(o, 0.0),
        lambda o: LinearLR(o, 0.5, 1.5),
        lambda o: PolynomialLR(o, 0),
        lambda o: CosineAnnealingLR(o, 0),
        lambda o: CosineAnnealingWarmRestarts(o, 0),
        lambda o: CosineAnnealingWarmRestarts(o, 2, 0),
        lambda o: LambdaLR(o, [lambda step: 1.0]),
        lambda o: OneCycleLR(o, 1.0),
        lambda o: OneCycleLR(o, 1.0, epochs=3),
        lambda o: OneCycleLR(o, 1.0, total_steps=0),
        lambda o: OneCycleLR(o, 1.0, total_steps=9, pct_start=1.5),
        lambda o: OneCycleLR(o, 1.0, total_steps=9, anneal_strategy="what"),
        lambda o: OneCycleLR(o, [1.0, 2.0, 3.0], total_steps=9),
        lambda o: CyclicLR(o, 0.1, 0.2, 0),
        lambda o: CyclicLR(o, 0.1, 0.2, 3, 0),
        lambda o: CyclicLR(o, 0.1, 0.2, mode="what"),
        lambda o: CyclicLR(o, [0.1], 0.2),
        lambda o: OneCycleLR(two_groups(Adagrad), 1.0, total_steps=9),
        lambda o: CyclicLR(two_groups(Adagrad), 0.1, 0.2),
        lambda o: ChainedScheduler([ExponentialLR(o, 0.5), ExponentialLR(two_groups(), 0.5)]),
        lambda o: SequentialLR(o, [ExponentialLR(o, 0.5)], [3]),
        lambda o: SequentialLR(o, [ExponentialLR(o, 0.5), ExponentialLR(o, 0.5)], []),
        lambda o: SequentialLR(o, [ExponentialLR(o, 0.5)] * 3, [5, 3]),
        lambda o: SequentialLR(o, [ExponentialLR(two_groups(), 0.5)], []),
        lambda o: SequentialLR(o, [], []),
        lambda o: SWALR(o, 0.1, -1),
        lambda o: SWALR(o, 0.1, anneal_strategy="what"),
        lambda o: SWALR(o, [0.1]),
        lambda o: ReduceLROnPlateau(o, factor=1.0),
        lambda o: ReduceLROnPlateau(o, mode="what"),
        lambda o: ReduceLROnPlateau(o, threshold_mode="what"),
        lambda o: ReduceLROnPlateau(o, min_lr=[0.1]),
    ],
)
def test_schedules_that_cannot_be(make):
    with pytest.raises(errors.ArgumentError):
        make(two_groups())


@pytest.mark.parametrize(
    "make",
    [
        lambda o: ExponentialLR([], 0.5),
        lambda o: ExponentialLR(o.param_groups, 0.5),
        lambda o: ReduceLROnPlateau(nn.Linear(1, 1)),
        lambda o: ChainedScheduler([]),
        lambda o: ChainedScheduler([ReduceLROnPlateau(o)]),
        lambda o: SequentialLR(o, [ReduceLROnPlateau(o), StepLR(o, 2)], [3]),
    ],
    ids=range(6),
)
def test_schedules_are_for_optimizers_and_made_of_schedules(make):
    with pytest.raises(
        (errors.DTypeError, errors.ArgumentError), match=r"is for an Optimizer|gives no rate|needs a scheduler"
    ):
        make(two_groups())


def test_a_base_that_defines_nothing():
    with pytest.raises(NotImplementedError):
        LRScheduler(two_groups())


# Averages of weights


def trained(count=6):
    """A model with buffers, and what it is after each of some steps."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = SGD(model.parameters(), lr=0.5)
    for _ in range(count):
        optimizer.zero_grad()
        (model(mg.random.randn(5, 3)) ** 2).mean().backward()
        optimizer.step()
        yield model


def numbers(module, buffers=False):
    tensors = module.buffers() if buffers else module.parameters()
    return [t.data.copy() for t in tensors]


AVERAGES = {
    "mean": ({}, lambda path: np.mean(path, axis=0)),
    "swa": ({"multi_avg_fn": swa_utils.get_swa_multi_avg_fn()}, lambda path: np.mean(path, axis=0)),
    "swa one by one": ({"avg_fn": swa_utils.get_swa_avg_fn()}, lambda path: np.mean(path, axis=0)),
    "ema": ({"multi_avg_fn": get_ema_multi_avg_fn(0.75)}, lambda path: ema(path, 0.75)),
    "ema one by one": ({"avg_fn": get_ema_avg_fn(0.75)}, lambda path: ema(path, 0.75)),
    "last": ({"multi_avg_fn": get_ema_multi_avg_fn(0.0)}, lambda path: path[-1]),
    "first": ({"multi_avg_fn": get_ema_multi_avg_fn(1.0)}, lambda path: path[0]),
}


def ema(path, decay):
    average = path[0]
    for value in path[1:]:
        average = decay * average + (1 - decay) * value
    return average


@pytest.mark.parametrize(("options", "expected"), AVERAGES.values(), ids=AVERAGES)
@each("use_buffers", [False, True])
def test_averages_are_what_they_say(options, expected, use_buffers):
    average, path, buffers = None, [], []
    for model in trained():
        average = average or AveragedModel(model, use_buffers=use_buffers, **options)
        before = numbers(model), numbers(model, buffers=True)
        nodes = [p.node for p in average.module.parameters()]
        average.update_parameters(model)
        assert [p.node for p in average.module.parameters()] == nodes
        np.testing.assert_equal((numbers(model), numbers(model, buffers=True)), before)
        path.append(before[0])
        buffers.append(before[1])
    assert average.n_averaged.item() == 6
    for own, values in zip(numbers(average.module), zip(*path, strict=True), strict=True):
        np.testing.assert_allclose(own, expected(values), rtol=1e-12)
    for own, values in zip(numbers(average.module, buffers=True), zip(*buffers, strict=True), strict=True):
        wanted = expected(values) if use_buffers and own.dtype.kind == "f" else values[-1]
        if own.dtype.kind == "f" or not use_buffers:
            np.testing.assert_allclose(own, wanted, rtol=1e-12)
    shared = [np.shares_memory(a.data, b.data) for a, b in zip(average.module.buffers(), model.buffers(), strict=True)]
    assert not any(shared)


@pytest.mark.parametrize("name", ["mean", "ema", "ema one by one"])
def test_an_average_in_a_file_continues_bit_for_bit(name, tmp_path, suffix):
    options, average, resumed = AVERAGES[name][0], None, None
    for i, model in enumerate(trained()):
        average = average or AveragedModel(model, **options)
        average.update_parameters(model)
        if i == 2:
            resumed = AveragedModel(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)), **options)
            assert resumed.load_state_dict(saved(average.state_dict(), tmp_path, suffix)) == ([], [])
        elif resumed is not None:
            resumed.update_parameters(model)
    assert resumed.n_averaged.item() == 6
    np.testing.assert_equal(numbers(resumed), numbers(average))
    np.testing.assert_equal(numbers(resumed, buffers=True), numbers(average, buffers=True))


def test_averages_allocate_nothing_and_keep_dtypes():
    model = nn.Linear(3, 2)
    for p in model.parameters():
        p.data = p.data.astype(np.float32)
    average = AveragedModel(model)
    places = [p.data.ctypes.data for p in average.parameters()]
    for _ in range(3):
        average.update_parameters(model)
    assert [p.data.ctypes.data for p in average.parameters()] == places
    assert {p.dtype for p in average.parameters()} == {np.dtype(np.float32)}


def test_averages_that_cannot_be():
    model = nn.Linear(1, 1)
    with pytest.raises(errors.ArgumentError, match="either avg_fn or multi_avg_fn"):
        AveragedModel(model, avg_fn=get_ema_avg_fn(), multi_avg_fn=get_ema_multi_avg_fn())
    for make, decay in itertools.product((get_ema_avg_fn, get_ema_multi_avg_fn), (-0.1, 1.1, float("nan"))):
        with pytest.raises(errors.ArgumentError, match="decay must be a number from 0 to 1"):
            make(decay)


def test_batch_norms_see_the_data_again():
    mg.manual_seed(0)
    model = nn.Sequential(nn.BatchNorm1d(3, momentum=0.3), nn.Dropout(0.5))
    model(mg.random.randn(4, 3) + 100.0)
    model.eval()
    batches = [mg.random.randn(8, 3) * (i + 1) for i in range(3)]
    update_bn(((batch, "label") for batch in batches), model)
    norm = model[0]
    np.testing.assert_allclose(norm.running_mean.data, np.mean([b.data.mean(0) for b in batches], axis=0))
    np.testing.assert_allclose(norm.running_var.data, np.mean([b.data.var(0, ddof=1) for b in batches], axis=0))
    assert (norm.num_batches_tracked.item(), norm.momentum, model.training, model[1].training) == (3, 0.3, False, False)
    model.train()
    update_bn(batches[:1], model)
    assert (norm.num_batches_tracked.item(), model.training) == (1, True)
    np.testing.assert_allclose(norm.running_mean.data, batches[0].data.mean(0))


def test_batch_norms_are_as_before_if_the_data_fail():
    model = nn.BatchNorm1d(3, momentum=0.3)
    model.eval()

    def failing():
        yield mg.ones((2, 3))
        raise LookupError

    with pytest.raises(LookupError):
        update_bn(failing(), model)
    assert (model.momentum, model.training) == (0.3, False)

    def never(*_):
        raise AssertionError("there is nothing to update")

    plain = nn.Linear(1, 1)
    plain.forward = never
    update_bn([mg.ones(1)], plain)
    update_bn([mg.ones((2, 3))], nn.BatchNorm1d(3, track_running_stats=False))
