#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One measurement of PyTorch in a process of its own: the counterpart of `afina bench`.

    torch_side.py step MODEL --mode tune|head|infer    steps on noise
    torch_side.py exercise MODEL DATA --weights FILE   the tutorial's whole run
    torch_side.py decode DATA                          files to tensors, on one core
    torch_side.py photos DATA DIR                      12-megapixel photos made of DATA's
    torch_side.py start                                importing, nothing else
    torch_side.py weights MODEL FILE                   write a state dict to begin from

Prints one line of JSON, with the names that `afina bench --json` uses.
"""
import argparse
import json
import os
import statistics
import time

STARTED = time.monotonic()

import torch                        # noqa: E402
import torchvision                  # noqa: E402
from torch import nn                # noqa: E402

FORMATS = {'contiguous': torch.contiguous_format, 'channels_last': torch.channels_last}


def peak_rss_mb():
    """Not getrusage(): its maximum is inherited from whoever started this process."""
    with open('/proc/self/status') as status:
        for line in status:
            if line.startswith('VmHWM:'):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0


def build(name, classes):
    return getattr(torchvision.models, name)(num_classes=classes)


def head_of(model):
    """The last layer with weights, as the tutorials replace it."""
    return [m for m in model.modules() if isinstance(m, (nn.Linear, nn.Conv2d))][-1]


def train_head_only(model):
    for p in model.parameters():
        p.requires_grad = False
    for p in head_of(model).parameters():
        p.requires_grad = True


def optimizer(model, lr):
    trained = [p for p in model.parameters() if p.requires_grad]
    return torch.optim.SGD(trained, lr=lr, momentum=0.9)


def make_step(model, args, x, y):
    loss_of = nn.CrossEntropyLoss()
    if args.mode == 'infer':
        model.eval()

        def infer():
            with torch.inference_mode():
                model(x)
        return infer
    model.train()
    if args.mode == 'head':
        train_head_only(model)
        model.eval()                # frozen statistics: the same arithmetic, and faster
    opt = optimizer(model, 1e-4)

    def train():
        opt.zero_grad()
        loss_of(model(x), y).backward()
        opt.step()
    return train


def step(args):
    layout = FORMATS[args.format]
    model = build(args.model, args.classes).to(memory_format=layout)
    size = args.image_size
    x = torch.rand(args.batch, 3, size, size).contiguous(memory_format=layout)
    y = torch.arange(args.batch) % args.classes
    start = time.monotonic()
    run = make_step(model, args, x, y)
    run()
    first = time.monotonic() - start
    seconds = []
    for _ in range(args.steps):
        start = time.monotonic()
        run()
        seconds.append(time.monotonic() - start)
    return {'images_per_second': args.batch / statistics.median(seconds),
            'peak_rss_mb': peak_rss_mb(), 'first_step_seconds': first}


def transform_for(size):
    from torchvision import transforms
    normal = transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return transforms.Compose([transforms.Resize(size * 256 // 224),
                               transforms.CenterCrop(size),
                               transforms.ToTensor(), normal])


def decode(args):
    """Rate of a whole pass over the pictures, the median of three behind a first."""
    from torchvision import datasets
    data = datasets.ImageFolder(args.data, transform_for(224))
    seconds = []
    for _ in range(4):
        start = time.monotonic()
        for i in range(len(data)):
            data[i]
        seconds.append(time.monotonic() - start)
    return {'images_per_second': len(data) / statistics.median(seconds[1:])}


def photos(args):
    """A few pictures of each class as a camera's: 4000 x 3000, JPEG of quality 90."""
    from torchvision import datasets
    data = datasets.ImageFolder(args.data)
    step = max(1, len(data) // args.count)
    for i in range(0, len(data), step):
        image, label = data[i]
        folder = os.path.join(args.out, data.classes[label])
        os.makedirs(folder, exist_ok=True)
        image.resize((4000, 3000), 3).save(os.path.join(folder, '%d.jpg' % i), quality=90)
    return {}


def loader_for(args):
    from torchvision import datasets
    data = datasets.ImageFolder(args.data, transform_for(args.image_size))
    return len(data.classes), torch.utils.data.DataLoader(
        data, batch_size=args.batch, shuffle=True, num_workers=2)


def epochs(model, args, loader, n, lr):
    loss_of = nn.CrossEntropyLoss()
    opt = optimizer(model, lr)
    for _ in range(n):
        for x, y in loader:
            x = x.contiguous(memory_format=FORMATS[args.format])
            opt.zero_grad()
            loss_of(model(x), y).backward()
            opt.step()


def exercise(args):
    """The tutorial: replace the head, train it, unfreeze all, go on, save."""
    classes, loader = loader_for(args)
    model = build(args.model, 1000)
    model.load_state_dict(torch.load(args.weights))
    old = head_of(model)
    for parent in model.modules():
        for name, child in parent.named_children():
            if child is old and isinstance(old, nn.Linear):
                setattr(parent, name, nn.Linear(old.in_features, classes))
            elif child is old:
                setattr(parent, name, nn.Conv2d(old.in_channels, classes, 1))
    model = model.to(memory_format=FORMATS[args.format])
    train_head_only(model)
    epochs(model, args, loader, args.head_epochs, 0.001)
    for p in model.parameters():
        p.requires_grad = True
    epochs(model, args, loader, args.tune_epochs, 0.0001)
    torch.save(model.state_dict(), os.path.join(args.out, 'model.pth'))
    return {'peak_rss_mb': peak_rss_mb()}


def weights(args):
    torch.save(build(args.model, 1000).state_dict(), args.file)
    return {}


def start(_):
    return {'import_seconds': time.monotonic() - STARTED}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    job = parser.add_subparsers(dest='job', required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument('model')
    common.add_argument('--batch', type=int, default=32)
    common.add_argument('--image-size', type=int, default=224)
    common.add_argument('--threads', type=int, default=len(os.sched_getaffinity(0)))
    common.add_argument('--format', choices=FORMATS, default='contiguous')
    one = job.add_parser('step', parents=[common])
    one.add_argument('--mode', choices=['tune', 'head', 'infer'], default='tune')
    one.add_argument('--classes', type=int, default=1000)
    one.add_argument('--steps', type=int, default=5)
    whole = job.add_parser('exercise', parents=[common])
    whole.add_argument('data')
    whole.add_argument('--weights', required=True)
    whole.add_argument('--head-epochs', type=int, default=5)
    whole.add_argument('--tune-epochs', type=int, default=5)
    whole.add_argument('--out', required=True)
    files = job.add_parser('decode')
    files.add_argument('data')
    made = job.add_parser('photos')
    made.add_argument('data')
    made.add_argument('out')
    made.add_argument('--count', type=int, default=10)
    job.add_parser('start')
    first = job.add_parser('weights')
    first.add_argument('model')
    first.add_argument('file')
    return parser.parse_args()


def main():
    args = arguments()
    torch.set_num_threads(getattr(args, 'threads', 1))
    jobs = {'step': step, 'exercise': exercise, 'decode': decode, 'photos': photos,
            'start': start, 'weights': weights}
    result = jobs[args.job](args)
    result['versions'] = {'torch': torch.__version__, 'torchvision': torchvision.__version__}
    print(json.dumps(result))


if __name__ == '__main__':
    main()
