"""Expressions of programs for PyTorch: `make_dialect.py` stores what PyTorch makes of them."""

# What the expressions take; made by PyTorch's own functions of lists.
NAMES = """
x = torch.tensor([[0.5, -1.5, 2.0, 0.25], [1.0, 3.0, -0.75, 0.0], [-2.5, 0.125, 1.25, 4.0]])
y = torch.tensor([[1.5, 0.5, -1.0, 2.0], [0.25, 1.0, 2.5, -0.5], [3.0, -2.0, 0.75, 1.0]])
p = torch.tensor([0.2, 0.5, 0.3])
v = torch.tensor([3, 0, 2, 1])
k = torch.tensor([[1, 0], [2, 3], [0, 1]])
z = torch.arange(24.0).reshape(2, 3, 4)
m = torch.tensor([[True, False, True, False], [False, True, True, False], [True, True, False, True]])
a = torch.tensor([[2.0, 0.5, 0.0], [0.5, 3.0, 1.0], [0.0, 1.0, 1.5]])
b = torch.tensor([1.0, 2.0, 3.0])
"""

EXPRESSIONS = [
    # Making
    "torch.tensor([1.0, 2.0])", "torch.tensor([1, 2])", "torch.tensor(3.5)", "torch.tensor([True, False])", "torch.zeros(2, 3)",
    "torch.zeros((2, 3))", "torch.ones(2, dtype=torch.long)", "torch.full((2, 2), 7.0)", "torch.full((2,), 7)", "torch.arange(5)",
    "torch.arange(1.0, 2.0, 0.25)", "torch.arange(0, 10, 3)", "torch.linspace(0, 1, 5)", "torch.eye(3)", "torch.zeros_like(x)",
    "torch.ones_like(v)", "torch.full_like(x, 2.5)", "x.new_zeros(2, 2)", "x.new_ones((2,))", "v.new_tensor([1, 2])",
    "torch.from_numpy(x.numpy())", "torch.as_tensor([1.5, 2.5])", "torch.empty(2, 3).shape", "torch.logspace(0, 2, 3)",
    # What they are
    "x.shape", "x.size()", "x.size(0)", "x.size(-1)", "x.dim()", "x.numel()", "x.dtype", "v.dtype", "len(x)", "x.shape.numel()",
    "x.is_floating_point()", "torch.is_tensor(x)", "x.item() if x.numel() == 1 else x.tolist()", "x.device.type", "x.requires_grad",
    "x.element_size()", "x.ndim",
    # dtypes
    "x.long()", "v.float()", "x.double()", "x.int()", "m.float()", "x.bool()", "x.to(torch.float64)", "v.to(x)", "x.to('cpu')",
    "x.type_as(v)", "(v + 0.5)", "(v * x)", "(v / 2)", "(v // 2)", "(v.float() / 2)", "v + v", "(m * 2)", "x + v.double()[0]",
    "torch.add(v, 0.5)", "torch.mul(v, x)", "v.sum()", "m.sum()", "v.float().mean()",
    # Arithmetic
    "x + y", "x - 1", "2 * x", "x / y", "x ** 2", "x % 2", "-x", "abs(x)", "x @ y.T", "torch.add(x, y, alpha=2)", "torch.sub(x, y)",
    "torch.div(x, y, rounding_mode='floor')", "x.add(1).mul(2).sub(3).div(4)", "torch.pow(x.abs(), 0.5)", "x.neg()", "x.exp()",
    "x.abs().log()", "torch.log1p(x.abs())", "x.abs().sqrt()", "x.abs().add(1).rsqrt()", "torch.sigmoid(x)", "x.tanh()", "torch.relu(x)",
    "x.clamp(-1, 1)", "x.clamp(min=0)", "torch.clamp(x, max=0.5)", "x.clamp_min(0.1)", "torch.maximum(x, y)", "torch.minimum(x, y)",
    "x.floor()", "x.ceil()", "x.round()", "x.trunc()", "x.sign()", "torch.erf(x)", "torch.atan2(x, y)", "torch.fmod(x, 1.5)",
    "torch.remainder(x, 1.5)", "x.square()", "torch.reciprocal(y)", "torch.lerp(x, y, 0.25)", "torch.addcmul(x, y, y, value=0.5)",
    "torch.addcdiv(x, y, y, value=0.5)", "torch.hypot(x, y)", "torch.lgamma(x.abs() + 1)", "torch.nan_to_num(x / 0)",
    "torch.where(m, x, y)", "torch.where(x > 0, x, 0.0)", "torch.where(m, 1.0, 0.0)", "x.masked_fill(m, -1.0)", "x.masked_select(m)",
    "x.where(m, y)", "torch.logaddexp(x, y)", "torch.xlogy(x, y.abs())",
    # Comparisons
    "x > y", "x == x", "x.eq(y)", "x.ne(0.0)", "x.lt(y)", "torch.ge(x, y)", "m & ~m", "m | True", "m.any()", "m.all(dim=1)", "x.isnan()",
    "torch.isfinite(x)", "torch.allclose(x, x + 1e-9)", "torch.equal(x, y)", "torch.logical_and(m, x > 0)", "torch.isclose(x, x + 1e-7)",
    # Reductions
    "x.sum()", "x.sum(0)", "x.sum(dim=1, keepdim=True)", "x.sum(dim=(0, 1))", "torch.sum(x, dim=[0])", "x.mean()", "x.mean(-1)",
    "x.mean(dim=(0, 1), keepdim=True)", "x.prod(1)", "x.std()", "x.std(0)", "x.var(dim=1, unbiased=False)", "torch.var(x, 1, keepdim=True)",
    "x.std(correction=0)", "x.max()", "x.max(1)", "x.max(dim=0, keepdim=True)", "torch.max(x, y)", "x.max(1).values", "x.max(1)[1]",
    "x.min(0).indices", "torch.min(x)", "x.amax(dim=1)", "x.amin((0, 1))", "x.argmax()", "x.argmax(dim=1)", "x.argmin(1, keepdim=True)",
    "x.median()", "x.median(1)", "x.norm()", "x.norm(dim=1)", "x.norm(p=1)", "torch.norm(x, 2, 1)", "x.cumsum(1)", "torch.cumprod(x, dim=0)",
    "x.logsumexp(1)", "torch.logsumexp(x, dim=(0, 1))", "x.softmax(dim=1)", "torch.log_softmax(x, -1)", "x.topk(2)",
    "torch.topk(x, 1, dim=0, largest=False)", "x.sort()", "torch.sort(x, dim=0, descending=True)", "x.argsort(dim=1)", "x.diff()",
    "torch.count_nonzero(x)", "torch.std_mean(x, 1)", "v.unique()", "torch.bincount(v)", "x.abs().sum().sqrt()",
    # Shapes
    "torch.cat([x, y])", "torch.cat((x, y), dim=1)", "torch.cat([x, v[:3, None]], 1)", "torch.stack([x, y])", "torch.stack((x, y), dim=1)",
    "torch.hstack([x, y])", "torch.vstack([b, b])", "x.view(2, 6)", "x.view(-1)", "x.view(4, -1)", "x.reshape((2, 6))", "x.view_as(y)",
    "z.permute(2, 0, 1)", "x.transpose(0, 1)", "torch.transpose(z, 1, 2)", "x.t()", "x.T", "z.mT", "x.unsqueeze(1)", "x[None].squeeze(0)",
    "z[:, :1].squeeze()", "z[:1].squeeze(1)", "z.flatten(1)", "torch.flatten(z, 0, 1)", "z.flatten()", "b.expand(2, 3)", "b[:, None].expand(-1, 4)",
    "b.expand_as(a)", "b.repeat(2)", "b.repeat(2, 2)", "x.repeat(1, 2)", "b.repeat_interleave(2)", "torch.repeat_interleave(x, 2, dim=0)",
    "x.flip(0)", "torch.flip(x, dims=[0, 1])", "torch.roll(x, 1)", "x.roll(1, 0)", "a.tril()", "torch.triu(a, diagonal=1)", "a.diag()",
    "torch.diag(b)", "a.diagonal()", "a.trace()", "x.split(2, dim=1)", "torch.split(x, [1, 2])", "x.split(2)", "x.chunk(2, dim=1)", "x.unbind(1)",
    "z.movedim(0, -1)", "x.narrow(1, 1, 2)", "x.index_select(1, v)", "x.gather(1, k)", "torch.gather(x, 0, k % 3)", "torch.take_along_dim(x, k, 1)",
    "torch.zeros(3, 4).scatter(1, k, 1.0)", "torch.zeros(3, 4).scatter_(1, k, x[:, :2])", "torch.zeros(3, 4).scatter_add(1, k, y[:, :2])",
    "torch.meshgrid(b, b, indexing='ij')", "z.unflatten(2, (2, 2))", "x.select(1, 2)", "torch.tile(b, (2,))", "z.swapaxes(0, 2)",
    "m.nonzero()", "x[m]", "x[v[1:]]", "x[:, v]", "x[torch.arange(3), v[:3]]", "x[..., -1]", "x[1:, ::2]", "x[0, 1].item()", "x[x > 0].sum()",
    # Products
    "torch.matmul(a, b)", "a.mm(a)", "torch.bmm(z, z.transpose(1, 2))", "a.mv(b)", "b.dot(b)", "torch.outer(b, b)", "torch.einsum('ij,kj->ik', x, y)",
    "torch.einsum('bij,bkj->bik', [z, z])", "torch.addmm(b, a, a)", "torch.tensordot(x, y, dims=2)", "torch.linalg.norm(x)", "torch.linalg.inv(a)",
    "torch.linalg.det(a)", "torch.linalg.solve(a, b)", "torch.linalg.cholesky(a)", "torch.kron(b, b)", "torch.linalg.vector_norm(x, dim=1)",
    # nn.functional
    "F.relu(x)", "F.softmax(x, dim=1)", "F.log_softmax(x, dim=-1)", "F.gelu(x)", "F.leaky_relu(x, 0.1)", "F.elu(x)", "F.silu(x)", "F.softplus(x)",
    "F.cross_entropy(x, v[:3])", "F.cross_entropy(x, v[:3], reduction='none')", "F.nll_loss(F.log_softmax(x, 1), v[:3])", "F.mse_loss(x, y)",
    "F.l1_loss(x, y, reduction='sum')", "F.smooth_l1_loss(x, y)", "F.binary_cross_entropy_with_logits(x, m.float())", "F.one_hot(v, num_classes=5)",
    "F.linear(x, y, b)", "F.layer_norm(x, (4,))", "F.normalize(x, dim=1)", "F.pad(x, (1, 2))", "F.conv1d(z, torch.ones(2, 3, 2), padding=1)",
    "F.max_pool1d(z, 2)", "F.avg_pool1d(z, kernel_size=2)", "F.embedding(v[1:], x)", "F.cosine_similarity(x, y, dim=1)", "F.kl_div(F.log_softmax(x, 1), F.softmax(y, 1), reduction='batchmean')",
    "F.scaled_dot_product_attention(z, z, z, is_causal=True)", "F.dropout(x, 0.5, training=False)", "F.interpolate(z, scale_factor=2)", "F.relu(x, inplace=False)",
    # In place
    "x.clone().add_(1)", "x.clone().mul_(2).sub_(1)", "x.clone().clamp_(-1, 1)", "x.clone().fill_(3)", "x.clone().zero_()", "x.clone().copy_(y)",
    "x.clone().masked_fill_(m, 0.0)", "x.clone().pow_(2)", "x.clone().exp_()", "written(x)", "added(x)", "viewed(x)", "descended(x)", "descended_by_hand(x)",
    # Gradients
    "gradient(lambda t: (t ** 2).sum(), x)", "gradient(lambda t: t.view(-1)[0] * t.sum(), x)", "gradient(lambda t: t.max(1).values.sum(), x)",
    "gradient(lambda t: torch.cat([t, t * 2]).std(), x)", "gradient(lambda t: F.cross_entropy(t, v[:3]), x)", "gradient(lambda t: t.gather(1, k).sum() * 2, x)",
    "gradient(lambda t: torch.where(t > 0, t, t * 0.1).sum(), x)", "gradient(lambda t: t.softmax(-1)[:, 0].log().sum(), x)",
    "gradient(lambda t: (t.transpose(0, 1) @ t).norm(), x)", "gradient(lambda t: t.repeat(2, 1).mul(torch.arange(24.0).view(6, 4)).sum(), x)",
    "torch.autograd.grad((w(x) ** 3).sum(), last(), create_graph=True)[0]", "gradient(lambda t: t.split(2, dim=1)[1].prod(), x)",
    "gradient(lambda t: torch.einsum('ij,ij->i', t, t).sqrt().sum(), x)", "gradient(lambda t: t.unsqueeze(1).expand(-1, 2, -1).reshape(-1, 4).var(), x)",
    # Distributions
    "torch.distributions.Normal(b, b).log_prob(torch.tensor(0.5))", "torch.distributions.Normal(0.0, 2.0).entropy()", "torch.distributions.Normal(b, 1.0).cdf(torch.tensor(1.5))",
    "torch.distributions.Categorical(p).log_prob(torch.tensor([0, 2]))", "torch.distributions.Categorical(logits=x).entropy()", "torch.distributions.Categorical(probs=p).probs",
    "torch.distributions.Bernoulli(p).log_prob(torch.tensor([0.0, 1.0, 1.0]))", "torch.distributions.Bernoulli(logits=b).entropy()", "torch.distributions.Uniform(0.0, b).log_prob(torch.tensor(0.5))",
    "torch.distributions.Exponential(b).log_prob(b)", "torch.distributions.Gamma(b, b).log_prob(b)", "torch.distributions.Beta(b, b).log_prob(p)", "torch.distributions.Poisson(b).log_prob(b)",
    "torch.distributions.Laplace(0.0, b).log_prob(b)", "torch.distributions.MultivariateNormal(b, a).log_prob(torch.zeros(3))", "torch.distributions.Independent(torch.distributions.Normal(b, 1.0), 1).log_prob(p)",
    "torch.distributions.kl_divergence(torch.distributions.Normal(b, b), torch.distributions.Normal(0.0, 1.0))",
    "torch.distributions.kl_divergence(torch.distributions.Categorical(p), torch.distributions.Categorical(logits=b))",
    "torch.distributions.Normal(b, b).rsample((2,)).shape", "torch.distributions.Categorical(logits=x).sample().shape", "torch.distributions.Categorical(p).sample((5,)).dtype",
    # Random numbers, by their forms
    "torch.randn(2, 3).shape", "torch.rand(4).dtype", "torch.randint(0, 5, (3,)).dtype", "torch.randint(7, (2, 2)).max() < 7", "torch.randperm(5).sort().values",
    "torch.multinomial(p, 2).shape", "torch.multinomial(torch.ones(2, 3), 5, replacement=True).shape", "torch.bernoulli(torch.ones(3))", "torch.normal(0.0, 1.0, (2, 2)).shape",
    "torch.rand(2, generator=torch.Generator().manual_seed(1)).shape", "torch.randn_like(x).dtype", "torch.empty(2, 2).normal_().shape", "torch.empty(3).uniform_(2, 3).ge(2).all()",
    # Modes, devices
    "torch.cuda.is_available()", "torch.device('cpu').type", "off(x)", "torch.get_default_dtype()", "torch.is_grad_enabled()", "torch.finfo(torch.float32).eps",
    # Distances, orders, and writes along an axis
    "torch.cdist(x, x + 1)", "torch.cdist(x, x + 1, p=1.0)", "x[:, :3].inverse()", "torch.quantile(x, 0.3)",
    "torch.quantile(x, torch.tensor([0.25, 0.5]), dim=1)", "torch.quantile(x, 0.5, dim=0, keepdim=True)",
    "torch.unique(torch.tensor([3, 1, 1, 2]), return_counts=True)",
    "torch.unique(torch.tensor([3, 1, 1, 2]), return_inverse=True)", "torch.unique(torch.tensor([3, 1, 1, 2]))",
    "torch.zeros(2, 3).index_add_(1, torch.tensor([0, 2, 0]), torch.ones(2, 3), alpha=2)",
    "torch.zeros(3).index_add(0, torch.tensor([1, 1]), torch.ones(2))",
    "torch.zeros(2, 3).index_fill_(1, torch.tensor([0, 2]), 5.0)", "x.is_cuda", "x.type(torch.int64)",
    "torch.eye(2, 3, requires_grad=True).requires_grad",
    # Parameters as vectors, states, hooks
    "lbfgs(b)", "lbfgs(b, line_search_fn='strong_wolfe')", "filled(torch.nn.Linear(2, 3))", "averaged(torch.nn.Linear(2, 3))",
    "torch.nn.init.trunc_normal_(torch.empty(3, 4)).shape", "hooked(x)", "hooked_module(x)", "moments(b)", "own_optimizer(b)",
    "torch.nn.utils.clip_grad_norm_(torch.nn.Linear(2, 3).parameters(), 1.0)", "clipped(b)",
    "torch.nn.utils.get_total_norm([b, x])", "torch.nn.Linear(2, 3).half().weight.dtype",
    # Types, and what torch.tensor makes of mixed lists
    "torch.Tensor([1, 2])", "torch.Tensor(2, 3).shape", "torch.Tensor(3).shape", "torch.Tensor().shape", "torch.Tensor((2, 3))",
    "torch.FloatTensor([1, 2])", "torch.FloatTensor(2).shape", "torch.LongTensor(2).shape", "torch.LongTensor([1, 2])",
    "torch.DoubleTensor([1, 2])", "torch.Tensor(torch.Size([2, 3])).shape", "isinstance(v, torch.LongTensor)",
    "isinstance(x, torch.LongTensor)", "isinstance(x, torch.FloatTensor)", "x.type()", "v.type()", "x.type(torch.LongTensor)",
    "x.type('torch.DoubleTensor')", "torch.tensor([numpy.float64(1.0)])", "torch.tensor([numpy.float32(1.0), 2.0])",
    "torch.tensor([x.sum(), 1.0])", "torch.tensor([[x.sum().double(), 1.0], [2, 3]])", "torch.tensor([torch.tensor(True), 2])",
    "torch.tensor([1j]).dtype", "x.nelement()", "torch.ones(2, device='cpu')",
    # Derivatives
    "penalty(x.double())", "unused(x, b)", "D.jacobian(two, (b, p))", "D.jacobian(lambda t: t ** 2, (b,))", "D.jacobian(torch.exp, b)",
    "D.jacobian(lambda s, t: (s * 2, t.sum() * s.sum()), (b, p))", "D.hessian(lambda s, t: s.sum() ** 2 * t.sum(), (b, v[:2].float()))",
    "D.hessian(lambda t: (t ** 3).sum(), b)", "D.vjp(two, (b, p), p)", "D.vjp(lambda t: (t ** 2).sum(), b)", "D.jvp(two, (b, p), (p, b))",
    "D.jvp(torch.sin, b, p)", "D.hvp(lambda t: (t ** 3).sum(), b, p)", "D.hvp(lambda s, t: (s ** 3).sum() * t.sum(), (b, p), (p, b))",
    "D.vhp(lambda t: (t ** 3).sum(), b, p)", "D.jacobian(lambda t: t ** 3, b.clone().requires_grad_(), create_graph=True).requires_grad",
    "D.jacobian(lambda t: t ** 3, b.clone().requires_grad_()).requires_grad", "torch.func.vjp(two, b, p)[1](p)",
    "torch.func.vjp(lambda t: (t ** 2, t + 1), b, has_aux=True)[::2]", "torch.func.vjp(torch.sin, b)[1](p)", "torch.func.jvp(two, (b, p), (p, b))",
    "torch.func.grad_and_value(lambda t: (t ** 2).sum())(b)", "torch.func.grad_and_value(lambda t: ((t ** 2).sum(), t + 1), has_aux=True)(b)",
    "torch.func.grad(lambda t: ((t ** 2).sum(), t + 1), has_aux=True)(b)", "torch.func.linearize(torch.sin, b)[1](p)", "ensembled(x)",
    "torch.autograd.gradcheck(lambda s, t: s ** 2 * t, (b.double().requires_grad_(), p.double()))",
    "torch.autograd.gradcheck(lambda t: t.detach() * t, b.double().requires_grad_(), raise_exception=False)",
    "torch.autograd.gradgradcheck(lambda t: t ** 3, b.double().requires_grad_())", "anomalous(b)", "normed(x)",
    # Equal numbers
    "at_ties(lambda t: t.max(1).values)", "at_ties(lambda t: torch.max(t, 1)[0])", "at_ties(lambda t: t.min(1)[0])", "at_ties(lambda t: t.median())",
    "at_ties(lambda t: t.median(1)[0])", "at_ties(lambda t: t.max())", "at_ties(lambda t: t.amax(1))", "at_ties(lambda t: t.kthvalue(2, 1)[0])",
    "at_ties(lambda t: t.cummax(1)[0])", "at_ties(lambda t: t.cummin(0)[0])", "at_ties(lambda t: t.sort(1)[0] * torch.arange(3))",
    "at_ties(lambda t: t.max(0, keepdim=True)[0])", "torch.tensor([1.0, float('nan'), 2.0]).median()", "v.median()", "z.median(1, keepdim=True)",
    "torch.tensor([[1.0, float('nan'), 2.0]]).median(1)", "torch.tensor([[1.0, float('nan'), 2.0]]).max(1)", "x.kthvalue(2)", "v.max(0)",
    # More names
    "x.nonzero(as_tuple=True)", "torch.nonzero(m, as_tuple=True)[1]", "m.argwhere()", "x.scatter_reduce(1, k, y, 'amax')", "x.scatter_reduce(1, k, y, reduce='mean', include_self=False)",
    "x.clone().scatter_reduce_(1, k, y, 'prod')", "gradient(lambda t: t.scatter_reduce(1, k, t[:, :2] * 2, 'sum').pow(2).sum(), x)",
    "x.clone().index_put_((torch.tensor([0, 2]), torch.tensor([1, 3])), torch.tensor([7.0, 8.0]))", "x.index_put((m,), torch.tensor(0.0))",
    "x.index_put((torch.tensor([0, 0, 1]),), torch.ones(4), accumulate=True)", "gradient(lambda t: t.index_put((v[:2],), t[1] * 2, accumulate=True).pow(2).sum(), z[0].repeat(2, 1))",
    "x.clone().fill_diagonal_(9.0)", "x.t().clone().fill_diagonal_(9.0)", "x.unfold(1, 2, 1)", "z.unfold(-1, 3, 1)", "z.unfold(1, 2, 1)", "gradient(lambda t: t.unfold(1, 2, 2).pow(2).sum(), x)",
    "torch.diag_embed(b)", "torch.diag_embed(x, offset=-1)", "torch.diag_embed(x, 1, 0, 2)", "gradient(lambda t: t.diag_embed().inverse().sum(), b)", "x.cummax(1)", "torch.cummin(x, dim=0)",
    "torch.tril_indices(3, 4)", "torch.triu_indices(3, 3, offset=1)", "torch.isin(v, torch.tensor([0, 3]))", "torch.broadcast_tensors(b, x[:, :1])", "torch.broadcast_shapes((3, 1), (2,))",
    "torch.exp2(x)", "x.frac()", "torch.sinc(x)", "torch.bitwise_and(v, 1)", "v.bitwise_or(4)", "torch.bitwise_xor(m, m)", "torch.dist(x, y)", "x.ravel()", "x.flipud()", "x.sgn()",
    "torch.logaddexp2(x, y)", "torch.view_as_real(torch.complex(x, y))", "torch.complex(x, y).dtype", "torch.view_as_real(torch.polar(b, p))", "torch.view_as_complex(x.reshape(6, 2)).abs()",
    "torch.angle(torch.complex(x, y))", "x.angle()", "gradient(lambda t: torch.polar(t, t * 2).real.sum(), b)", "torch.cov(x)", "x.cov(correction=0)", "x.corrcoef()",
    "gradient(lambda t: t.cov().sum(), x)", "torch.trapz(x)", "torch.trapezoid(x, dx=2.0, dim=0)", "torch.trapz(b, b ** 2)", "torch.cross(a, a + b, dim=1)", "torch.det(a)", "torch.logdet(a)",
    "torch.logdet(a - 2)", "torch.slogdet(a)", "torch.svd(x)[1]", "(lambda f: f[0] @ f[1].diag() @ f[2].t())(torch.svd(x))", "torch.cholesky_solve(a, torch.linalg.cholesky(a))", "torch.cholesky_solve(a, torch.linalg.cholesky(a).t(), upper=True)",
    "torch.linalg.lstsq(x.t(), b.repeat(4, 1)[:, :1]).solution", "torch.linalg.solve_triangular(a.triu(), a, upper=True)", "torch.linalg.solve_triangular(a.tril(), a, upper=False, left=False, unitriangular=True)",
    "torch.linalg.matrix_exp(a)", "torch.matrix_exp(a)", "torch.view_as_real(torch.linalg.eigvals(a)).sum(0)", "torch.linalg.eig(a)[0].dtype", "torch.linalg.multi_dot([a, a, b])", "torch.linalg.vector_norm(x, 1, 0)",
    "torch.linalg.matrix_norm(a, 'nuc')", "torch.linalg.svd(x, full_matrices=False)[1]", "torch.linalg.cross(a, a + b)", "torch.linalg.matrix_power(a, 3)", "torch.pinverse(x)", "torch.linalg.cond(a)",
    "torch.view_as_real(torch.fft.fft(x))", "torch.fft.fft(x).dtype", "torch.view_as_real(torch.fft.rfft(x, n=6, dim=0, norm='ortho'))", "torch.fft.irfft(torch.fft.rfft(x), n=4)", "torch.fft.fft2(z).abs()",
    "torch.fft.fftn(z).abs()", "torch.fft.fftfreq(5, d=0.5)", "torch.fft.rfftfreq(4)", "torch.fft.fftshift(x, dim=1)", "torch.fft.ifftshift(x)", "gradient(lambda t: torch.fft.rfft(t).abs().pow(2).sum(), x)",
    "x.negative()", "x.clone().sgn_()", "torch.greater_equal(x, y)", "x.less(y)", "torch.arctan2(x, y)", "x.clone().log1p_().isnan()", "x.clone().cumsum_(1)", "x.clone().tril_(1)",
    "x.clone().remainder_(2)", "x.clone().nan_to_num_()", "v.clone().floor_divide_(2)", "x.clone().expm1_()", "x.rot90()", "torch.rot90(z, 1, [1, 2])", "x.msort()", "torch.polygamma(1, b)", "b.polygamma(2)",
    "torch.column_stack([b, b])", "torch.dstack([x, y])", "x.aminmax(dim=1)", "x.aminmax().max", "x.stride()", "x.t().stride()", "x.itemsize", "x.nbytes", "x.mH", "isinstance(x.dtype, torch.dtype)",
    "x.short().dtype", "torch.short", "repeated()", "torch.ger(b, b)",
    "settings()", "torch.empty(50).exponential_(2.0).ge(0).all()", "(lambda t: [t.min() >= 2, t.max() < 5, t.dtype])(torch.empty(50).random_(2, 5))", "torch.empty(9, dtype=torch.uint8).random_().dtype",
    "torch.zeros(9, dtype=torch.int64).random_(3).lt(3).all()",
    # All of a distribution: densities, moments, entropies, shapes, gradients
    "facts('Normal', b, b, at=p)", "facts('Normal', 0, 1, at=b)", "facts('Normal', 0.0, b.double(), at=b)", "facts('LogNormal', b, p, at=b)",
    "facts('HalfNormal', b, at=p)", "facts('Cauchy', b, p, at=x[:, :3])", "facts('Uniform', 0.0, b, at=p)", "facts('Exponential', b, at=b)",
    "facts('Laplace', b, p, at=x[:, 1:])", "facts('Gamma', b, p, at=b)", "facts('Beta', b, b + p, at=p)", "facts('Beta', p, p, at=p)",
    "facts('Chi2', b, at=b)", "facts('StudentT', b, at=p)", "facts('StudentT', 3.0, b, p, at=x[:, 1:])",
    "facts('Bernoulli', p, at=m[:, :3].float())", "facts('Bernoulli', probs=torch.tensor([0.0, 1.0]), at=torch.tensor([0.0, 1.0]))",
    "facts('Bernoulli', logits=b, at=torch.ones(2, 3))", "facts('Geometric', p, at=v[:3].float())", "facts('Geometric', logits=b, at=b)",
    "facts('Binomial', 4, p, at=b)", "facts('Binomial', 3, logits=x[:, :3], at=b)", "facts('Categorical', p, at=torch.tensor([0, 2]))",
    "facts('Categorical', b, at=v[1:2])", "facts('Categorical', logits=x, at=v[:3])",
    "facts('Categorical', logits=torch.tensor([0.0, 1.0, float('-inf')]), at=torch.tensor(1))",
    "facts('Categorical', torch.tensor([0.0, 1.0]), at=torch.tensor([0, 1]))", "facts('OneHotCategorical', p, at=torch.eye(3))",
    "facts('OneHotCategorical', logits=x, at=torch.eye(4)[:3])", "facts('Poisson', b, at=v[:3])", "facts('Dirichlet', b, at=p)",
    "facts('Dirichlet', torch.ones(2, 3) / 2, at=p)", "facts('MultivariateNormal', b, a, at=x[:, :3])",
    "facts('MultivariateNormal', b, precision_matrix=a, at=p)", "facts('MultivariateNormal', torch.zeros(2, 3), scale_tril=a.tril(), at=p)",
    "facts('MultivariateNormal', b, a.expand(2, 3, 3), at=p)", "torch.distributions.MultivariateNormal(b, precision_matrix=a).covariance_matrix",
    "[torch.distributions.Bernoulli(p).log_prob(torch.ones(5, 3)).shape, torch.distributions.Bernoulli(p).logits]",
    "facts_of(torch.distributions.Independent(torch.distributions.Normal(x, 1.0), 1), y)",
    "torch.distributions.Normal(b, p).expand((2, 3)).batch_shape", "torch.distributions.Normal(b, b).icdf(p)", "torch.distributions.Cauchy(b, b).icdf(p)",
    "torch.distributions.Laplace(b, b).icdf(p)", "torch.distributions.Exponential(b).icdf(p)", "torch.distributions.Uniform(0.0, b).icdf(p)",
    "validated()", "sampled(b, p, a)",
    "divergence('Normal', [b, b], [p, b + p])", "divergence('LogNormal', [b, b], [p, b + p])", "divergence('HalfNormal', [b], [p])",
    "divergence('Cauchy', [b, b], [p, b + p])", "divergence('Uniform', [p, b], [torch.zeros(3), b + 1])", "divergence('Uniform', [p, b], [p + 1, b + 1])",
    "divergence('Exponential', [b], [p])", "divergence('Laplace', [b, b], [p, b + p])", "divergence('Gamma', [b, b], [p, b + p])",
    "divergence('Beta', [b, b], [p, b + p])", "divergence('Bernoulli', [p], [p.flip(0)])", "divergence('Geometric', [p], [p.flip(0)])",
    "divergence('Bernoulli', [torch.tensor([0.0, 0.5, 1.0, 1.0])], [torch.tensor([0.5, 0.0, 0.5, 0.0])])",
    "divergence('Binomial', [torch.tensor(4.0), p], [torch.tensor(4.0), p.flip(0)])", "divergence('Categorical', [p], [p.flip(0)])",
    "divergence('Categorical', [torch.tensor([0.5, 0.5, 0.0])], [torch.tensor([1.0, 0.0, 0.0])])",
    "divergence('Categorical', [torch.tensor([0.5, 0.0, 0.5])], [torch.tensor([0.2, 0.3, 0.5])])", "divergence('OneHotCategorical', [p], [p.flip(0)])",
    "divergence('Poisson', [b], [p])", "divergence('Dirichlet', [b], [p])", "divergence('MultivariateNormal', [b, a], [p, a + torch.eye(3)])",
]  # fmt: skip

