# SPDX-License-Identifier: Apache-2.0
"""The command, for the tests that compare what it says."""
import subprocess
import sys


def afina(command, *args):
    """Its standard output; a test ends where it fails"""
    done = subprocess.run([command, *map(str, args)], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"afina {args[0]}: exit code {done.returncode}: {done.stderr}")
    return done.stdout
