# SPDX-License-Identifier: Apache-2.0
# inspect and convert on a small file made here, and on what is no weight file.
. "$AFN_SOURCE_DIR/tests/cli/lib.sh"

# safetensors: length of the header (64-bit, little-endian), header, values.
header='{"__metadata__":{"by":"hand"},"bn.weight":{"dtype":"F32","shape":[2],'
header=$header'"data_offsets":[0,8]},"bn.running_mean":{"dtype":"F32","shape":[2],'
header=$header'"data_offsets":[8,16]},"fc.weight":{"dtype":"F16","shape":[3,2],'
header=$header'"data_offsets":[16,28]}}'
make_file() {
    # shellcheck disable=SC2059
    printf "\\$(printf '%03o' ${#header})\\0\\0\\0\\0\\0\\0\\0%s" "$header"
    printf '\0\0\200\077\0\0\0\100ABCDEFGH\0\0\0\0\0\0\0\0\0\0\0\0'
}
make_file >small.safetensors

run inspect small.safetensors
code 0
out <<END
file        small.safetensors
format      safetensors
network     none of 'afina models'
metadata    by = hand
tensors     3
parameters  8
buffers     2

bn.weight        float32   (2)
bn.running_mean  float32   (2)
fc.weight        float16   (3,2)
END
err </dev/null

run inspect small.safetensors --json
code 0
out <<END
{"file":"small.safetensors","format":"safetensors",\
"architecture":null,"metadata":{"by":"hand"},\
"tensors":[{"name":"bn.weight","dtype":"float32","shape":[2]},\
{"name":"bn.running_mean","dtype":"float32","shape":[2]},\
{"name":"fc.weight","dtype":"float16","shape":[3,2]}],"parameters":8,"buffers":2}
END

# ---- there and back ----
run convert small.safetensors small.pth
code 0
out <<END
small.pth: 3 tensors
END
run inspect small.pth
code 0
has out '^format      torch-zip$'
has out '^metadata    by = hand$'
has out '^fc.weight        float16   \(3,2\)$'
run convert small.pth back.safetensors
code 0
run inspect back.safetensors
sed 's/back/small/' .out >.renamed && mv .renamed .out
cp .out back
run inspect small.safetensors
out <back
tail -c 28 small.safetensors >values
tail -c 28 back.safetensors | cmp -s values - || fail "values changed on the way"

# ---- what cannot be done leaves nothing behind ----
run convert small.safetensors small.onnx
code 1
silent
says "small.onnx: unknown extension, expected .pth, .pt, .th or .safetensors"
gone small.onnx
run convert no-such-file new.pth
code 1
says "no-such-file: cannot open: no such file or folder"
gone new.pth
run convert small.safetensors no-such-folder/new.pth
code 1
has err '^afina: no-such-folder/new.pth: .*no such file or folder'

# ---- no weight files ----
: >empty.pth
run inspect empty.pth
code 1
silent
says "empty.pth: is empty"
mkdir folder
run inspect folder
code 1
says "folder: is a folder, not a file"
echo "these are not the weights you are looking for" >text.pth
run inspect text.pth
code 1
says "text.pth: neither a PyTorch nor a safetensors file (46 bytes)"
cp "$pictures/stripes.png" picture.pth
run inspect picture.pth
code 1
says "picture.pth: a picture, not weights"
head -c 250 small.safetensors >cut.safetensors
run inspect cut.safetensors
code 1
has err '^afina: cut.safetensors: '
size=$(wc -c <small.pth)
head -c $((size / 2)) small.pth >cut.pth
run inspect cut.pth
code 1
has err '^afina: cut.pth: '

# ---- names that would drive the terminal ----
mv small.safetensors "$(printf 'a\033[31mb')"
run inspect "$(printf 'a\033[31mb')"
code 0
has out '^file        a\?\[31mb$'
run inspect "$(printf 'no\nfile')"
says "no?file: cannot open: no such file or folder"

# ---- where results go ----
if [ -w /dev/full ]; then
    run --version
    "$afina" --version >/dev/full 2>.err
    got=$?
    : >.out
    code 1
    says "standard output: No space left on device"
fi
ran="afina help train, the reader gone and SIGPIPE ignored"
(
    trap '' PIPE
    sleep 0.3
    "$afina" help train 2>.err
) | true
: >.out
err </dev/null
finish
