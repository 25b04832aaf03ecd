# SPDX-License-Identifier: Apache-2.0
"""Every architecture against torchvision's constructor.

Names, order, shapes and types of the whole state_dict must be equal, as must the count of
multiply-accumulates, and for some networks also the distribution of each freshly
initialised parameter.  The table of
published weights must say what torchvision's own says.

Usage: check_zoo.py ZOO_TOOL.  Exits with 77 (skipped) without torchvision."""

import math
import subprocess
import sys
import warnings

try:
    import torch
    import torchvision
except ImportError:
    print("torchvision is not installed")
    sys.exit(77)

from no_init import NoInit

warnings.filterwarnings("ignore")

# Networks whose initial values are compared; together they use every rule.
INITIALISED = ["alexnet", "squeezenet1_0", "resnet18", "mobilenet_v2", "vgg11_bn",
               "shufflenet_v2_x0_5", "googlenet", "inception_v3", "convnext_tiny",
               "densenet121", "mnasnet0_5", "regnet_y_400mf", "mobilenet_v3_small",
               "efficientnet_b0"]


def tool(*args):
    return subprocess.run([sys.argv[1], *args], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.splitlines()


def line(key, tensor):
    shape = ",".join(str(d) for d in tensor.shape) or "scalar"
    return f"{key} {str(tensor.dtype).removeprefix('torch.')} {shape}"


def check_state_dict(name):
    with NoInit():
        model = getattr(torchvision.models, name)(**no_waiting(name))
    want = [line(k, t) for k, t in model.state_dict().items()]
    got = tool(name)
    if got == want:
        return check_macs(name, model)
    print(f"{name}: {len(got)} entries, torchvision has {len(want)}")
    for i, (a, b) in enumerate(zip(got, want)):
        if a != b:
            print(f"{name}: entry {i} is '{a}', torchvision's is '{b}'")
            break
    return 1


def no_waiting(name):
    """Arguments without which these two draw values in a way of their own."""
    return {"init_weights": False} if name in ("googlenet", "inception_v3") else {}


def check_macs(name, model):
    """Convolutions and linear layers of one image, by tensors that hold no values."""
    macs = 0

    def count(module, _, out):
        nonlocal macs
        per_output = module.weight.numel() // module.weight.shape[0]
        macs += out.numel() * per_output

    for m in model.modules():
        if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear)):
            m.register_forward_hook(count)
    crop = next(iter(torchvision.models.get_model_weights(name))).transforms().crop_size[0]
    model.eval().to("meta")(torch.empty(1, 3, crop, crop, device="meta"))
    got = int(tool(name, "macs")[0])
    if got != macs:
        print(f"{name}: {got} multiply-accumulates, torchvision's {macs}")
    return int(got != macs)


def near(name, what, got, want, tolerance):
    if abs(got - want) <= tolerance + 1e-6 * abs(want):  # a constant, printed in digits
        return 0
    print(f"{name}: {what} {got:.6g}, torchvision's {want:.6g} (+-{tolerance:.2g})")
    return 1


def check_distribution(key, t, values):
    """Two samples of n values of one distribution: their means and deviations differ by
    a few standard errors at most; 6 is never met by chance over some hundred rows."""
    mean, std, low, high = values
    n, t = t.numel(), t.double()
    # torch's trunc_normal_ yields its bound, 100 deviations off, once in some 2^24 draws.
    t = t[t.abs() <= 50 * t.abs().median()]
    want_std = t.std(unbiased=False).item()
    bad = near(key, "mean", mean, t.mean().item(), 6 * want_std * math.sqrt(2 / n))
    bad += near(key, "deviation", std, want_std, 6 * want_std / math.sqrt(n))
    # A uniform rule never leaves its bound; a normal one has no bound, but its tails
    # after n draws lie close together.
    uniform = t.abs().max().item() < 2 * want_std
    room = want_std * (0.02 + 24 / n if uniform else 2.5)
    bad += near(key, "minimum", low, t.min().item(), room)
    bad += near(key, "maximum", high, t.max().item(), room)
    return bad


def cut_normal(t, mean=0.0, std=1.0, a=-2.0, b=2.0):
    """torch.nn.init.trunc_normal_ as it is meant: its fp32 arithmetic draws a exactly,
    once in some ten million values, where the distribution has nothing."""
    with torch.no_grad():
        return t.normal_(mean, std).clamp_(a, b)


def check_init(name):
    torch.manual_seed(1)
    torch.nn.init.trunc_normal_ = cut_normal
    model = getattr(torchvision.models, name)()
    bad = 0
    for row, (key, t) in zip(tool(name, "init", "1"), model.state_dict().items()):
        values = [float(v) for v in row.split()[3:]]
        if values:
            bad += check_distribution(f"{name}: {key}", t, values)
    return bad


# ---- the table of published weights ----

def weight_rows():
    """What torchvision says, as zoo_tool prints it; None where this version is silent."""
    for arch in torchvision.models.list_models(module=torchvision.models):
        if arch.startswith(("vit", "swin", "maxvit")):
            continue
        for w in torchvision.models.get_model_weights(arch):
            yield arch, w, row_of(arch, w)


def row_of(arch, w):
    t, meta = w.transforms(), w.meta
    metrics = meta["_metrics"] if "_metrics" in meta else meta["metrics"]
    top = [metrics["ImageNet-1K"][k] for k in ("acc@1", "acc@5")]
    numbers = [0.0 if v != v else v for v in top]
    numbers += [meta.get("_ops"), meta.get("_file_size")]
    row = [arch, w.name, w.url.rsplit("/", 1)[1], t.resize_size[0], t.crop_size[0],
           t.interpolation.value, meta["num_params"]]
    row += [None if v is None else f"{v:.3f}" for v in numbers]
    row += [f"{torch.tensor(v).item():.9g}" for v in t.mean + t.std]
    return [None if v is None else str(v) for v in row]


def check_weights():
    got = {tuple(r.split()[:2]): r.split() for r in tool("weights")}
    bad, n = 0, 0
    for arch, w, want in weight_rows():
        n += 1
        have = got.pop((arch, w.name), [])
        # A file that was published again has another digest; the table knows both names.
        if have and tool("of", arch, want[2]) == [w.name]:
            want[2] = have[2]
        if [v for v, k in zip(have, want) if k is not None] != [k for k in want if k]:
            bad += 1
            print(f"the table has {have}, torchvision {want}")
        if w is torchvision.models.get_model_weights(arch).DEFAULT and \
                tool("default", arch) != [w.name]:
            bad += 1
            print(f"{arch}: default weights are {w.name}")
    if got:
        print(f"torchvision has none of {sorted(got)}")
    return n, bad + len(got)


def main():
    names = tool()
    bad = sum(check_state_dict(name) for name in names)
    bad += sum(check_init(name) for name in INITIALISED)
    published, wrong = check_weights()
    bad += wrong
    print(f"{len(names)} state dicts, {len(INITIALISED)} initialisations, {published} "
          f"files, {bad} differences; torchvision {torchvision.__version__}")
    return 1 if bad or not names else 0


sys.exit(main())
