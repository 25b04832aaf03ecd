# SPDX-License-Identifier: Apache-2.0
"""Whole networks against torchvision itself: any architecture, by name.

Each gets weights and running statistics of its own, is trained for three steps by
torchvision (in float64) and by afina, at two image sizes and with both rules of batch
norm, and everything is compared: logits, the gradient of every parameter, losses, running
statistics, weights after the steps.  Then files: a .pth that torch.save() wrote is what
afina opens, and what afina writes loads strictly and is the same state.

Usage: check_networks.py NETWORK_TOOL [--backend cpu|ref] [--all | PATTERN...]
Without patterns the smallest networks of each family.  Exits with 77 (skipped) without
torchvision."""

import argparse
import copy
import fnmatch
import json
import math
import os
import struct
import subprocess
import sys
import tempfile
import time
import warnings

try:
    import numpy as np
    import torch
    import torchvision
except ImportError:
    print("torchvision is not installed")
    sys.exit(77)

from no_init import NoInit

warnings.filterwarnings("ignore")

CLASSES = 10
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STEPS, MOMENTUM, WEIGHT_DECAY = 3, 0.9, 1e-4
N = 4  # images

# Small ones of the families that no golden has; the naive backend takes seconds for each step.
SMALL = ["mnasnet0_5", "regnet_y_400mf", "mobilenet_v3_small", "efficientnet_b0"]
SMALL_REF = ["squeezenet1_1", "mobilenet_v2", "mnasnet0_5", "regnet_y_400mf",
             "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5"]
TOO_LARGE = ["regnet_y_128gf"]  # to train in float64: inference only, in float32

# Height and width of the two sizes; the smallest that some take is larger.
SIZES = {"alexnet": [(63, 80), (96, 72)], "inception_v3": [(75, 107), (96, 80)],
         "*": [(64, 64), (48, 80)]}

# Limits: of the largest logit, of the norm of each gradient (see floor), of the loss, of
# the norm of each parameter and of its change.  A gradient or change whose norm is a
# thousandth of the largest of the network is held to that thousandth.
LIMITS = {"logits": 1e-4, "grad": 1e-3, "loss": 1e-4, "stats": 1e-4, "after": 1e-4,
          "change": 1e-2}
FLOOR = 1e-3


def choose(table, name):
    return next(v for k, v in table.items() if fnmatch.fnmatchcase(name, k))


# ---- weights that tell mistakes apart ----

def block_ends(model):
    """Norms whose value is added to a shortcut."""
    ends = {"BasicBlock": lambda m: m.bn2, "Bottleneck": lambda m: m.bn3,
            "ResBottleneckBlock": lambda m: m.f.c[1], "_InvertedResidual": lambda m: m.layers[-1],
            "MBConv": lambda m: m.block[-1][1], "FusedMBConv": lambda m: m.block[-1][1],
            "InvertedResidual": inverted_residual_end}
    kind = lambda m: type(m).__name__
    return {id(ends[kind(m)](m)) for m in model.modules() if kind(m) in ends}


def inverted_residual_end(m):
    if hasattr(m, "branch2"):
        return None  # ShuffleNet's adds nothing
    return m.conv[-1] if hasattr(m, "conv") else m.block[-1][1]


def norm_range(leaf, end, linear):
    """Smallest and largest value of a batch norm's parameter.  Values of deviation 0.3 to
    0.6 around 1 to 2 keep ReLUs clear of zero, where a rounding would switch them; what is
    added to a shortcut is smaller, unless nothing but further norms follow.  Some variances
    are so small that a wrong eps shows."""
    if leaf == "running_mean":
        return -0.1, 0.1
    if leaf == "running_var":
        return 0.05, 1.0
    if leaf == "weight":
        return ((1.0, 1.5) if linear else (0.1, 0.4)) if end else (0.3, 0.6)
    return (-0.1, 0.1) if end else (1.0, 2.0)


def fill(model, name):
    gen = torch.Generator().manual_seed(len(name) * 1000003 + sum(map(ord, name)))
    ends = block_ends(model)
    linear = not any(k in name for k in ("resn", "regnet"))
    normed = any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())
    with torch.no_grad():
        for m in model.modules():
            for leaf, t in list(m.named_parameters(recurse=False)) + \
                    list(m.named_buffers(recurse=False)):
                low, high = value_range(m, leaf, t, id(m) in ends, linear, normed)
                if t.is_floating_point():
                    t.copy_(torch.rand(t.shape, generator=gen) * (high - low) + low)


def value_range(m, leaf, t, end, linear, normed):
    if isinstance(m, torch.nn.BatchNorm2d):
        return norm_range(leaf, end, linear)
    if isinstance(m, torch.nn.LayerNorm):
        return (0.5, 1.5) if leaf == "weight" else (-0.3, 0.3)
    if leaf == "layer_scale":
        return 0.1, 0.4
    if leaf == "weight":
        bound = math.sqrt((3.0 if normed else 6.0) / math.prod(t.shape[1:]))
        return -bound, bound
    return -0.1, 0.1


