# SPDX-License-Identifier: Apache-2.0
"""A head solved at once, held to torch and scikit-learn.

`afina train --head-solver lbfgs` solves the last layer on features that torchvision
makes here of the same pictures.  In double, torch.optim.LBFGS finds the minimum of the
same function, with and without class weights and smoothed labels, and scikit-learn's
LogisticRegression, where it is installed, that of the plain one: the loss of what afina
found is to be within 1e-5 of theirs, and every picture gets the same class.

usage: check_head.py AFINA
"""

import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    import torch
    import torchvision
    from PIL import Image
    from torch.nn import functional
    from torchvision import transforms
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

try:
    from sklearn.linear_model import LogisticRegression
except ImportError:
    LogisticRegression = None

SIZE, EACH = 64, 20
CLASSES = ["blue", "green", "grey", "red"]
TOLERANCE = 1e-5  # of the loss
# architecture, name of the head, L2, class weights, label smoothing
CASES = [
    ("resnet18", "fc", 0.01, None, 0.0),
    ("resnet18", "fc", 1e-4, None, 0.0),
    ("resnet18", "fc", 0.01, [0.5, 1, 2, 1.5], 0.1),
    ("alexnet", "classifier.6", 0.01, None, 0.0),
    ("mobilenet_v2", "classifier.1", 1e-3, None, 0.1),
]


def make_photos(folder):
    """Noise around colours that overlap, so that no line parts the classes."""
    rng = numpy.random.default_rng(0)
    for c, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in range(EACH):
            pixels = rng.integers(0, 200, (SIZE, SIZE, 3))
            if name != "grey":
                pixels[..., 2 - c if c < 2 else 0] += rng.integers(0, 30)
            Image.fromarray(pixels.clip(0, 255).astype(numpy.uint8)).save(
                folder / name / f"{i:02}.png")
    return sorted(folder.glob("*/*"))


def solve(command, folder, case, out):
    arch, _, l2, weights, smoothing = case
    args = ["train", folder / "photos", "--model", arch, "--out", out, "--quiet",
            "--image-size", SIZE, "--resize", 0, "--val", 0, "--head-solver", "lbfgs",
            "--head-l2", l2, "--tune-epochs", 0, "--label-smoothing", smoothing]
    if weights:
        lines = [f"{c},{w}\n" for c, w in zip(CLASSES, weights)]
        (folder / "weights.csv").write_text("".join(lines))
        args += ["--class-weights", folder / "weights.csv"]
    done = subprocess.run([command, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arch}: exit code {done.returncode}: {done.stderr}")


def features_of(model, head, pixels):
    kept = []
    model.get_submodule(head).register_forward_pre_hook(lambda _, x: kept.append(x[0]))
    with torch.no_grad():
        model(pixels)
    return kept[0].double()


def best(objective, x, shape):
    """The minimum, sought with features less their mean, where it is found soonest."""
    mean = x.mean(0)
    w = torch.zeros(shape, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(shape[0], dtype=torch.float64, requires_grad=True)
    rule = torch.optim.LBFGS([w, b], max_iter=20000, max_eval=40000, history_size=30,
                             tolerance_grad=1e-9, tolerance_change=0,
                             line_search_fn="strong_wolfe")

    def closure():
        rule.zero_grad()
        loss = objective(w, b - w @ mean)
        loss.backward()
        return loss

    rule.step(closure)
    return w.detach(), (b - w @ mean).detach()


def compare(name, objective, x, ours, theirs):
    found, least = float(objective(*ours)), float(objective(*theirs))
    excess = found / least - 1
    same = [(x @ w.T + b).argmax(1) for w, b in (ours, theirs)]
    differ = int((same[0] != same[1]).sum())
    print(f"{name}: {found:.7f}, least {least:.7f}, {excess:+.1e}; {differ} others of {len(x)}")
    if not excess <= TOLERANCE or differ:
        return f"{name}: loss {excess:+.1e} away, {differ} images of another class"
    return None


def check(command, folder, photos, case):
    arch, head, l2, weights, smoothing = case
    solve(command, folder, case, folder / "run")
    model = getattr(torchvision.models, arch)(num_classes=len(CLASSES))
    model.load_state_dict(torch.load(folder / "run" / "model.pth"), strict=True)
    model.eval()
    look = transforms.Compose([
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])
    x = features_of(model, head, torch.stack([look(Image.open(p)) for p in photos]))
    labels = torch.arange(len(CLASSES)).repeat_interleave(EACH)
    by_class = torch.tensor(weights, dtype=torch.float64) if weights else None

    def objective(w, b):
        loss = functional.cross_entropy(x @ w.T + b, labels, weight=by_class,
                                        label_smoothing=smoothing)
        return loss + l2 / 2 * (w * w).sum()

    layer = model.get_submodule(head)
    ours = layer.weight.detach().double(), layer.bias.detach().double()
    wrong = compare(f"{arch} {l2} torch", objective, x, ours, best(objective, x, ours[0].shape))
    if wrong or not LogisticRegression or weights or smoothing:
        return wrong
    mean = x.mean(0)
    fit = LogisticRegression(C=1 / (l2 * len(x)), tol=1e-10, max_iter=100000)
    fit.fit((x - mean).numpy(), labels.numpy())
    w, b = torch.tensor(fit.coef_), torch.tensor(fit.intercept_)
    theirs = w, b - w @ mean
    return compare(f"{arch} {l2} scikit-learn", objective, x, ours, theirs)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = make_photos(folder / "photos")
        for case in CASES:
            subprocess.run(["rm", "-rf", str(folder / "run")], check=True)
            wrong = check(sys.argv[1], folder, photos, case)
            if wrong:
                sys.exit(wrong)


main()
