# SPDX-License-Identifier: Apache-2.0
# The list of architectures.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

run models
code 0
err </dev/null
has out '^name +params/M +GMACs +input +head$'
has out '^resnet18 +11\.69 +1\.81 +224x224 +fc$'
has out '^mobilenet_v2 +3\.50 +0\.3[01] +224x224 +classifier\.1$'

run models resnet18
code 0
out <<END
name                    params/M    GMACs  input   head
resnet18                   11.69     1.81  224x224 fc
END
run models 'squeezenet1_?'
code 0
has out '^squeezenet1_1 '
[ "$(grep -c '^squeezenet' .out)" -eq "$(wc -l <.out | awk '{ print $1 - 1 }')" ] ||
    fail "another family is listed"
run models resnet9000
code 1
silent
says "no model matches 'resnet9000'"
finish
