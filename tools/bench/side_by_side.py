#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""afina beside PyTorch: each measurement in a process of its own, the two in turn.

    side_by_side.py BUILD [--only ROW,...] [--rounds N] [--name NAME]

Writes docs/benchmarks/NAME.md and .json after every group of rows, so that a run that is
cut short leaves what it has.  A row that cannot be measured says why.  PyTorch is that of
--python; it gets the better of its two memory formats, found by one measurement of each.
"""
import argparse
import csv
import datetime
import fnmatch
import functools
import json
import os
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Failed(Exception):
    """A measurement that could not be made; the text says why."""


# ---- running one side ----

def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1] if lines else ''


def call(command, timeout):
    """Standard output of a command, and the seconds it took."""
    start = time.monotonic()
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True,
                              text=True, timeout=timeout, check=False)
    except FileNotFoundError:
        raise Failed('%s is not there' % command[0]) from None
    except subprocess.TimeoutExpired:
        raise Failed('no result after %d s' % timeout) from None
    if done.returncode != 0:
        raise Failed(last_line(done.stderr) or 'exit code %d' % done.returncode)
    return done.stdout, time.monotonic() - start


def link_first(source, target, images):
    """Links to the first pictures of each class, as many of each; returns how many."""
    classes = sorted(p for p in source.iterdir() if p.is_dir())
    links = 0
    for folder in classes:
        (target / folder.name).mkdir(parents=True)
        for file in sorted(folder.iterdir())[:max(images // len(classes), 1)]:
            (target / folder.name / file.name).symlink_to(file.resolve())
            links += 1
    return links


class Bench:
    """What the measurements share: options, folders, the format chosen for PyTorch."""

    def __init__(self, options, work):
        self.o = options
        self.work = pathlib.Path(work)
        self.build = pathlib.Path(options.build).resolve()
        self.afina_path = self.build / 'afina'
        self.formats = {}
        self.versions = {}
        self.pictures = None

    def network(self, model, batch):
        """What is measured in place of a row's network, and how the table calls it."""
        model, batch = self.o.model or model, self.o.batch or batch
        return model, batch, '%s, batch %d' % (LABEL.get(model, model), batch)

    def log(self, text):
        print('%s  %s' % (time.strftime('%H:%M:%S'), text), file=sys.stderr, flush=True)

    # -- afina --

    def afina(self, *args):
        return call([self.afina_path, *args], self.o.timeout)

    def afina_step(self, model, batch, mode, precision='fp32', extra=()):
        out, _ = self.afina('bench', '--model', model, '--batch', batch, '--mode', mode,
                            '--precision', precision, '--steps', self.o.steps,
                            '--threads', self.o.threads,
                            '--image-size', self.o.image_size, '--json', *extra)
        result = json.loads(out)
        self.versions.update(result['versions'])
        return result

    # -- PyTorch --

    def torch(self, *args):
        out, seconds = call([self.o.python, HERE / 'torch_side.py', *args],
                            self.o.timeout)
        result = json.loads(last_line(out))
        self.versions.update(result['versions'])
        return result, seconds

    def torch_in(self, layout, model, batch, mode):
        result, _ = self.torch('step', model, '--batch', batch, '--mode', mode,
                               '--format', layout, '--steps', self.o.steps, '--threads',
                               self.o.threads, '--image-size', self.o.image_size)
        return result

    def format_for(self, model, batch, mode):
        """The faster memory format, by one measurement of each, remembered.  In some
        networks PyTorch has no result in one of them: no fast code for a layer."""
        key = '%s %s %s' % (model, batch, mode)
        if key not in self.formats:
            rates, failed = {}, None
            for layout in ('contiguous', 'channels_last'):
                try:
                    result = self.torch_in(layout, model, batch, mode)
                    rates[layout] = result['images_per_second']
                except Failed as why:
                    failed = why
            if not rates:
                raise failed
            self.log('PyTorch %s: %s%s' % (
                key, ', '.join('%s %.2f images/s' % r for r in rates.items()),
                '; %s' % failed if failed else ''))
            best = max(rates, key=rates.get)
            self.formats[key] = {'best': best, 'images_per_second': rates}
        return self.formats[key]['best']

    def torch_step(self, model, batch, mode):
        return self.torch_in(self.format_for(model, batch, mode), model, batch, mode)

    # -- pictures and weights of whole runs --

    def data(self):
        target = self.work / 'pictures'
        if target.exists():
            return target
        source = self.o.data or ROOT.parent / 'shared' / 'data' / 'flowers5' / 'train'
        if source.is_dir():
            n = link_first(source, target, self.o.images)
            self.pictures = '%d of %s' % (n, '/'.join(source.resolve().parts[-2:]))
        else:
            n = max(self.o.images // 5, 1)
            call([self.build / 'examples/demo/make_pictures', 'exercise', target, n, 1],
                 300)
            self.pictures = '%d drawn by the demo' % (5 * n)
        return target

    def weights(self, model):
        path = self.work / ('%s.pth' % model)
        if not path.exists():
            self.torch('weights', model, path)
        return path

    # -- in turn --

    def in_turn(self, title, sides):
        """Results of each side, round by round: {name: [result, ...]}.  A side that
        fails is asked no more; its entry is the reason."""
        results = {name: [] for name in sides}
        for i in range(self.o.rounds):
            for name, measure in sides.items():
                if isinstance(results[name], str):
                    continue
                try:
                    results[name].append(measure())
                    self.log('%s, round %d: %s' % (title, i + 1, name))
                except (Failed, ValueError, KeyError) as why:
                    results[name] = str(why) or type(why).__name__
                    self.log('%s: %s failed: %s' % (title, name, results[name]))
        return results


# ---- rows ----

def samples(results, field):
    """Values of a field over the rounds, or the reason why there are none."""
    if isinstance(results, str):
        return results
    values = [r[field] for r in results if r.get(field) is not None]
    return values if values else 'no %s' % field


def row(name, text, torch, afina, **kind):
    """One line of the table.  torch and afina are lists of samples or reasons.
    kind: unit, target, and `ratio`: 'rate' (afina / PyTorch), 'cost' (PyTorch / afina)
    or 'part' (of PyTorch's figure, smaller is better), None for a bare figure."""
    r = {'row': name, 'text': text, 'torch': torch, 'afina': afina, **kind}
    how = kind.get('ratio')
    if how and isinstance(torch, list) and isinstance(afina, list):
        pairs = list(zip(torch, afina))
        each = [t / a if how == 'cost' else a / t for t, a in pairs]
        r['ratios'] = each
        r['value'] = statistics.median(each)
    elif not how and isinstance(afina, list):
        r['value'] = statistics.median(afina)
    if 'value' in r and kind.get('target') is not None:
        small = how == 'part' or kind.get('below')
        r['met'] = (r['value'] <= kind['target']) if small else (r['value'] >= kind['target'])
    return r


LABEL = {'resnet50': 'ResNet-50', 'resnet18': 'ResNet-18', 'vgg16': 'VGG-16',
         'squeezenet1_1': 'SqueezeNet 1.1', 'alexnet': 'AlexNet',
         'mobilenet_v2': 'MobileNetV2', 'mobilenet_v3_large': 'MobileNetV3 large',
         'efficientnet_b0': 'EfficientNet-B0', 'shufflenet_v2_x1_0': 'ShuffleNetV2 x1.0',
         'regnet_y_400mf': 'RegNetY-400MF', 'densenet121': 'DenseNet-121',
         'resnext50_32x4d': 'ResNeXt-50 32x4d', 'convnext_tiny': 'ConvNeXt-T'}

# Networks that are trained whole: with the batch and the target.
TUNE = [('resnet50', 32, 1.9), ('resnet18', 32, 1.9), ('vgg16', 16, 3.5),
        ('squeezenet1_1', 32, 1.5), ('alexnet', 32, 3.0)]

# Those whose memory is compared, too, with the same batch and targets for all.
FAMILIES = ['mobilenet_v2', 'mobilenet_v3_large', 'efficientnet_b0', 'shufflenet_v2_x1_0',
            'regnet_y_400mf', 'densenet121', 'resnext50_32x4d', 'convnext_tiny']
FAMILY_BATCH, FAMILY_RATE, FAMILY_MEMORY = 16, 1.5, 0.6


def rate(name, text, results, side, target):
    field = 'images_per_second'
    return row(name, text, samples(results['PyTorch'], field),
               samples(results[side], field), unit='images/s', ratio='rate',
               target=target)


def tune_group(b, name, batch, target):
    model, batch, what = b.network(name, batch)
    res = b.in_turn('tune-' + name, {
        'PyTorch': lambda: b.torch_step(model, batch, 'tune'),
        'afina': lambda: b.afina_step(model, batch, 'tune')})
    return [rate('tune-' + name, 'everything trains, fp32: ' + what, res, 'afina', target)]


def family_group(b, name):
    model, batch, what = b.network(name, FAMILY_BATCH)
    res = b.in_turn('tune-' + name, {
        'PyTorch': lambda: b.torch_step(model, batch, 'tune'),
        'afina': lambda: b.afina_step(model, batch, 'tune')})
    return [
        rate('tune-' + name, 'everything trains, fp32: ' + what, res, 'afina',
             FAMILY_RATE),
        row('memory-' + name, 'peak memory, everything trains: ' + what,
            samples(res['PyTorch'], 'peak_rss_mb'), samples(res['afina'], 'peak_rss_mb'),
            unit='MB', ratio='part', target=FAMILY_MEMORY),
    ]


def main_group(b, name, batch, target):
    """The network of most rows: what else the same processes tell, and bf16."""
    model, batch, what = b.network(name, batch)
    res = b.in_turn('tune-' + name, {
        'PyTorch': lambda: b.torch_step(model, batch, 'tune'),
        'afina': lambda: b.afina_step(model, batch, 'tune', extra=['--convolutions']),
        'afina bf16': lambda: b.afina_step(model, batch, 'tune', 'bf16')})
    return [
        rate('tune-' + name, 'everything trains, fp32: ' + what, res, 'afina', target),
        rate('tune-bf16', 'everything trains, bf16 against PyTorch fp32: ' + what, res,
             'afina bf16', 3.2),
        row('memory', 'peak memory, everything trains: ' + what,
            samples(res['PyTorch'], 'peak_rss_mb'), samples(res['afina'], 'peak_rss_mb'),
            unit='MB', ratio='part', target=0.5),
        row('arithmetic-use', 'rate of that fp32 step as a part of the rate that its '
            'convolutions alone reach', '-', samples(res['afina'], 'arithmetic_use'),
            unit='', ratio=None, target=0.85),
    ]


def frozen_group(b):
    model, batch, what = b.network('resnet50', 32)
    res = b.in_turn('frozen', {
        'PyTorch': lambda: b.torch_step(model, batch, 'head'),
        'afina': lambda: b.afina_step(model, batch, 'head'),
        'afina bf16': lambda: b.afina_step(model, batch, 'head', 'bf16'),
        'afina cached': lambda: later_epochs(b, model, batch)})
    return [
        rate('frozen', 'first pass of the frozen backbone, fp32: ' + what, res, 'afina',
             1.4),
        rate('frozen-bf16', 'the same in bf16, against PyTorch fp32: ' + what, res,
             'afina bf16', 2.6),
        rate('cached', 'later head-only epochs: ' + what, res, 'afina cached', 100),
    ]


def later_epochs(b, model, batch):
    """Training rate of a head-only run from its second epoch on."""
    out = b.work / 'cached'
    try:
        b.afina('train', b.data(), '--model', model, '--weights', b.weights(model),
                '--out', out, '--head-epochs', 4, '--tune-epochs', 0, '--val', 0,
                '--batch', batch, '--image-size', b.o.image_size, '--threads',
                b.o.threads, '--quiet')
        with open(out / 'metrics.csv', newline='') as f:
            later = [float(r['images_per_second']) for r in csv.DictReader(f)][1:]
    finally:
        shutil.rmtree(out, ignore_errors=True)
    return {'images_per_second': statistics.median(later)}


def infer_group(b):
    model, batch, what = b.network('resnet50', 32)
    res = b.in_turn('infer', {'PyTorch': lambda: b.torch_step(model, batch, 'infer'),
                              'afina': lambda: b.afina_step(model, batch, 'infer')})
    return [rate('infer', 'inference, fp32: ' + what, res, 'afina', 1.3)]


def exercise_group(b):
    """Whole processes, from their start to the saved model."""
    model, batch, what = b.network('resnet50', 32)
    head, tune = b.o.epochs, b.o.epochs
    common = ['--batch', batch, '--image-size', b.o.image_size, '--threads', b.o.threads,
              '--head-epochs', head, '--tune-epochs', tune]

    def of_afina():
        out = b.work / 'afina-run'
        try:
            _, seconds = b.afina('train', b.data(), '--model', model, '--weights',
                                 b.weights(model), '--out', out, '--val', 0, '--quiet',
                                 *common)
        finally:
            shutil.rmtree(out, ignore_errors=True)
        return {'seconds': seconds}

    def of_torch():
        _, seconds = b.torch('exercise', model, b.data(), '--weights', b.weights(model),
                             '--out', b.work, '--format',
                             b.format_for(model, batch, 'tune'), *common)
        return {'seconds': seconds}

    res = b.in_turn('exercise', {'PyTorch': of_torch, 'afina': of_afina})
    text = 'the whole exercise, %d + %d epochs, %d images: %s' % (head, tune, b.o.images,
                                                                what)
    return [row('exercise', text, samples(res['PyTorch'], 'seconds'),
                samples(res['afina'], 'seconds'), unit='s', ratio='cost', target=2.3)]


def decode_group(b):
    """Files to what a network takes, each program on one core: the pictures as they are,
    and 12-megapixel photos made of some of them."""
    large = b.work / 'photos'

    def of_afina(folder, how):
        out, _ = call([b.build / 'tools/decode_side', folder, how], b.o.timeout)
        return json.loads(out)

    def of_torch(folder):
        return b.torch('decode', folder)[0]

    def measure(title, folder, *ways):
        sides = {'PyTorch': lambda: of_torch(folder)}
        sides.update({how: lambda how=how: of_afina(folder, how) for how in ways})
        return b.in_turn(title, sides)

    try:
        b.torch('photos', b.data(), large)
    except Failed as why:
        b.log('no photos for the decoding rows: %s' % why)
    small = measure('decode', b.data(), 'exact')
    photos = measure('decode-12mp', large, 'exact', 'fast')
    text = 'files to pixels of 224 x 224, one core: '
    return [
        rate('decode', text + b.pictures, small, 'exact', 2.5),
        rate('decode-12mp', text + '12-megapixel photos', photos, 'exact', None),
        rate('decode-12mp-fast', 'the same with --fast-decode', photos, 'fast', 6),
    ]


def forget(path):
    """Drop a file's pages from memory, where nobody else uses them."""
    with open(path, 'rb') as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def libraries_of(path):
    out, _ = call(['ldd', path], 60)
    words = [w for line in out.splitlines() for w in line.split()]
    return [w for w in words if w.startswith('/') and os.path.isfile(w)]


def start_group(b):
    def cold():
        for path in [b.afina_path, *libraries_of(b.afina_path)]:
            forget(path)
        return {'ms': 1e3 * b.afina('models')[1]}

    def warm():
        b.afina('models')
        return {'ms': 1e3 * b.afina('models')[1]}

    def of_torch():
        return {'ms': 1e3 * b.torch('start')[1]}

    res = b.in_turn('start', {'PyTorch': of_torch, 'cold': cold, 'warm': warm})
    torch = samples(res['PyTorch'], 'ms')
    return [row('start', '`afina models` from cold (PyTorch: importing it and torchvision)',
                torch, samples(res['cold'], 'ms'), unit='ms', ratio=None, target=20,
                below=True),
            row('start-warm', 'the same with its files in memory', torch,
                samples(res['warm'], 'ms'), unit='ms', ratio=None, target=20, below=True)]


def groups():
    """(names of the rows, function) in the order of the table."""
    for name, batch, target in TUNE:
        if name == 'resnet50':
            yield (['tune-resnet50', 'tune-bf16', 'memory', 'arithmetic-use'],
                   functools.partial(main_group, name=name, batch=batch, target=target))
        else:
            yield (['tune-' + name], functools.partial(tune_group, name=name, batch=batch,
                                                       target=target))
    for name in FAMILIES:
        yield (['tune-' + name, 'memory-' + name],
               functools.partial(family_group, name=name))
    yield ['frozen', 'frozen-bf16', 'cached'], frozen_group
    yield ['infer'], infer_group
    yield ['exercise'], exercise_group
    yield ['decode', 'decode-12mp', 'decode-12mp-fast'], decode_group
    yield ['start', 'start-warm'], start_group


# ---- the table ----

def git(*args):
    try:
        return call(['git', '-C', ROOT, *args], 60)[0].strip()
    except Failed:
        return ''


def memory_gb():
    return os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9


def about(b):
    commit = git('rev-parse', '--short=12', 'HEAD') or 'unknown'
    if git('status', '--porcelain', '--untracked-files=no'):
        commit += ' with changes'
    return {'date': datetime.date.today().isoformat(), 'commit': commit,
            'command': shlex.join(['tools/bench/side_by_side.py', *sys.argv[1:]]),
            'cores': len(os.sched_getaffinity(0)), 'threads': b.o.threads,
            'memory_gb': round(memory_gb(), 1), 'rounds': b.o.rounds,
            'steps': b.o.steps, 'image_size': b.o.image_size,
            'python': sys.version.split()[0], 'versions': b.versions,
            'formats': b.formats, 'pictures': b.pictures}


def number(v):
    return '%.0f' % v if v >= 1000 else '%.3g' % v if v < 100 else '%.1f' % v


def figure(values, unit):
    if isinstance(values, str):
        return values.replace('|', '/')
    text = number(statistics.median(values))
    if len(values) > 1:
        text += ' (%s to %s)' % (number(min(values)), number(max(values)))
    return ('%s %s' % (text, unit)).strip()


def verdict(r):
    target = r.get('target')
    part = r.get('ratio') == 'part'
    if r.get('ratio') in ('rate', 'cost'):
        ratio = '%.2f×' % r['value'] if 'value' in r else '-'
        wanted = '-' if target is None else '%g×' % target
    elif part:
        ratio = '%.2f' % r['value'] if 'value' in r else '-'
        wanted = 'at most %g' % target
    else:
        ratio = '-'
        wanted = '%s %g %s' % ('under' if r.get('below') else 'at least', target, r['unit'])
    met = {True: 'yes', False: 'no', None: '-'}[r.get('met')]
    return ratio, wanted.strip(), met


def markdown(head, rows):
    v = head['versions']
    lines = ['# Side by side with PyTorch: %s' % head['date'], '',
             'Commit %s. %s, %d cores, %d threads, %s GB of memory; afina %s with oneDNN '
             '%s; PyTorch %s, torchvision %s.' % (
                 head['commit'], v.get('cpu', 'unknown processor'), head['cores'],
                 head['threads'], head['memory_gb'], v.get('afina', '-'),
                 v.get('oneDNN', '-'), v.get('torch', 'not there'),
                 v.get('torchvision', '-')), '',
             '`%s`' % head['command'], '',
             '| workload | PyTorch | afina | ratio | target | met |',
             '| --- | --- | --- | --- | --- | --- |']
    for r in rows:
        lines.append('| %s | %s | %s | %s | %s | %s |' % (
            r['text'], figure(r['torch'], r['unit']), figure(r['afina'], r['unit']),
            *verdict(r)))
    lines += ['', 'Each figure is the median of %d rounds (lowest to highest), the '
              'programs in turn, each round a process of its own: one step to warm up, '
              'then the median of %d, on %d-pixel images. A ratio is the median of the '
              'rounds\' ratios. PyTorch runs on all threads in the better of its two '
              'memory formats; its frozen step has the backbone in eval mode, its '
              'exercise is the tutorial\'s, with two loader workers.' % (
                  head['rounds'], head['steps'], head['image_size'])]
    if head['formats']:
        lines += ['', 'PyTorch\'s memory formats, images per second:', '']
        lines += ['- %s: %s' % (key, ', '.join(
            '%s %s' % (f, number(n)) for f, n in found['images_per_second'].items()))
            for key, found in head['formats'].items()]
    if head['pictures']:
        lines += ['', 'Pictures of the exercise: %s.' % head['pictures']]
    return '\n'.join(lines) + '\n'


def write(b, rows):
    folder = pathlib.Path(b.o.out)
    folder.mkdir(parents=True, exist_ok=True)
    head = about(b)
    for suffix, text in (('.json', json.dumps({**head, 'rows': rows}, indent=1) + '\n'),
                         ('.md', markdown(head, rows))):
        path = folder / (b.o.name + suffix)
        path.with_suffix(suffix + '.part').write_text(text)
        path.with_suffix(suffix + '.part').replace(path)


# ---- the command ----

def folder(text):
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError('%s is not a folder' % text)
    return pathlib.Path(text)


def file_name(text):
    if not text or '/' in text:
        raise argparse.ArgumentTypeError('%r is no name of a file' % text)
    return text


def positive(text):
    n = int(text)
    if n < 1:
        raise argparse.ArgumentTypeError('need at least 1, not %d' % n)
    return n


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument('build', type=folder, help='build folder with afina in it')
    p.add_argument('--only', default='*', metavar='ROW,...',
                   help='rows to measure, * and ? allowed; what the same processes tell '
                   'comes along')
    p.add_argument('--list', action='store_true', help='print the names of the rows')
    p.add_argument('--rounds', type=positive, default=5, help='default 5')
    p.add_argument('--steps', type=positive, default=5, help='timed in a round, default 5')
    p.add_argument('--threads', type=positive, default=len(os.sched_getaffinity(0)),
                   help='default all')
    p.add_argument('--image-size', type=positive, default=224)
    p.add_argument('--model', help='measure this one in place of every network')
    p.add_argument('--batch', type=positive, help='in place of every batch')
    p.add_argument('--epochs', type=positive, default=5,
                   help='of each phase of the exercise, default 5')
    p.add_argument('--images', type=positive, default=320, help='of the exercise')
    p.add_argument('--data', type=folder, help='folder with a folder of pictures per class; default '
                   '../shared/data/flowers5/train, else pictures are drawn')
    p.add_argument('--python', default=os.environ.get('PYTHON', '/usr/bin/python3'),
                   help='the one that has PyTorch; default $PYTHON or /usr/bin/python3')
    p.add_argument('--timeout', type=positive, default=3600, metavar='SECONDS',
                   help='for one process, default 3600')
    p.add_argument('--out', default=ROOT / 'docs' / 'benchmarks', help='default docs/benchmarks')
    p.add_argument('--name', type=file_name, default=datetime.date.today().isoformat(),
                   help='of the files, default the date')
    return p.parse_args()


def wanted(names, patterns):
    return any(fnmatch.fnmatch(n, p) for n in names for p in patterns.split(','))


def main():
    options = arguments()
    chosen = [(n, run) for n, run in groups() if wanted(n, options.only)]
    if options.list or not chosen:
        print('\n'.join(name for names, _ in groups() for name in names))
        return 0 if options.list else 'no row matches %s' % options.only
    with tempfile.TemporaryDirectory(prefix='afina-bench.') as work:
        b = Bench(options, work)
        rows = []
        for _, run in chosen:
            rows += run(b)
            write(b, rows)
    print(markdown(about(b), rows))
    return 0


if __name__ == '__main__':
    sys.exit(main())
