# SPDX-License-Identifier: Apache-2.0
# afina fetch against a server on this machine: good, cut, slow, wrong and missing
# answers; and weights by name.  Without python3 only what needs no server is tested.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"
unset http_proxy https_proxy all_proxy no_proxy AFINA_WEIGHTS_URL TORCH_HOME
export HOME="$work/home" XDG_CACHE_HOME="$work/cache"
ours=$work/cache/afina/weights
hub=$work/cache/torch/hub/checkpoints

# ---- names ----
run fetch
usage_error "NAME is missing" fetch
run fetch resnet17
code 1
says "resnet17: no such model, did you mean resnet18?"
run fetch resnet18/V2
code 1
says "resnet18: no weights 'V2', there are IMAGENET1K_V1"
for name in ../resnet18-f37072fd.pth /etc/resnet18-f37072fd.pth a/b-f37072fd.pth .-f37072fd.pth; do
    run fetch "$name"
    code 1
    has err 'no such model'
done
gone "$work/cache"

# ---- weights that are not here ----
run predict default photo.jpg
code 1
says "weights default: of which model?"
run bench --model resnet18 --weights default
code 1
says "resnet18-f37072fd.pth (IMAGENET1K_V1 of resnet18) is not on this machine: 'afina \
fetch resnet18/V1' downloads it, or put it there as $ours/resnet18-f37072fd.pth"
run bench --weights resnet18
has err "^afina: resnet18-f37072fd.pth \(IMAGENET1K_V1 of resnet18\) is not on"
run bench --weights resnet17
says "resnet17: no such model, did you mean resnet18?"
run bench --model resnet50 --weights V1
has err "^afina: resnet50-0676ba61.pth"
run bench --model resnet50 --weights default
has err "^afina: resnet50-11ad3fa6.pth"
mkdir -p "$hub"
echo damaged >"$hub/resnet18-f37072fd.pth"
run bench --weights resnet18
code 1
says "$hub/resnet18-f37072fd.pth: its SHA-256 begins with 3a52df90, its name says f37072fd"
rm -r "$work/cache"

# ---- a server ----
if ! command -v python3 >/dev/null 2>&1 || ! "$afina" fetch -h >/dev/null; then
    echo "skipped: no python3"
    finish
fi
train_tiny base --quiet
code 0
file=tiny-$(sha256sum base/model.pth | cut -c1-8).pth
cp base/model.pth "$file"
size=$(wc -c <"$file")
mkfifo door
python3 "$AFN_SOURCE_DIR/tests/cli/weights_server.py" "$file" port log <door 2>server.err &
exec 3>door
i=0
while [ ! -s port ] && [ $i -lt 100 ]; do
    sleep 0.1
    i=$((i + 1))
done
server=http://127.0.0.1:$(cat port)

# fetch_from FOLDER [OPTION...]
fetch_from() {
    folder=$1
    shift
    : >log
    AFINA_WEIGHTS_URL=$server/$folder
    export AFINA_WEIGHTS_URL
    run fetch "$file" "$@"
    url=$server/$folder/$file
}
# It came, whole, and nothing else stays.
came() {
    code 0
    echo "$ours/$file" >.said
    out <.said
    cmp -s "$file" "$ours/$file" || fail "the file differs"
    [ "$(ls "$ours")" = "$file" ] || fail "there is more: $(ls "$ours")"
    rm -rf "$work/cache"
}
advice="by other means, put it there as $ours/$file"

fetch_from ok
err </dev/null
cp -r "$work/cache" kept
came
mv kept "$work/cache"
fetch_from nowhere # it is here: nobody is asked
came
mkdir -p "$hub"
cp "$file" "$hub/$file"
run fetch "$file"
code 0
has out "^$hub/$file$"
rm -r "$work/cache"
mkdir -p "$ours"
echo damaged >"$ours/$file"
fetch_from ok # a damaged one is replaced
came
fetch_from ok/
came
fetch_from moved
came
fetch_from slow
came

