# SPDX-License-Identifier: Apache-2.0
"""Whole networks against torchvision itself: any architecture, by name.

Each gets weights and running statistics of its own, is trained for three steps by
torchvision (in float64) and by afina, at two image sizes and with both rules of batch
norm, and everything is compared: logits, the gradient of every parameter, losses, running
statistics, weights after the steps.  Then files: a .pth that torch.save() wrote is what
afina opens, and what afina writes loads strictly and is the same state.

A number passes by one of two rules, and each line says by which:
  strict   it is within LIMITS of float64
  own      it is at most OWN times as far from float64 as PyTorch's own float32 is, the
           worst tensor and the median one; asked only where strict fails: some networks turn rounding into more, by a
           batch norm over few values or a ReLU that a value near zero passes or not

What passes by neither is tried again with other pictures, up to TRIES: a value within
rounding of an activation's kink may fall on one side here and on the other there, and
change a gradient by much; no mistake in a formula hides from three sets of pictures.

GoogLeNet trains with its auxiliary classifiers, Inception v3 at the size that takes one:
loss = main + 0.3 (aux1 + aux2), and main + 0.4 aux.

Usage: check_networks.py NETWORK_TOOL [--backend cpu|ref] [--results FILE]
                         [--all | PATTERN...]
Without patterns some small networks.  FILE gets a line of JSON for each network, and
those that it has are not done again.  Exits with 77 (skipped) without torchvision."""

import argparse
import copy
import fnmatch
import json
import math
import os
import statistics
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
STEPS, MOMENTUM, WEIGHT_DECAY = 3, 0.9, 1e-4

