# SPDX-License-Identifier: Apache-2.0
"""Writes goldens.safetensors: what PyTorch answers, in float64, for every network.

Usage: make_goldens.py [--only PATTERN] [--check] FILE
  --only   make these models anew and keep the others of FILE
  --check  also run in float32 and print how far it lies from float64: the error that
           a correct single-precision program may show

Weights, pixels and labels are made by the formulas below, by this script and again by
test_goldens.c, so that only answers are stored.  All are exact in both: a hash gives 53
bits, arithmetic is in float64 and each value is rounded to float32 once.

Tensors of the file, for MODEL/MODE of
  batch   everything trains, batch norm as in model.train()
  frozen  everything trains, every batch norm in eval()
  auto    the first half of the layers and every seventh one are frozen, and their batch
          norms in eval() (see frozen_layers)
  head    the last layer trains alone, batch norm as in model.train()
are
  seed    (1, 1)    of the pixels
  logits  (n, 10)   of the first forward pass, dropout off
  losses  (steps, 1) cross entropy before each step of SGD
  grad    (p, 17)   gradient of each trained parameter at the first step
  change  (p, 17)   each trained parameter after all steps minus before
  stats   (s, 17)   running statistics that moved, after all steps, minus before
where 17 numbers stand for a tensor: its norm, then its products with 16 vectors of
random signs.  The squares of 16 differences of products, summed and divided by 16,
estimate the squared norm of the difference of two tensors without bias, with a relative
deviation of sqrt(2/16).  Rows follow the state_dict."""

import argparse
import copy
import fnmatch
import functools
import json
import math
import os
import struct
import sys
import warnings

import numpy as np
import torch
import torchvision

warnings.filterwarnings("ignore")

CLASSES = 10
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4
SEEDS = 6  # of pixels, tried for each case

# How each model is run (lr.MODE: another learning rate in that mode), and what makes the
# numbers well conditioned.  A ReLU whose input is within rounding of zero gives another
# gradient in another program, and networks of batch norms and ReLUs enlarge rounding from
# layer to layer.  So batch norms add 1 to 2 to values of deviation 0.3 to 0.6, which
# keeps most ReLUs clear of zero; those that end a residual block (end_norm, of
# mobilenet_v2 all that end a block) have ranges of their own, so that the sum over the
# blocks stays tame with fixed statistics too.  And the pixels are those, of several
# seeds, that keep all ReLUs farthest from zero at the first step.  --check shows how far
# PyTorch's own float32 then lies from float64.
RESNET = {"n": 4, "steps": 10, "h": 40, "w": 33, "lr": 0.0005, "fan": 3.0,
          "var_low": 0.5, "var_high": 1.5}
BASIC = {**RESNET, "end_norm": "*.bn2", "end_low": 0.1, "end_high": 0.4}
BOTTLENECK = {**BASIC, "end_norm": "*.bn3"}
PLAIN = {"n": 4, "steps": 10, "lr": 0.0001, "end_norm": "", "end_low": 0.0,
         "end_high": 0.0, "var_low": 0.5, "var_high": 1.5}
VGG = {**PLAIN, "h": 32, "w": 32, "fan": 6.0}
VGG_BN = {**VGG, "fan": 3.0, "lr": 0.0003}
SQUEEZENET = {**PLAIN, "h": 40, "w": 53, "fan": 6.0}
MODELS = {
    "alexnet": {**PLAIN, "h": 80, "w": 63, "fan": 6.0},
    "vgg11": VGG, "vgg13": VGG, "vgg16": VGG, "vgg19": VGG,
    "vgg11_bn": VGG_BN, "vgg13_bn": VGG_BN, "vgg16_bn": VGG_BN, "vgg19_bn": VGG_BN,
    "squeezenet1_0": SQUEEZENET, "squeezenet1_1": SQUEEZENET,
    "resnet18": BASIC, "resnet34": BASIC,
    "resnet50": BOTTLENECK, "resnet101": BOTTLENECK, "resnet152": BOTTLENECK,
    "wide_resnet50_2": BOTTLENECK, "wide_resnet101_2": BOTTLENECK,
    "mobilenet_v2": {**RESNET, "end_norm": "*.conv.3", "end_low": 1.0, "end_high": 1.5,
                     "var_low": 0.2, "var_high": 0.6, "lr": 0.0003, "lr.frozen": 0.0001},
}

# ---- numbers by formula ----

WEIGHTS, PIXELS, SIGNS = 1, 2, 3  # purposes of a stream
CHUNK = 1 << 20


