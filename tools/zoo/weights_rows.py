#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the rows of src/zoo/weights_table.c as the installed torchvision has them.

usage: weights_rows.py          (needs torchvision 0.15 or newer, which counts _ops)

For a new release: run it, look at the difference, replace the rows; the files that are no
longer published become rows of `moved`.  tests/oracle/check_zoo.py compares the table with
whatever torchvision is installed."""
import sys

import torchvision
from torchvision.models import get_model_weights, list_models

NOT_CONVOLUTIONAL = ("vit", "swin", "maxvit")
IMAGENET = [0.485, 0.456, 0.406]


def preprocessing(t):
    name = t.interpolation.value.upper()
    if t.mean != IMAGENET:
        name = "HALVES" if t.mean == [0.5] * 3 else "FEATURES"
    return "%s(%d, %d)" % (name, t.resize_size[0], t.crop_size[0])


def row(arch, w):
    accuracy = w.meta["_metrics"]["ImageNet-1K"]
    top1, top5 = (0 if v != v else v for v in (accuracy["acc@1"], accuracy["acc@5"]))
    kind = w.name.replace("IMAGENET1K_", "")
    return '    W(%s, %s, "%s",\n      %s, %.3f, %.3f, %d, %.3f, %.3f),' % (
        arch, kind, w.url.rsplit("/", 1)[1], preprocessing(w.transforms()), top1, top5,
        w.meta["num_params"], w.meta["_ops"], w.meta["_file_size"])


def main():
    names = [n for n in list_models(module=torchvision.models)
             if not n.startswith(NOT_CONVOLUTIONAL)]
    for arch in names:
        for w in get_model_weights(arch):
            print(row(arch, w))
    print("%d architectures of torchvision %s" % (len(names), torchvision.__version__),
          file=sys.stderr)


if __name__ == "__main__":
    main()
