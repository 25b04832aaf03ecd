# SPDX-License-Identifier: Apache-2.0
"""Optimisers, schedules, groups, clipping, accumulation and averages against torch.optim.

First with given gradients: 20 steps of each optimiser and each schedule on the parameters
of a small network, whose values, learning rates and averages must be PyTorch's within
1e-5.  Then a network is trained, with its own gradients, batch norm fixed.  PyTorch
computes in float64.

Usage: check_optim.py OPTIM_TOOL.  Exits with 77 (skipped) without torchvision."""

import re
import subprocess
import sys
import warnings

try:
    import numpy as np
    import torch
    import torchvision
    from torch.optim import lr_scheduler as S
    from torch.optim.swa_utils import AveragedModel
except ImportError:
    print("skipped: torchvision is not installed")
    sys.exit(77)

warnings.filterwarnings("ignore")

EPOCHS, EPOCH_STEPS = 5, 4
STEPS = EPOCHS * EPOCH_STEPS
CLASSES = 10
TOLERANCE = 1e-5  # of values, absolute or of values above 1 relative
WORST = {}


def fail(text):
    raise SystemExit("check_optim: " + text)


def close(case, what, got, want, tolerance=TOLERANCE):
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    worst = np.max(np.abs(got - want) / np.maximum(1, np.abs(want)))
    WORST[what] = max(WORST.get(what, 0), worst)
    if not worst <= tolerance:
        fail("%s: %s differ by %g, not %g" % (case, what, worst, tolerance))


def run(tool, mode, arch, size, keys, data):
    text = ["%s=%s" % (k, int(v) if isinstance(v, bool) else v) for k, v in keys.items()]
    p = subprocess.run([tool, mode, arch, str(size)] + text, input=data.tobytes(),
                       capture_output=True)
    if p.returncode:
        fail("%s: %s" % (text, p.stderr.decode()))
    return np.frombuffer(p.stdout, np.float32)


def flat(params):
    return np.concatenate([p.detach().numpy().ravel() for p in params]).astype(np.float32)


# ---- what PyTorch makes of the same keys ----

def layers_of(arch, names):
    """Layer of each parameter as timm counts: the stem, each block, the head."""
    pattern = {"shufflenet_v2_x0_5": r"conv1|stage\d\.\d+|conv5|fc",
               "resnet18": r"conv1|layer\d\.\d|fc"}[arch]
    seen = []
    for name in names:
        m = re.match(pattern, name)  # bn1 is of the stem
        key = m.group(0) if m else seen[-1]
        if key not in seen:
            seen.append(key)
        yield seen.index(key)


def groups(model, arch, keys):
    named = list(model.named_parameters())
    layer = list(layers_of(arch, [n for n, _ in named]))
    for (name, p), k in zip(named, layer):
        lr = keys["lr"] * keys.get("layer_decay", 1) ** (max(layer) - k)
        if name.startswith("fc."):
            lr *= keys.get("head_lr_factor", 1)
        decay = keys.get("weight_decay", 0)
        if keys.get("no_decay_norm_bias") and p.ndim == 1:
            decay = 0
        yield {"params": [p], "lr": lr, "weight_decay": decay}


def optimizer(params, keys):
    k = lambda *names: {n: keys[n] for n in names if n in keys}
    betas = {"betas": (keys.get("beta1", 0.9), keys.get("beta2", 0.999))}
    lr = keys["lr"]
    return {
        "sgd": lambda: torch.optim.SGD(params, lr, **k("momentum", "dampening", "nesterov")),
        "adam": lambda: torch.optim.Adam(params, lr, **betas, **k("eps")),
        "adamw": lambda: torch.optim.AdamW(params, lr, **betas, **k("eps")),
        "rmsprop": lambda: torch.optim.RMSprop(params, lr, **k("alpha", "eps", "momentum",
                                                               "centered")),
    }[keys["optimizer"]]()


