#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a run shows itself on a terminal, and what Ctrl-C does there.

Usage: check_progress.py AFINA"""
import fcntl
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

AFINA = str(pathlib.Path(sys.argv[1]).resolve())
SMALL = ['train', 'fake:size=40,classes=2,height=32,width=32', '--model', 'squeezenet1_1',
         '--image-size', '32', '--batch', '4', '--threads', '1']


class Terminal:
    """afina on a terminal: stdout in a pipe, stderr on the terminal."""

    def __init__(self, *args, term='xterm', columns=120):
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', 25, columns, 0, 0))
        env = dict(os.environ, TERM=term, LC_ALL='C')
        self.master, self.seen = master, ''
        self.child = subprocess.Popen([AFINA, *args], stdin=slave, stderr=slave, env=env,
                                      stdout=subprocess.PIPE, text=True,
                                      start_new_session=True)
        os.close(slave)
        os.set_blocking(master, False)

    def read(self):
        try:
            self.seen += os.read(self.master, 1 << 16).decode()
        except (BlockingIOError, OSError):
            time.sleep(0.01)

    def wait_for(self, pattern, seconds=60):
        end = time.monotonic() + seconds
        while not re.search(pattern, self.seen):
            assert time.monotonic() < end, 'no %r in %r' % (pattern, self.seen[-400:])
            assert self.child.poll() is None, 'ended before %r: %r' % (pattern, self.seen)
            self.read()

    def finish(self, seconds=60):
        """(exit code, stdout): a signal's number is negative."""
        out, _ = self.child.communicate(timeout=seconds)
        for _ in range(20):
            self.read()
        os.close(self.master)
        return self.child.returncode, out


def check_bar():
    t = Terminal(*SMALL, '--head-epochs', '1', '--tune-epochs', '1', '--out', 'bar')
    code, out = t.finish()
    assert code == 0, t.seen
    assert re.search(r'\rhead 1/1  \[[# ]{20}\] step \d/8  loss \d\.\d{4} acc [\d.]+ %  '
                     r'[\d.]+ images/s  \d+ s left', t.seen), t.seen
    assert re.search(r'\rtune 1/1  \[#{20}\] validating 2/2', t.seen), t.seen
    assert '\x1b[K' in t.seen
    assert 'tune 1/1  train loss' in out and '\r' not in out
    t = Terminal(*SMALL, '--tune-epochs', '1', '--out', 'narrow', columns=60)
    code, out = t.finish()
    assert code == 0, t.seen
    for line in re.split('[\r\n]', t.seen.replace('\x1b[K', '')):
        assert len(line) < 60, line


def check_other_modes():
    for mode in ('plain', 'quiet', 'json'):
        t = Terminal(*SMALL, '--head-epochs', '0', '--tune-epochs', '1', '--out', mode,
                     '--progress', mode)
        code, out = t.finish()
        assert code == 0 and not t.seen.replace('\r\x1b[K', ''), (mode, t.seen)
        assert ('tune 1/1  train' in out) == (mode == 'plain'), out
        assert out.startswith({'plain': 'data ', 'quiet': '', 'json': '{'}[mode]), out
        assert (not out) == (mode == 'quiet')
    t = Terminal(*SMALL, '--tune-epochs', '1', '--out', 'dumb', term='dumb')
    code, _ = t.finish()
    assert code == 0 and 'step' not in t.seen, t.seen


def check_stops():
    """The first Ctrl-C ends the step and saves; the command it names goes on."""
    whole = ['--head-epochs', '0', '--tune-epochs', '30', '--checkpoint-every', '1']
    folder = "a folder's"
    t = Terminal(*SMALL, *whole, '--out', folder)
    t.wait_for(r'step [2-9]/8')
    t.child.send_signal(signal.SIGINT)
    code, _ = t.finish()
    assert code == 130, (code, t.seen)
    assert 'stopping soon, once more stops at once' in t.seen, t.seen
    said = re.search(r'afina: stopped in tune \d+/30, go on with: (afina train --resume .*)\r',
                     t.seen)
    assert said, t.seen
    done = subprocess.run(['sh', '-c', said.group(1).replace('afina', AFINA, 1) + ' -q'])
    assert done.returncode == 0
    subprocess.run([AFINA, *SMALL, *whole, '--out', 'undisturbed', '-q'], check=True)
    for name in ('model.safetensors', 'last.pth'):
        with open(os.path.join(folder, name), 'rb') as a, \
                open(os.path.join('undisturbed', name), 'rb') as b:
            assert a.read() == b.read(), name


def check_second():
    """The second Ctrl-C does not wait: here for validation of far too many images."""
    big = ['train', 'fake:size=4000,classes=2,height=64,width=64', '--model', 'resnet18',
           '--image-size', '224', '--batch', '256', '--val', '0.5', '--threads', '1',
           '--tune-epochs', '1', '--out', 'big']
    t = Terminal(*big)
    time.sleep(1)
    t.child.send_signal(signal.SIGINT)
    time.sleep(0.6)
    if t.child.poll() is None:
        t.child.send_signal(signal.SIGINT)
    start = time.monotonic()
    code, _ = t.finish()
    assert time.monotonic() - start < 5
    assert code in (-signal.SIGINT, 130), code


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        check_bar()
        check_other_modes()
        check_stops()
        check_second()
    print('progress is shown')


main()
