#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The numbers of `afina eval --json` against scikit-learn's, made from the probabilities
that `afina eval --csv` writes for each image.

usage: check_metrics.py AFINA
"""
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    from sklearn import metrics as M
except ImportError:
    print('skipped: no scikit-learn')
    sys.exit(77)


def run(afina, *args):
    return subprocess.run([afina, *args], check=True, capture_output=True, text=True).stdout


def near(name, got, want, tolerance=2e-6):
    if got is None or not abs(got - want) <= tolerance:
        raise SystemExit('%s: afina has %r, scikit-learn %r' % (name, got, want))


def check(afina, folder, classes, images):
    model = str(folder / 'run' / 'model.safetensors')
    # not a SqueezeNet: its last ReLU makes equal logits, and scikit-learn's top_k takes
    # the last of those where torch.topk takes the first
    noise = 'fake:size=%d,classes=%d,height=32,width=32,seed=%%d' % (images, classes)
    run(afina, 'train', noise % 1, '--model', 'resnet18', '--image-size', '32',
        '--head-epochs', '2', '--tune-epochs', '1', '--head-lr', '0.05', '--out',
        str(folder / 'run'), '--quiet')
    table = folder / 'images.csv'
    got = json.loads(run(afina, 'eval', model, noise % 2, '--json', '--csv', str(table)))
    rows = list(csv.reader(table.open()))
    names = rows[0][4:]
    y = np.array([names.index(r[1]) for r in rows[1:]])
    pred = np.array([names.index(r[2]) for r in rows[1:]])
    p = np.array([[float(v) for v in r[4:]] for r in rows[1:]])
    p /= p.sum(1, keepdims=True)
    assert len(y) == images and (p.argmax(1) == pred).all()

    c = got['calibration']
    near('accuracy', got['accuracy'], M.accuracy_score(y, pred))
    near('balanced', got['balanced_accuracy'], M.balanced_accuracy_score(y, pred))
    near('kappa', got['kappa'], M.cohen_kappa_score(y, pred))
    near('mcc', got['mcc'], M.matthews_corrcoef(y, pred))
    near('calibrated loss', c['loss'], M.log_loss(y, p, labels=range(classes)))
    near('calibrated brier', c['brier'], np.mean(((p - np.eye(classes)[y]) ** 2).sum(1)))
    if classes > 5:
        near('top5', got['top5'], M.top_k_accuracy_score(y, p, k=5, labels=range(classes)))
    each = M.precision_recall_fscore_support(y, pred, labels=range(classes), zero_division=0)
    for k, name in enumerate(('precision', 'recall', 'f1')):
        for i in range(classes):
            near('%s of class %d' % (name, i), got['classes'][i][name] or 0, each[k][i])
    for average in ('macro', 'weighted'):
        want = M.precision_recall_fscore_support(y, pred, average=average, zero_division=0)
        for k, name in enumerate(('precision', 'recall', 'f1')):
            near('%s %s' % (average, name), got[average][name], want[k])
    # The order of probabilities changes with the temperature, so take it back.
    raw = p ** c['temperature']
    raw /= raw.sum(1, keepdims=True)
    auc = [M.roc_auc_score(y == i, raw[:, i]) for i in range(classes)]
    ap = [M.average_precision_score(y == i, raw[:, i]) for i in range(classes)]
    for i in range(classes):
        near('auc of class %d' % i, got['classes'][i]['auc'], auc[i], 1e-4)
        near('average precision', got['classes'][i]['average_precision'], ap[i], 1e-4)
    near('auc', got['auc'], np.mean(auc), 1e-4)
    near('auc', got['auc'], M.roc_auc_score(y, raw if classes > 2 else raw[:, 1],
                                            multi_class='ovr'), 1e-4)
    near('loss', got['loss'], M.log_loss(y, raw, labels=range(classes)), 1e-5)
    near('brier', got['brier'], np.mean(((raw - np.eye(classes)[y]) ** 2).sum(1)), 1e-5)
    confusion = M.confusion_matrix(y, pred, labels=range(classes))
    if got['confusion'] != confusion.tolist():
        raise SystemExit('confusion: %r, scikit-learn %r' % (got['confusion'], confusion))
    print('%d classes, %d images: as scikit-learn %s' % (classes, images, sklearn_version()))


def sklearn_version():
    import sklearn
    return sklearn.__version__


def main():
    for classes, images in ((2, 40), (7, 90)):
        with tempfile.TemporaryDirectory() as folder:
            check(sys.argv[1], pathlib.Path(folder), classes, images)


main()
