"""NumPy with gradients written by hand: what the others are measured by."""

import math

import numpy as np

F32 = np.float32


def rosenbrock(spec):
    def run():
        w, g = spec.start.copy(), np.empty(2)
        for _ in range(spec.steps):
            x, y = w[0], w[1]
            r = y - x * x
            g[0] = -2 * (1 - x) - 400 * x * r
            g[1] = 200 * r
            w -= spec.lr * np.clip(g, -spec.clip, spec.clip)
        return [w]

    return run


def scalar_expr(spec):
    """Python's own numbers and lists: scalars need no arrays."""

    def value_and_gradient(x):
        h, total, tape = x[0], x[1], []
        for i in range(spec.rounds):
            before, t = h, math.tanh(h * x[i % 4] + x[(i + 1) % 4])
            h = t
            if i % 5 == 4:
                h = (t if t > 0 else 0.0) + x[(i + 2) % 4]
            total += h
            tape.append((before, t))
        g, gh = [0.0, 1.0, 0.0, 0.0], 0.0
        for i in range(spec.rounds - 1, -1, -1):
            before, t = tape[i]
            gh += 1.0
            if i % 5 == 4:
                g[(i + 2) % 4] += gh
                if t <= 0:
                    gh = 0.0
            gz = gh * (1 - t * t)
            g[i % 4] += gz * before
            g[(i + 1) % 4] += gz
            gh = gz * x[i % 4]
        g[0] += gh
        return total, g

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient(spec.leaves)
        return [value, np.array(gradient)]

    return run


def linreg_minibatch(spec):
    def run():
        w, b = spec.params[0].copy(), 0.0
        for _ in range(spec.epochs):
            for X, y in spec.batches:
                r = X @ w
                r += b
                r -= y
                loss = r @ r / len(r)
                r *= 2 / len(r)
                w -= spec.lr * (r @ X)
                b -= spec.lr * r.sum()
        return [w, b, loss]

    return run


# What is trained: the mean cross-entropy of logits, and the steps of optimizers


def cross_entropy(logits, targets):
    """The loss and its gradient by the logits, in their memory; targets are one-hot."""
    logits -= logits.max(axis=-1, keepdims=True)
    own = (logits * targets).sum()
    np.exp(logits, out=logits)
    total = logits.sum(axis=-1, keepdims=True)
    loss = (np.log(total).sum() - own) / len(logits)
    logits /= total
    logits -= targets
    logits /= F32(len(logits))
    return loss, logits


def descend(params, gradients, lr):
    for p, g in zip(params, gradients, strict=True):
        g *= F32(lr)
        p -= g


class Adam:
    def __init__(self, params, spec):
        self.params, self.lr, self.betas, self.eps, self.count = params, spec.lr, spec.betas, spec.eps, 0
        self.means, self.squares, self.scratch = ([np.zeros_like(p) for p in params] for _ in range(3))

    def step(self, gradients):
        self.count += 1
        beta1, beta2 = self.betas
        correction1, correction2 = 1 - beta1**self.count, math.sqrt(1 - beta2**self.count)
        lists = self.params, gradients, self.means, self.squares, self.scratch
        for p, g, mean, square, work in zip(*lists, strict=True):
            mean *= beta1
            mean += np.multiply(g, 1 - beta1, out=work)
            square *= beta2
            np.multiply(g, g, out=work)
            work *= 1 - beta2
            square += work
            np.sqrt(square, out=work)
            work /= correction2
            work += self.eps
            np.divide(mean, work, out=work)
            work *= self.lr / correction1
            p -= work


def softmax_digits(spec):
    def run():
        weight, bias = params = [p.copy() for p in spec.params]
        for _ in range(spec.epochs):
            for X, Y, _ in spec.batches:
                loss, d = cross_entropy(X @ weight + bias, Y)
                descend(params, [X.T @ d, d.sum(axis=0)], spec.lr)
        return [*params, loss]

    return run


