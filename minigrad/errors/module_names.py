"""What is said of names that PyTorch, JAX and autograd have at their top and minigrad has not: what to write."""

from collections.abc import Iterable

_TORCH = "for programs that are written for PyTorch there is minigrad.torch: import minigrad.torch as torch"

# NumPy's functions of these names take Tensors.
_OF_NUMPY = (
    "absolute append apply_along_axis arccos arccosh arcsin arcsinh arctan arctan2 arctanh argpartition argwhere "
    "array_equal allclose atleast_1d atleast_2d bincount bitwise_not block column_stack concatenate conjugate "
    "cross cumprod cumsum deg2rad diag diagflat dstack flatnonzero fliplr flipud float_power fmax fmin fmod "
    "histogram hstack inner isclose kron ldexp nanmedian nanstd nanvar piecewise poly polyfit power ptp rad2deg "
    "ravel rot90 sort_complex trim_zeros unwrap vander vdot vstack dsplit vsplit intersect1d ix_ lexsort "
    "ravel_multi_index union1d unravel_index shape size ndim select rollaxis isreal angle i0"
)

# Written with Tensors x, y of shape (2, 3), z of (3, 2), a of (2, 2), v of (3,), and a function f.  The tests run it.
_INSTEAD = {
    "addbmm": "x + a @ y",
    "addcdiv": "x + v * x / y",
    "addcmul": "x + v * x * y",
    "addmm": "a + x @ z",
    "addmv": "v + z @ x[:, 0]",
    "amax": "minigrad.max(x, axis=1)",
    "amin": "minigrad.min(x, axis=1)",
    "aminmax": "minigrad.min(x), minigrad.max(x)",
    "array": "minigrad.tensor([1.0, 2.0])",
    "as_strided": "x[:, ::2]",
    "as_tensor": "minigrad.asarray(x)",
    "baddbmm": "a + x @ z",
    "bernoulli": "minigrad.random.rand(2, 3) < 0.5",
    "bmm": "x @ z",
    "broadcast_tensors": "minigrad.broadcast_arrays(x, v)",
    "bucketize": "minigrad.searchsorted(v, x)",
    "cat": "minigrad.concat([x, y], axis=0)",
    "cdist": "minigrad.linalg.norm(x[:, None] - y, axis=-1)",
    "check_grads": "minigrad.gradcheck(f, x)",
    "chunk": "minigrad.split(x, 2)",
    "clamp": "minigrad.clip(x, 0.0, 1.0)",
    "clamp_max": "minigrad.minimum(x, 1.0)",
    "clamp_min": "minigrad.maximum(x, 0.0)",
    "clone": "minigrad.asarray(x, copy=True)",
    "cosine_similarity": "minigrad.nn.functional.cosine_similarity(x, y)",
    "deriv": "minigrad.grad(f)(x)",
    "det": "minigrad.linalg.det(a)",
    "diag_embed": "v[:, None] * minigrad.eye(3)",
    "digamma": "minigrad.special.digamma(x)",
    "dist": "minigrad.linalg.norm(x - y)",
    "div": "x / y",
    "eq": "x == y",
    "erf": "minigrad.special.erf(x)",
    "erfc": "minigrad.special.erfc(x)",
    "erfinv": "minigrad.special.erfinv(x)",
    "elementwise_grad": "minigrad.grad(lambda x: minigrad.sum(x**2))(x)",
    "eval_shape": "minigrad.vmap(f)(x).shape",
    "flatten": "minigrad.reshape(x, -1)",
    "flatten_func": "minigrad.nn.utils.parameters_to_vector([x])",
    "fori_loop": "minigrad.scan(lambda c, i: (c + i, None), 0.0, minigrad.arange(3.0))",
    "frac": "x - minigrad.trunc(x)",
    "from_numpy": "minigrad.asarray(array)",
    "functional": "minigrad.nn.functional.relu(x)",
    "gather": "minigrad.take_along_axis(x, minigrad.zeros((2, 1), dtype=int), axis=1)",
    "ge": "x >= y",
    "grad_and_aux": "minigrad.grad(f, has_aux=False)(x)",
    "grad_and_value": "minigrad.value_and_grad(f)(x)",
    "grad_named": "minigrad.grad(f, argnums=0)(x)",
    "gradient": "minigrad.grad(f)(x)",
    "gt": "x > y",
    "hessian_tensor_product": "minigrad.hvp(f, x, y)",
    "hessian_vector_product": "minigrad.hvp(f, x, y)",
    "holomorphic_grad": "minigrad.jacobian(lambda x: x**2)(v)",
    "index_select": "minigrad.take(x, minigrad.asarray([0, 1]), axis=1)",
    "inverse": "minigrad.linalg.inv(a)",
    "is_tensor": "isinstance(x, minigrad.Tensor)",
    "kthvalue": "minigrad.sort(x, axis=1)[:, 1]",
    "le": "x <= y",
    "lerp": "x + 0.5 * (y - x)",
    "lgamma": "minigrad.special.gammaln(x)",
    "logdet": "minigrad.linalg.slogdet(a)",
    "logit": "minigrad.special.logit(x / 2)",
    "lt": "x < y",
    "make_hvp": "minigrad.linearize(minigrad.grad(f), x)",
    "make_jvp": "minigrad.linearize(f, x)",
    "make_vjp": "minigrad.vjp(f, x)",
    "make_jaxpr": "minigrad.program.trace(f, x)",
    "map": "minigrad.vmap(minigrad.sum)(x)",
    "masked_fill": "minigrad.where(x > 0, 0.0, x)",
    "masked_select": "x[x > 0]",
    "matrix_exp": "minigrad.linalg.expm(a)",
    "matvec": "z @ x[:, 0]",
    "mm": "x @ z",
    "movedim": "minigrad.moveaxis(x, 0, 1)",
    "mul": "x * y",
    "multinomial": "minigrad.random.generator().choice(3, 2, p=[0.2, 0.3, 0.5])",
    "mv": "z @ x[:, 0]",
    "narrow": "x[:, 1:2]",
    "ne": "x != y",
    "neg": "-x",
    "norm": "minigrad.linalg.norm(x)",
    "normal": "minigrad.random.randn(2, 3)",
    "numel": "x.size",
    "pdist": "minigrad.nn.functional.pdist(x)",
    "permute": "minigrad.permute_dims(x, (1, 0))",
    "pinverse": "minigrad.linalg.pinv(x)",
    "polar": "x * minigrad.exp(1j * y)",
    "polygamma": "minigrad.special.polygamma(1, x)",
    "qr": "minigrad.linalg.qr(x)",
    "rand": "minigrad.random.rand(2, 3)",
    "rand_like": "minigrad.random.rand(*x.shape)",
    "randint": "minigrad.random.generator().integers(0, 5, (2, 3))",
    "randn": "minigrad.random.randn(2, 3)",
    "randn_like": "minigrad.random.randn(*x.shape)",
    "randperm": "minigrad.random.generator().permutation(3)",
    "relu": "minigrad.nn.functional.relu(x)",
    "remat": "minigrad.checkpoint(f)(x)",
    "checkpoint_gradient": "minigrad.checkpoint(f)(x)",
    "repeat_interleave": "minigrad.repeat(x, 2, axis=0)",
    "row_stack": "minigrad.concat([x, y], axis=0)",
    "rsqrt": "1 / minigrad.sqrt(x)",
    "selu": "minigrad.nn.functional.selu(x)",
    "sgn": "minigrad.sign(x)",
    "slogdet": "minigrad.linalg.slogdet(a)",
    "std_mean": "minigrad.std(x, correction=1), minigrad.mean(x)",
    "stop_gradient": "x.detach()",
    "sub": "x - y",
    "svd": "minigrad.linalg.svd(x)",
    "swapdims": "minigrad.swapaxes(x, 0, 1)",
    "switch": "minigrad.cond(True, minigrad.sin, minigrad.cos, x)",
    "t": "x.T",
    "take_along_dim": "minigrad.take_along_axis(x, minigrad.zeros((2, 1), dtype=int), axis=1)",
    "tensor_jacobian_product": "minigrad.vjp(minigrad.sin, x)[1](y)",
    "vector_jacobian_product": "minigrad.vjp(minigrad.sin, x)[1](y)",
    "tensor_split": "minigrad.split(x, [1], axis=1)",
    "transpose": "minigrad.permute_dims(x, (1, 0)), or np.transpose(x)",
    "trapz": "minigrad.trapezoid(x)",
    "tree_util": "minigrad.tree.flatten([x])",
    "true_divide": "x / y",
    "unbind": "minigrad.unstack(x)",
    "unflatten": "minigrad.reshape(x, (2, 3, 1))",
    "unique": "minigrad.unique_values(x)",
    "unsqueeze": "minigrad.expand_dims(x, axis=1)",
    "var_mean": "minigrad.var(x, correction=1), minigrad.mean(x)",
    "vecmat": "x[:, 0] @ x",
    "vectorize": "minigrad.vmap(minigrad.sum)(x)",
    "view_as_real": "minigrad.stack([minigrad.real(x), minigrad.imag(x)], axis=-1)",
    "view_as_complex": "x[..., 0] + 1j * x[..., 1]",
    "xlogy": "minigrad.special.xlogy(x, y)",
    "FloatTensor": "minigrad.tensor([1.0], dtype='float32')",
    "LongTensor": "minigrad.tensor([1])",
    "float": "np.float32",
    "float16": "np.float16",
    "half": "np.float16",
    "double": "minigrad.float64",
    "int": "minigrad.int32",
    "long": "minigrad.int64",
    "complex": "minigrad.complex64",
    "ndarray": "minigrad.Tensor",
    "dtype": "np.dtype('float32')",
    "numpy": "np.sin(x)",
    "inference_mode": "minigrad.no_grad()",
    "set_grad_enabled": "minigrad.enable_grad()",
    "Generator": "np.random.default_rng(0)",
    "Size": "x.shape",
    "range": "minigrad.arange(1.0, 4.0)",
    "disable_jit": "minigrad.jit.disabled()",
    "func": "minigrad.vmap(minigrad.sum)(x)",
}

