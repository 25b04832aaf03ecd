#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real weights, real photographs: a short form of the default recipe reaches what
# PyTorch reaches with it.
#   check_transfer.sh AFINA      needs AFN_SHARED_DATA; exits 77 without the data
#
# PyTorch 1.13 with torchvision's SqueezeNet 1.1 on the same 500 + 200 flowers, five head
# epochs: .810 and .775 of the validation photos right (two seeds).  One standard error
# of 200 photos is 3 points, so this asks for no less than .775 - 2 x .03.
set -eu
afina=$1
data=${AFN_SHARED_DATA:-}
weights=$data/weights/squeezenet1_1.pth
if [ ! -f "$weights" ] || [ ! -d "$data/flowers5" ]; then
    echo "no weights and photographs beside the project"
    exit 77
fi
out=$(mktemp -d "${AFN_BUILD_DIR:-/tmp}/transfer.XXXXXX")
trap 'rm -rf "$out"' EXIT

"$afina" train "$data/flowers5" --model squeezenet1_1 --weights "$weights" \
    --out "$out" --head-epochs 5 --tune-epochs 1 --seed 1

awk -F, '
    NR == 1 { next }
    $1 == "head" && $2 == 1 { first = $6 }
    $1 == "head" { head = $6 }
    $1 == "tune" { tune = $6 }
    END {
        printf "validation accuracy: first epoch %s, head %s, tuned %s\n", first, head, tune
        if (head < 0.715) { print "the head learned too little"; exit 1 }
        if (tune < 0.715) { print "tuning spoiled the network"; exit 1 }
    }' "$out/metrics.csv"

# The files agree with each other, and with what the run said; only one of them carries
# what was learned about how sure the model may be.
for file in model.safetensors model.pth; do
    "$afina" eval "$out/$file" "$data/flowers5" --json |
        sed 's/"seconds":[^,]*,//; s/"images_per_second":[^,]*,//
             s/"calibration":null,//; s/"calibration":{[^}]*},//' > "$out/$file.json"
done
cmp "$out/model.safetensors.json" "$out/model.pth.json" ||
    { echo "model.safetensors and model.pth give different answers"; exit 1; }
