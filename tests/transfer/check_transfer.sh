#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real weights, real photographs: a short form of the default recipe reaches what
# PyTorch reaches with it.
#   check_transfer.sh AFINA MODEL   needs AFN_SHARED_DATA; exits 77 without the data
#
# PyTorch 1.13 with torchvision's networks on the same 500 + 200 flowers, part of the
# validation photos right, two seeds each:
#   squeezenet1_1   five head epochs .810 .775; then everything, first epoch .795 .785
#   mobilenet_v2    five head epochs .835 .795; then everything, third epoch .860 .840
# One standard error of 200 photos is 3 points, so this asks for no less than the lower
# one - 2 x .03.
set -eu
afina=$1
model=$2
case $model in
squeezenet1_1) epochs=1 least_head=.715 least_tune=.715 ;;
mobilenet_v2) epochs=3 least_head=.735 least_tune=.780 ;;
*) exit 99 ;;
esac
data=${AFN_SHARED_DATA:-}
weights=$data/weights/$model.pth
if [ ! -f "$weights" ] || [ ! -d "$data/flowers5" ]; then
    echo "no weights and photographs beside the project"
    exit 77
fi
out=$(mktemp -d "${AFN_BUILD_DIR:-/tmp}/transfer.XXXXXX")
trap 'rm -rf "$out"' EXIT

"$afina" train "$data/flowers5" --model "$model" --weights "$weights" \
    --out "$out" --head-epochs 5 --tune-epochs $epochs --seed 1

awk -F, -v least_head=$least_head -v least_tune=$least_tune '
    NR == 1 { next }
    $1 == "head" && $2 == 1 { first = $6 }
    $1 == "head" { head = $6 }
    $1 == "tune" { tune = $6 }
    END {
        printf "validation accuracy: first epoch %s, head %s, tuned %s\n", first, head, tune
        if (head < least_head) { print "the head learned too little"; exit 1 }
        if (tune < least_tune) { print "tuning spoiled the network"; exit 1 }
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
