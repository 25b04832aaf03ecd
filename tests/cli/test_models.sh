# SPDX-License-Identifier: Apache-2.0
# The list of architectures.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

run models
code 0
err </dev/null
has out '^name +params/M +GMACs +train/GB +top-1 +input +weights$'
has out '^resnet18 +11\.69 +1\.81 +0\.6 +69\.76 +224  resnet18-f37072fd\.pth$'
has out '^mobilenet_v2 +3\.50 +0\.3[01] +0\.7 +72\.15 +224  mobilenet_v2-7ebf99e0\.pth$'

run models resnet18
code 0
out <<END
name               params/M   GMACs train/GB  top-1 input  weights
resnet18              11.69    1.81      0.6  69.76   224  resnet18-f37072fd.pth
END
run models 'squeezenet1_?'
code 0
has out '^squeezenet1_1 '
[ "$(grep -c '^squeezenet' .out)" -eq "$(wc -l <.out | awk '{ print $1 - 1 }')" ] ||
    fail "another family is listed"

# Sorted: the smallest first, of the accuracies the best.
run models 'resnet??' --sort top-1
code 0
[ "$(awk 'NR > 1 { printf "%s ", $1 }' .out)" = 'resnet50 resnet34 resnet18 ' ] ||
    fail "not the best first"
run models --sort parameters
[ "$(awk 'NR == 2 { print $1 }' .out)" = squeezenet1_1 ] || fail "not the smallest first"
run models --sort weight
code 2

run models shufflenet_v2_x0_5 --json
code 0
has out '^\[\{"name":"shufflenet_v2_x0_5","family":"shufflenetv2","head":"fc",'
has out '"min_size":1,"default":"IMAGENET1K_V1","weights":\[\{"name":"IMAGENET1K_V1",'

# No network waits for its memory to be planned: the table is complete.
run models
awk 'NR > 1 && !($4 > 0)' .out >.none
[ ! -s .none ] || fail "no memory: $(head -n 1 .none)"

run models resnet9000
code 1
silent
says "no model matches 'resnet9000'"
finish