_CPU = "there is one device, the CPU: leave it out"
_ARRAYS = "NumPy has it for arrays, which operations on Tensors take"
_SAID = {
    **dict.fromkeys(["cuda", "device", "device_put", "devices", "default_device", "backends"], _CPU),
    "distributions": _TORCH,
    **dict.fromkeys(["custom_jvp", "custom_vjp", "defjvp", "defvjp"], "@minigrad.primitive makes an operation"),
    **dict.fromkeys(["compile", "named_call", "block_until_ready"], "minigrad.jit compiles a function"),
    **dict.fromkeys(["pmap", "multiprocessing"], "minigrad.vmap computes batches, minigrad.distributed has processes"),
    **dict.fromkeys(["onnx", "hub", "sparse", "strided", "config", "set_printoptions"], "there is nothing of the kind"),
    **dict.fromkeys(["tril_indices", "triu_indices", "fill_diagonal", "indices", "array_split", "geomspace"], _ARRAYS),
    **dict.fromkeys(["identity", "logspace", "tri"], _ARRAYS),
    "local_device_count": _CPU,
    "pure_callback": "a function may call what it likes unless it is compiled",
    "lax": "scan, cond and while_loop are minigrad.scan, minigrad.cond and minigrad.while_loop",
    "associative_scan": "minigrad.cumulative_sum and its kin, or minigrad.scan",
    "scipy": "minigrad.special, minigrad.linalg and minigrad.optim.minimize have what can be differentiated",
    "debug": "functions run as Python unless they are compiled: print as you like",
    "utils": "data sets are in minigrad.data",
    "make_ggnvp": "minigrad.linearize and minigrad.vjp give its two factors",
    "multigrad_dict": "minigrad.grad takes dicts of arrays",
    "gcd": "np.gcd of integers, which have no derivative",
    "lcm": "np.lcm of integers, which have no derivative",
    "mode": "np.unique(x.numpy(), return_counts=True) of what needs no derivative",
    "partition": "minigrad.sort, or minigrad.topk",
    "poisson": "minigrad.random.generator().poisson(rate)",
    "unique_consecutive": "minigrad.unique_values, of all elements",
}  # fmt: skip

