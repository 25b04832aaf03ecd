# SPDX-License-Identifier: Apache-2.0
# Man pages: one for each command, read without a warning by what reads man pages here.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

# lint FILE: complaints of a reader of man pages
lint() {
    if command -v mandoc >/dev/null; then
        mandoc -T lint -W error "$1"
    elif command -v groff >/dev/null; then
        groff -man -ww -Tutf8 "$1" 2>&1 >/dev/null
    elif command -v man >/dev/null; then
        man --warnings=w -l "$1" 2>&1 >/dev/null
    fi
}

run help --man
code 0
cp .out afina.1
has afina.1 '^\.TH AFINA 1 '
commands=$("$afina" help | sed -n '/^commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' | grep -vx help)
for command in $commands; do
    has afina.1 "^\\.BR afina.*$(echo "$command" | sed 's/-/.*/g') \\(1\\)\$"
    run help --man "$command"
    code 0
    err </dev/null
    cp .out "afina-$command.1"
    has out '^\.SH NAME$'
    has out '^\.SH OPTIONS$'
    # every option of the help is in the page
    for option in $("$afina" help "$command" | sed -n 's/^ .*  *--\([a-z0-9-]*\).*/\1/p'); do
        grep -qF -- "\\-\\-$(echo "$option" | sed 's/-/\\-/g')" .out || fail "lacks --$option"
    done
    [ -f "$AFN_BUILD_DIR/pages/afina-$command.1" ] || fail "no page was built"
done
for page in afina.1 afina-*.1; do
    ran="man page $page"
    lint "$page" >.out
    [ ! -s .out ] || fail "complaints"
done
run help --man trian
code 2
says "unknown command 'trian', did you mean 'train'? (try 'afina help')"
run help --nam
code 2
says "unknown option '--nam' (try 'afina help')"
finish