def main_schedule(opt, keys, span):
    k = lambda **names: {theirs: keys[ours] for theirs, ours in names.items() if ours in keys}
    name = keys.get("schedule", "constant")
    if name == "onecycle":
        return S.OneCycleLR(opt, [g["lr"] for g in opt.param_groups], total_steps=STEPS,
                            **k(pct_start="pct_start", div_factor="div_factor",
                                final_div_factor="final_div_factor",
                                cycle_momentum="cycle_momentum",
                                base_momentum="base_momentum", max_momentum="max_momentum"))
    return {
        "constant": lambda: S.StepLR(opt, STEPS, gamma=1),
        "step": lambda: S.StepLR(opt, keys["step_size"], **k(gamma="gamma")),
        "multistep": lambda: S.MultiStepLR(opt, [int(m) for m in keys["milestones"].split(",")],
                                           **k(gamma="gamma")),
        "exponential": lambda: S.ExponentialLR(opt, keys["gamma"]),
        "cosine": lambda: S.CosineAnnealingLR(opt, span, **k(eta_min="eta_min")),
        "plateau": lambda: S.ReduceLROnPlateau(
            opt, **k(factor="factor", patience="patience", threshold="threshold",
                     cooldown="cooldown", min_lr="min_lr")),
    }[name]()


class Schedule:
    """Steps as afina does: per epoch or per step, warm-up before or over it."""

    def __init__(self, opt, keys):
        self.keys = keys
        self.each_step = keys.get("on_updates") or keys.get("schedule") == "onecycle"
        unit = EPOCH_STEPS if self.each_step else 1
        warm = keys.get("warmup_epochs", 0) * unit
        factor = keys.get("warmup_factor", 0.01)
        self.over = None
        if keys.get("warmup_steps"):
            self.over = S.LinearLR(opt, factor, total_iters=keys["warmup_steps"])
        self.main = main_schedule(opt, keys, EPOCHS * unit - warm)
        if warm:
            self.main = S.SequentialLR(opt, [S.LinearLR(opt, factor, total_iters=warm), self.main],
                                       milestones=[warm])
        self.plateau = isinstance(self.main, S.ReduceLROnPlateau)
        self.count = 0

    def step(self):
        self.count += 1
        if self.each_step and self.count < STEPS:
            self.main.step()
        if self.over:
            self.over.step()

    def end_epoch(self, loss):
        if self.plateau:
            self.main.step(loss)
        elif not self.each_step:
            self.main.step()


def clip(model, keys):
    if keys.get("clip_value"):
        torch.nn.utils.clip_grad_value_(model.parameters(), keys["clip_value"])
    if keys.get("clip_norm"):
        torch.nn.utils.clip_grad_norm_(model.parameters(), keys["clip_norm"])


def averaged(model, keys):
    d = keys.get("ema_decay", 0)

    def follow(average, value, n):
        t = float(n) + 1
        now = min(d, (1 + t) / (10 + t)) if keys.get("ema_warmup") else d
        return now * average + (1 - now) * value
    return AveragedModel(model, avg_fn=follow) if d else None


# ---- given gradients ----

CASES = [
    dict(optimizer="sgd", lr=0.1, momentum=0),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, weight_decay=0.01),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, weight_decay=0.01, nesterov=True),
    dict(optimizer="sgd", lr=0.1, momentum=0.8, dampening=0.5),
    dict(optimizer="adam", lr=0.01),
    dict(optimizer="adam", lr=0.01, weight_decay=0.1, beta1=0.8, beta2=0.95, eps=1e-6),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.01),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.5, beta1=0.7, beta2=0.99),
    dict(optimizer="rmsprop", lr=0.01),
    dict(optimizer="rmsprop", lr=0.01, momentum=0.9, weight_decay=0.01, alpha=0.9),
    dict(optimizer="rmsprop", lr=0.001, centered=True),
    dict(optimizer="rmsprop", lr=0.001, centered=True, momentum=0.5, eps=1e-6),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, layer_decay=0.7, head_lr_factor=3,
         weight_decay=0.1, no_decay_norm_bias=True),
    dict(optimizer="adamw", lr=0.01, layer_decay=0.5, weight_decay=0.1,
         no_decay_norm_bias=True, schedule="step", step_size=2, gamma=0.5),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, clip_norm=1.5),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, clip_norm=1e9),
    dict(optimizer="adam", lr=0.01, clip_value=0.01),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.01, clip_value=0.02, clip_norm=2),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, ema_decay=0.9),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.01, ema_decay=0.999, ema_warmup=True),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="step", step_size=2, gamma=0.3),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="step", step_size=3, gamma=0.3,
         on_updates=True, warmup_steps=5),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="multistep", milestones="1,3,4"),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="multistep", milestones="3,9,10,17",
         gamma=0.5, on_updates=True),
    dict(optimizer="adam", lr=0.01, schedule="exponential", gamma=0.7),
    dict(optimizer="adam", lr=0.01, schedule="exponential", gamma=0.9, on_updates=True),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.01, schedule="cosine"),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.01, schedule="cosine", eta_min=0.001,
         on_updates=True),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="cosine", warmup_epochs=2),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="cosine", warmup_epochs=2,
         warmup_factor=0.2, on_updates=True),
    dict(optimizer="rmsprop", lr=0.01, schedule="constant", warmup_epochs=3),
    dict(optimizer="rmsprop", lr=0.01, schedule="constant", warmup_steps=7, warmup_factor=0.1),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="onecycle"),
    dict(optimizer="sgd", lr=0.1, momentum=0, schedule="onecycle"),
    dict(optimizer="adamw", lr=0.01, weight_decay=0.01, schedule="onecycle", pct_start=0.4,
         div_factor=10, final_div_factor=100, base_momentum=0.8, max_momentum=0.9),
    dict(optimizer="rmsprop", lr=0.01, momentum=0.9, schedule="onecycle", pct_start=0.02),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="onecycle", cycle_momentum=False),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="plateau", patience=0, factor=0.5,
         losses="1,1,0.9,0.95,0.95"),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="plateau", patience=1, factor=0.1,
         losses="1,0.99995,1,nan,0.5"),
    dict(optimizer="sgd", lr=0.1, momentum=0.9, schedule="plateau", patience=0, factor=0.1,
         cooldown=1, min_lr=0.004, losses="1,1,1,1,1"),
]


