#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layers of a model, where the feature cache cuts, and the memory of training.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

run describe squeezenet1_1
code 0
err </dev/null
has out '^network +squeezenet1_1, 1000 classes, images of 224x224$'
has out '^parameters +1,235,496, 1,235,496 of them train$'
has out '^memory +[0-9.]+ MB to train at batch 32$'
has out '^feature cache +nothing: the first layers train$'
has out '^  features\.0 +conv2d 3x3/2 pad 0 +\(64,111,111\) +1,792  trains +21\.3$'

# The head phase of training.
run describe resnet18 --freeze '*' --unfreeze fc --classes 5
code 0
has out '^parameters +11,179,077, 2,565 of them train$'
has out '^feature cache +what goes into fc: 2,048 bytes an image save 1\.814 GMACs'
has out '^= layer4\.1\.bn2 +batch_norm .* frozen'
has out '^  fc +linear +\(5\) +2,565  trains'

run describe resnet18 --freeze '*' --unfreeze layer4,fc --json
code 0
has out '"feature_cache":\{"before":"layer4\.0\.conv1","bytes":'
has out '"name":"layer3\.1\.bn2","kind":"batch_norm".*"remembered":true'
has out '"name":"layer4\.0\.conv1",.*"trainable":1179648,"macs":57802752\.0,"remembered":false'

# Statistics of the batch are no fixed function of an image.
run describe resnet18 --freeze '*' --unfreeze fc --bn batch
has out '^feature cache +what goes into bn1: '
run describe resnet18 --freeze '*'
has out '^feature cache +everything is frozen$'

run describe alexnet --dot
code 0
has out '^digraph "alexnet" \{$'
has out 'n1 \[label="features\.0\\nconv2d 11x11/4 pad 2\\n\(64,55,55\)"'
has out '^  n1 -> n2;$'
if command -v dot >/dev/null; then
    dot -Tsvg .out -o drawn.svg || fail "Graphviz does not take it"
fi

# A file says itself what it is.
train_tiny tuned
run describe tuned/model.safetensors
code 0
has out '^network +squeezenet1_1, 2 classes, images of 32x32$'

# The table of 'afina models' is what plans say; other processors pad channels less.
if grep -q avx512f /proc/cpuinfo 2>/dev/null; then
    for name in squeezenet1_1 resnet18 mobilenet_v2 shufflenet_v2_x1_0 regnet_x_400mf; do
        run models $name --json
        listed=$(sed 's/.*"train_bytes":\([0-9]*\).*/\1/' .out)
        run describe $name --json
        planned=$(sed 's/.*"train_bytes":\([0-9]*\).*/\1/' .out)
        [ "$listed" -gt $((planned - planned / 50)) ] &&
            [ "$listed" -lt $((planned + planned / 50)) ] ||
            fail "$name: the table says $listed bytes, the plan $planned"
    done
fi

run describe resnet18 --channels 1
has out '^network .* images of 224x224, 1 channel$'
has out '^  conv1 +conv2d 7x7/2 pad 3 +\(64,112,112\) +3,136  trains'

run describe resnet18 --freeze conv9
code 1
silent
says "no parameter matches 'conv9': there are conv1, bn1, layer1, layer2, layer3, layer4, fc"
run describe resnet18 --image-size 0
code 2
run describe vgg11 --image-size 31
code 1
says "crop of 31, vgg11 needs at least 32"
run describe resnet18 --dot --json
usage_error '--dot and --json are two outputs' describe
finish