def mlp_gradients(params, X, Y):
    inputs = [X]
    for i in range(0, len(params) - 2, 2):
        h = inputs[-1] @ params[i]
        h += params[i + 1]
        np.maximum(h, 0, out=h)
        inputs.append(h)
    logits = inputs[-1] @ params[-2]
    logits += params[-1]
    loss, d = cross_entropy(logits, Y)
    gradients = [None] * len(params)
    for i in range(len(params) - 2, -1, -2):
        h = inputs[i // 2]
        gradients[i], gradients[i + 1] = h.T @ d, d.sum(axis=0)
        if i:
            d = d @ params[i].T
            d *= h > 0
    return loss, gradients


def mlp_digits(spec):
    def run():
        params = [p.copy() for p in spec.params]
        optimizer = Adam(params, spec)
        for _ in range(spec.epochs):
            for X, Y, _ in spec.batches:
                loss, gradients = mlp_gradients(params, X, Y)
                optimizer.step(gradients)
        return [*params, loss]

    return run


def mlp_large(spec):
    def run():
        params = [p.copy() for p in spec.params]
        for _ in range(spec.steps):
            loss, gradients = mlp_gradients(params, spec.X, spec.Y)
            descend(params, gradients, spec.lr)
        return [*params, loss]

    return run


def elementwise_chain(spec):
    x = spec.x

    def value_and_gradient():
        a = np.sin(x)
        d = a * x
        d += F32(0.5)
        np.tanh(d, out=d)
        f = np.exp(d)
        f *= F32(0.3)
        g = np.log1p(f)
        i = g * d
        i += a
        j = np.cos(i)
        value = float(np.dot(j, j) + g.sum())
        gi = np.sin(i, out=i)  # the gradient by i, which is that by a and by the product, too
        gi *= j
        gi *= F32(-2)
        gg = gi * d
        gg += 1
        np.divide(gg, 1 + f, out=gg)
        gg *= f  # through log1p and exp: by d
        gd = g * gi
        gd += gg
        d *= d
        np.subtract(1, d, out=d)
        gd *= d  # through tanh
        gx = gd * x
        gx += gi
        gx *= np.cos(x)
        a *= gd
        gx += a
        return value, gx

    def run():
        for _ in range(spec.iters):
            value, gradient = value_and_gradient()
        return [value, gradient]

    return run


# Convolutions of 3 x 3, on images with their channels last


def columns(x):
    """The windows of padded images as the rows of a matrix."""
    count, height, width, channels = x.shape
    padded = np.zeros((count, height + 2, width + 2, channels), x.dtype)
    padded[:, 1:-1, 1:-1] = x
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * channels)


def images_of(rows, shape):
    """The transpose of `columns`."""
    count, height, width, channels = shape
    rows = rows.reshape(count, height, width, 3, 3, channels)
    padded = np.zeros((count, height + 2, width + 2, channels), rows.dtype)
    for i in range(3):
        for j in range(3):
            padded[:, i : i + height, j : j + width] += rows[:, :, :, i, j]
    return padded[:, 1:-1, 1:-1]


def relu_and_pool(x):
    """ReLU and the maximum of 2 x 2 pixels; and what takes a gradient back to the first of several maxima."""
    count, height, width, channels = x.shape
    np.maximum(x, 0, out=x)
    v = x.reshape(count, height // 2, 2, width // 2, 2, channels)
    top = np.maximum(np.maximum(v[:, :, 0, :, 0], v[:, :, 0, :, 1]), np.maximum(v[:, :, 1, :, 0], v[:, :, 1, :, 1]))

    def back(g):
        out, left = np.zeros_like(v), g * (top > 0)
        for i in range(2):
            for j in range(2):
                here = v[:, :, i, :, j] == top
                out[:, :, i, :, j] = left * here
                left = left * ~here
        return out.reshape(x.shape)

    return top, back


def matrix(kernel):
    return kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))


def kernel_of(rows, like):
    """The transpose of `matrix`."""
    out, channels = like.shape[:2]
    return rows.reshape(3, 3, channels, out).transpose(3, 2, 0, 1)


def cnn_small(spec):
    X = np.ascontiguousarray(spec.X.transpose(0, 2, 3, 1))
    count = len(X)

    def run():
        k1, b1, k2, b2, weight, bias = params = [p.copy() for p in spec.params]
        for _ in range(spec.steps):
            c1 = columns(X)
            h1, back1 = relu_and_pool((c1 @ matrix(k1) + b1).reshape(count, 28, 28, 8))
            c2 = columns(h1)
            h2, back2 = relu_and_pool((c2 @ matrix(k2) + b2).reshape(count, 14, 14, 16))
            flat = h2.transpose(0, 3, 1, 2).reshape(count, -1)
            loss, d = cross_entropy(flat @ weight + bias, spec.Y)
            g_weight, g_bias = flat.T @ d, d.sum(axis=0)
            d = back2((d @ weight.T).reshape(count, 16, 7, 7).transpose(0, 2, 3, 1)).reshape(-1, 16)
            g_k2, g_b2 = kernel_of(c2.T @ d, k2), d.sum(axis=0)
            d = back1(images_of(d @ matrix(k2).T, h1.shape)).reshape(-1, 8)
            g_k1, g_b1 = kernel_of(c1.T @ d, k1), d.sum(axis=0)
            descend(params, [g_k1, g_b1, g_k2, g_b2, g_weight, g_bias], spec.lr)
        return [*params, loss]

    return run


