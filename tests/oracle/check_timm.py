# SPDX-License-Identifier: Apache-2.0
"""Model files that timm wrote: afina opens them by torchvision's name of the network, and
its logits are timm's; networks that only look alike are refused.

Usage: check_timm.py NETWORK_TOOL [PATTERN...]      patterns of torchvision's names
Without patterns, one or two networks of each family.  Exits with 77 (skipped) without
timm."""

import fnmatch
import json
import os
import struct
import subprocess
import sys
import tempfile
import warnings

warnings.filterwarnings("ignore")
try:
    import numpy as np
    import timm
    import torch
except ImportError:
    print("timm is not installed")
    sys.exit(77)

LIMIT = 1e-4  # of the largest logit
IMAGES, SIZE = 2, 64
SIZES = {"vgg*": 224, "inception*": 75}

# torchvision's name: timm's, where it is another
SAME = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "resnext50_32x4d",
        "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
        "densenet121", "densenet161", "densenet169", "densenet201", "inception_v3",
        "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
        "convnext_tiny", "convnext_small", "convnext_base", "convnext_large",
        "efficientnet_b0", "efficientnet_b1", "efficientnet_b2", "efficientnet_b3",
        "efficientnet_b4"]
NAMES = {name: name for name in SAME} | {
    "mobilenet_v2": "mobilenetv2_100", "mnasnet1_0": "mnasnet_100",
    "regnet_x_400mf": "regnetx_004_tv", "regnet_x_800mf": "regnetx_008",
    "regnet_x_1_6gf": "regnetx_016", "regnet_x_3_2gf": "regnetx_032",
    "regnet_x_8gf": "regnetx_080", "regnet_x_16gf": "regnetx_160",
    "regnet_x_32gf": "regnetx_320", "regnet_y_400mf": "regnety_004",
    "regnet_y_800mf": "regnety_008", "regnet_y_1_6gf": "regnety_016",
    "regnet_y_3_2gf": "regnety_032", "regnet_y_8gf": "regnety_080_tv",
    "regnet_y_16gf": "regnety_160", "regnet_y_32gf": "regnety_320"}
USUAL = ["resnet18", "resnext50_32x4d", "densenet121", "inception_v3", "vgg11_bn",
         "convnext_tiny", "efficientnet_b0", "efficientnet_b2", "mobilenet_v2",
         "mnasnet1_0", "regnet_x_400mf", "regnet_y_400mf"]

# torchvision's name, timm's, what the message says
REFUSED = [("efficientnet_b0", "tf_efficientnet_b0", "pads as TensorFlow"),
           ("efficientnet_b5", "efficientnet_b5", "eps"),
           ("efficientnet_v2_s", "efficientnetv2_s", "eps"),
           ("mobilenet_v3_small", "mobilenetv3_small_100", "eps"),
           ("mobilenet_v3_large", "mobilenetv3_large_100", "eps"),
           ("resnet50", "resnetaa50", "smooths"),
           ("resnet50", "resnet50d", "missing")]


def make(name, seed):
    """With running statistics and layer scales of a trained network."""
    torch.manual_seed(seed)
    model = timm.create_model(name, num_classes=10).eval()
    with torch.no_grad():
        for key, v in model.state_dict().items():
            if key.endswith("running_mean"):
                v.normal_(0, 0.1)
            elif key.endswith("running_var"):
                v.uniform_(0.5, 1.5)
            elif key.endswith("gamma"):
                v.uniform_(0.1, 0.5)
            elif v.dim() == 1 and v.is_floating_point():
                v.add_(torch.randn_like(v) * 0.05)
    return model


def save_safetensors(state, path):
    """Without the library of that name: a header of JSON, and the values."""
    kinds = {torch.float32: "F32", torch.int64: "I64"}
    header, at, parts = {"__metadata__": {"format": "pt"}}, 0, []
    for key, v in state.items():
        data = v.contiguous().numpy().tobytes()
        header[key] = {"dtype": kinds[v.dtype], "shape": list(v.shape),
                       "data_offsets": [at, at + len(data)]}
        at += len(data)
        parts.append(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


def tool(arch, weights, pixels, size, out):
    return subprocess.run([sys.argv[1], "cpu", "infer", arch, weights, pixels, str(IMAGES),
                           str(size), str(size), "0", "0", out], text=True,
                          stderr=subprocess.PIPE)


def read_logits(path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        start, end = header["logits"]["data_offsets"]
        return np.frombuffer(f.read()[start:end], "<f4").reshape(header["logits"]["shape"])


def normalised(pixels, arch):
    """As afina does where the file says nothing."""
    mean, std = ([0.5] * 3, [0.5] * 3) if arch == "inception_v3" else \
        ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float().div(255)
    return (x - torch.tensor(mean).view(1, 3, 1, 1)) / torch.tensor(std).view(1, 3, 1, 1)


def check_logits(arch, name, folder):
    size = next((s for p, s in SIZES.items() if fnmatch.fnmatchcase(arch, p)), SIZE)
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (IMAGES, size, size, 3)).astype(np.uint8)
    pixels.tofile(f"{folder}/pixels")
    model, bad = make(name, len(name)), 0
    with torch.no_grad():
        want = model(normalised(pixels, arch)).numpy()
    for extension in ("pth", "safetensors"):
        path = f"{folder}/{name}.{extension}"
        if extension == "pth":
            torch.save(model.state_dict(), path)
        else:
            save_safetensors(model.state_dict(), path)
        done = tool(arch, path, f"{folder}/pixels", size, f"{folder}/out.safetensors")
        os.remove(path)
        gap = float("inf") if done.returncode else \
            np.abs(read_logits(f"{folder}/out.safetensors") - want).max() / np.abs(want).max()
        bad += not gap <= LIMIT
        print(f"{'ok  ' if gap <= LIMIT else 'BAD '} {arch} from timm's {name}.{extension}: "
              f"{gap:.1e} {done.stderr.strip()}", flush=True)
    return bad


def check_refused(arch, name, says, folder):
    path = f"{folder}/{name}.pth"
    torch.save(make(name, 0).state_dict(), path)
    done = tool(arch, path, "none", SIZE, "none")
    good = done.returncode == 1 and says in done.stderr and done.stderr.count("\n") == 1
    print(f"{'ok  ' if good else 'BAD '} {arch} refuses {name}: {done.stderr.strip()}")
    return not good


def main():
    patterns = sys.argv[2:]
    names = [n for n in NAMES if any(fnmatch.fnmatchcase(n, p) for p in patterns)] \
        if patterns else USUAL
    with tempfile.TemporaryDirectory() as folder:
        bad = sum(check_logits(n, NAMES[n], folder) for n in names)
        if not patterns:
            bad += sum(check_refused(*row, folder) for row in REFUSED)
    print(f"{len(names)} networks of timm {timm.__version__}, {bad} differences")
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
