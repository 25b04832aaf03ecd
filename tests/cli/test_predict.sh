# SPDX-License-Identifier: Apache-2.0
# Predicting: text and JSON, several pictures, pictures that are none.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

make_photos photos
run train photos --model squeezenet1_1 --image-size 32 --tune-epochs 1 --batch 4 \
    --threads 1 --quiet --out run
code 0
model=run/model.safetensors
cp "$pictures/checks.jpg" a.jpg
cp "$pictures/stripes.png" b.png
number='-?[0-9]+(\.[0-9]+)?(e-[0-9]+)?'

run predict --threads 1 "$model" a.jpg b.png --no-unknown
code 0
err </dev/null
[ "$(wc -l <.out)" -eq 2 ] || fail "not one line a picture"
has out '^a\.jpg: (cats|dogs) [0-9]+\.[0-9] %, (cats|dogs) [0-9]+\.[0-9] %$'
has out '^b\.png: '

run predict --threads 1 "$model" a.jpg --top 1 --no-calibration
has out '^a\.jpg: (cats|dogs) [0-9.]+ %$'
run predict --threads 1 "$model" -k1 a.jpg --no-unknown
has out '^a\.jpg: (cats|dogs) [0-9.]+ %$'
run predict --threads 1 "$model" a.jpg --logits
has out "^  logits $number $number\$"

run predict --threads 1 "$model" a.jpg b.png --json
code 0
top="\"top\":\[\{\"class\":\"(cats|dogs)\",\"p\":$number\},\{\"class\":\"(cats|dogs)\",\"p\":$number\}\]"
has out "^\{\"file\":\"a.jpg\",\"unknown\":(true|false),$top\}\$"
has out "^\{\"file\":\"b.png\",\"unknown\":(true|false),$top\}\$"
run predict --threads 1 "$model" a.jpg --json --logits
has out "^\{\"file\":\"a.jpg\",\"unknown\":(true|false),$top,\"logits\":\[$number,$number\]\}\$"

# A name that is no UTF-8 is still JSON.
cp a.jpg "$(printf 'caf\351.jpg')"
run predict --threads 1 "$model" "$(printf 'caf\351.jpg')" --json
code 0
has out "^\{\"file\":\"caf$(printf '\357\277\275').jpg\","

# ---- unknown: less sure than the threshold, and nothing else ----
run eval --threads 1 "$model" photos --json
threshold=$(sed 's/.*"unknown_below":\([0-9.e-]*\),.*/\1/' .out)
run predict --threads 1 "$model" b.png --json
sure=$(sed 's/.*"top":\[{"class":"[a-z]*","p":\([0-9.e-]*\)}.*/\1/' .out)
want=$(awk -v a="$sure" -v b="$threshold" 'BEGIN { print a < b ? "true" : "false" }')
has out "\"unknown\":$want,"
run predict --threads 1 "$model" b.png
case $want in
true) has out '^b\.png: unknown \((cats|dogs) .*\)$' ;;
*) has out '^b\.png: (cats|dogs) ' ;;
esac

# ---- where it looked ----
run predict --threads 1 "$model" a.jpg b.png --cam heat
code 0
[ -s heat/a.jpg.heat.jpg ] && [ -s heat/b.png.heat.jpg ] || fail "no heat maps"
run predict --threads 1 "$model" heat/a.jpg.heat.jpg
code 0

# The plain loops and the fast ones agree on the class and its first digits.
run predict --threads 1 "$model" a.jpg b.png
cp .out fast
run predict --threads 1 "$model" a.jpg b.png --backend ref
code 0
out <fast

# ---- what cannot be read is named, the rest is predicted ----
: >empty.jpg
echo text >text.jpg
run predict --threads 1 "$model" none.jpg empty.jpg a.jpg text.jpg
code 1
err <<END
afina: warning: none.jpg: cannot open: no such file or folder, skipped
afina: warning: empty.jpg: empty, not a picture, skipped
afina: warning: text.jpg: not a picture, skipped
END
[ "$(wc -l <.out)" -eq 1 ] || fail "not the one good picture"
has out '^a\.jpg: '
run predict --threads 1 "$model" text.jpg
code 1
silent
says "text.jpg: not a picture"
run predict --threads 1 "$model" text.jpg empty.jpg
code 1
silent
[ "$(wc -l <.err)" -eq 2 ] || fail "not one line for each bad picture"
run predict --threads 1 "$model" a.jpg text.jpg b.png --strict
code 1
silent
says "text.jpg: not a picture"

# ---- folders: all below, by content, in order; what is hidden or no picture is not ----
mkdir -p tree/b tree/.cache empty-folder
cp a.jpg tree/b/2.jpg
cp b.png tree/b/1.without-extension
cp a.jpg tree/a.jpg
cp a.jpg tree/.cache/no.jpg
cp a.jpg tree/.no.jpg
echo text >tree/notes.txt
printf '\000\000\000\030ftypheic\000\000\000\000' >tree/phone.heic
run predict --threads 1 "$model" tree
code 1
says "warning: tree/phone.heic: a picture in HEIC, which this build cannot read, skipped"
sed 's/: .*//' .out >files
printf '%s\n' tree/a.jpg tree/b/1.without-extension tree/b/2.jpg | diff - files >.diff ||
    fail "not the pictures of the folder in order: $(cat files)"
