#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Augmentation against torchvision on Pillow: the same pixels for the numbers that we
drew, and numbers of the same distributions.

Pixels must be equal, but for blur: torch sums in another order, so values on the edge
between two may fall to the other one (MAX_BLUR of them, by 1).

Usage: check_augment.py PATH_OF_augment_tool.  Exits with 77 without the oracle."""
import math
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    import torchvision
    from PIL import Image
    from torchvision.transforms import autoaugment as A
    from torchvision.transforms import functional as F
    from torchvision.transforms import transforms as T
except ImportError as error:
    print(f"no oracle: {error}")
    sys.exit(77)

MAX_BLUR = 1e-3  # of all values, may differ by 1
LEVEL = 1e-4  # a distribution is another one below this probability
NAMES = ["Identity", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness",
         "Color", "Contrast", "Sharpness", "Posterize", "Solarize", "AutoContrast",
         "Equalize"]
FILTER = {"nearest": T.InterpolationMode.NEAREST, "bilinear": T.InterpolationMode.BILINEAR}


class Tool:
    """The C program: one process answers all commands."""

    def __init__(self, path, folder):
        self.out = os.path.join(folder, "out.bin")
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, *fields):
        line = "\t".join(str(f) for f in fields + (self.out,))
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer or answer[0] != "ok":
            raise RuntimeError(f"{fields}: {' '.join(answer)}")
        return answer[1:]

    def pixels(self, *fields):
        """(pixels, drawn): drawn is [numbers, or None where the step is off] per step"""
        width, height, *rest = self.ask(*fields)
        pixels = np.fromfile(self.out, np.uint8).reshape(int(height), int(width), 3)
        return pixels, split_drawn(rest)

    def draws(self, spec, width, height, crop, seed, count):
        self.ask("draw", spec, width, height, crop, seed, count)
        with open(self.out) as f:
            return [split_drawn(line.split()) for line in f]


def split_drawn(words):
    drawn = []
    while words:
        on, n = int(words[0]), int(words[1])
        drawn.append([float(w) for w in words[2:2 + n]] if on else None)
        words = words[2 + n:]
    return drawn


class Score:
    def __init__(self):
        self.done, self.failed, self.blurred = 0, [], 0.0

    def pixels(self, what, ours, theirs, blurred=False):
        self.done += 1
        theirs = np.asarray(theirs)
        if ours.shape != theirs.shape:
            self.failed.append(f"{what}: shape {ours.shape}, torchvision {theirs.shape}")
            return
        d = np.abs(ours.astype(int) - theirs.astype(int))
        if blurred:
            part = float((d > 0).mean())
            if d.size > 3000:  # of some pixels, one is already a large part
                self.blurred = max(self.blurred, part)
                if part > MAX_BLUR:
                    self.failed.append(f"{what}: {part:.2g} of the values differ")
            if d.max() > 1:
                self.failed.append(f"{what}: differs by up to {d.max()}")
        elif d.max() > 0:
            self.failed.append(f"{what}: {int((d > 0).sum())} bytes differ, by up to {d.max()}")

    def agree(self, what, agreed, why=""):
        self.done += 1
        if not agreed:
            self.failed.append(f"{what}: {why}")


# ---- torchvision with our numbers ----


def apply_step(image, step, drawn):
    """The step as torchvision does it on a Pillow image, with the numbers drawn."""
    name, _, values = step.partition("=")
    if drawn is None:
        return image
    if name == "hflip":
        return F.hflip(image)
    if name == "vflip":
        return F.vflip(image)
    if name == "rotate":
        kind = values.split(":")[1] if ":" in values else "nearest"
        return F.rotate(image, drawn[0], FILTER[kind])
    if name == "color":
        given = [float(v) for v in values.split(":")]
        amount = (given + given[:1] * 3)[:3] + [given[3] if len(given) > 3 else 0.0]
        adjust = [F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue]
        for i in (int(v) for v in drawn[:4]):
            if amount[i]:
                image = adjust[i](image, drawn[4 + i])
        return image
    if name == "grayscale":
        return F.rgb_to_grayscale(image, num_output_channels=3)
    if name == "blur":
        return F.gaussian_blur(image, int(values.split(":")[0]), drawn[0])
    if name in ("trivial", "rand"):
        for which, strength in zip(drawn[0::2], drawn[1::2]):
            image = A._apply_op(image, NAMES[int(which)], strength,
                                interpolation=T.InterpolationMode.NEAREST, fill=None)
        return image
    if name == "erase":
        top, left, height, width = (int(v) for v in drawn)
        tensor = F.pil_to_tensor(image)
        value = torch.tensor([124, 116, 104], dtype=torch.uint8)[:, None, None]
        erased = F.erase(tensor, top, left, height, width, value)
        return Image.fromarray(erased.permute(1, 2, 0).numpy())
    raise ValueError(step)


def scene(rng, width, height):
    """Gradients, edges and noise, at times of few values or of one."""
    kind = rng.integers(8)
    if kind == 0:
        return np.full((height, width, 3), rng.integers(0, 256, 3), np.uint8)
    if kind == 1:
        return rng.integers(0, 256, (height, width, 3), np.uint8)
    if kind == 2:
        low = rng.integers(0, 250)
        return rng.integers(low, low + 6, (height, width, 3)).astype(np.uint8)
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    planes = []
    for c in range(3):
        fx, fy = rng.uniform(0.2, 40.0, 2)
        wave = np.sin(x / fx + c) * np.cos(y / fy) * 90 + 128
        wave += 60 * ((x // max(1, width // 5) + y // max(1, height // 3)) % 2)
        planes.append(wave + rng.normal(0, rng.choice([0, 4, 40]), wave.shape))
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def size_of(rng):
    edge = [(1, 1), (1, 2), (2, 1), (2, 2), (3, 3), (1, 50), (50, 1), (2, 37), (5, 3),
            (224, 224), (33, 33), (64, 48), (299, 299)]
    if rng.integers(2):
        return edge[rng.integers(len(edge))]
    return tuple(int(v) for v in np.exp(rng.uniform(0, np.log(300), 2)))


def change_specs(rng):
    """Steps with values over the whole of their ranges."""
    u = rng.uniform
    return [
        "hflip=1", "vflip=1", "hflip=0.5,vflip=0.5", "grayscale=1",
        f"rotate={u(0, 180):.3f}", f"rotate={u(0, 180):.3f}:bilinear", "rotate=0",
        f"color={u(0, 2):.3f}:0:0", f"color=0:{u(0, 2):.3f}:0", f"color=0:0:{u(0, 2):.3f}",
        f"color=0:0:0:{u(0, 0.5):.3f}", f"color={u(0, 1):.3f}:{u(0, 1):.3f}:{u(0, 1):.3f}:"
        f"{u(0, 0.5):.3f}", f"color={u(0, 10):.3f}",
        "trivial", "trivial", "trivial", "trivial", "trivial", "trivial",
        f"rand=2:{rng.integers(31)}", f"rand=10:{rng.integers(31)}", "rand",
        "erase=1", "erase=1:0:1:0.05:20", "erase",
        f"blur={2 * rng.integers(0, 12) + 1}:0.01:{u(0.02, 9):.3f}:1",
        "hflip,rotate=30,color=0.4:0.4:0.4:0.1,grayscale=0.2,trivial,rand,erase",
    ]


def check_changes(tool, score, rng, folder, rounds):
    path = os.path.join(folder, "picture.png")
    operations = set()
    for number in range(rounds):
        width, height = size_of(rng)
        image = Image.fromarray(scene(rng, width, height))
        image.save(path)
        for spec in change_specs(rng):
            where = (int(rng.integers(1 << 40)), int(rng.integers(1 << 20)), number)
            if spec.startswith("blur"):
                taps = int(spec[5:].split(":")[0])
                if taps // 2 >= min(width, height):
                    continue  # torch's reflection needs more pixels than half the taps
            ours, drawn = tool.pixels("change", path, spec, *where)
            theirs = image
            for step, numbers in zip(spec.split(","), drawn):
                theirs = apply_step(theirs, step, numbers)
                if step == "trivial":
                    operations.add(int(numbers[0]))
            score.pixels(f"{spec} of {width}x{height} at {where}", ours, theirs,
                         spec.startswith("blur"))
    score.agree("operations of trivial", len(operations) == len(NAMES), str(operations))


def check_angles(tool, score, rng, folder):
    """Those that Pillow treats apart, and others; and a picture beyond fixed point."""
    path = os.path.join(folder, "picture.png")
    angles = [0, 90, 180, 270, 360, 450, -90, -180, -0.0, 1e-12, -1e-20, 45, 30, 60, 120,
              89.99999, 179.9, 720.5, -33.3]
    for width, height in [(1, 1), (7, 7), (8, 8), (7, 5), (6, 9), (1, 4)]:
        image = Image.fromarray(scene(rng, width, height))
        image.save(path)
        for angle in angles:
            for name, kind in FILTER.items():
                ours, _ = tool.pixels("rotate", path, angle, name)
                score.pixels(f"{angle} degrees {name} of {width}x{height}", ours,
                             F.rotate(image, angle, kind))
    for width, height in [(40000, 3), (2, 33000)]:
        image = Image.fromarray(rng.integers(0, 256, (height, width, 3), np.uint8))
        image.save(path)
        for angle in (1, 91.5, 180):
            ours, _ = tool.pixels("rotate", path, angle, "nearest")
            score.pixels(f"{angle} degrees of {width}x{height}", ours, F.rotate(image, angle))


def check_whole_way(tool, score, rng, folder, rounds):
    """From a picture to a network's input, with and without a random crop."""
    path = os.path.join(folder, "picture.png")
    for number in range(rounds):
        width, height = (int(v) for v in np.exp(rng.uniform(0, np.log(500), 2)))
        image = Image.fromarray(scene(rng, width, height))
        image.save(path)
        crop = int(rng.integers(1, 260))
        low = float(rng.choice([0.08, 0.5, 1.0]))
        for steps in ("crop", "", "crop,hflip,trivial,erase=1", "color=0.3:0.2:0.4:0.1"):
            spec = steps.replace("crop", f"crop={low}") or "none"
            where = (int(rng.integers(1 << 40)), number, int(rng.integers(1 << 30)))
            resize = int(rng.integers(1, 300))
            ours, drawn = tool.pixels("apply", path, spec, resize, crop, *where)
            rest = [s for s in steps.split(",") if s and s != "crop"]
            if steps.startswith("crop"):
                top, left, h, w = (int(v) for v in drawn[0])
                theirs = F.resized_crop(image, top, left, h, w, [crop, crop])
                drawn = drawn[1:]
            else:
                theirs = F.center_crop(F.resize(image, resize), [crop, crop])
            for step, numbers in zip(rest, drawn):
                theirs = apply_step(theirs, step, numbers)
            score.pixels(f"{spec} {width}x{height} to {crop}", ours, theirs)


