#!/bin/bash
# Runs a build with CUDA (make GPU=1) on ONNX Runtime's real CUDA provider and libraries that stand in for CUDA (cuda.c, cudnn.c): what surrounds
# the kernels is then tested without a card. Needs gcc and binutils.
# usage: tests/cuda-stub/run.sh [bin/transfer]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
transfer=$(readlink -f "${1:-$here/../../bin/transfer}")
program=$(dirname "$transfer")
provider=$program/libonnxruntime_providers_cuda.so
[ -f "$provider" ] || { echo "run.sh: no $provider: build with 'make GPU=1'" >&2; exit 1; }
scratch=$(mktemp -d /tmp/transfer-cuda-stub-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
lib=$scratch/lib
mkdir "$lib"

# All functions are in one library. Those that the provider imports and that are not written out return 0.
cd "$scratch"
imports() { nm -D --undefined-only "$provider" | awk -v library="$1" '{ split($2, a, "@"); if (a[2] == library) print a[1] }' | sort -u; }
written() { gcc -w -fPIC -c "$1" -o written.o && nm written.o | awk '$2 == "T" { print $3 }' | sort; }
zeros() { comm -23 "$1" "$2" | sed 's/.*/int &() { return 0; }/'; }
names="libcudart.so.13 libcublas.so.13 libcublasLt.so.13 libcurand.so.10"
written "$here/cuda.c" >have
for name in $names; do imports "$name"; done | sort -u >want
zeros want have >rest.c
gcc -w -shared -fPIC -o "$lib/libcardstub.so" "$here/cuda.c" rest.c -Wl,-soname,libcardstub.so -lpthread

# Each library has its functions under its own version, as the provider asks for them, and jumps into the common one.
cat >find.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
void *find(void *unused, const char *name) { return dlsym(dlopen("libcardstub.so", RTLD_NOW), name); }
C
for name in $names; do
  imports "$name" >exports
  # What .NET calls itself.
  [ "$name" != libcudart.so.13 ] || printf '%s\n' cudaInitDevice cudaMemGetInfo cudaMemcpy cudaSetDevice cudaStreamSynchronize cudaGetErrorString | sort -u - exports -o exports
  {
    echo '.text'
    while read -r f; do printf '.globl %s\n.type %s,@function\n%s: jmp *to_%s(%%rip)\n' "$f" "$f" "$f" "$f"; done <exports
    echo 'start: push %rbx'
    while read -r f; do printf 'lea name_%s(%%rip),%%rsi\ncall find@PLT\nmov %%rax,to_%s(%%rip)\n' "$f" "$f"; done <exports
    printf 'pop %%rbx\nret\n.section .init_array,"aw"\n.quad start\n.data\n'
    while read -r f; do printf 'to_%s: .quad 0\nname_%s: .asciz "%s"\n' "$f" "$f" "$f"; done <exports
    echo '.section .note.GNU-stack,"",@progbits'
  } >jumps.s
  echo "$name { global: *; };" >version
  gcc -w -shared -fPIC -o "$lib/$name" jumps.s find.c -Wl,-soname,"$name" -Wl,--version-script=version -Wl,--no-as-needed -L"$lib" -l:libcardstub.so -Wl,-rpath,'$ORIGIN' -ldl
done
echo >empty.c
gcc -shared -fPIC -o "$lib/libcuda.so.1" empty.c -Wl,-soname,libcuda.so.1 -Wl,--no-as-needed -L"$lib" -l:libcardstub.so -Wl,-rpath,'$ORIGIN'
# cuDNN's functions are looked up by name when the provider runs.
written "$here/cudnn.c" >have
strings -n 8 "$provider" | grep -xE 'cudnn[A-Z][A-Za-z0-9_]+' | sort -u >want
zeros want have >rest.c
gcc -w -shared -fPIC -o "$lib/libcudnn.so.9" "$here/cudnn.c" rest.c -Wl,-soname,libcudnn.so.9 -L"$lib" -l:libcardstub.so -Wl,-rpath,'$ORIGIN'

data=$scratch/data
samples=$program/samples/clothing
[ -d "$samples" ] || samples=$here/../../samples/clothing
for folder in "$samples"/train/*/; do
  mkdir -p "$data/train/$(basename "$folder")"
  find "$folder" -name '*.jpg' | sort | head -2 | xargs -I{} cp {} "$data/train/$(basename "$folder")/"
done
photos=$(find "$data" -name '*.jpg' | wc -l)

cd "$scratch"
export TRANSFER_CUDA_PATH=$lib CARD_STUB_LOG=$scratch/log
fail() { echo "FAILED: $1"; cat out; grep -m 3 FORBIDDEN log || true; exit 1; }
# What it must exit with, what it must say, and the rest of the command. CUDA's rules are kept and no stack trace is shown.
check() {
  local status=$1 says=$2 code=0
  shift 2
  rm -rf set log
  touch log
  "$transfer" "$@" >out 2>&1 || code=$?
  [ "$code" = "$status" ] || fail "$* exits with $code, not $status"
  grep -qE "$says" out || fail "$* does not say '$says'"
  ! grep -qE 'FORBIDDEN|FREE OF UNKNOWN' log || fail "$* breaks CUDA's rules"
  ! grep -qE '^   at |\[E:onnxruntime' out || fail "$* shows more than one line of an error"
  echo "ok: ${CASE:-}$(echo "$*" | sed "s, --data [^ ]*,,; s, --out set,,")"
}
extract() { local status=$1 says=$2; shift 2; check "$status" "$says" extract --data "$data" --model efficientnet-lite0 --out set "$@"; }
logged() { grep -q "$1" log || fail "not logged: $1"; }

check 0 'a convolution and a matrix product run and their result is right' doctor
extract 0 "$photos computed" --device cuda --batch 4
logged 'cudaMemcpy 602112 bytes pinned -> card'
logged 'cudaMemcpy 20480 bytes card -> pinned'
# A lane waits for its own batch only; sessions wait for the whole card when they start.
! sed -n '/pinned -> card/,$p' log | grep -q cudaDeviceSynchronize || fail "a lane waits for the whole card"
extract 0 "$photos computed" --device cuda
grep -q 'batches of [0-9]* photos' out || fail "no trial of batches"
for precision in tf32 fp16; do
  extract 0 "$precision against fp32" --device cuda --batch 4 --precision $precision
  extract 0 "$photos computed" --device cuda --batch 4 --precision $precision --cuda-layout nchw
  ! grep -q warning out || fail "nodes on the CPU"
done
for cards in 0 0,1; do
  CARD_STUB_CARDS=2 extract 0 "$photos computed" --device cuda:$cards --batch 4 --cuda-graphs on
  logged cudaGraphLaunch
  CARD_STUB_CARDS=2 check 0 '"session"' bench extract --json --data "$data" --model efficientnet-lite0 --device cuda:$cards --cuda-graphs on --rounds 2 --photos 10
done
CARD_STUB_CARDS=2 extract 0 "$photos computed" --device cuda:1 --batch 4
[ "$(head -2 log | cut -d' ' -f3- | xargs)" = "cudaInitDevice 1 flags 4 cudaSetDevice 1" ] || fail "card 0 is used too"
CASE="card 2 of 2: " CARD_STUB_CARDS=2 extract 1 'there is no card 2: the driver shows 0 \(Stub\), 1 \(Stub\)' --device cuda:2
CASE="driver for 12.4: " CARD_STUB_DRIVER=12040 extract 1 'the NVIDIA driver is for CUDA 12.4 at most, CUDA 13 is needed' --device cuda
CASE="100 MB: " CARD_STUB_MEMORY=100000000 extract 0 "batches of [0-9]+ do not fit into the card's memory" --device cuda
CASE="100 MB: " CARD_STUB_MEMORY=100000000 extract 1 'does not fit into the memory of cuda:0 \(Failed to allocate memory for requested buffer of size [0-9]+[^)]*\); .* run again with a smaller --batch, such as 32$' --device cuda --batch 64
CASE="20 MB: " CARD_STUB_MEMORY=20000000 extract 1 'Failed to allocate memory for requested buffer of size [0-9]+' --device cuda
extract 0 'do not fit' --device cuda --device-memory 0.1
TRANSFER_CUDA_OPTIONS=fuse_conv_bias=1 extract 0 "$photos computed" --device cuda --batch 4 --precision fp16
CASE="an option that there is not: " TRANSFER_CUDA_OPTIONS=fuse=1 extract 1 'Unknown provider option: "fuse"' --device cuda
echo "all cases run on ONNX Runtime's CUDA provider"
