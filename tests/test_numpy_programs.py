"""Programs as people write them, in plain NumPy, differentiated without a change."""

import numpy as np

import minigrad as mg

RNG = np.random.default_rng(0)


# A Gaussian process: C. E. Rasmussen and C. K. I. Williams, "Gaussian processes for machine learning", 2006, 2.2

TIMES = np.sort(RNG.uniform(0, 4, 12))
SEEN = np.sin(TIMES) + 0.1 * RNG.normal(size=12)


def gaussian_process_likelihood(log_parameters):
    """The logarithm of the marginal likelihood, by length scale, amplitude and noise."""
    length, amplitude, noise = np.exp(log_parameters)
    distances = TIMES[:, np.newaxis] - TIMES
    K = amplitude**2 * np.exp(-0.5 * (distances / length) ** 2) + noise**2 * np.eye(len(TIMES))
    L = np.linalg.cholesky(K)
    alpha = np.linalg.solve(L.T, np.linalg.solve(L, SEEN))
    return -0.5 * SEEN @ alpha - np.sum(np.log(np.diagonal(L))) - 0.5 * len(TIMES) * np.log(2 * np.pi)


def test_a_gaussian_process():
    start = np.log([0.8, 1.2, 0.3])
    assert mg.gradcheck(gaussian_process_likelihood, start)
    assert mg.gradgradcheck(gaussian_process_likelihood, start)
    run = mg.optim.minimize(lambda p: -gaussian_process_likelihood(p), start, method="trust-exact")
    assert run.converged
    assert run.loss < -gaussian_process_likelihood(start)
    assert np.linalg.norm(mg.grad(gaussian_process_likelihood)(run.x)) < 1e-3
    # The same by the determinant and the inverse.
    K = np.exp(-0.5 * ((TIMES[:, None] - TIMES) / 0.8) ** 2) * 1.44 + 0.09 * np.eye(12)
    direct = -0.5 * SEEN @ np.linalg.inv(K) @ SEEN - 0.5 * np.linalg.slogdet(K)[1] - 6 * np.log(2 * np.pi)
    np.testing.assert_allclose(gaussian_process_likelihood(start), direct, rtol=1e-10)


# A Kalman filter: R. E. Kalman, "A new approach to linear filtering and prediction problems", 1960

POSITIONS = np.cumsum(RNG.normal(0.5, 0.3, 15)) + RNG.normal(0, 0.2, 15)


def kalman_likelihood(log_noises):
    """The logarithm of the likelihood of positions, by the noise of the motion and of the measurement."""
    motion, measurement = np.exp(log_noises)
    F, H = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    Q = motion**2 * np.array([[0.25, 0.5], [0.5, 1.0]])
    state, P, total = np.zeros(2), np.eye(2), 0.0
    for z in POSITIONS:
        state, P = F @ state, F @ P @ F.T + Q
        S = H @ P @ H.T + measurement**2
        surprise = z - H @ state
        gain = P @ H.T @ np.linalg.inv(S)
        total = total - 0.5 * (surprise @ np.linalg.solve(S, surprise) + np.linalg.slogdet(S)[1] + np.log(2 * np.pi))
        state, P = state + gain @ surprise, (np.eye(2) - gain @ H) @ P
    return total


def test_a_kalman_filter():
    start = np.log([0.4, 0.3])
    assert mg.gradcheck(kalman_likelihood, start)
    assert mg.gradgradcheck(kalman_likelihood, start)
    run = mg.optim.minimize(lambda p: -kalman_likelihood(p), start, method="BFGS")
    assert run.converged
    assert run.loss < -kalman_likelihood(start)


# Deconvolution with a penalty for roughness, in the frequencies

SIGNAL = np.where((np.arange(64) > 20) & (np.arange(64) < 40), 1.0, 0.0)
BLUR = np.exp(-0.5 * (np.minimum(np.arange(64), 64 - np.arange(64)) / 2.0) ** 2)
BLUR /= BLUR.sum()
BLURRED = np.fft.irfft(np.fft.rfft(SIGNAL) * np.fft.rfft(BLUR), 64) + 0.001 * RNG.normal(size=64)


def misfit(signal):
    blurred = np.fft.irfft(np.fft.rfft(signal) * np.fft.rfft(BLUR), 64)
    return np.sum((blurred - BLURRED) ** 2) + 1e-4 * np.sum(np.abs(np.fft.fft(np.diff(signal))) ** 2) / 63


def test_a_deconvolution():
    assert mg.gradcheck(misfit, RNG.normal(size=64), fast=True)
    assert mg.gradgradcheck(misfit, RNG.normal(size=64), fast=True)
    run = mg.optim.minimize(misfit, np.zeros(64), method="L-BFGS-B", steps=2000, options={"ftol": 1e-15, "gtol": 1e-10})
    # The problem is quadratic, so Newton's method ends in one step.  (Not from 0: absolute values have kinks there.)
    there = RNG.normal(size=64)
    newton = there - np.linalg.solve(mg.hessian(misfit)(there), mg.grad(misfit)(there))
    np.testing.assert_allclose(run.x, newton, atol=1e-3)
    assert np.linalg.norm(newton - SIGNAL) < 0.7 * np.linalg.norm(BLURRED - SIGNAL)


# The nearest matrix of low rank, through the singular values

TARGET = RNG.normal(size=(6, 3)) @ RNG.normal(size=(3, 5))


def low_rank_misfit(A, rank=2):
    """How far the best approximation of this rank is from a target."""
    U, s, Vh = np.linalg.svd(A, full_matrices=False)
    return np.sum((U[:, :rank] * s[:rank] @ Vh[:rank] - TARGET) ** 2)


def test_a_low_rank_fit():
    start = TARGET + 0.5 * RNG.normal(size=TARGET.shape)
    assert mg.gradcheck(low_rank_misfit, start)
    assert mg.gradgradcheck(low_rank_misfit, start, fast=True)
    run = mg.optim.minimize(low_rank_misfit, start, method="BFGS")
    # C. Eckart and G. Young, 1936: what is left is the square of the third singular value.
    np.testing.assert_allclose(run.loss, np.linalg.svd(TARGET)[1][2] ** 2, rtol=1e-5)
    # A penalty by the singular values alone is differentiable where they coincide.
    assert mg.gradcheck(lambda A: np.sum(np.linalg.svdvals(A) ** 3), 2 * np.eye(3))
