#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the demo rests on: pictures are the same from the same seed and others from
# another, and weights survive being stored as fp16.
#   examples/demo/check_tools.sh BUILD_DIR
set -eu

build=$1
tools=$build/examples/demo
work=$build/examples/demo/check
rm -rf "$work"
mkdir -p "$work"

"$tools/make_pictures" exercise "$work/a" 2 1
"$tools/make_pictures" exercise "$work/b" 2 1
"$tools/make_pictures" exercise "$work/c" 2 2
diff -r "$work/a" "$work/b"
if cmp -s "$work/a/cactus/0000.png" "$work/c/cactus/0000.png"; then
    echo "seeds 1 and 2 draw the same picture" >&2
    exit 1
fi

"$tools/start" 5 0 "$work/start.safetensors"
"$tools/halve" "$work/start.safetensors" "$work/half.safetensors"
size=$(wc -c <"$work/half.safetensors")
[ "$size" -lt 1600000 ] || { echo "fp16 weights take $size bytes" >&2; exit 1; }

# Losing 13 bits of each weight moves the outputs by little: the same best class.
for model in start half; do
    "$build/afina" predict "$work/$model.safetensors" "$work/a/cactus/0000.png" \
        --top 1 --logits >"$work/$model.txt"
done
first() { sed -n 's/.*logits \([^ ]*\).*/\1/p' "$1"; }
awk -v a="$(first "$work/start.txt")" -v b="$(first "$work/half.txt")" \
    'BEGIN { d = a - b; if (a == "" || d > 0.01 || d < -0.01) { print a, b; exit 1 } }'