fetch_from cut
says "$url: ended after $((size / 2)) of $size bytes; again in 1 s"
has log "^GET /cut/$file bytes=$((size / 2))- \"one\" 206$"
came
fetch_from changed
has log "^GET /changed/$file bytes=$((size / 2))- \"one\" 200$"
came
fetch_from shifted
has log "^GET /shifted/$file bytes=$((size / 2))- \"one\" 206$"
has log "^GET /shifted/$file - - 200$"
has err "sent another part than asked for; again in 2 s$"
came
fetch_from ignores-range
came
fetch_from busy
says "$url: the server answers 503; again in 1 s"
came

# A process that was killed has left the first half, or all of it.
for n in 0 1000 "$size"; do
    mkdir -p "$ours"
    head -c "$n" "$file" >"$ours/$file.part"
    fetch_from ok
    came
done
mkdir -p "$ours"
head -c 1000 /dev/zero >"$ours/$file.part" # of something else, without a mark
fetch_from ok
has log "bytes=1000- - 206$"
has log "^GET /ok/$file - - 200$"
came
mkdir -p "$ours"
cat "$file" "$file" >"$ours/$file.part" # longer than the file
fetch_from ok
came

fetch_from wrong
code 1
silent
says "$url: not the file: its SHA-256 begins with 9a6242c8, its name says \
$(echo "$file" | cut -c6-13) (19 bytes of text/html)"
gone "$ours/$file.part"
fetch_from nowhere
code 1
says "$url: the server answers 404; $advice"
gone "$ours/$file.part"
fetch_from forbidden
says "$url: the server answers 403; $advice"
fetch_from always-busy --tries 2
code 1
has err "^afina: $url: the server answers 500; again in 1 s$"
has err "^afina: $url: the server answers 500; by other means"
fetch_from always-cut --tries 1
code 1
[ "$(wc -c <"$ours/$file.part")" -eq 1000 ] || fail "the part is lost"
rm -r "$ours"
fetch_from stalls --tries 1 --timeout 1
code 1
says "$url: nothing came for 1 s, at 500 bytes; $advice"
rm -r "$ours"
fetch_from loop
code 1
has err "redirect"
fetch_from away # never to a file of this machine
code 1
has err "file"
gone "$ours/$file"

# ---- no server, no disk ----
AFINA_WEIGHTS_URL=http://127.0.0.1:1 run fetch "$file"
code 1
has err "^afina: http://127.0.0.1:1/$file: Failed to connect .*; $advice$"
AFINA_WEIGHTS_URL=ftp://127.0.0.1 run fetch "$file"
code 1
has err "ftp"
AFINA_WEIGHTS_URL=$server/ok
( trap '' XFSZ; ulimit -f 100; "$afina" fetch "$file" >"$work/.out" 2>"$work/.err" )
got=$?
code 1
says "$ours/$file.part: cannot write: file too large"
rm -r "$ours"
XDG_CACHE_HOME=/proc/none run fetch "$file"
code 1
has err '^afina: /proc/none/afina/weights: cannot make folder: '

# ---- a proxy is asked for what the name of no machine is ----
: >log
http_proxy=$server AFINA_WEIGHTS_URL=http://models.invalid/files run fetch "$file"
has log "^GET http://models.invalid/files/$file - - 200$"
came

# ---- another process has it; stopped, it keeps what came ----
AFINA_WEIGHTS_URL=$server/stalls "$afina" fetch "$file" >first.out 2>first.err &
first=$!
i=0
while [ ! -s "$ours/$file.part" ] && [ $i -lt 100 ]; do
    sleep 0.1
    i=$((i + 1))
done
fetch_from ok
code 1
says "$ours/$file.part: another process is writing it"
kill -TERM $first
wait $first
got=$?
code 143
has first.err "stopped; 'afina fetch $file' goes on from there"
[ "$(wc -c <"$ours/$file.part")" -eq 500 ] || fail "the part is lost"
exec 3>&-
finish