# ---- distributions ----


def ks(a, b):
    """Probability that two samples are of one distribution: Kolmogorov and Smirnov."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    d = np.abs(np.searchsorted(a, at, "right") / len(a)
               - np.searchsorted(b, at, "right") / len(b)).max()
    n = math.sqrt(len(a) * len(b) / (len(a) + len(b)))
    x = (n + 0.12 + 0.11 / n) * d
    if x < 0.3:
        return 1.0
    return 2 * sum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))


def compare(score, what, ours, theirs):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    score.agree(f"{what}: range", ours.min() >= theirs.min() - 0.1 * np.ptp(theirs) - 1e-9 and
                ours.max() <= theirs.max() + 0.1 * np.ptp(theirs) + 1e-9,
                f"{ours.min()} to {ours.max()}, theirs {theirs.min()} to {theirs.max()}")
    p = ks(ours, theirs)
    score.agree(what, p > LEVEL, f"another distribution, p = {p:.2g}")


def check_crop_draws(tool, score, count):
    for width, height, spec in [(500, 375, "crop"), (90, 400, "crop=0.5:1:0.75:1.3333333"),
                                (300, 20, "crop"), (3, 2, "crop")]:
        scale = (0.5, 1.0) if "0.5" in spec else (0.08, 1.0)
        image = torch.zeros(3, height, width)
        theirs = [T.RandomResizedCrop.get_params(image, scale, (3 / 4, 4 / 3))
                  for _ in range(count)]
        ours = [d[0] for d in tool.draws(spec, width, height, 224, 5, count)]
        for i, name in enumerate(("top", "left", "height", "width")):
            compare(score, f"{spec} of {width}x{height}: {name}", [o[i] for o in ours],
                    [t[i] for t in theirs])
        compare(score, f"{spec} of {width}x{height}: area", [o[2] * o[3] for o in ours],
                [t[2] * t[3] for t in theirs])


def check_erase_draws(tool, score, count):
    for side in (224, 9):
        image = torch.zeros(3, side, side)
        theirs = [T.RandomErasing.get_params(image, (0.02, 0.33), (0.3, 3.3), [0.0])[:4]
                  for _ in range(count)]
        ours = [d[0] for d in tool.draws("erase=1", 300, 300, side, 6, count) if d[0]]
        for i, name in enumerate(("top", "left", "height", "width")):
            compare(score, f"erase of {side}: {name}", [o[i] for o in ours],
                    [t[i] for t in theirs])


def check_plain_draws(tool, score, count):
    jitter = T.ColorJitter(0.4, 0.3, 1.5, 0.2)
    theirs = [T.ColorJitter.get_params(jitter.brightness, jitter.contrast, jitter.saturation,
                                       jitter.hue) for _ in range(count)]
    ours = [d[0] for d in tool.draws("color=0.4:0.3:1.5:0.2", 300, 300, 224, 7, count)]
    for i, name in enumerate(("brightness", "contrast", "saturation", "hue")):
        compare(score, f"color: {name}", [o[4 + i] for o in ours], [t[1 + i] for t in theirs])
    orders = np.zeros(256)
    for o in ours:
        orders[int(o[0] * 64 + o[1] * 16 + o[2] * 4 + o[3])] += 1
    orders = orders[orders > 0]
    chi = float(((orders - count / 24) ** 2 / (count / 24)).sum())
    score.agree("color: order", len(orders) == 24 and chi < 65, f"chi2 {chi} of 23")

    theirs = [T.RandomRotation.get_params([-30.0, 30.0]) for _ in range(count)]
    ours = [d[0][0] for d in tool.draws("rotate=30", 300, 300, 224, 8, count)]
    compare(score, "rotate", ours, theirs)
    theirs = [T.GaussianBlur.get_params(0.1, 2.0) for _ in range(count)]
    ours = [d[0][0] for d in tool.draws("blur=5", 300, 300, 224, 9, count)]
    compare(score, "blur", ours, theirs)
    for spec, p in [("hflip", 0.5), ("vflip=0.2", 0.2), ("grayscale", 0.1), ("erase=0.3", 0.3),
                    ("blur=3:0.1:2:0.7", 0.7)]:
        on = sum(d[0] is not None for d in tool.draws(spec, 300, 300, 224, 10, count))
        deviation = math.sqrt(count * p * (1 - p))
        score.agree(f"{spec}: how often", abs(on - count * p) < 5 * deviation,
                    f"{on} of {count}")


def reference_cutmix(alpha, side):
    """What torchvision's references/classification/transforms.py draws."""
    share = float(torch._sample_dirichlet(torch.tensor([alpha, alpha]))[0])
    x, y = (int(torch.randint(side, (1,))) for _ in range(2))
    half = int(0.5 * math.sqrt(1 - share) * side)
    left, top = max(x - half, 0), max(y - half, 0)
    right, bottom = min(x + half, side), min(y + half, side)
    return 1 - (right - left) * (bottom - top) / (side * side), left, top, right, bottom


