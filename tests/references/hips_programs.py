"""Programs in the idiom of HIPS autograd: with ``autograd`` or ``minigrad.hips`` in the place of ``ROOT``.

Each leaves its figures in `result`.
"""

PROGRAMS = {
    "tanh and its derivatives": """
from ROOT import elementwise_grad as egrad
import ROOT.numpy as np

def tanh(x):
    y = np.exp(-2.0 * x)
    return (1.0 - y) / (1.0 + y)

x = np.linspace(-3, 3, 7)
result = [tanh(x), egrad(tanh)(x), egrad(egrad(tanh))(x), egrad(egrad(egrad(tanh)))(x)]
""",
    "logistic regression": """
import ROOT.numpy as np
from ROOT import grad
from ROOT.test_util import check_grads

def sigmoid(x):
    return 0.5 * (np.tanh(x) + 1)

def logistic_predictions(weights, inputs):
    return sigmoid(np.dot(inputs, weights))

def training_loss(weights):
    preds = logistic_predictions(weights, inputs)
    label_probabilities = preds * targets + (1 - preds) * (1 - targets)
    return -np.sum(np.log(label_probabilities))

inputs = np.array([[0.52, 1.12, 0.77], [0.88, -1.08, 0.15], [0.52, 0.06, -1.30], [0.74, -2.49, 1.39]])
targets = np.array([True, True, False, True])
training_gradient_fun = grad(training_loss)
weights = np.array([0.0, 0.0, 0.0])
check_grads(training_loss, modes=["rev"])(weights)
result = [training_loss(weights)]
for i in range(100):
    weights -= training_gradient_fun(weights) * 0.01
result += [training_loss(weights), weights]
""",
    "a neural network": """
import ROOT.numpy as np
import ROOT.numpy.random as npr
from ROOT import grad
from ROOT.scipy.special import logsumexp
from ROOT.misc.flatten import flatten
from ROOT.misc.optimizers import adam, rmsprop, sgd

def init_random_params(scale, layer_sizes, rs):
    return [(scale * rs.randn(m, n), scale * rs.randn(n)) for m, n in zip(layer_sizes[:-1], layer_sizes[1:])]

def neural_net_predict(params, inputs):
    for W, b in params:
        outputs = np.dot(inputs, W) + b
        inputs = np.tanh(outputs)
    return outputs - logsumexp(outputs, axis=1, keepdims=True)

def l2_norm(params):
    flattened, _ = flatten(params)
    return np.dot(flattened, flattened)

def log_posterior(params, inputs, targets, L2_reg):
    log_prior = -L2_reg * l2_norm(params)
    log_lik = np.sum(neural_net_predict(params, inputs) * targets)
    return log_prior + log_lik

rs = npr.RandomState(0)
inputs, targets = rs.randn(12, 4), np.eye(3)[rs.randint(0, 3, 12)]
params = init_random_params(0.1, [4, 5, 3], rs)
objective = lambda params, i: -log_posterior(params, inputs, targets, 0.1) / len(inputs)
seen = []
def callback(params, i, g):
    seen.append(objective(params, i))
result = []
for optimize, step in [(adam, 0.01), (sgd, 0.5), (rmsprop, 0.01)]:
    ended = optimize(grad(objective), params, callback=callback, num_iters=20, step_size=step)
    result += [flatten(ended)[0]]
result += [np.array(seen)]
""",
    "several arguments": """
import ROOT.numpy as np
from ROOT import grad, grad_and_aux, grad_named, multigrad_dict, value_and_grad, jacobian, hessian, holomorphic_grad

def f(x, y, scale=2.0):
    return np.sum(x ** 2 * y) * scale

x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
both = grad(f, (0, 1))(x, y)
by_name = multigrad_dict(f)(x, y)
g, aux = grad_and_aux(lambda x: (np.sum(x ** 3), x * 2))(x)
value, slope = value_and_grad(f, 1)(x, y, scale=3.0)
J = jacobian(lambda x, A: np.dot(A, np.sin(x)))(x, np.ones((3, 2)))
H = hessian(lambda x: np.sum(x) ** 3 + np.prod(x))(x)
result = [both[0], both[1], by_name["x"], by_name["y"], by_name["scale"], g, aux, value, slope]
result += [grad_named(f, "y")(x, y), J, H]
z = holomorphic_grad(lambda z: z ** 3)(1.0 + 2.0j)
w = grad(lambda z: np.real(z * np.conj(z) * z))(1.0 + 2.0j)
result += [np.real(z), np.imag(z), np.real(w), np.imag(w)]
""",
    "products": """
import ROOT.numpy as np
from ROOT import (deriv, hessian_vector_product, hessian_tensor_product, make_ggnvp, make_hvp, make_jvp, make_vjp,
                  tensor_jacobian_product, vector_jacobian_product)

def f(x):
    return np.array([x[0] * x[1], np.sin(x[1]), x[0] ** 3])

def g(x):
    return np.sum(f(x) ** 2)

x, v, u = np.array([0.5, 1.5]), np.array([1.0, -2.0]), np.array([1.0, 2.0, 3.0])
vjp, ans = make_vjp(f)(x)
ans2, tangent = make_jvp(f)(x)(v)
hvp, slope = make_hvp(g)(x)
result = [vjp(u), ans, ans2, tangent, hvp(v), slope, hessian_vector_product(g)(x, v), hessian_tensor_product(g)(x, v),
          vector_jacobian_product(f)(x, u), tensor_jacobian_product(f)(x, u), make_ggnvp(f)(x)(v), deriv(np.sin)(x)]
""",
    "an operation of one's own": """
import ROOT.numpy as np
from ROOT import grad, elementwise_grad
from ROOT.extend import primitive, defvjp

@primitive
def logsumexp(x):
    max_x = np.max(x)
    return max_x + np.log(np.sum(np.exp(x - max_x)))

def logsumexp_vjp(ans, x):
    x_shape = x.shape
    return lambda g: np.full(x_shape, g) * np.exp(x - np.full(x_shape, ans))

defvjp(logsumexp, logsumexp_vjp)

@primitive
def power(x, n, scale=1.0):
    return scale * x ** n

defvjp(power, lambda ans, x, n, scale=1.0: lambda g: g * scale * n * x ** (n - 1), None)

y = np.array([1.5, 6.7, 1e-10])
result = [grad(lambda y: logsumexp(y) ** 2)(y), elementwise_grad(lambda x: power(x, 3, scale=2.0))(y)]
""",
    "a fixed point": """
import ROOT.numpy as np
from ROOT import grad
from ROOT.misc.fixed_points import fixed_point

def newton_sqrt_iter(a):
    return lambda x: 0.5 * (x + a / x)

def sqrt(a, guess=10.0):
    return fixed_point(newton_sqrt_iter, a, guess, lambda x, y: np.abs(x - y), 1e-12)

result = [sqrt(2.0), grad(sqrt)(2.0)]
""",
    "minimised by SciPy": """
import ROOT.numpy as np
from ROOT import value_and_grad, hessian
from scipy.optimize import minimize

def rosenbrock(x):
    return 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2

found = minimize(value_and_grad(rosenbrock), x0=np.array([0.0, 0.0]), jac=True, method="CG", tol=1e-10)
result = [np.round(found.x, 6), hessian(rosenbrock)(np.array([1.0, 1.0]))]
""",
    "densities": """
import ROOT.numpy as np
from ROOT import grad, elementwise_grad
import ROOT.scipy.stats.norm as norm
import ROOT.scipy.stats.multivariate_normal as mvn
import ROOT.scipy.stats.t as t
from ROOT.scipy.stats import gamma, beta, poisson, chi2, dirichlet

x = np.array([0.2, 0.7])
mean, cov = np.array([0.1, 0.3]), np.array([[1.0, 0.3], [0.3, 2.0]])
result = [elementwise_grad(lambda s: norm.logpdf(x, 0.1, s))(np.array([1.0, 2.0])), elementwise_grad(norm.cdf)(x),
          elementwise_grad(norm.logcdf)(x), grad(lambda m: mvn.logpdf(x, m, cov))(mean),
          grad(lambda c: mvn.logpdf(x, mean, c))(cov),
          elementwise_grad(lambda n: t.logpdf(x, n))(np.array([3.0, 4.0])),
          elementwise_grad(gamma.logpdf)(x, 2.0), elementwise_grad(beta.logpdf, 1)(x, np.array([2.0, 2.5]), 3.0),
          elementwise_grad(poisson.logpmf, 1)(np.array([1.0, 3.0]), np.array([2.0, 2.5])),
          elementwise_grad(chi2.logpdf)(x, 3.0), grad(dirichlet.logpdf, 1)(np.array([0.3, 0.7]), np.array([2.0, 3.0]))]
""",
    "convolutions": """
import ROOT.numpy as np
from ROOT import grad
from ROOT.scipy.signal import convolve

rs = np.random.RandomState(0)
A, B, C, D = rs.randn(7), rs.randn(3), rs.randn(2, 3, 6, 5), rs.randn(3, 4, 3, 2)
result = [convolve(A, B), convolve(A, B, mode="valid"), convolve(B, A, mode="valid"),
          convolve(C, D, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid"),
          convolve(C, D, axes=([2, 3], [2, 3]), dot_axes=([1], [0])), grad(lambda D: np.sum(np.sin(
          convolve(C, D, axes=([2, 3], [2, 3]), dot_axes=([1], [0]), mode="valid"))))(D),
          convolve(D[:, :, 0, 0], rs.randn(4, 3), axes=([0], [1]), mode="valid")]
""",
    "a vector of a tree": """
import ROOT.numpy as np
from ROOT import grad
from ROOT.misc.flatten import flatten, flatten_func
from ROOT.builtins import isinstance, dict, tuple, list

tree = {"a": np.array([1.0, 2.0]), "b": (3.0, [np.ones((2, 2))])}
vector, unflatten = flatten(tree)
def f(tree):
    assert isinstance(tree, dict)
    return {"a": tree["a"] ** 2, "b": (np.sin(tree["b"][0]), [tree["b"][1][0] * 2])}
of_vector, _, flat = flatten_func(f, tree)
result = [vector, unflatten(vector * 2)["b"][1][0], of_vector(vector), grad(lambda x: np.sum(of_vector(x)))(vector)]
""",
}