def batchnorm_cnn(spec):
    """BatchNorm's means are products with ones, which are quicker than sums along the first axis."""
    X = np.ascontiguousarray(spec.X.transpose(0, 2, 3, 1))
    images = len(X)
    count = images * 28 * 28
    ones = np.ones(count, F32)

    def run():
        kernel, scale, shift, weight, bias = params = [p.copy() for p in spec.params]
        for _ in range(spec.steps):
            c = columns(X)
            y = c @ matrix(kernel)
            y -= ones @ y / F32(count)
            rate = 1 / np.sqrt(ones @ (y * y) / F32(count) + F32(spec.eps))
            y *= rate  # normalized
            h, back = relu_and_pool((y * scale + shift).reshape(images, 28, 28, 8))
            flat = h.transpose(0, 3, 1, 2).reshape(images, -1)
            loss, d = cross_entropy(flat @ weight + bias, spec.Y)
            g_weight, g_bias = flat.T @ d, d.sum(axis=0)
            d = back((d @ weight.T).reshape(images, 8, 14, 14).transpose(0, 2, 3, 1)).reshape(-1, 8)
            g_shift, g_scale = ones @ d, ones @ (d * y)
            y *= g_scale / F32(count)
            d -= g_shift / F32(count)
            d -= y
            d *= scale * rate
            descend(params, [kernel_of(c.T @ d, kernel), g_scale, g_shift, g_weight, g_bias], spec.lr)
        return [*params, loss]

    return run


# One block of a transformer, whose tokens are the rows of matrices


def layer_norm(x, weight, bias):
    centred = x - x.mean(axis=-1, keepdims=True)
    rate = 1 / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + F32(1e-5))
    centred *= rate
    return centred * weight + bias, (centred, rate)


def layer_norm_back(d, weight, kept):
    """The gradients by the input, by the weight and by the bias."""
    y, rate = kept
    own = (d * y).sum(axis=0), d.sum(axis=0)
    d = d * weight
    d -= d.mean(axis=-1, keepdims=True) + y * (d * y).mean(axis=-1, keepdims=True)
    d *= rate
    return d, *own