OF_OTHER_MODULES = {
    **{name: f"write {code}" for name, code in _INSTEAD.items()},
    **{name: f"write np.{name}, which takes Tensors" for name in _OF_NUMPY.split()},
    **_SAID,
}

# Layers of Keras, Flax and Haiku that have other names here.
_LAYERS = {
    "Activation": "ReLU, Tanh or another activation",
    "AveragePooling1D": "AvgPool1d",
    "AveragePooling2D": "AvgPool2d",
    "BatchNorm": "BatchNorm1d or BatchNorm2d",
    "BatchNormalization": "BatchNorm1d or BatchNorm2d",
    "Conv": "Conv1d or Conv2d",
    "Conv2DTranspose": "ConvTranspose2d",
    "Convolution2D": "Conv2d",
    "Dense": "Linear",
    "Embed": "Embedding",
    "FullyConnected": "Linear",
    "LayerNormalization": "LayerNorm",
    "MaxPooling1D": "MaxPool1d",
    "MaxPooling2D": "MaxPool2d",
    "Swish": "SiLU",
    "UpSampling2D": "Upsample",
}


def no_such_layer(name: str, layers: Iterable[str]) -> AttributeError:
    """For a name that `nn` does not have: other libraries' name for one of its layers, or one in other letters."""
    same = {layer.casefold(): layer for layer in layers}.get(name.casefold())
    instead = _LAYERS.get(name) or same
    said = f"module 'minigrad.nn' has no attribute {name!r}"
    if instead is None:
        return AttributeError(said, name=name)
    return AttributeError(f"{said}: write nn.{instead}", name=name, obj=None)


def no_such_name(package: str, name: str) -> AttributeError:
    """For a name that the package does not have."""
    said = f"module {package!r} has no attribute {name!r}"
    if package == "minigrad" and name in OF_OTHER_MODULES:
        # Without the object, or Python would add a name that is merely spelt like it.
        return AttributeError(f"{said}: {OF_OTHER_MODULES[name]}", name=name, obj=None)
    return AttributeError(said)