def check_mix_draws(tool, score, count):
    for alpha in (0.2, 1.0, 4.0):
        tool.ask("mix", alpha, 0, 224, 12, count)
        ours = np.loadtxt(tool.out)
        theirs = [float(torch._sample_dirichlet(torch.tensor([alpha, alpha]))[0])
                  for _ in range(count)]
        score.agree(f"mixup {alpha}: pastes nothing", not ours[:, 1].any())
        compare(score, f"mixup {alpha}: share", ours[:, 0], theirs)
        tool.ask("mix", 0, alpha, 224, 13, count)
        ours = np.loadtxt(tool.out)
        theirs = np.array([reference_cutmix(alpha, 224) for _ in range(count)])
        score.agree(f"cutmix {alpha}: always pastes", ours[:, 1].all())
        compare(score, f"cutmix {alpha}: share", ours[:, 0], theirs[:, 0])
        for i, name in enumerate(("left", "top", "right", "bottom")):
            compare(score, f"cutmix {alpha}: {name}", ours[:, 2 + i], theirs[:, 1 + i])


class Recorder:
    """Stands in for torchvision's _apply_op, to learn what a policy draws."""

    def __init__(self):
        self.seen = []

    def __call__(self, image, name, strength, interpolation, fill):
        self.seen.append((NAMES.index(name), strength))
        return image


