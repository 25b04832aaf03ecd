# SPDX-License-Identifier: Apache-2.0
# Words that a real bash offers, with the script that 'afina completion bash' prints; the
# scripts of the other shells are at least read by theirs, where they are installed.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

run completion
usage_error "SHELL is missing" completion
run completion tcsh
usage_error "no completion for 'tcsh', need bash, zsh or fish" completion
for shell in zsh fish; do
    run completion $shell
    code 0
    cp .out afina.$shell
    command -v $shell >/dev/null || continue
    $shell -n afina.$shell 2>.err || fail "$shell cannot read it"
done
run completion bash
code 0
command -v bash >/dev/null || finish
cp .out afina.bash

# offers WORD... -- TYPED...: completing the last typed word offers these, among others
offers() {
    expected=
    while [ "$1" != -- ]; do
        expected="$expected $1"
        shift
    done
    shift
    ran="completing: $*"
    checks=$((checks + 1))
    bash -c '. ./afina.bash
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _afina
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@" >.out 2>.err
    err </dev/null
    for word in $expected; do
        grep -qx -- "$word" .out || fail "does not offer $word"
    done
}

mkdir -p photos
: >weights.pth
offers train eval predict completion help -- afina ''
offers train -- afina tr
[ "$(wc -l <.out)" -eq 1 ] || fail "more than one word begins with tr"
offers --version -- afina --
offers --model --weights --head-epochs --help -- afina train photos --
grep -q backend .out && fail "a hidden option is offered"
offers --out -- afina train photos --ou
offers auto batch frozen -- afina train --bn ''
offers frozen -- afina train --bn fr
offers frozen -- afina train --bn = fr
offers resnet18 resnet50 -- afina train --model resnet
offers resnet18 -- afina train -m resnet1
offers weights.pth resnet50 -- afina bench --weights ''
offers auto off -- afina train --feature-cache ''
offers photos weights.pth -- afina eval ''
offers resnet50 -- afina fetch resnet5
offers resnet50 -- afina models resnet5
offers predict -- afina help pre
offers bash zsh fish -- afina completion ''
offers -- afina train --seed ''
[ ! -s .out ] || [ "$(cat .out)" = "" ] || fail "a number cannot be offered"
finish