def make(name):
    kwargs = {"num_classes": CLASSES}
    if name in ("googlenet", "inception_v3"):
        kwargs.update(init_weights=False, aux_logits=True, transform_input=True)
    model = getattr(torchvision.models, name)(**kwargs)
    fill(model, name)
    return model


def make_pixels(size):
    rng = np.random.default_rng(size[0] * 1000 + size[1])
    coarse = rng.integers(0, 128, (N, -(-size[0] // 8), -(-size[1] // 8), 3))
    coarse = coarse.repeat(8, 1).repeat(8, 2)[:, :size[0], :size[1]]
    return (coarse + rng.integers(0, 128, coarse.shape)).astype(np.uint8)


def normalised(pixels, dtype):
    t = torch.from_numpy(pixels).permute(0, 3, 1, 2).to(dtype).div(255)
    mean, std = (torch.tensor(v, dtype=torch.float32).to(dtype).view(1, 3, 1, 1)
                 for v in (MEAN, STD))
    return t.sub(mean).div(std)


# ---- torchvision's answers ----

def set_mode(model, mode):
    model.train(mode != "infer")
    for m in model.modules():
        if isinstance(m, torch.nn.Dropout) or type(m).__name__ == "StochasticDepth":
            m.eval()
        if isinstance(m, torch.nn.BatchNorm2d) and mode == "frozen":
            m.eval()


def heads(out):
    """The logits, then those of auxiliary heads from the first to the last, with weights."""
    if isinstance(out, torch.Tensor):
        return [out], [1.0]
    if hasattr(out, "aux_logits"):
        return [out.logits, out.aux_logits], [1.0, 0.4]
    return [out.logits, out.aux_logits1, out.aux_logits2], [1.0, 0.3, 0.3]


def losses_of(outs, weights):
    labels = torch.tensor([(7 * i + 3) % CLASSES for i in range(N)])
    cross_entropy = torch.nn.functional.cross_entropy
    return sum(w * cross_entropy(o, labels) for o, w in zip(outs, weights))


def train(model, x, lr):
    """What network_tool writes, by torchvision."""
    out = {}
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=MOMENTUM,
                                weight_decay=WEIGHT_DECAY)
    losses = []
    for step in range(STEPS):
        outs, weights = heads(model(x))
        loss = losses_of(outs, weights)
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            out["logits"] = torch.cat(outs, 1).detach().numpy()
            for k, p in model.named_parameters():
                out["grad." + k] = p.grad.numpy().copy()
        losses.append(loss.item())
        optimiser.step()
    out["losses"] = np.array(losses)
    for k, v in model.state_dict().items():
        if v.is_floating_point():
            out["after." + k] = v.numpy()
        else:
            out["batches"] = int(v)
    return out


def infer(model, x):
    with torch.no_grad():
        return {"logits": model(x).numpy()}


# ---- afina's answers ----

def load(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    meta = header.pop("__metadata__", {})
    out = {k: np.frombuffer(data[slice(*h["data_offsets"])], "<f4").reshape(h["shape"])
           for k, h in header.items()}
    if "batches" in meta:
        out["batches"] = int(meta["batches"])
    return out


class Checker:
    def __init__(self, tool, backend, folder):
        self.tool, self.backend, self.folder = tool, backend, folder
        self.failures = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *args):
        done = subprocess.run([self.tool, *map(str, args)], text=True,
                              stderr=subprocess.PIPE)
        if done.returncode:
            self.failures += 1
            print(f"BAD  {' '.join(map(str, args[:3]))}: {done.stderr.strip()}")
        return done.returncode == 0

    def compare(self, what, want, got, before):
        worst = {}

        def note(kind, gap, where):
            if not gap <= worst.get(kind, (-1, ""))[0]:
                worst[kind] = (gap, where)

        largest = np.abs(want["logits"]).max()
        if got["logits"].shape != want["logits"].shape:
            note("logits", math.inf, f"{got['logits'].shape}, not {want['logits'].shape}")
        else:
            note("logits", np.abs(got["logits"] - want["logits"]).max() / largest, "")
        if "losses" in want:
            gap = np.abs(got["losses"] - want["losses"]) / want["losses"]
            note("loss", gap.max(), f"step {gap.argmax() + 1}")
            compare_parameters(note, want, got, before)
        bad = [k for k, (gap, _) in worst.items() if not gap <= LIMITS[k]]
        self.failures += bool(bad)
        text = " ".join(f"{k} {gap:.1e}{' in ' + at if k in bad else ''}"
                        for k, (gap, at) in worst.items())
        print(f"{'BAD ' if bad else 'ok  '} {what}: {text}", flush=True)

    def check_file(self, name, path, state):
        ours = self.path("ours.pth")
        if not self.run("save", name, path, ours):
            return
        with NoInit():
            fresh = make(name)
        try:
            saved = torch.load(ours, weights_only=True)
            fresh.load_state_dict(saved, strict=True)
            good = list(saved) == list(state) and all(
                torch.equal(v, state[k]) and v.dtype == state[k].dtype
                for k, v in fresh.state_dict().items())
            text = "our .pth is the same state" if good else "our .pth differs"
        except (RuntimeError, ValueError) as e:
            good, text = False, f"load_state_dict: {e}"
        self.failures += not good
        print(f"{'ok  ' if good else 'BAD '} {name}: {text}", flush=True)
        os.remove(ours)


def compare_parameters(note, want, got, before):
    grads = {k: v for k, v in want.items() if k.startswith("grad.")}
    floor = FLOOR * max(map(np.linalg.norm, grads.values()))
    changes = {k: want["after." + k] - before[k] for k in before}
    trained = {k: v for k, v in changes.items() if "grad." + k in grads}
    change_floor = FLOOR * max(map(np.linalg.norm, trained.values()))
    for k in before:
        if "grad." + k in grads:
            g = grads["grad." + k]
            gap = np.linalg.norm(got["grad." + k] - g) / max(np.linalg.norm(g), floor)
            note("grad", gap, k)
        gap = np.linalg.norm(got["after." + k] - want["after." + k])
        norm = np.linalg.norm(want["after." + k])
        if k not in trained:
            note("stats", gap / norm, k)
            continue
        note("after", gap / norm, k)
        # What a step rounds off a weight is no part of its change.
        gap = max(0.0, gap - 2.0 ** -23 * norm)
        note("change", gap / max(np.linalg.norm(changes[k]), change_floor), k)
    if set(got) != set(want):
        note("grad", math.inf, f"names {sorted(set(got) ^ set(want))[:3]}")
    if want.get("batches") != got.get("batches"):
        note("stats", math.inf, f"num_batches_tracked {got.get('batches')}")


def eps_shows(model, x):
    """Would a batch norm's wrong eps be seen in the logits?"""
    norms = [m for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    right = infer(model, x)["logits"]
    for m in norms:
        m.eps = 1e-3 if m.eps < 1e-4 else 1e-5
    wrong = infer(model, x)["logits"]
    for m in norms:
        m.eps = 1e-3 if m.eps < 1e-4 else 1e-5
    return not norms or np.abs(wrong - right).max() > 10 * LIMITS["logits"] * np.abs(right).max()


def check(c, name):
    start = time.monotonic()
    with NoInit():
        model = make(name)
    path = c.path("theirs.pth")
    torch.save(model.state_dict(), path)
    state = copy.deepcopy(model.state_dict())  # with its _metadata
    c.check_file(name, path, state)
    large = name in TOO_LARGE
    model.to(torch.float32 if large else torch.float64)
    before = {k: v.double().numpy() for k, v in state.items() if v.is_floating_point()}
    for size in choose(SIZES, name):
        pixels = make_pixels(size)
        pixels.tofile(c.path("pixels"))
        x = normalised(pixels, torch.float32 if large else torch.float64)
        for mode in ("infer",) if large else ("infer", "frozen", "batch"):
            lr = 1e-5 if mode == "frozen" else 1e-4
            model.load_state_dict(state)
            set_mode(model, mode)
            want = infer(model, x) if mode == "infer" else train(model, x, lr)
            what = f"{name} {size[0]}x{size[1]} {mode}"
            if mode == "infer" and not eps_shows(model, x):
                c.failures += 1
                print(f"BAD  {what}: a wrong eps would not be seen")
            if c.run(c.backend, mode, name, path, c.path("pixels"), N, *size, lr, STEPS,
                     c.path("out.safetensors")):
                c.compare(what, want, load(c.path("out.safetensors")), before)
    print(f"     {name}: {time.monotonic() - start:.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("patterns", nargs="*")
    args = parser.parse_intermixed_args()
    known = subprocess.run([args.tool], text=True, check=True,
                           stdout=subprocess.PIPE).stdout.split()
    small = SMALL_REF if args.backend == "ref" else SMALL
    wanted = ["*"] if args.all else args.patterns or small
    names = [n for n in known if any(fnmatch.fnmatchcase(n, p) for p in wanted)]
    with tempfile.TemporaryDirectory() as folder:
        c = Checker(args.tool, args.backend, folder)
        for name in names:
            check(c, name)
    print(f"{len(names)} networks, {c.failures} failures; torchvision "
          f"{torchvision.__version__}")
    return 1 if c.failures or not names else 0


if __name__ == "__main__":
    sys.exit(main())