FUNCTIONS = """
import numpy


def repeated():
    state = torch.get_rng_state()
    first = torch.rand(3)
    torch.set_rng_state(state)
    return torch.equal(first, torch.rand(3))


def normed(x):
    layer = torch.nn.utils.weight_norm(torch.nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        layer.weight_v.fill_(0.5)
        layer.weight_g.fill_(2.0)
    layer(x).sum().backward()
    return layer.weight_g.grad.view(-1), layer.weight_v.size()


def at_ties(f):
    return gradient(lambda t: f(t).sum(), torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 1.0]]))


def settings():
    torch.set_float32_matmul_precision("high")
    torch.use_deterministic_algorithms(True)
    torch.set_default_device("cpu")
    found = torch.zeros(1).dtype
    torch.set_default_tensor_type(torch.DoubleTensor)
    also = torch.zeros(1).dtype
    torch.set_default_tensor_type(torch.FloatTensor)
    torch.use_deterministic_algorithms(False)
    return [found, also]


def asked(ask):
    try:
        return ask()
    except NotImplementedError:
        return "not implemented"


def facts_of(d, at):
    moments = [asked(lambda: getattr(d, name)) for name in ("mean", "variance", "stddev", "mode")]
    return [d.log_prob(at), asked(d.entropy), asked(lambda: d.cdf(at)), d.batch_shape, d.event_shape, *moments]


def facts(name, *parameters, at, **named):
    # With the gradients of log_prob and entropy by all parameters.
    kinds = getattr(torch.distributions, name)
    found = facts_of(kinds(*parameters, **named), at)
    own = [x.clone().requires_grad_() if torch.is_tensor(x) else x for x in (*parameters, *named.values())]
    d = kinds(*own[: len(parameters)], **dict(zip(named, own[len(parameters) :])))
    wanted = [x for x in own if torch.is_tensor(x)]
    for result in (lambda: d.log_prob(at), d.entropy):
        made = asked(result)
        if wanted and torch.is_tensor(made) and bool(torch.isfinite(made).all()) and made.requires_grad:
            found.extend(torch.autograd.grad(made.sum(), wanted, retain_graph=True, allow_unused=True, materialize_grads=True))
    if hasattr(d, "probs"):
        found.extend([d.probs, d.logits])
    return found


def validated():
    d, t = torch.distributions, torch.tensor
    found = []
    for make in [
        lambda **how: d.Normal(0.0, -1.0, **how), lambda **how: d.Categorical(t([-0.5, 1.5]), **how),
        lambda **how: d.Categorical(logits=t([float("nan"), 1.5]), **how), lambda **how: d.Bernoulli(t(1.5), **how),
        lambda **how: d.Gamma(t(0.0), 1.0, **how), lambda **how: d.Uniform(1.0, 0.0, **how),
        lambda **how: d.Binomial(-1, t(0.5), **how), lambda **how: d.Dirichlet(t([-1.0, 1.0]), **how),
        lambda **how: d.Exponential(t(1.0), **how).log_prob(t(-1.0)), lambda **how: d.Bernoulli(t(0.5), **how).log_prob(t(0.5)),
        lambda **how: d.Categorical(t([0.5, 0.5]), **how).log_prob(t(0.5)), lambda **how: d.Uniform(0.0, 1.0, **how).log_prob(t(2.0)),
        lambda **how: d.Poisson(t(1.0), **how).log_prob(t(0.5)), lambda **how: d.Beta(t(1.0), t(1.0), **how).log_prob(t(2.0)),
        lambda **how: d.Independent(d.Exponential(t([1.0]), **how), 1, **how).log_prob(t([-1.0])),
    ]:
        try:
            make()
            found.append("passed")
        except ValueError:
            found.append("refused")
        make(validate_args=False)
    return found


def sampled(b, p, a):
    d = torch.distributions
    made = [
        d.Normal(b, p), d.LogNormal(b, p), d.HalfNormal(b), d.Cauchy(b, p), d.Uniform(p, b + p), d.Exponential(b), d.Laplace(b, b),
        d.Gamma(b, p.double()), d.Beta(b, b), d.Chi2(b), d.StudentT(b, 0.0, p), d.Bernoulli(p), d.Geometric(p), d.Binomial(3, p),
        d.Categorical(p), d.OneHotCategorical(p), d.Poisson(b), d.Dirichlet(b), d.MultivariateNormal(b, a.expand(2, 3, 3)),
        d.Independent(d.Normal(b, p), 1),
    ]
    for x in made:
        x.log_prob(x.sample((50,)))
    return [[list(x.sample((5, 2)).shape), x.sample().dtype] for x in made]


def divergence(name, first, second):
    first, second = ([x.clone().requires_grad_() for x in parameters] for parameters in (first, second))
    kinds = getattr(torch.distributions, name)
    made = torch.distributions.kl_divergence(kinds(*first), kinds(*second))
    if not bool(torch.isfinite(made).all()):
        return made
    return [made, *torch.autograd.grad(made.sum(), [*first, *second], allow_unused=True, materialize_grads=True)]

D = torch.autograd.functional


def two(s, t):
    return s * t + s[0] ** 2


def penalty(x):
    t = x.clone().requires_grad_()
    d = torch.tanh(t @ x.t()).sum(1)
    (g,) = torch.autograd.grad(
        outputs=d, inputs=t, grad_outputs=torch.ones_like(d), create_graph=True, retain_graph=True, only_inputs=True
    )
    ((g.view(3, -1).norm(2, dim=1) - 1) ** 2).mean().backward()
    return t.grad


def unused(x, b):
    s, t = x.clone().requires_grad_(), b.clone().requires_grad_()
    known = torch.autograd.grad(s.sum(), [s, t], materialize_grads=True)
    return [*known, torch.autograd.grad(s.sum(), [s, t], allow_unused=True)[1]]


def ensembled(x):
    layers = [torch.nn.Linear(4, 1), torch.nn.Linear(4, 1)]
    for i, layer in enumerate(layers):
        torch.nn.init.constant_(layer.weight, i + 1.0)
        torch.nn.init.constant_(layer.bias, 0.5)
    state = torch.func.stack_module_state(layers)
    results = torch.func.vmap(lambda *held: torch.func.functional_call(layers[0], held, (x,)))(*state)
    return results, state[0]["weight"].requires_grad


def anomalous(b):
    t = (b * 0).requires_grad_()
    with torch.autograd.set_detect_anomaly(True):
        try:
            (t / t).sum().backward()
        except Exception:
            return "stopped"


def lbfgs(b, **options):
    p = torch.nn.Parameter(b.clone())
    optimizer = torch.optim.LBFGS([p], max_iter=5, **options)

    def closure():
        optimizer.zero_grad()
        loss = ((p - 1) ** 2).sum() + (p ** 4).sum()
        loss.backward()
        return loss

    return [optimizer.step(closure).item() for _ in range(2)]


def filled(layer):
    torch.nn.utils.vector_to_parameters(torch.arange(9.0), layer.parameters())
    return torch.nn.utils.parameters_to_vector(layer.parameters()).flip(0), layer.bias


def averaged(layer):
    for value in layer.state_dict().values():
        value.copy_(value * 0 + 2)
    kept = {name: value.clone().cpu().mul_(2) for name, value in layer.state_dict().items()}
    layer.load_state_dict(kept)
    return kept["weight"].size(), layer.weight, layer.state_dict()["bias"].add(1)


def hooked(x):
    t, seen = x.clone().requires_grad_(), []
    y = t * 2
    y.register_hook(lambda g: seen.append(g.clone().view(-1)[:2].unsqueeze(0)))
    y.register_hook(lambda g: g.mul(3).masked_fill(g.isnan(), 0.0))
    y.sum().backward()
    return t.grad, seen[0]


def hooked_module(x):
    layer, seen = torch.nn.Linear(4, 3), []
    with torch.no_grad():
        layer.weight.fill_(0.5)
    layer.register_full_backward_hook(lambda m, taken, given: seen.append((taken[0].size(), given[0].clone().add_(1))))
    layer(x.clone().requires_grad_()).sum().backward()
    return seen


def moments(b):
    p = torch.nn.Parameter(b.clone())
    optimizer = torch.optim.Adam([p], lr=0.1)
    for _ in range(2):
        optimizer.zero_grad()
        (p ** 2).sum().backward()
        optimizer.step()
        optimizer.state[p]["exp_avg"].mul_(0.5)
    return optimizer.state[p]["exp_avg"].clone(), optimizer.state_dict()["state"][0]["exp_avg_sq"].unsqueeze(0), p


class OwnOptimizer(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                if len(state) == 0:
                    state["step"], state["mean"] = 0, torch.zeros_like(p)
                state["step"] += 1
                state["mean"].mul_(0.9).add_(p.grad, alpha=0.1)
                p.add_(state["mean"], alpha=-group["lr"] / state["step"])


def own_optimizer(b):
    p = torch.nn.Parameter(b.clone())
    optimizer = OwnOptimizer([p], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (p ** 2).sum().backward()
        optimizer.step()
    return p, optimizer.state[p]["mean"], optimizer.state[p]["step"]


def clipped(b):
    p = torch.nn.Parameter(b.double())
    (p ** 2).sum().backward()
    return torch.nn.utils.clip_grad_norm_([p], 1.0), p.grad


def written(x):
    x = x.clone()
    x[0] = 1.0
    x[:, 1] += 2
    x[x > 3] = 0.0
    return x


def added(x):
    x = x.clone()
    x += 1
    x *= 2
    return x


def viewed(x):
    x = x.clone()
    x[1].zero_()
    x.view(-1)[0] = 9.0
    return x


def descended(x):
    w = x.clone().requires_grad_()
    for _ in range(3):
        (w ** 2).sum().backward()
        with torch.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w.detach()


def descended_by_hand(x):
    w = x.clone().requires_grad_(True)
    for _ in range(3):
        w.grad = None
        (w ** 2).sum().backward()
        w.data.add_(w.grad.data, alpha=-0.1)
        w.data -= 0.1 * w.data
    return w.data


def gradient(f, x):
    t = x.detach().clone().requires_grad_()
    f(t).backward()
    return t.grad


kept = []


def w(x):
    kept.append(x.clone().requires_grad_())
    return kept[-1]


def last():
    return kept[-1]


def off(x):
    with torch.inference_mode():
        return (w(x) * 2).requires_grad
"""
