"""Programs in PyTorch's idiom; `make_dialect.py` stores the losses of PyTorch over their first steps.

They take the modules `torch`, `nn` and `F`, and NumPy for the numbers that both must begin with.
"""

import math

import numpy as np

STEPS = 20


def filled(module, torch, seed=0):
    """The module with parameters that do not depend on a generator of the framework's."""
    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for p in module.parameters():
            bound = 1 / math.sqrt(p.shape[-1] if p.dim() > 1 else max(p.shape[0], 4))
            p.copy_(torch.from_numpy(rng.uniform(-bound, bound, tuple(p.shape)).astype(np.float32)))
    return module


def mlp(torch, nn, F):
    rng = np.random.default_rng(1)
    X = torch.tensor(rng.normal(size=(64, 10)), dtype=torch.float32)
    y = torch.tensor(rng.integers(0, 3, 64))
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X, y), batch_size=32, shuffle=False)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(10, 32)
            self.fc2 = nn.Linear(32, 3)
            self.drop = nn.Dropout(0.0)

        def forward(self, x):
            x = x.view(x.size(0), -1)
            return self.fc2(self.drop(F.relu(self.fc1(x))))

    model = filled(Net(), torch).to(device)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=3, gamma=0.5)
    losses = []
    for _ in range(STEPS // 2):
        model.train()
        for inputs, labels in loader:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(model(inputs), labels)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
    model.eval()
    with torch.no_grad():
        _, predicted = torch.max(model(X), 1)
        losses.append((predicted == y).float().mean().item())
    return losses


def cnn(torch, nn, F):
    rng = np.random.default_rng(2)
    images = torch.from_numpy(rng.normal(size=(16, 1, 12, 12)).astype("float32"))
    labels = torch.from_numpy(rng.integers(0, 4, 16))

    class Block(nn.Module):
        def __init__(self, channels, filters):
            super().__init__()
            self.conv = nn.Conv2d(channels, filters, kernel_size=3, padding=1, bias=False)
            self.norm = nn.BatchNorm2d(filters)

        def forward(self, x):
            return F.max_pool2d(F.relu(self.norm(self.conv(x)), inplace=True), 2)

    model = nn.Sequential(Block(1, 4), Block(4, 8), nn.Flatten(), nn.Linear(8 * 3 * 3, 4))
    filled(model, torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    losses = []
    for _ in range(STEPS):
        out = model(images)
        loss = F.cross_entropy(out, labels, label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    losses.append(model(images).argmax(dim=1).eq(labels).sum().item())
    return losses


def transformer(torch, nn, F):
    text = "in the beginning was the word and the word was with all of us " * 4
    chars = sorted(set(text))
    stoi = {c: i for i, c in enumerate(chars)}
    data = torch.tensor([stoi[c] for c in text], dtype=torch.long)
    T, C, H = 16, 32, 4

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.qkv = nn.Linear(C, 3 * C)
            self.proj = nn.Linear(C, C)
            self.register_buffer("mask", torch.tril(torch.ones(T, T)).view(1, 1, T, T))

        def forward(self, x):
            B, T, C = x.size()
            q, k, v = self.qkv(x).split(C, dim=2)
            q, k, v = (t.view(B, T, H, C // H).transpose(1, 2) for t in (q, k, v))
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.mask[:, :, :T, :T] == 0, float("-inf"))
            y = F.softmax(att, dim=-1) @ v
            return self.proj(y.transpose(1, 2).contiguous().view(B, T, C))

    class Layer(nn.Module):
        def __init__(self):
            super().__init__()
            self.ln1, self.ln2 = nn.LayerNorm(C), nn.LayerNorm(C)
            self.attn = Attention()
            self.mlp = nn.ModuleDict({"fc": nn.Linear(C, 2 * C), "out": nn.Linear(2 * C, C)})

        def forward(self, x):
            x = x + self.attn(self.ln1(x))
            return x + self.mlp["out"](F.gelu(self.mlp["fc"](self.ln2(x))))

    class GPT(nn.Module):
        def __init__(self):
            super().__init__()
            self.tok, self.pos = nn.Embedding(len(chars), C), nn.Embedding(T, C)
            self.layers = nn.ModuleList([Layer() for _ in range(2)])
            self.ln, self.head = nn.LayerNorm(C), nn.Linear(C, len(chars), bias=False)

        def forward(self, idx, targets=None):
            B, T = idx.shape
            x = self.tok(idx) + self.pos(torch.arange(T, device=idx.device))
            for layer in self.layers:
                x = layer(x)
            logits = self.head(self.ln(x))
            return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))

    model = filled(GPT(), torch)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95))
    rng = np.random.default_rng(3)
    losses = []
    for _ in range(STEPS):
        ix = torch.from_numpy(rng.integers(0, len(data) - T - 1, 4))
        x = torch.stack([data[i : i + T] for i in ix])
        y = torch.stack([data[i + 1 : i + 1 + T] for i in ix])
        _, loss = model(x, y)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def vae(torch, nn, F):
    rng = np.random.default_rng(4)
    x = torch.from_numpy((rng.random((32, 20)) > 0.5).astype("float32"))

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(20, 16), nn.Tanh())
            self.mu, self.logvar = nn.Linear(16, 4), nn.Linear(16, 4)
            self.decoder = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 20), nn.Sigmoid())

        def forward(self, x, eps):
            h = self.encoder(x)
            mu, logvar = self.mu(h), self.logvar(h)
            std = torch.exp(0.5 * logvar)
            return self.decoder(mu + eps * std), mu, logvar

    model = filled(VAE(), torch)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(STEPS):
        eps = torch.from_numpy(rng.normal(size=(32, 4)).astype("float32"))
        recon, mu, logvar = model(x, eps)
        bce = F.binary_cross_entropy(recon, x, reduction="sum")
        kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
        loss = (bce + kld) / x.size(0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def reinforce(torch, nn, F):
    """A corridor of seven places: one step to the left or to the right, and a reward at its right end."""
    policy = filled(nn.Sequential(nn.Linear(7, 16), nn.ReLU(), nn.Linear(16, 2), nn.Softmax(dim=-1)), torch)
    optimizer = torch.optim.Adam(policy.parameters(), lr=0.02)
    rng = np.random.default_rng(5)
    losses = []
    for _ in range(STEPS):
        place, log_probs, rewards = 3, [], []
        for _ in range(12):
            state = F.one_hot(torch.tensor(place), num_classes=7).float()
            probs = policy(state.unsqueeze(0)).squeeze(0)
            m = torch.distributions.Categorical(probs)
            action = torch.tensor(int(rng.random() < probs.detach().numpy()[1]))
            log_probs.append(m.log_prob(action))
            place = max(0, place - 1) if action.item() == 0 else place + 1
            rewards.append(1.0 if place == 6 else -0.1)
            if place == 6:
                break
        returns, R = [], 0
        for r in rewards[::-1]:
            R = r + 0.9 * R
            returns.insert(0, R)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + 1e-6)
        loss = torch.cat([(-lp * R).unsqueeze(0) for lp, R in zip(log_probs, returns)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def lstm(torch, nn, F):
    rng = np.random.default_rng(6)
    tokens = torch.from_numpy(rng.integers(0, 11, (4, 13)))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(11, 8)
            self.lstm = nn.LSTM(8, 12, num_layers=2, batch_first=True)
            self.out = nn.Linear(12, 11)

        def forward(self, x, hidden=None):
            out, hidden = self.lstm(self.embed(x), hidden)
            return self.out(out), hidden

    model = filled(Model(), torch)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    losses, hidden = [], None
    for _ in range(STEPS):
        if hidden is not None:
            hidden = tuple(h.detach() for h in hidden)
        logits, hidden = model(tokens[:, :-1], hidden)
        loss = nn.NLLLoss()(F.log_softmax(logits, dim=2).permute(0, 2, 1), tokens[:, 1:])
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    return losses


def pinn(torch, nn, F):
    """u'' = -u with u(0) = 0 and u'(0) = 1."""
    net = filled(nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)), torch)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    t = torch.linspace(0, 2, 30).view(-1, 1).requires_grad_(True)
    zero = torch.zeros(1, 1, requires_grad=True)
    losses = []
    for _ in range(STEPS):
        u = net(t)
        du = torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]
        ddu = torch.autograd.grad(du, t, grad_outputs=torch.ones_like(du), create_graph=True)[0]
        u0 = net(zero)
        (du0,) = torch.autograd.grad(u0, zero, torch.ones_like(u0), create_graph=True)
        loss = torch.mean((ddu + u) ** 2) + u0.pow(2).squeeze() + (du0 - 1).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


PROGRAMS = {f.__name__: f for f in (mlp, cnn, transformer, vae, reinforce, lstm, pinn)}
