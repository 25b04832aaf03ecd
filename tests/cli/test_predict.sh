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
run predict --threads 1 "$model" none.jpg photos empty.jpg a.jpg text.jpg
code 1
err <<END
afina: none.jpg: cannot open: no such file or folder
afina: photos: is a folder, give the images in it: photos/*
afina: empty.jpg: empty, not a picture
afina: text.jpg: not a picture
END
[ "$(wc -l <.out)" -eq 1 ] || fail "not the one good picture"
has out '^a\.jpg: '

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
has err 'pictures have 1 or 3 channels, the network takes 2'

# ---- models ----
run predict --threads 1 none.pth a.jpg
code 1
silent
says "none.pth: cannot open: no such file or folder"
run predict --threads 1 a.jpg a.jpg
code 1
has err '^afina: a.jpg: neither a PyTorch nor a safetensors file'
run predict --threads 1 "$model" a.jpg --model resnet18
code 1
silent
says "$model: is a squeezenet1_1, not a resnet18"
finish