def given_gradients(weights):
    """Of all sizes, some always 0, some seldom; (STEPS, values).  The first has the sign of
    the weight, so that it and weight decay do not cancel: what little was left of them
    would be divided by itself."""
    gen = np.random.default_rng(7)
    n = len(weights)
    scale = 10 ** gen.uniform(-5, -1, n)
    scale[gen.random(n) < 0.02] = 0
    g = gen.standard_normal((STEPS, n)) * scale
    seldom = gen.random(n) < 0.1
    g[:, seldom] *= gen.random((STEPS, seldom.sum())) < 0.2
    g[0] = np.copysign(g[0], weights)
    return g.astype(np.float32)


def expected(arch, model, gradients, keys):
    opt = optimizer(list(groups(model, arch, keys)), keys)
    schedule, average = Schedule(opt, keys), averaged(model, keys)
    losses = [float(v) for v in keys.get("losses", "0,0,0,0,0").split(",")]
    rates = []
    for step in range(STEPS):
        at = 0
        for p in model.parameters():
            g = gradients[step, at:at + p.numel()].astype(np.float64)
            p.grad = torch.from_numpy(g).reshape(p.shape)
            at += p.numel()
        clip(model, keys)
        opt.step()
        if average:
            average.update_parameters(model)
        schedule.step()
        if (step + 1) % EPOCH_STEPS == 0:
            schedule.end_epoch(losses[step // EPOCH_STEPS])
            g = opt.param_groups[-1]
            factor = keys.get("head_lr_factor", 1)
            rates.append([g["lr"] / factor, g["betas"][0] if "betas" in g else g["momentum"]])
    return rates, flat(model.parameters()), average and flat(average.module.parameters())


def check_given(tool):
    arch, size = "shufflenet_v2_x0_5", 32
    torch.manual_seed(1)
    start = getattr(torchvision.models, arch)(num_classes=CLASSES)
    with torch.no_grad():
        for p in start.parameters():
            p.add_(torch.randn(p.shape) * 0.1)
    state = [t for t in start.state_dict().values() if t.is_floating_point()]
    gradients = given_gradients(flat(start.parameters()))
    values = flat(state)
    for keys in CASES:
        model = getattr(torchvision.models, arch)(num_classes=CLASSES)
        model.load_state_dict(start.state_dict())
        model.double()
        rates, after, average = expected(arch, model, gradients, keys)
        got = run(tool, "given", arch, size, dict(keys, epochs=EPOCHS, epoch_steps=EPOCH_STEPS),
                  np.concatenate([values, gradients.ravel()]))
        n, rest = len(after), got[2 * EPOCHS:]
        got_rates = got[:2 * EPOCHS].reshape(EPOCHS, 2)
        cycles = keys.get("schedule") == "onecycle"
        # PyTorch's is not stepped behind the last step
        seen = EPOCHS - 1 if cycles or keys.get("on_updates") else EPOCHS
        want = np.array(rates)
        close(keys, "learning rates", got_rates[:seen, 0] / keys["lr"], want[:seen, 0] / keys["lr"],
              1e-6)
        if cycles and keys.get("cycle_momentum", True):
            close(keys, "momenta", got_rates[:seen, 1], want[:seen, 1], 1e-6)
        close(keys, "parameters", rest[:n], after)
        if average is not None:
            close(keys, "averages", rest[n:], average)
        elif len(rest) != n:
            fail("%s: averages that nobody asked for" % keys)


# ---- a network's own gradients ----

TRAINED = [
    dict(optimizer="sgd", lr=0.01, momentum=0.9, weight_decay=1e-4, accumulate=3, clip_norm=0.5,
         schedule="cosine", layer_decay=0.8, head_lr_factor=2),
    dict(optimizer="sgd", lr=0.01, momentum=0.9, accumulate=2, schedule="onecycle",
         ema_decay=0.9),
    dict(optimizer="sgd", lr=0.01, momentum=0.9, clip_value=0.001, ema_decay=0.99,
         ema_warmup=True, no_decay_norm_bias=True, weight_decay=0.01, schedule="exponential",
         gamma=0.9),
    dict(optimizer="adamw", lr=1e-4, eps=1e-3, weight_decay=0.05, layer_decay=0.75,
         warmup_epochs=2),
    dict(optimizer="rmsprop", lr=1e-5, eps=1e-2, momentum=0.9),
]
SIDE, IMAGES = 32, 4
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def new_resnet():
    torch.manual_seed(2)
    model = torchvision.models.resnet18(num_classes=CLASSES)
    with torch.no_grad():
        for m in model.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.weight.uniform_(0.2, 0.5)
                m.bias.uniform_(-0.1, 0.3)
                m.running_mean.uniform_(-0.1, 0.1)
                m.running_var.uniform_(0.5, 1.5)
    return model


def batches():
    """The last of an epoch is smaller."""
    gen = np.random.default_rng(3)
    for step in range(STEPS):
        n = IMAGES - 2 if step % EPOCH_STEPS == EPOCH_STEPS - 1 else IMAGES
        yield gen.integers(0, CLASSES, n), gen.integers(0, 256, (n, SIDE, SIDE, 3))


def normalised(pixels):
    x = torch.from_numpy(pixels.astype(np.float32)).permute(0, 3, 1, 2) / 255
    x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    return x.double()


def train(keys):
    global STEPS
    model = new_resnet().double().eval()
    opt = optimizer(list(groups(model, "resnet18", keys)), keys)
    k = keys.get("accumulate", 1)
    whole = STEPS
    per_epoch = -(-EPOCH_STEPS // k)
    STEPS = EPOCHS * per_epoch  # of the optimiser, for the schedule
    schedule, average = Schedule(opt, keys), averaged(model, keys)
    STEPS = whole
    group = []
    for step, b in enumerate(batches()):
        group.append(b)
        last = (step + 1) % EPOCH_STEPS == 0
        if len(group) < k and not last:
            continue
        opt.zero_grad()
        labels = torch.from_numpy(np.concatenate([y for y, _ in group]))
        x = normalised(np.concatenate([p for _, p in group]))
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        clip(model, keys)
        opt.step()
        group = []
        if average:
            average.update_parameters(model)
        schedule.count += 1
        if schedule.each_step and schedule.count < EPOCHS * per_epoch:
            schedule.main.step()
        if last:
            schedule.end_epoch(0)
    return model, average


def check_trained(tool):
    start = new_resnet()
    values = flat([t for t in start.state_dict().values() if t.is_floating_point()])
    data = [values]
    for labels, pixels in batches():
        data += [[len(labels)], labels, pixels.ravel()]
    data = np.concatenate(data).astype(np.float32)
    for keys in TRAINED:
        model, average = train(keys)
        got = run(tool, "trained", "resnet18", SIDE,
                  dict(keys, epochs=EPOCHS, epoch_steps=EPOCH_STEPS), data)[2 * EPOCHS:]
        at = 0
        for m in [model] + ([average.module] if average else []):
            for name, p in m.named_parameters():
                want, mine = p.detach().numpy().ravel(), got[at:at + p.numel()]
                at += p.numel()
                worst = np.linalg.norm(mine - want) / max(np.linalg.norm(want), 1e-2)
                WORST["trained"] = max(WORST.get("trained", 0), worst)
                if not worst <= TOLERANCE:
                    fail("%s: %s differs by %g of its norm" % (keys, name, worst))
        if at != len(got):
            fail("%s: %d values, not %d" % (keys, len(got), at))


def main():
    torch.set_num_threads(2)
    check_given(sys.argv[1])
    check_trained(sys.argv[1])
    for what, worst in WORST.items():
        print("%-15s largest difference %.2g" % (what, worst))


main()
