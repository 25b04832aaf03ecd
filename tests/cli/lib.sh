# SPDX-License-Identifier: Apache-2.0
# A small harness for the command: each test file is called with the path of afina, runs
# it in an empty folder and compares exit codes, stdout and stderr.
#
#   run ARG...        call afina; the results are checked by what follows
#   code N            the exit code
#   out, err          stdout, stderr are exactly the text on stdin
#   says TEXT         stderr is exactly "afina: TEXT"
#   silent            stdout is empty
#   has FILE PATTERN  a line of out, err or any file matches (grep -E)
#   gone PATH         nothing is there
#   finish            at the end: print the verdict

set -u
LC_ALL=C
export LC_ALL
unset TERM
afina=$(realpath "$1") || exit 99
[ -x "$afina" ] || exit 99
pictures=$AFN_SOURCE_DIR/tests/cli/pictures
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
failures=0
checks=0

run() {
    ran="afina $*"
    checks=$((checks + 1))
    "$afina" "$@" >"$work/.out" 2>"$work/.err" </dev/null
    got=$?
}

fail() {
    failures=$((failures + 1))
    echo "FAILED  $ran"
    echo "        $1"
    sed 's/^/        stdout: /' "$work/.out" | head -n 20
    sed 's/^/        stderr: /' "$work/.err" | head -n 20
}

code() {
    [ "$got" -eq "$1" ] || fail "exit code $got, expected $1"
}

same() {
    diff "$1" - >"$work/.diff" || fail "not as expected (<), but: $(cat "$work/.diff")"
}

out() { same "$work/.out"; }
err() { same "$work/.err"; }
# Not a pipe: its end would be a subshell, and the failure would not count.
says() {
    printf 'afina: %s\n' "$1" >"$work/.said"
    err <"$work/.said"
}

silent() {
    [ ! -s "$work/.out" ] || fail "stdout is not empty"
}

has() {
    case $1 in
    out | err) set -- "$work/.$1" "$2" ;;
    esac
    grep -Eq -- "$2" "$1" || fail "no line of $1 matches: $2"
}

gone() {
    [ ! -e "$1" ] || fail "$1 is there: $(ls -A "$1")"
}

# usage_error TEXT COMMAND: a wrong command line
usage_error() {
    code 2
    silent
    says "$1 (try 'afina help${2:+ $2}')"
}

# A folder of pictures: two classes of four each.
make_photos() {
    for class in cats dogs; do
        mkdir -p "$1/$class"
        for i in 1 2 3 4; do
            cp "$pictures/checks.jpg" "$1/$class/$i.jpg"
        done
    done
}

# The fastest run there is, into folder $1; more options may follow.
train_tiny() {
    tiny=$1
    shift
    run train fake:size=8,classes=2,height=32,width=32 --model squeezenet1_1 \
        --image-size 32 --tune-epochs 1 --batch 4 --threads 1 --out "$tiny" "$@"
}

finish() {
    echo "$checks calls, $failures failed checks"
    [ "$failures" -eq 0 ]
    exit
}
