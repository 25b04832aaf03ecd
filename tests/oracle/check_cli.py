# SPDX-License-Identifier: Apache-2.0
"""A whole run of the command, held to torchvision.

`afina train` tunes a small network on pictures made here; its model.pth must load into
torchvision's constructor with strict=True, and `afina predict --logits` must give what
torchvision gives on Pillow's pixels, to 1e-4 of the largest logit.

usage: check_cli.py AFINA
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

COLUMNS = "phase,epoch,train_loss,train_acc,val_loss,val_acc,lr,images_per_second,seconds"
CLASSES = ["blue", "green", "red"]
RESIZE, CROP = 72, 64
TOLERANCE = 1e-4  # of the largest logit: float32 in another order of summation


def make_photos(folder):
    """Noise around one colour per class, of odd sizes, as PNG and JPEG."""
    rng = numpy.random.default_rng(0)
    for c, name in enumerate(CLASSES):
        (folder / name).mkdir(parents=True)
        for i in range(6):
            pixels = rng.integers(0, 160, (70 + 7 * i, 90 - 5 * i, 3), dtype=numpy.uint8)
            pixels[..., 2 - c] += 90
            kind = "png" if i % 2 else "jpg"
            Image.fromarray(pixels).save(folder / name / f"{i}.{kind}")
    return sorted(folder.glob("*/*"))


def torchvision_logits(arch, path, photos, normalize):
    model = getattr(torchvision.models, arch)(num_classes=len(CLASSES))
    model.load_state_dict(torch.load(path), strict=True)
    model.eval()
    steps = [transforms.Resize(RESIZE), transforms.CenterCrop(CROP), transforms.ToTensor()]
    if normalize:
        steps.append(transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    look = transforms.Compose(steps)
    pixels = torch.stack([look(Image.open(p).convert("RGB")) for p in photos])
    with torch.no_grad():
        return model(pixels).numpy()


def check_order(answer, logits):
    """The classes are in order of their logits, the shares are softmax's."""
    share = numpy.exp(logits - logits.max())
    share /= share.sum()
    for entry, i in zip(answer["top"], numpy.argsort(-logits)):
        if entry["class"] != CLASSES[i] or abs(entry["p"] - share[i]) > 1e-5:
            return f"{answer['file']}: {answer['top']}, logits {logits}"
    return None


def check(command, arch, folder, photos, normalize):
    out = folder / arch
    afina(command, "train", folder / "photos", "--model", arch, "--out", out, "--quiet",
          "--resize", RESIZE, "--image-size", CROP, "--head-epochs", 1, "--tune-epochs", 1,
          "--batch", 6, "--tune-lr", 0.01, *([] if normalize else ["--no-normalize"]))
    header = (out / "metrics.csv").read_text().splitlines()[0]
    if header != COLUMNS:
        return f"metrics.csv begins with {header}"
    lines = afina(command, "predict", out / "model.safetensors", "--logits", "--json",
                  "--no-calibration", *photos)
    answers = [json.loads(line) for line in lines.splitlines()]
    if [a["file"] for a in answers] != [str(p) for p in photos]:
        return "not one line a picture"
    ours = numpy.array([a["logits"] for a in answers])
    theirs = torchvision_logits(arch, out / "model.pth", photos, normalize)
    worst = abs(ours - theirs).max() / abs(theirs).max()
    print(f"{arch}: largest difference {worst:.2e} of the largest logit")
    if not worst <= TOLERANCE:
        return f"{arch}: over {TOLERANCE}"
    return next(filter(None, map(check_order, answers, ours)), None)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = make_photos(folder / "photos")
        for arch, normalize in (("squeezenet1_1", False), ("resnet18", True)):
            wrong = check(sys.argv[1], arch, folder, photos, normalize)
            if wrong:
                sys.exit(wrong)


main()
