# SPDX-License-Identifier: Apache-2.0
"""A command and what it took, for the measurements of whole runs."""
import os
import subprocess
import sys


def run(command):
    """(stdout, most resident bytes) of a command that has to succeed."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    out = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit('%s: exit code %d' % (' '.join(command), child.returncode))
    return out, usage.ru_maxrss * 1024