def check_policy_draws(tool, score, count):
    image = Image.new("RGB", (224, 224))
    real = A._apply_op
    for spec, policy in [("trivial", A.TrivialAugmentWide()), ("rand", A.RandAugment()),
                         ("rand=2:17", A.RandAugment(2, 17))]:
        A._apply_op = recorder = Recorder()
        try:
            for _ in range(count):
                policy(image)
        finally:
            A._apply_op = real
        ours = [(int(which), strength) for d in tool.draws(spec, 300, 300, 224, 11, count)
                for which, strength in zip(d[0][0::2], d[0][1::2])]
        score.agree(f"{spec}: operations", len(ours) == len(recorder.seen))
        for k, name in enumerate(NAMES):
            a = [s for which, s in ours if which == k]
            b = [s for which, s in recorder.seen if which == k]
            expected = len(ours) / len(NAMES)
            score.agree(f"{spec}: {name}", abs(len(a) - expected) < 5 * math.sqrt(expected),
                        f"{len(a)} of {len(ours)}")
            # torch's own values differ by a rounding between processors.
            compare(score, f"{spec}: strength of {name}", np.round(a, 4), np.round(b, 4))
            theirs = np.unique(np.abs(b))
            far = max(np.abs(theirs - abs(v)).min() for v in a)
            score.agree(f"{spec}: values of {name}", far <= 1e-5, f"off by {far}")


def main():
    torch.manual_seed(3)
    torch.set_num_threads(1)
    rng = np.random.default_rng(20240229)
    score = Score()
    with tempfile.TemporaryDirectory() as folder:
        tool = Tool(sys.argv[1], folder)
        check_changes(tool, score, rng, folder, 120)
        check_angles(tool, score, rng, folder)
        check_whole_way(tool, score, rng, folder, 60)
        pixels = score.done
        check_crop_draws(tool, score, 4000)
        check_erase_draws(tool, score, 4000)
        check_plain_draws(tool, score, 4000)
        check_mix_draws(tool, score, 4000)
        check_policy_draws(tool, score, 6000)
        tool.process.stdin.close()
        if tool.process.wait() != 0:
            score.failed.append(f"the tool exits with {tool.process.returncode}")
    for line in score.failed[:40]:
        print(line)
    print(f"torchvision {torchvision.__version__}: {pixels} pictures, "
          f"{score.done - pixels} comparisons of what is drawn, {len(score.failed)} failed; "
          f"blur: up to {score.blurred:.2g} of the values differ by 1")
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