# A small one of each family, but for those that the goldens of tests/golden hold; the
# naive backend takes seconds for each step.
SMALL = ["convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "mnasnet0_5",
         "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "shufflenet_v2_x0_5"]
SMALL_REF = ["squeezenet1_1", "mobilenet_v2", "mnasnet0_5", "regnet_y_400mf",
             "mobilenet_v3_small", "efficientnet_b0", "shufflenet_v2_x0_5"]
TOO_LARGE = ["regnet_y_128gf"]  # to train here in float64: inference only, in float32

# Height, width and number of images, twice: the smallest that some take is larger, and
# those that would take minutes get less.
INPUTS = {"alexnet": [(63, 80, 2), (96, 72, 2)],
          "inception_v3": [(75, 107, 4), (299, 299, 2)],
          "vgg*": [(32, 32, 2), (32, 64, 2)],
          "regnet_y_128gf": [(32, 32, 1), (32, 64, 1)],
          **dict.fromkeys(["wide*", "resnext101*", "resnet1*", "regnet_?_8gf",
                           "regnet_?_16gf", "regnet_?_32gf", "convnext_[sbl]*",
                           "efficientnet_b[4-7]", "efficientnet_v2*"],
                          [(48, 64, 2), (64, 48, 2)]),
          "*": [(64, 64, 4), (48, 80, 4)]}
AUX_SIZE = {"googlenet": 0, "inception_v3": 299}  # of the smallest image that they take

# Limits: of the largest logit, of the norm of each gradient (see floor), of the loss, of
# the norm of each parameter and of its change.  A gradient or change whose norm is a
# thousandth of the largest of the network is held to that thousandth.
LIMITS = {"logits": 1e-4, "grad": 1e-3, "loss": 1e-4, "stats": 1e-4, "after": 1e-4,
          "change": 1e-2}
FLOOR = 1e-3
OWN = 2.0
TRIES = 3


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
    added to a shortcut is smaller, unless nothing but further norms follow, and where there
    are so many sums that they would grow without bound.  Some variances are so small that a
    wrong eps shows."""
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
    linear = not any(k in name for k in ("resn", "regnet", "efficientnet_v2"))
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


def make(name, size):
    kwargs = {"num_classes": CLASSES}
    if name in AUX_SIZE:
        kwargs.update(init_weights=False, transform_input=True,
                      aux_logits=min(size) >= AUX_SIZE[name])
    with NoInit():
        model = getattr(torchvision.models, name)(**kwargs)
    fill(model, name)
    return model


def make_pixels(height, width, n, attempt):
    rng = np.random.default_rng(height * 1000 + width + attempt * 1000000)
    coarse = rng.integers(0, 128, (n, -(-height // 8), -(-width // 8), 3))
    coarse = coarse.repeat(8, 1).repeat(8, 2)[:, :height, :width]
    return (coarse + rng.integers(0, 128, coarse.shape)).astype(np.uint8)


def normalised(name, pixels):
    """In float64, as the first published weights of the network want it."""
    transforms = next(iter(torchvision.models.get_model_weights(name))).transforms()
    t = torch.from_numpy(pixels).permute(0, 3, 1, 2).double().div(255)
    mean, std = (torch.tensor(v, dtype=torch.float32).double().view(1, 3, 1, 1)
                 for v in (transforms.mean, transforms.std))
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
    if hasattr(out, "aux_logits1"):
        return list(out), [1.0, 0.3, 0.3]  # fields aux_logits2, 1 hold what 1 and 2 made
    aux = [] if out.aux_logits is None else [out.aux_logits]
    return [out.logits, *aux], [1.0, 0.4]


def losses_of(outs, weights):
    labels = torch.tensor([(7 * i + 3) % CLASSES for i in range(len(outs[0]))])
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
    for p in model.parameters():
        p.grad = None
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


# ---- how far they are apart ----

def norm(t):
    return np.linalg.norm(t.ravel())


def gaps(want, got, before):
    """{kind: [(gap, where)]} of one run's numbers; a gap is relative, see LIMITS."""
    largest = np.abs(want["logits"]).max()
    if got["logits"].shape != want["logits"].shape:
        return {"logits": [(math.inf, f"shape {got['logits'].shape}")]}
    found = {"logits": [(np.abs(got["logits"] - want["logits"]).max() / largest, "")]}
    if "losses" not in want:
        return found
    loss = np.abs(got["losses"] - want["losses"]) / want["losses"]
    found["loss"] = [(loss.max(), f"step {loss.argmax() + 1}")]
    if set(got) != set(want) or want.get("batches") != got.get("batches"):
        found["stats"] = [(math.inf, f"names {sorted(set(got) ^ set(want))[:3]}, "
                           f"num_batches_tracked {got.get('batches')}")]
        return found
    grads = {k[5:]: v for k, v in want.items() if k.startswith("grad.")}
    found["grad"] = gradient_gaps(grads, got)
    found.update(weight_gaps(grads, want, got, before))
    return found


def gradient_gaps(grads, got):
    floor = FLOOR * max(map(norm, grads.values()))
    return [(norm(got["grad." + k] - g) / max(norm(g), floor), k)
            for k, g in grads.items()]


def weight_gaps(trained, want, got, before):
    found = {"after": [], "change": []}
    change = {k: norm(want["after." + k] - before(k)) for k in trained}
    floor = FLOOR * max(change.values())
    for k in (k[6:] for k in want if k.startswith("after.")):
        gap, size = norm(got["after." + k] - want["after." + k]), norm(want["after." + k])
        if k not in trained:
            found.setdefault("stats", []).append((gap / size, k))
            continue
        found["after"].append((gap / size, k))
        # What a step rounds off a weight is no part of its change.
        gap = max(0.0, gap - 2.0 ** -23 * size)
        found["change"].append((gap / max(change[k], floor), k))
    return found


def summary(found):
    """{kind: (worst, median, where)}; what is no number is the worst of all."""
    out = {}
    for kind, rows in found.items():
        rows = [(math.inf if gap != gap else float(gap), at) for gap, at in rows]
        worst, where = max(rows)
        out[kind] = worst, statistics.median(gap for gap, _ in rows), where
    return out


def verdict(ours, own):
    """(rule, kinds that pass by none); see the head of this file."""
    loose = [k for k, row in ours.items() if not row[0] <= LIMITS[k]]
    bad = [k for k in loose if k not in own or
           not all(ours[k][i] <= max(LIMITS[k], OWN * own[k][i]) for i in (0, 1))]
    return ("none" if bad else "own" if loose else "strict"), bad


# ---- a network ----

class Checker:
    def __init__(self, tool, backend, folder):
        self.tool, self.backend, self.folder = tool, backend, folder
        self.failures = 0

    def path(self, name):
        return os.path.join(self.folder, name)

    def say(self, good, text):
        self.failures += not good
        print(f"{'ok  ' if good else 'BAD '} {text}", flush=True)

    def run(self, *args):
        done = subprocess.run([self.tool, *map(str, args)], text=True,
                              stderr=subprocess.PIPE)
        if done.returncode:
            self.say(False, f"{' '.join(map(str, args[:3]))}: {done.stderr.strip()}")
        return done.returncode == 0

    def check_file(self, name, size, path, state):
        ours = self.path("ours.pth")
        if not self.run("save", name, path, ours):
            return
        fresh = make(name, size)
        try:
            saved = torch.load(ours, weights_only=True)
            fresh.load_state_dict(saved, strict=True)
            good = list(saved) == list(state) and all(
                torch.equal(v, state[k]) and v.dtype == state[k].dtype
                for k, v in fresh.state_dict().items())
            text = "our .pth is the same state" if good else "our .pth differs"
        except (RuntimeError, ValueError) as e:
            good, text = False, f"load_state_dict: {e}"
        self.say(good, f"{name}: {text}")
        os.remove(ours)

    def check_mode(self, net, mode, size):
        """A row for the results, or None where the tool failed."""
        for attempt in range(TRIES):
            pixels = make_pixels(*size, attempt)
            pixels.tofile(self.path("pixels"))
            net.x = normalised(net.name, pixels)
            row = self.check_once(net, mode, size, attempt)
            if not row or row["rule"] != "none":
                break
        return row

    def check_once(self, net, mode, size, attempt):
        lr = 1e-5 if mode == "frozen" else 1e-4
        what = f"{net.name} {size[0]}x{size[1]} {mode}"
        if not self.run(self.backend, mode, net.name, self.path("theirs.pth"),
                        self.path("pixels"), size[2], *size[:2], lr, STEPS,
                        self.path("out.safetensors")):
            return None
        want = net.answers(mode, net.exact, lr)
        if mode == "infer" and not eps_shows(net.model, net.x.to(net.exact)):
            self.say(False, f"{what}: a wrong eps would not be seen")
        ours, own = summary(gaps(want, load(self.path("out.safetensors")), net.before)), {}
        if verdict(ours, own)[1] and net.exact != torch.float32:
            own = summary(gaps(want, net.answers(mode, torch.float32, lr), net.before))
        rule, bad = verdict(ours, own)
        text = " ".join(f"{k} {v[0]:.1e}" + (f" in {v[2]}" if k in bad else "") +
                        ("" if v[0] <= LIMITS[k] or k not in own
                         else f" (own {own[k][0]:.1e})") for k, v in ours.items())
        if bad and attempt + 1 < TRIES:
            print(f"AGAIN {what}: {text}", flush=True)
        else:
            self.say(not bad, f"{what}: {rule}: {text}")
        return {"size": size, "mode": mode, "rule": rule, "attempt": attempt,
                "ours": {k: v[0] for k, v in ours.items()},
                "own": {k: v[0] for k, v in own.items()}}


class Network:
    """One of torchvision's, its first state, and what it makes of some pixels."""

    def __init__(self, name, size):
        self.name, self.model = name, make(name, size)
        self.state = copy.deepcopy(self.model.state_dict())  # with its _metadata
        self.exact = torch.float32 if name in TOO_LARGE else torch.float64
        self.x = None

    def before(self, key):
        return self.state[key].double().numpy()

    def answers(self, mode, dtype, lr):
        self.model.to(dtype).load_state_dict(self.state)
        set_mode(self.model, mode)
        x = self.x.to(dtype)
        return infer(self.model, x) if mode == "infer" else train(self.model, x, lr)


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


def modes_of(net):
    """Training has two rules of batch norm, one where there is none."""
    if net.name in TOO_LARGE:
        return ("infer",)
    normed = any(isinstance(m, torch.nn.BatchNorm2d) for m in net.model.modules())
    return ("infer", "frozen", "batch") if normed else ("infer", "frozen")


def check(c, name):
    """The network's line of the results."""
    start, failures, rows = time.monotonic(), c.failures, []
    for size in choose(INPUTS, name):
        net = Network(name, size[:2])
        torch.save(net.state, c.path("theirs.pth"))
        if not rows or name in AUX_SIZE:
            c.check_file(name, size[:2], c.path("theirs.pth"), net.state)
        for mode in modes_of(net):
            rows.append(c.check_mode(net, mode, size))
        del net
    seconds = time.monotonic() - start
    print(f"     {name}: {seconds:.1f} s", flush=True)
    return {"network": name, "failures": c.failures - failures, "seconds": round(seconds),
            "runs": [row for row in rows if row]}


def done_before(path):
    if not path or not os.path.exists(path):
        return set()
    with open(path) as f:
        return {json.loads(line)["network"] for line in f}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--backend", default="cpu")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--results")
    parser.add_argument("patterns", nargs="*")
    args = parser.parse_intermixed_args()
    known = subprocess.run([args.tool], text=True, check=True,
                           stdout=subprocess.PIPE).stdout.split()
    small = SMALL_REF if args.backend == "ref" else SMALL
    wanted = ["*"] if args.all else args.patterns or small
    names = [n for n in known if any(fnmatch.fnmatchcase(n, p) for p in wanted)]
    done = done_before(args.results)
    with tempfile.TemporaryDirectory() as folder:
        c = Checker(args.tool, args.backend, folder)
        for name in (n for n in names if n not in done):
            row = check(c, name)
            if args.results:
                with open(args.results, "a") as f:
                    f.write(json.dumps(row) + "\n")
    print(f"{len(names)} networks, {c.failures} failures; torchvision "
          f"{torchvision.__version__}")
    return 1 if c.failures or not names else 0


if __name__ == "__main__":
    sys.exit(main())
