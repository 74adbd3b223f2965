"""Losses written once for libraries that have NumPy's functions: autograd, jax, mygrad and others.

`xp` is such a library, `lib` a namespace with `xp` and the functions `relu`, `softmax` and `cross_entropy(logits,
targets)` of it.
"""


def rosenbrock(w):
    x, y = w[0], w[1]
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def rosenbrock_chain(xp, x):
    """Rosenbrock's function of many numbers."""
    return xp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def scalar_expr(x, rounds, tanh, relu):
    h, total = x[0], x[1]
    for i in range(rounds):
        h = tanh(h * x[i % 4] + x[(i + 1) % 4])
        if i % 5 == 4:
            h = relu(h) + x[(i + 2) % 4]
        total = total + h
    return total


def linear_regression(xp, params, X, y):
    weight, bias = params
    return xp.mean((X @ weight + bias - y) ** 2)


def mlp(lib, params, X):
    for i in range(0, len(params) - 2, 2):
        X = lib.relu(X @ params[i] + params[i + 1])
    return X @ params[-2] + params[-1]


def elementwise_chain(xp, x):
    a = xp.sin(x)
    d = xp.tanh(a * x + 0.5)
    g = xp.log1p(xp.exp(d) * 0.3)
    j = xp.cos(g * d + a)
    return xp.sum(j * j + g)


def repeated_add(a, b, count):
    """The chain of op_forward."""
    for _ in range(count):
        a = a + b
    return a


def repeated_product(a, c, count):
    """The chain of deep_graph."""
    for _ in range(count):
        a = a * c
    return a


def layer_norm(xp, x, weight, bias):
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    return centred / xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5) * weight + bias


def gelu(xp, x):
    return 0.5 * x * (1 + xp.tanh(0.7978845608 * (x + 0.044715 * x * x * x)))


def transformer(lib, spec, params, tokens, targets):
    xp = lib.xp
    table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = params
    B, T, d, heads = spec.B, spec.T, spec.d, spec.heads
    x = table[tokens] + places
    qkv = (layer_norm(xp, x, n1w, n1b) @ w_qkv).reshape((B, T, 3, heads, d // heads))
    qkv = xp.transpose(qkv, (2, 0, 3, 1, 4))
    q, k, v = qkv[0], qkv[1], qkv[2]
    weights = lib.softmax(q @ xp.swapaxes(k, -1, -2) * (1 / (d // heads) ** 0.5) + spec.mask)
    x = x + xp.transpose(weights @ v, (0, 2, 1, 3)).reshape((B, T, d)) @ w_out
    x = x + gelu(xp, layer_norm(xp, x, n2w, n2b) @ w1 + b1) @ w2 + b2
    return lib.cross_entropy((layer_norm(xp, x, n3w, n3b) @ head).reshape((B * T, spec.V)), targets)