def mix(z):
    """The finaliser of splitmix64 on an array of uint64."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hashes(purpose, index, start, count):
    """64 random bits for elements start .. start+count-1 of a stream."""
    key = mix(np.array([purpose << 32 | index], np.uint64))
    i = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    return mix(key + i * np.uint64(0x9E3779B97F4A7C15))


def uniform(index, count, low, high):
    """float32 values of parameter `index`."""
    out = np.empty(count, np.float32)
    for at in range(0, count, CHUNK):
        n = min(CHUNK, count - at)
        u = (hashes(WEIGHTS, index, at, n) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        out[at:at + n] = low + (high - low) * u
    return out


def value_range(name, shape, norms, spec):
    """Smallest and largest value of a parameter; norms are the batch-norm layers."""
    layer, leaf = name.rsplit(".", 1)
    norm = layer in norms
    end = norm and fnmatch.fnmatchcase(layer, spec["end_norm"])
    if leaf == "running_var":
        return spec["var_low"], spec["var_high"]
    if leaf == "weight" and norm:
        return (spec["end_low"], spec["end_high"]) if end else (0.3, 0.6)
    if leaf == "weight":
        bound = math.sqrt(spec["fan"] / math.prod(shape[1:]))
        return -bound, bound
    return (1.0, 2.0) if leaf == "bias" and norm and not end else (-0.1, 0.1)


def fill(model, spec):
    state = {}
    norms = {k for k, m in model.named_modules() if isinstance(m, torch.nn.BatchNorm2d)}
    for index, (name, t) in enumerate(model.state_dict().items()):
        if t.dtype == torch.int64:
            state[name] = torch.zeros_like(t)
            continue
        low, high = value_range(name, tuple(t.shape), norms, spec)
        v = uniform(index, t.numel(), low, high)
        state[name] = torch.from_numpy(v).reshape(t.shape)
    model.load_state_dict(state)


def make_input(spec, seed):
    """Tiles of 8x8 pixels of one level each, 0 .. 127, and noise 0 .. 127 for every
    byte: (n, 3, h, w), normalised in float32 as torchvision does."""
    n, h, w = spec["n"], spec["h"], spec["w"]
    i, y, x, c = np.meshgrid(*map(np.arange, (n, h, w, 3)), indexing="ij")
    tile = hashes(PIXELS, 2 * seed, 0, n * 64 * 64 * 3).reshape(n, 64, 64, 3)
    level = tile[i, y // 8, x // 8, c] >> np.uint64(57)
    noise = hashes(PIXELS, 2 * seed + 1, 0, n * h * w * 3).reshape(level.shape) >> np.uint64(57)
    pixels = (level + noise).astype(np.uint8)
    t = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (MEAN, STD))
    return t.sub(mean).div(std)


def make_labels(spec):
    return torch.tensor([(7 * i + 3) % CLASSES for i in range(spec["n"])])


@functools.lru_cache(maxsize=None)
def signs(index, count):
    """A bit for each of 16 vectors and each element of tensor number `index`."""
    out = np.empty(count, "<u2")
    for at in range(0, count, CHUNK):
        n = min(CHUNK, count - at)
        out[at:at + n] = hashes(SIGNS, index, at, n).astype("<u2")
    return out


def sketch(index, t):
    """Norm and 16 products with random signs of tensor number `index`."""
    flat = t.detach().double().flatten().numpy()
    out = np.zeros(17)
    out[0] = np.sqrt(np.dot(flat, flat))
    for at in range(0, flat.size, CHUNK):
        part = flat[at:at + CHUNK]
        bits = signs(index, flat.size)[at:at + CHUNK].view(np.uint8)
        bits = np.unpackbits(bits, bitorder="little").reshape(-1, 16)
        out[1:] += part.sum() - 2.0 * (part @ bits.astype(np.float64))
    return out


# ---- what is frozen ----

def layer_of(name):
    return name.rsplit(".", 1)[0]


def frozen_layers(names, mode):
    """Layers (names without the last part) that do not train.  Layers are numbered as
    they come in the state_dict; auto freezes number l of n where l < n/2 or l % 7 == 3,
    never the last."""
    layers = list(dict.fromkeys(layer_of(k) for k in names))
    last = layers[-1]
    if mode == "head":
        return set(layers) - {last}
    if mode == "auto":
        return {v for l, v in enumerate(layers)
                if (2 * l < len(layers) or l % 7 == 3) and v != last}
    return set()


def set_mode(model, mode, frozen):
    model.train()
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Dropout):
            module.eval()
        if isinstance(module, torch.nn.BatchNorm2d):
            if mode == "frozen" or mode == "auto" and name in frozen:
                module.eval()
    for name, p in model.named_parameters():
        p.requires_grad = layer_of(name) not in frozen


# ---- one case ----

@functools.lru_cache(maxsize=1)
def make_filled(name):
    model = getattr(torchvision.models, name)(num_classes=CLASSES)
    fill(model, MODELS[name])
    signs.cache_clear()
    return model


def clearance(model, x):
    """Smallest distance of a ReLU's input from zero, in deviations of its layer."""
    found = []

    def look(module, inputs):
        found.append((inputs[0].abs().min() / inputs[0].std()).item())

    hooks = [m.register_forward_pre_hook(look) for m in model.modules()
             if isinstance(m, (torch.nn.ReLU, torch.nn.ReLU6))]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    return min(found)


