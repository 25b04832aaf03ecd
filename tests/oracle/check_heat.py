# SPDX-License-Identifier: Apache-2.0
"""Heat maps against Grad-CAM as written down in PyTorch, and for networks that end in
global pooling and a linear layer against their class activation map.

Usage: check_heat.py HEAT_TOOL.  Exits with 77 (skipped) without torchvision."""

import os
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
TOLERANCE = 1e-3  # of the largest value: a mean of gradients times features
CLASSES = [3, 0, 6]

# Where each ends having places.
LAYER = {
    "resnet18": lambda m: m.layer4,
    "mobilenet_v2": lambda m: m.features,
    "vgg11": lambda m: m.features,
    "vgg11_bn": lambda m: m.features,
    "alexnet": lambda m: m.features,
    "squeezenet1_1": lambda m: m.classifier[2],
}
LINEAR = {"resnet18": lambda m: m.fc.weight, "mobilenet_v2": lambda m: m.classifier[1].weight}

PREPROCESS = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def grad_cam(net, layer, x, cls):
    kept = []
    hook = layer(net).register_forward_hook(lambda m, i, out: kept.append(out))
    logits = net(x)
    hook.remove()
    gradient = torch.autograd.grad(logits[0, cls], kept[0])[0]
    weight = gradient.mean((2, 3), keepdim=True)
    return torch.relu((weight * kept[0]).sum(1))[0].detach().numpy(), kept[0].detach()


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        y, x = numpy.mgrid[0:300, 0:421].astype(float)
        rgb = [127 + 60 * numpy.sin(x / 17 + c) + 60 * numpy.cos(y / (9 + 4 * c) + x / 50)
               for c in range(3)]
        picture = os.path.join(folder, "picture.png")
        image = Image.fromarray(numpy.stack(rgb, 2).clip(0, 255).astype("uint8"))
        image.save(picture)
        pixels = PREPROCESS(image)[None]
        for name, layer in LAYER.items():
            net = getattr(torchvision.models, name)(num_classes=7).eval()
            for key, value in net.state_dict().items():
                if key.endswith("running_mean"):
                    value.normal_(0, 0.1)
                elif key.endswith("running_var"):
                    value.uniform_(0.5, 1.5)
            path = os.path.join(folder, name + ".pth")
            torch.save(net.state_dict(), path)
            for backend in ["cpu", "ref"] if name in ("resnet18", "alexnet") else ["cpu"]:
                out = subprocess.run([sys.argv[1], name, path, picture, backend,
                                      *map(str, CLASSES)], text=True, capture_output=True)
                if out.returncode:
                    print("BAD  %s: %s" % (name, out.stderr.strip()))
                    bad += 1
                    continue
                lines = out.stdout.split("\n")
                rows, columns = map(int, lines[0].split())
                got = numpy.array([float(v) for v in lines[1:-1]]).reshape(-1, rows, columns)
                for i, cls in enumerate(CLASSES):
                    want, feature = grad_cam(net, layer, pixels, cls)
                    scale = max(abs(want).max(), 1e-12)
                    error = abs(got[i] - want).max() / scale if got[i].shape == want.shape else 9
                    if name in LINEAR:  # CAM is the same but for a factor
                        cam = torch.relu((LINEAR[name](net)[cls][:, None, None] * feature[0])
                                         .sum(0)).detach().numpy() / (rows * columns)
                        error = max(error, abs(got[i] - cam).max() / scale)
                    good = error <= TOLERANCE
                    bad += not good
                    print("%s %s %s class %d: %dx%d, off by %.1e" %
                          ("ok  " if good else "BAD ", name, backend, cls, rows, columns, error))
    return bad != 0


sys.exit(main())