rm tree/phone.heic
run predict --threads 1 "$model" empty-folder a.jpg
code 1
says "empty-folder: no pictures in this folder"
has out '^a\.jpg: '
run predict --threads 1 "$model" empty-folder a.jpg --strict
code 1
silent

# ---- patterns that the shell left alone ----
run predict --threads 1 "$model" 'tree/*.jpg' 'tree/b/?.jpg'
code 0
sed 's/: .*//' .out >files
printf '%s\n' tree/a.jpg tree/b/2.jpg | diff - files >.diff || fail "$(cat files)"
run predict --threads 1 "$model" '*.tif'
code 1
silent
says "*.tif: no file matches"
cp a.jpg 'a[1].jpg'
run predict --threads 1 "$model" 'a[1].jpg'
code 0
has out '^a\[1\]\.jpg: '

# ---- standard input: a picture, or names ----
# piped FILE ARG...: afina predict with that on standard input
piped() {
    ran="afina predict $*"
    from=$1
    shift
    "$afina" predict --threads 1 "$model" "$@" <"$from" >.out 2>.err
    got=$?
}
run predict --threads 1 "$model" a.jpg
sed 's/^a.jpg/standard input/' .out >expected
piped a.jpg -
code 0
out <expected
piped text.jpg -
code 1
says "standard input: not a picture"
printf 'a.jpg\r\n\ntree/b\nb.png' >names
piped names --files-from -
code 0
sed 's/: .*//' .out >files
printf '%s\n' a.jpg tree/b/1.without-extension tree/b/2.jpg b.png | diff - files >.diff ||
    fail "not the files of the list: $(cat files)"
cp .out expected
run predict --threads 1 "$model" --files-from names
out <expected
run predict --threads 1 "$model" --files-from none
code 1
silent
says "none: cannot open: No such file or directory"
piped /dev/null --files-from -
code 1
says "-: names no pictures"
piped a.jpg - --files-from -
code 1
says "standard input can be read only once"

# ---- batches change nothing ----
for i in 1 2 3 4 5 6 7; do cp a.jpg "tree/$i.jpg"; done
run predict --threads 1 "$model" tree --json --batch 1
cp .out one-by-one
run predict --threads 2 "$model" tree --json --batch 4
code 0
out <one-by-one

# ---- formats ----
run predict --threads 1 "$model" a.jpg b.png --format jsonl
cp .out lines
run predict --threads 1 "$model" a.jpg b.png --json
out <lines
run predict --threads 1 "$model" a.jpg b.png --format json
printf '[%s\n,%s\n]\n' "$(sed -n 1p lines)" "$(sed -n 2p lines)" >expected
out <expected
cp a.jpg 'a, "b".jpg'
run predict --threads 1 "$model" 'a, "b".jpg' b.png -f csv
code 0
[ "$(sed -n 1p .out)" = "file,unknown,class1,p1,class2,p2" ] || fail "header"
has out "^\"a, \"\"b\"\".jpg\",[01],(cats|dogs),$number,(cats|dogs),$number\$"
has out "^b\.png,[01],(cats|dogs),$number,(cats|dogs),$number\$"
[ "$(wc -l <.out)" -eq 3 ] || fail "not three lines"
run predict --threads 1 "$model" b.png -f csv --top 1 --logits
[ "$(sed -n 1p .out)" = "file,unknown,class1,p1,cats,dogs" ] || fail "header"
run predict --threads 1 "$model" a.jpg b.png -f table --top 1
[ "$(wc -l <.out)" -eq 3 ] || fail "not three lines"
has out '^file +class +likeliest'
has out '^b\.png +(unknown|cats|dogs) +(cats|dogs) +[0-9.]+ %$'
run predict --threads 1 "$model" empty.jpg text.jpg --format json
code 1
[ "$(cat .out)" = "[]" ] || fail "not an empty array"

# ---- a network for images in gray: the file says so ----
run train photos --model squeezenet1_1 --channels 1 --image-size 32 --tune-epochs 1 \
    --batch 4 --threads 1 --augment 'hflip,color=0.2' --quiet --out gray
code 0
run predict --threads 1 gray/model.safetensors a.jpg b.png --cam maps --no-unknown
code 0
has out '^a\.jpg: (cats|dogs) '
[ -s maps/a.jpg.heat.jpg ] || fail "no heat map"
run describe gray/model.pth
has out '^network +squeezenet1_1, 2 classes, images of 32x32, 1 channel$'
run eval gray/model.safetensors photos
code 0
run train photos --model squeezenet1_1 --channels 2 --image-size 32 --out two
code 1
has err 'pictures have 1, 3 or 4 channels, the network takes 2'

# ---- models ----
run predict --threads 1 none.pth a.jpg
code 1
silent
says "none.pth: cannot open: no such file or folder"
run predict --threads 1 a.jpg a.jpg
code 1
says "a.jpg: a picture, not weights"
run predict --threads 1 "$model" a.jpg --model resnet18
code 1
silent
says "$model: is a squeezenet1_1, not a resnet18"
finish
