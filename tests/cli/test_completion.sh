# SPDX-License-Identifier: Apache-2.0
# Words that a real bash offers, with the script that 'afina completion bash' prints; and
# real fish and zsh, where they are installed, with theirs.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

run completion
usage_error "SHELL is missing" completion
run completion tcsh
usage_error "no completion for 'tcsh', need bash, zsh or fish" completion
mkdir -p photos functions

# fish_offers WORD... -- LINE: completing the line offers these, among others
fish_offers() {
    expected=
    while [ "$1" != -- ]; do
        expected="$expected $1"
        shift
    done
    ran="completing in fish: $2"
    checks=$((checks + 1))
    HOME=$PWD fish --no-config -c 'source afina.fish; complete -C $argv[1]' "$2" \
        >.out 2>.err
    err </dev/null
    for word in $expected; do
        cut -f 1 .out | grep -qx -- "$word" || fail "does not offer $word"
    done
}

run completion fish
code 0
cp .out afina.fish
if command -v fish >/dev/null; then
    fish_offers train eval predict completion help -- 'afina '
    fish_offers --model --momentum -- 'afina train --mo'
    fish_offers --model -- 'afina predict --mo'
    grep -q momentum .out && fail "an option of train is offered by predict"
    fish_offers resnet18 resnet101 -- 'afina train --model resnet1'
    fish_offers auto batch frozen -- 'afina train --bn '
    fish_offers photos/ -- 'afina eval model.safetensors ph'
fi

# zsh_completes WORDS -- LINE: a tab behind the line, typed at a terminal, makes it these
zsh_completes() {
    ran="completing in zsh: $3"
    checks=$((checks + 1))
    HOME=$PWD timeout 60 zsh -f -c '
        zmodload zsh/zpty
        zpty shell zsh -f -i
        zpty -w shell "PS1=; fpath=($PWD/functions \$fpath); autoload -Uz compinit;
            compinit -u -d $PWD/.zcompdump; bindkey \"^I\" complete-word; print REA\"\"DY"
        zpty -r shell answer "*READY*"
        zpty -w -n shell "$2"$'"'\\t'"'
        zpty -r shell answer "*$1*"' zsh "$1" "$3" >.out 2>.err ||
        fail "does not become $1"
    err </dev/null
}

run completion zsh
code 0
cp .out functions/_afina
if command -v zsh >/dev/null; then
    zsh -n functions/_afina 2>.err || fail "zsh cannot read it"
    zsh_completes 'afina completion' -- 'afina comple'
    zsh_completes 'afina train --keep-head' -- 'afina train --keep-h'
    zsh_completes 'afina train --bn frozen' -- 'afina train --bn fr'
    zsh_completes 'afina train -m squeezenet1_' -- 'afina train -m sque'
fi

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
