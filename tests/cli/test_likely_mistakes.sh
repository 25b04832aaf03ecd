# SPDX-License-Identifier: Apache-2.0
# The likeliest mistakes, one after the other, from likely_mistakes.txt: exit code and
# every word of the message.  LEARN=FILE writes the table anew, as the command is now.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

# ---- what the table speaks of ----
train_tiny base --quiet
code 0
make_photos photos
mkdir -p single/cats gap odd/train odd/val three
cp photos/cats/*.jpg single/cats
cp -r photos/cats photos/dogs gap
mkdir gap/birds
cp -r photos/cats photos/dogs odd/train
cp -r photos/cats odd/val
cp -r photos/dogs odd/val/dgos
cp -r photos/cats photos/dogs three
cp -r photos/cats three/birds
cp -r photos spoilt
for picture in spoilt/*/*.jpg; do echo text >"$picture"; done
echo '<html>404 Not Found</html>' >page.pth
head -c 100000 base/model.pth >cut.pth
# The length of the header (64-bit, little-endian), header, values.
header='{"features.0.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
# shellcheck disable=SC2059
printf "\\$(printf '%03o' ${#header})\\0\\0\\0\\0\\0\\0\\0%s\\0\\0\\0\\0" "$header" >plain.pth
echo text >text.jpg
: >empty.jpg
head -c 1000 photos/cats/1.jpg >cut.jpg
printf '\000\000\000\030ftypheic\000\000\000\000' >phone.heic
printf 'cats,1\ndog,2\n' >weights.csv

# ---- one mistake: a line "$ afina ...", the exit code, the message up to a blank line ----
check() {
    afina() { run "$@"; }
    eval "$command"
    unset -f afina
    ran=$command
    if [ -n "${LEARN:-}" ]; then
        { echo "$comment"; echo "\$ $command"; echo "$got"; cat .err; echo; } >>"$LEARN"
        return
    fi
    code "$expected"
    err <message
    gone run
}

command=
comment=
table=$AFN_SOURCE_DIR/tests/cli/likely_mistakes.txt
while IFS= read -r line <&3 || [ -n "$command" ]; do
    case $line in
    '# ----'*) [ -z "${LEARN:-}" ] || printf '%s\n\n' "$line" >>"$LEARN" ;;
    '#'*) comment=$line ;;
    '$ '*)
        command=${line#??}
        IFS= read -r expected <&3
        : >message
        ;;
    '')
        [ -z "$command" ] || check
        command=
        ;;
    *) printf '%s\n' "$line" >>message ;;
    esac
done 3<"$table"
[ "$checks" -ge 45 ] || fail "only $checks mistakes were made"
finish