def transformer_small(spec):
    B, T, width, count = spec.B, spec.T, spec.d, spec.heads
    scale, slope, cubic = F32((width // count) ** -0.5), F32(0.7978845608), F32(0.044715)

    def by_heads(x):
        return x.reshape(B, T, count, width // count).transpose(0, 2, 1, 3)

    def merged(x):
        return x.transpose(0, 2, 1, 3).reshape(B * T, width)

    def gradients_of(params):
        table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = params
        x0 = (table[spec.tokens] + places).reshape(B * T, width)
        y1, kept1 = layer_norm(x0, n1w, n1b)
        q, k, v = map(by_heads, np.split(y1 @ w_qkv, 3, axis=1))
        weights = q @ k.swapaxes(-1, -2)
        weights *= scale
        weights += spec.mask
        weights -= weights.max(axis=-1, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=-1, keepdims=True)
        seen = merged(weights @ v)
        x1 = x0 + seen @ w_out
        y2, kept2 = layer_norm(x1, n2w, n2b)
        u = y2 @ w1
        u += b1
        t = u * u
        t *= cubic
        t += 1
        t *= u
        t *= slope
        np.tanh(t, out=t)
        h = 0.5 * u * (1 + t)
        x2 = h @ w2
        x2 += b2
        x2 += x1
        y3, kept3 = layer_norm(x2, n3w, n3b)
        loss, d = cross_entropy(y3 @ head, spec.Y)

        g_head = y3.T @ d
        dx, g_n3w, g_n3b = layer_norm_back(d @ head.T, n3w, kept3)
        g_w2, g_b2 = h.T @ dx, dx.sum(axis=0)
        du = dx @ w2.T
        du *= 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * slope * (1 + 3 * cubic * u * u)
        g_w1, g_b1 = y2.T @ du, du.sum(axis=0)
        part, g_n2w, g_n2b = layer_norm_back(du @ w1.T, n2w, kept2)
        dx = dx + part
        g_out = seen.T @ dx
        d_seen = by_heads(dx @ w_out.T)
        dw = d_seen @ v.swapaxes(-1, -2)
        dw -= (dw * weights).sum(axis=-1, keepdims=True)
        dw *= weights
        dw *= scale
        parts = dw @ k, dw.swapaxes(-1, -2) @ q, weights.swapaxes(-1, -2) @ d_seen
        d_qkv = np.concatenate([merged(part) for part in parts], axis=1)
        g_qkv = y1.T @ d_qkv
        part, g_n1w, g_n1b = layer_norm_back(d_qkv @ w_qkv.T, n1w, kept1)
        dx = dx + part
        g_table = np.zeros_like(table)
        np.add.at(g_table, spec.tokens.reshape(-1), dx)
        g_places = dx.reshape(B, T, width).sum(axis=0)
        return loss, [
            g_table, g_places, g_n1w, g_n1b, g_qkv, g_out, g_n2w, g_n2b, g_w1, g_b1, g_w2, g_b2, g_n3w, g_n3b, g_head
        ]  # fmt: skip

    def run():
        params = [p.copy() for p in spec.params]
        for _ in range(spec.steps):
            loss, gradients = gradients_of(params)
            descend(params, gradients, spec.lr)
        return [*params, loss]

    return run


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(spec):
    T, B, features = spec.x.shape
    n = spec.hidden
    x = spec.x.reshape(T * B, features)

    def value_and_gradients():
        weight, own_weight, bias, own_bias = spec.weights
        gates = (x @ weight.T + (bias + own_bias)).reshape(T, B, 4 * n)
        h, c = np.zeros((2, T + 1, B, n), F32)  # with the state before the first step
        bent = np.empty((T, B, n), F32)  # the tanh of each cell state
        for t in range(T):
            z = gates[t]
            z += h[t] @ own_weight.T
            candidate = np.tanh(z[:, 2 * n : 3 * n])
            z[:] = sigmoid(z)
            z[:, 2 * n : 3 * n] = candidate
            enter, forget, leave = z[:, :n], z[:, n : 2 * n], z[:, 3 * n :]
            np.multiply(forget, c[t], out=c[t + 1])
            c[t + 1] += enter * candidate
            np.tanh(c[t + 1], out=bent[t])
            np.multiply(leave, bent[t], out=h[t + 1])
        value = np.vdot(h, h)

        # Each gate by what went into it; sigmoids first, of which there are three
        slopes = gates * (1 - gates)
        slopes[..., 2 * n : 3 * n] = 1 - gates[..., 2 * n : 3 * n] ** 2
        back, dc = np.zeros((B, n), F32), np.zeros((B, n), F32)
        for t in reversed(range(T)):
            enter, forget, candidate, leave = np.split(gates[t], 4, axis=1)
            dh = 2 * h[t + 1]
            dh += back
            dc += dh * leave * (1 - bent[t] ** 2)
            d = slopes[t]
            d[:, :n] *= dc * candidate
            d[:, n : 2 * n] *= dc * c[t]
            d[:, 2 * n : 3 * n] *= dc * enter
            d[:, 3 * n :] *= dh * bent[t]
            dc *= forget
            back = d @ own_weight
        d = slopes.reshape(T * B, 4 * n)
        g_bias = d.sum(axis=0)
        return value, d.T @ x, d.T @ h[:-1].reshape(T * B, n), g_bias, g_bias

    def run():
        for _ in range(spec.iters):
            results = value_and_gradients()
        return list(results)

    return run


def vae(spec):
    n = spec.latent

    def gradients_of(params, X, noise):
        w1, b1, w2, b2, w3, b3, w4, b4 = params
        count = F32(len(X))
        h1 = X @ w1
        h1 += b1
        np.maximum(h1, 0, out=h1)
        code = h1 @ w2
        code += b2
        means, logs = code[:, :n], code[:, n:]
        spread = np.exp(logs / 2)
        z = means + spread * noise
        h2 = z @ w3
        h2 += b3
        np.maximum(h2, 0, out=h2)
        logits = h2 @ w4
        logits += b4
        small = np.exp(-np.abs(logits))
        likelihood = np.maximum(logits, 0).sum() - np.vdot(logits, X) + np.log1p(small).sum()
        variance = spread * spread
        divergence = (means * means + variance - 1 - logs).sum() / 2
        loss = (likelihood + divergence) / count

        d = np.where(logits > 0, 1, small)  # the sigmoid, of exponentials that do not overflow
        small += 1
        d /= small
        d -= X
        d /= count
        g_w4, g_b4 = h2.T @ d, d.sum(axis=0)
        d = d @ w4.T
        d *= h2 > 0
        g_w3, g_b3 = z.T @ d, d.sum(axis=0)
        dz = d @ w3.T
        d = np.concatenate([dz + means / count, (dz * noise * spread + (variance - 1) / count) / 2], axis=1)
        g_w2, g_b2 = h1.T @ d, d.sum(axis=0)
        d = d @ w2.T
        d *= h1 > 0
        return loss, [X.T @ d, d.sum(axis=0), g_w2, g_b2, g_w3, g_b3, g_w4, g_b4]

    def run():
        params = [p.copy() for p in spec.params]
        optimizer = Adam(params, spec)
        for X, noise in spec.batches:
            loss, gradients = gradients_of(params, X, noise)
            optimizer.step(gradients)
        return [*params, loss]

    return run


def gaussian_process(spec):
    """With SciPy's triangular solve, which NumPy does not have."""
    from scipy.linalg import solve_triangular

    squares, y, count = spec.squares, spec.y, len(spec.y)
    eye = np.eye(count)

    def value_and_gradient(theta):
        length, signal, noise = np.exp(2 * theta)  # as squares
        kernel = squares * (-0.5 / length)
        np.exp(kernel, out=kernel)
        kernel *= signal
        covariance = kernel.copy()
        covariance.flat[:: count + 1] += noise
        factor = np.linalg.cholesky(covariance)
        inverse = solve_triangular(factor, eye, lower=True, check_finite=False)
        half = inverse @ y
        value = half @ half / 2 + np.log(factor.diagonal()).sum() + count / 2 * math.log(2 * math.pi)
        solved = half @ inverse
        d = inverse.T @ inverse
        d -= np.outer(solved, solved)  # twice the gradient by the covariance
        by_noise = noise * d.trace()
        d *= kernel
        return value, np.array([np.vdot(d, squares) / length / 2, d.sum(), by_noise])

    def run():
        theta = spec.params[0].copy()
        for _ in range(spec.steps):
            value, gradient = value_and_gradient(theta)
            theta -= spec.lr * gradient
        return [theta, value]

    return run


def adam_large(spec):
    def run():
        params = [p.copy() for p in spec.params]
        optimizer = Adam(params, spec)
        for gradient in spec.gradients:
            optimizer.step([gradient])
        return params

    return run


def hessian(spec):
    def run():
        x = spec.x
        beside = np.diag(-400 * x[:-1], 1)
        diagonal = np.zeros_like(x)
        diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
        diagonal[1:] += 200
        return [beside + beside.T + np.diag(diagonal)]

    return run


def hvp(spec):
    def run():
        x = spec.x
        for v in spec.vs:
            product = np.zeros_like(x)
            product[:-1] = (1200 * x[:-1] ** 2 - 400 * x[1:] + 2) * v[:-1] - 400 * x[:-1] * v[1:]
            product[1:] += 200 * v[1:] - 400 * x[:-1] * v[:-1]
        return [product]

    return run


def op_forward(spec):
    def run():
        for _ in range(spec.iters):
            y = spec.a
            for _ in range(spec.n_ops):
                y = y + spec.b
        return [y]

    return run


def op_fwdbwd(spec):
    def run():
        for _ in range(spec.iters):
            y = spec.a
            for _ in range(spec.n_ops):
                y = y + spec.b
            g, total = np.ones_like(y), np.zeros_like(spec.b)
            for _ in range(spec.n_ops):
                total += g
        return [y.sum(), total]

    return run


def deep_graph(spec):
    def run():
        y, c = spec.a, spec.c
        for _ in range(spec.n_ops):
            y = y * c
        g = np.ones_like(y)
        for _ in range(spec.n_ops):
            g = g * c
        return [y.sum(), g]

    return run
