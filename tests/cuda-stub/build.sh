#!/bin/bash
# Builds libraries that stand in for NVIDIA's driver, CUDA, cuBLAS and cuDNN (cuda.c, cudnn.c), on which ONNX Runtime's real CUDA provider runs
# without a GPU. Needs gcc and binutils.
# usage: build.sh FOLDER libonnxruntime_providers_cuda.so; then TRANSFER_CUDA_PATH=FOLDER transfer doctor
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 2 ] || { echo "usage: build.sh FOLDER libonnxruntime_providers_cuda.so" >&2; exit 2; }
provider=$(readlink -f "$2")
[ -f "$provider" ] || { echo "build.sh: there is no $2: 'make GPU=1' puts it into bin/runtimes/linux-x64/native" >&2; exit 1; }
mkdir -p "$1"
lib=$(cd "$1" && pwd)
scratch=$(mktemp -d "$lib/build-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# All functions are in one library. Those that the provider imports and that are not written out return 0.
nm -D --undefined-only "$provider" | awk '{ print $2 }' >symbols
imports() { awk -F @ -v library="$1" '$2 == library { print $1 }' symbols | sort -u; }
written() { gcc -w -fPIC -c "$1" -o written.o && nm written.o | awk '$2 == "T" { print $3 }' | sort; }
zeros() { comm -23 "$1" "$2" | sed 's/.*/int &() { return 0; }/'; }
names="libcudart.so.13 libcublas.so.13 libcublasLt.so.13 libcurand.so.10"
written "$here/cuda.c" >have
# The driver's functions are imported without a version.
{ for name in $names; do imports "$name"; done; grep -x 'cu[A-Z][A-Za-z0-9_]*' symbols || true; } | sort -u >want
zeros want have >rest.c
gcc -w -shared -fPIC -o "$lib/libgpustub.so" "$here/cuda.c" rest.c -Wl,-soname,libgpustub.so -lpthread

# Each library has its functions under its own version, as the provider asks for them, and jumps into the common one.
cat >find.c <<'C'
#define _GNU_SOURCE
#include <dlfcn.h>
void *find(void *unused, const char *name) { return dlsym(dlopen("libgpustub.so", RTLD_NOW), name); }
C
for name in $names; do
  imports "$name" >exports
  # What .NET calls itself.
  [ "$name" != libcudart.so.13 ] || printf '%s\n' cudaInitDevice cudaMemGetInfo cudaMemcpy cudaSetDevice cudaStreamSynchronize cudaGetErrorString cudaGetLastError cudaRuntimeGetVersion | sort -u - exports -o exports
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
  gcc -w -shared -fPIC -o "$lib/$name" jumps.s find.c -Wl,-soname,"$name" -Wl,--version-script=version -Wl,--no-as-needed -L"$lib" -l:libgpustub.so -Wl,-rpath,'$ORIGIN' -ldl
done
echo >empty.c
gcc -shared -fPIC -o "$lib/libcuda.so.1" empty.c -Wl,-soname,libcuda.so.1 -Wl,--no-as-needed -L"$lib" -l:libgpustub.so -Wl,-rpath,'$ORIGIN'
# cuDNN's functions are looked up by name when the provider runs.
written "$here/cudnn.c" >have
strings -n 8 "$provider" | grep -xE 'cudnn[A-Z][A-Za-z0-9_]+' | sort -u >want
zeros want have >rest.c
gcc -w -shared -fPIC -o "$lib/libcudnn.so.9" "$here/cudnn.c" rest.c -Wl,-soname,libcudnn.so.9 -L"$lib" -l:libgpustub.so -Wl,-rpath,'$ORIGIN'
