#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the rows of src/zoo/memory_table.c: what the plan of each network takes.

usage: memory_rows.py build/afina

Run it on a processor with AVX-512 after a change to how plans use memory, and replace the
rows.  tests/cli/test_describe.sh compares some of them with the plans."""
import json
import subprocess
import sys


def ask(*args):
    return json.loads(subprocess.check_output([sys.argv[1], *args, "--json"]))


def main():
    for network in ask("models"):
        described = ask("describe", network["name"], "--batch", "32")
        print('    { "%s", %d },' % (network["name"],
                                     round(described["train_bytes"] / 1e6)))


if __name__ == "__main__":
    main()
