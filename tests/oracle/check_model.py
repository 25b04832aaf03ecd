# SPDX-License-Identifier: Apache-2.0
"""Models against torchvision: the same picture through the same weights gives the same
logits, and files go both ways.

Usage: check_model.py MODEL_TOOL.  Exits with 77 (skipped) without torchvision.
Weights are torchvision's own where they lie in $AFN_SHARED_DATA/weights, else fresh."""

import json
import os
import struct
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy
    import torch
    import torchvision
    from PIL import Image
    from torchvision import transforms
except ImportError:
    print("torchvision is not installed")
    sys.exit(77)

warnings.filterwarnings("ignore")
torch.manual_seed(1)

NETWORKS = ["squeezenet1_1", "mobilenet_v2", "resnet18", "resnet50"]
TOLERANCE = 1e-4  # of the largest logit; sums are taken in another order
CLASSES = ["astilbe", "bellflower", "black-eyed susan \"x\"", "zïnnia 花", "rose"]

PREPROCESS = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

failures = 0


def report(good, text):
    global failures
    failures += not good
    print(("ok   " if good else "BAD  ") + text)


def tool(*args):
    done = subprocess.run([sys.argv[1], *args], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    if done.returncode:
        report(False, f"{' '.join(args)}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def fails(*args):
    done = subprocess.run([sys.argv[1], *args], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    return done.stderr.strip() if done.returncode else "(no error)"


def make_picture(path):
    """Waves of several lengths, larger than the crop, not square."""
    y, x = numpy.mgrid[0:300, 0:421].astype(float)
    rgb = [127 + 60 * numpy.sin(x / 17 + c) + 60 * numpy.cos(y / (9 + 4 * c) + x / 50)
           for c in range(3)]
    Image.fromarray(numpy.stack(rgb, 2).clip(0, 255).astype("uint8")).save(path)


def make_network(name, classes=1000):
    return getattr(torchvision.models, name)(num_classes=classes).eval()


def shake_statistics(net):
    """Running statistics other than 0 and 1, as training leaves them."""
    for key, value in net.state_dict().items():
        if key.endswith("running_mean"):
            value.normal_(0, 0.1)
        elif key.endswith("running_var"):
            value.uniform_(0.5, 1.5)
        elif key.endswith("num_batches_tracked"):
            value.fill_(1234567)


def torch_logits(net, picture):
    with torch.no_grad():
        x = PREPROCESS(Image.open(picture).convert("RGB")).unsqueeze(0)
        return net(x)[0]


def compare_logits(what, arch, path, net, picture):
    want = torch_logits(net, picture)
    got = torch.tensor([float(v) for v in tool("logits", arch, path, picture)])
    if got.shape != want.shape:
        report(False, f"{what}: {len(got)} logits, torchvision has {len(want)}")
        return
    largest = want.abs().max().item()
    off = (got - want).abs().max().item()
    report(off <= TOLERANCE * largest, f"{what}: off by {off:.3g} of {largest:.4g}")


def check_logits(name, folder, picture):
    net = make_network(name)
    path = os.path.join(os.environ.get("AFN_SHARED_DATA", ""), "weights", name + ".pth")
    real = os.path.exists(path)
    if real:
        net.load_state_dict(torch.load(path))
    else:
        shake_statistics(net)
        path = os.path.join(folder, name + ".pth")
        torch.save(net.state_dict(), path)
    compare_logits(f"{name}, {'its' if real else 'fresh'} weights", name, path, net,
                   picture)
    check_saved_pth(name, path, folder, net)


def same_state(a, b):
    return list(a) == list(b) and all(
        a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a)


def check_saved_pth(name, path, folder, net):
    out = os.path.join(folder, "ours.pth")
    tool("save", name, path, out)
    state = torch.load(out, weights_only=True)
    fresh = make_network(name)
    fresh.load_state_dict(state, strict=True)
    report(list(state) == list(fresh.state_dict()), f"{name}: order of the saved keys")
    # Files from before PyTorch 0.4.1 have no counters; the network then holds zeros.
    report(same_state(fresh.state_dict(), net.state_dict()),
           f"{name}: our .pth is the same state")


def check_other_classes(name, folder, picture):
    net = make_network(name, len(CLASSES))
    shake_statistics(net)
    path = os.path.join(folder, "five.pth")
    torch.save(net.state_dict(), path)
    report(tool("info", name, path) == [f"{name} 5 256 224 bilinear"],
           f"{name}: five classes")
    compare_logits(f"{name}, five classes", name, path, net, picture)
    for extension in ["pth", "safetensors"]:
        out = os.path.join(folder, "named." + extension)
        tool("save", name, path, out, *CLASSES)
        report(tool("info", "-", out) == [f"{name} 5 256 224 bilinear", *CLASSES],
               f"{name}: .{extension} says what it is")
        compare_logits(f"{name}, five classes, our .{extension}", "-", out, net,
                       picture)
    fresh = make_network(name, len(CLASSES))
    fresh.load_state_dict(torch.load(os.path.join(folder, "named.pth"),
                                     weights_only=True), strict=True)
    report(same_state(fresh.state_dict(), net.state_dict()), f"{name}: .pth for torch")


def check_safetensors_header(folder, net):
    with open(os.path.join(folder, "named.safetensors"), "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
    meta = header.pop("__metadata__")
    report(meta["format"] == "pt", "safetensors: format")
    report(json.loads(meta["afina.classes"]) == CLASSES, "safetensors: class names")
    want = {"fit": "crop", "resize": 256, "crop": 224, "filter": "bilinear",
            "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "exif": True,
            "fast": False}
    report(json.loads(meta["afina.preprocess"]) == want, "safetensors: preprocessing")
    report(set(header) == set(net.state_dict()), "safetensors: keys")


def check_other_types(folder, picture):
    """Weights in other types are converted; a checkpoint is unwrapped."""
    net = make_network("resnet18", 3)
    shake_statistics(net)
    path = os.path.join(folder, "types.pth")
    for dtype in [torch.float16, torch.bfloat16, torch.float64]:
        state = {k: v.to(dtype) if v.is_floating_point() else v
                 for k, v in net.state_dict().items()}
        torch.save(state, path)
        net.load_state_dict(state)
        compare_logits(f"resnet18 in {dtype}", "resnet18", path, net, picture)
    state = {"module." + k: v for k, v in net.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": state}, path)
    compare_logits("resnet18 in a checkpoint", "resnet18", path, net, picture)


def check_messages(folder):
    path = os.path.join(folder, "resnet50.pth")
    torch.save(make_network("resnet50").state_dict(), path)
    text = fails("info", "resnet18", path)
    report(text.startswith(f"{path}: not resnet18: ") and "misshapen" in text
           and "unexpected" in text and text.endswith(", its keys fit resnet50"), text)
    text = fails("info", "-", path)
    report(text == f"{path}: does not name its architecture; its keys fit resnet50",
           text)


def main():
    with tempfile.TemporaryDirectory() as folder:
        picture = os.path.join(folder, "picture.png")
        make_picture(picture)
        for name in NETWORKS:
            check_logits(name, folder, picture)
        check_other_types(folder, picture)
        check_messages(folder)
        for name in ["squeezenet1_1", "mobilenet_v2"]:
            check_other_classes(name, folder, picture)
        check_safetensors_header(folder, make_network("mobilenet_v2", len(CLASSES)))
    return 1 if failures else 0


sys.exit(main())
