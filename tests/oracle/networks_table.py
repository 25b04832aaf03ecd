#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The rows of docs/networks.md from what check_networks.py found.

usage: networks_table.py build/afina RESULTS       (RESULTS: of --results)"""
import json
import subprocess
import sys


def worst(runs, kind):
    """The largest number of a kind, and PyTorch's own where that was asked."""
    found = [(run["ours"][kind], run["own"].get(kind)) for run in runs if kind in run["ours"]]
    if not found:
        return "-"
    ours, own = max(found, key=lambda f: f[0])
    return f"{ours:.1e}" + (f" ({own:.1e})" if own is not None and own > 0 else "")


def row(model, result):
    runs = result["runs"]
    rules = {run["rule"] for run in runs}
    rule = "none" if result["failures"] else next(
        r for r in ("none", "own", "strict") if r in rules)
    tries = max(run.get("attempt", 0) for run in runs)
    rule += f", pictures {tries + 1}" if tries else ""
    cells = [model["name"], f"{model['parameters'] / 1e6:.2f}", f"{model['macs'] / 1e9:.2f}"]
    cells += [worst(runs, kind) for kind in ("logits", "grad", "stats", "after")]
    sizes = {"x".join(map(str, run["size"][:2])) for run in runs}
    return "| " + " | ".join(cells + [", ".join(sorted(sizes)), rule]) + " |"


def main():
    models = json.loads(subprocess.check_output([sys.argv[1], "models", "--json"]))
    with open(sys.argv[2]) as f:
        results = {r["network"]: r for r in map(json.loads, f)}
    print("| network | parameters/M | GMACs | logits | gradient | statistics | 3 steps "
          "| sizes | rule |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for model in models:
        if model["name"] in results:
            print(row(model, results[model["name"]]))
    missing = [m["name"] for m in models if m["name"] not in results]
    print(f"{len(models) - len(missing)} of {len(models)}", *missing, file=sys.stderr)


if __name__ == "__main__":
    main()
