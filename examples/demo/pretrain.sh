#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the demo's pretrained weights from nothing: draws the pictures, trains
# SqueezeNet on them from fresh weights, stores the result as fp16.  About six minutes
# on two cores.
#   examples/demo/pretrain.sh BUILD_DIR [OUT.safetensors]
set -eu

build=$(cd "${1:?usage: pretrain.sh BUILD_DIR [OUT.safetensors]}" && pwd)
out=${2:-$(dirname "$0")/pretrained.safetensors}
afina=$build/afina
tools=$build/examples/demo
work=$build/demo-pretrain

rm -rf "$work"
mkdir -p "$work/pictures"
echo "Drawing 26 x 600 pictures to train, 26 x 20 to validate."
"$tools/make_pictures" pretrain "$work/pictures/train" 600 1
"$tools/make_pictures" pretrain "$work/pictures/val" 20 2
"$tools/start" 26 0 "$work/start.safetensors"

# All layers from the first epoch on, for there is nothing yet to be kept; rates of 0.015
# and more end with a network whose outputs are all the same.
"$afina" train "$work/pictures" --weights "$work/start.safetensors" --keep-head \
    --image-size 64 --head-epochs 0 --tune-epochs 15 --tune-lr 0.005 --out "$work/coarse"
"$afina" train "$work/pictures" --weights "$work/coarse/model.safetensors" --keep-head \
    --head-epochs 0 --tune-epochs 4 --tune-lr 0.001 --out "$work/fine"
"$tools/halve" "$work/fine/model.safetensors" "$out"
echo "written $out"
