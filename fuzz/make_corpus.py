#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small pictures of every kind for the fuzz targets of the codecs, by the generators of
tests/oracle/check_formats.py:  fuzz/make_corpus.py KIND...  writes fuzz/corpus/KIND.
"""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "oracle"))
import check_formats  # noqa: E402

MOST = 40


def main():
    for kind in sys.argv[1:] or check_formats.KINDS:
        rng = check_formats.np.random.default_rng(1)
        folder = HERE / "corpus" / kind
        folder.mkdir(parents=True, exist_ok=True)
        made = list(check_formats.KINDS[kind](rng, 7, 5))
        for name, data, *_ in made[::-(-len(made) // MOST)]:
            name = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
            (folder / f"{name}.{kind}").write_bytes(data)


if __name__ == "__main__":
    main()