def choose_seed(model, spec):
    """The seed of pixels that keeps ReLUs farthest from zero; the model keeps its state."""
    before = copy.deepcopy(model.state_dict())
    best = max((clearance(model, make_input(spec, seed).double()), seed)
               for seed in range(SEEDS))
    model.load_state_dict(before)
    return best[1]


def run(name, mode, spec, dtype, seed=None):
    model = copy.deepcopy(make_filled(name))
    model.to(dtype)
    frozen = frozen_layers(list(model.state_dict()), mode)
    set_mode(model, mode, frozen)
    if seed is None:
        seed = choose_seed(model, spec)
    x, labels = make_input(spec, seed).to(dtype), make_labels(spec)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    trained = [k for k, p in model.named_parameters() if p.requires_grad]
    order = {k: i for i, k in enumerate(before)}
    trained.sort(key=order.get)
    weights = dict(model.named_parameters())
    optimiser = torch.optim.SGD([weights[k] for k in trained],
                                lr=spec.get("lr." + mode, spec["lr"]),
                                momentum=MOMENTUM, weight_decay=WEIGHT_DECAY)
    out = {"losses": [], "seed": seed}
    for step in range(spec["steps"]):
        logits = model(x)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            out["logits"] = logits.detach().double().numpy()
            out["grad"] = [sketch(order[k], weights[k].grad) for k in trained]
        out["losses"].append(loss.item())
        optimiser.step()
    after = model.state_dict()
    out["change"] = [sketch(order[k], after[k].double() - before[k].double())
                     for k in trained]
    moved = [k for k in after if k.rsplit(".", 1)[1].startswith("running_")]
    moved = [k for k in moved if not torch.equal(after[k], before[k])]
    out["stats"] = [sketch(order[k], after[k].double() - before[k].double())
                    for k in moved]
    out["names"] = trained
    return out


def modes_of(name):
    if not ("bn" in name or "res" in name or "mobilenet" in name):
        return ["batch"]
    return ["batch", "frozen", "auto"] + (["head"] if name == "resnet18" else [])


# ---- the file ----

def save(path, tensors, metadata):
    header, at = {"__metadata__": metadata}, 0
    for k, v in tensors.items():
        header[k] = {"dtype": "F32", "shape": list(v.shape),
                     "data_offsets": [at, at + v.nbytes]}
        at += v.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for v in tensors.values():
            f.write(v.astype("<f4").tobytes())


def load(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    header.pop("__metadata__")
    return {k: np.frombuffer(data[slice(*h["data_offsets"])], "<f4").reshape(h["shape"])
            for k, h in header.items()}


def describe():
    """Everything that test_goldens.c needs beside the formulas, as text."""
    out = {"torch": torch.__version__, "torchvision": torchvision.__version__,
           "precision": "float64", "momentum": str(MOMENTUM),
           "weight_decay": str(WEIGHT_DECAY)}
    for name, spec in MODELS.items():
        for key, value in spec.items():
            out[f"{name}.{key}"] = str(value)
    return out


def compare(name, mode, a, b):
    """Largest relative differences of case b from a."""
    def worst(key, floor=1e-3):
        floor *= max((row[0] for row in a[key]), default=0)
        rows = [(math.sqrt(((p - q)[1:] ** 2).sum() / 16) / max(p[0], floor), i)
                for i, (p, q) in enumerate(zip(a[key], b[key]))]
        return max(rows, default=(0, 0))
    gap = np.abs(a["logits"] - b["logits"]).max() / np.abs(a["logits"]).max()
    loss = max(abs(p - q) / p for p, q in zip(a["losses"], b["losses"]))
    grad, at = worst("grad")
    print(f"{name:18} {mode:7} logits {gap:.1e} losses {loss:.1e} grad {grad:.1e} "
          f"({a['names'][at]}, norm {a['grad'][at][0]:.1e}) change {worst('change', 1e-2)[0]:.1e} "
          f"stats {worst('stats')[0]:.1e}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="*")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("file")
    args = parser.parse_args()
    tensors = load(args.file) if os.path.exists(args.file) and args.only != "*" else {}
    for f in ["normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_"]:
        setattr(torch.nn.init, f, lambda t, *a, **k: t)  # values are set by formula

    for name, spec in MODELS.items():
        if not fnmatch.fnmatchcase(name, args.only):
            continue
        for mode in modes_of(name):
            case = run(name, mode, spec, torch.float64)
            print(f"{name:18} {mode:7} |logits| {np.abs(case['logits']).max():.3g} losses",
                  *(f"{v:.4f}" for v in case["losses"]), flush=True)
            if args.check:
                compare(name, mode, case, run(name, mode, spec, torch.float32, case["seed"]))
            tensors[f"{name}/{mode}/seed"] = np.full((1, 1), case["seed"], np.float32)
            for key in ("logits", "losses", "grad", "change", "stats"):
                value = np.asarray(case[key], np.float32)
                tensors[f"{name}/{mode}/{key}"] = value.reshape(
                    len(case[key]), -1 if len(case[key]) else 17)
            save(args.file, tensors, describe())


if __name__ == "__main__":
    sys.exit(main())
