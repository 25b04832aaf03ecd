# SPDX-License-Identifier: Apache-2.0
"""A network of four channels on pictures with alpha, held to PyTorch and Pillow.

A ResNet-18 that PyTorch made goes through `afina train --channels 4` on a small data set
of RGBA pictures (PNG, WebP, TIFF) and some without alpha.  The head alone is trained
first: the first convolution must then be the old one, repeated over the channels and
scaled by 3/4 as timm does, to the last bit.  Then all of it is trained, with
augmentation.  Each time PyTorch loads the model that came out, sees the pictures through
Pillow's convert("RGBA") and torchvision's Resize and CenterCrop, and must come to the
logits of `afina predict`, and to the accuracy of `afina eval`.

usage: check_channels.py AFINA; exits 77 where PyTorch, torchvision or Pillow is missing.
"""

import json
import sys
import tempfile
from pathlib import Path

try:
    import numpy
    import torch
    import torchvision
    from PIL import Image
    from torchvision import transforms
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

from run_afina import afina

SIZE, RESIZE, EACH = 64, 80, 8
CLASSES = ["clear", "solid"]
KINDS = [("png", {}), ("webp", {"lossless": True, "exact": True}), ("tiff", {}),
         ("jpg", {})]
# Red's numbers come again for alpha.
MEAN, STD = [0.485, 0.456, 0.406, 0.485], [0.229, 0.224, 0.225, 0.229]
TOLERANCE = 1e-4  # of the largest logit


def make_photos(folder):
    """Noise whose alpha alone tells the class: colours are the same in both."""
    rng = numpy.random.default_rng(3)
    for c, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in range(EACH):
            w, h = (int(v) for v in rng.integers(70, 130, 2))
            pixels = rng.integers(0, 256, (h, w, 4))
            pixels[..., 3] = pixels[..., 3] // 2 + 128 * c
            image = Image.fromarray(pixels.astype(numpy.uint8), "RGBA")
            kind, options = KINDS[i % len(KINDS)]
            if kind == "jpg":
                image = image.convert("RGB")
            image.save(folder / name / f"{i}.{kind}", **options)
    return sorted(folder.glob("*/*"))


def network(state):
    model = torchvision.models.resnet18(num_classes=len(CLASSES))
    model.conv1 = torch.nn.Conv2d(4, 64, 7, stride=2, padding=3, bias=False)
    model.load_state_dict(state, strict=True)
    return model.eval()


def compare(command, run, photos):
    """What is wrong with the answers of a run's model"""
    look = transforms.Compose([transforms.Resize(RESIZE), transforms.CenterCrop(SIZE),
                               transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    pixels = torch.stack([look(Image.open(p).convert("RGBA")) for p in photos])
    with torch.no_grad():
        theirs = network(torch.load(run / "model.pth"))(pixels)
    answers = json.loads(afina(command, "predict", run / "model.safetensors", *photos,
                               "--logits", "--exact", "--format", "json"))
    ours = torch.tensor([answer["logits"] for answer in answers])
    distance = float((ours - theirs).abs().max() / theirs.abs().max())
    labels = torch.tensor([CLASSES.index(p.parent.name) for p in photos])
    right = float((theirs.argmax(1) == labels).double().mean())
    scored = json.loads(afina(command, "eval", run / "model.safetensors",
                              photos[0].parent.parent, "--json"))
    print(f"{run.name}: logits {distance:.1e} apart, {100 * right:.1f} % right")
    if not distance <= TOLERANCE:
        return f"{run.name}: logits {distance:.1e} apart"
    if abs(scored["accuracy"] - right) > 1e-6:
        return f"{run.name}: eval says {scored['accuracy']}, PyTorch {right}"
    return None


def repeated(weight):
    """timm's adapt_input_conv() for four channels"""
    return weight.repeat(1, 2, 1, 1)[:, :4] * (3 / 4)


def check(command, folder):
    photos = make_photos(folder / "photos")
    torch.manual_seed(5)
    base = torchvision.models.resnet18(num_classes=1000).state_dict()
    torch.save(base, folder / "base.pth")
    train = ["train", folder / "photos", "--model", "resnet18", "--weights",
             folder / "base.pth", "--channels", 4, "--image-size", SIZE, "--resize",
             RESIZE, "--val", 0, "--batch", 4, "--seed", 1, "--quiet"]
    afina(command, *train, "--head-epochs", 1, "--tune-epochs", 0, "--out",
          folder / "head")
    wrong = [compare(command, folder / "head", photos)]
    first = torch.load(folder / "head" / "model.pth")["conv1.weight"]
    if not torch.equal(first, repeated(base["conv1.weight"])):
        wrong.append("head: the first convolution is not the old one repeated")
    afina(command, *train, "--head-epochs", 0, "--tune-epochs", 12, "--tune-lr", 0.003,
          "--augment", "crop=0.8,hflip,rotate=10:bilinear,color=0.2,rand,erase", "--out",
          folder / "all")
    wrong.append(compare(command, folder / "all", photos))
    return [line for line in wrong if line]


def main():
    with tempfile.TemporaryDirectory() as name:
        wrong = check(sys.argv[1], Path(name))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
