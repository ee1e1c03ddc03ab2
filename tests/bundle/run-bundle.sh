#!/bin/bash
# Runs a bundle (make bundle) as a box without .NET would have it: with an empty environment, then in a chroot that holds nothing but the
# bundle, /dev/null, /dev/urandom, /proc, glibc, libstdc++ and libgcc. Extracts, verifies, trains and compares on a few samples. Needs root for the chroot.
# usage: run-bundle.sh build/out/transfer-linux-x64[-cuda13][-ours]   (a folder, or a .tar.gz)
set -euo pipefail
bundle=$(readlink -f "${1:?usage: run-bundle.sh FOLDER|ARCHIVE.tar.gz}")
scratch=$(mktemp -d /tmp/transfer-bundle-XXXXXX)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
mkdir -p "$root"/{tmp,lib,lib64,opt}
if [ -f "$bundle" ]; then tar -xzf "$bundle" -C "$root/opt"; else cp -r "$bundle" "$root/opt/"; fi
folder=$(ls -d "$root"/opt/*/)
folder=${folder%/}

mkdir -p "$root/data"
for split in train validation; do
  for class in dress hat; do
    mkdir -p "$root/data/$split/$class"
    find "$folder/samples/clothing/$split/$class" -name '*.jpg' | sort | head -3 | xargs -I{} cp {} "$root/data/$split/$class/"
  done
done

check() { # the command's start, then the root of its paths
  local start=$1 at=$2 out
  $start doctor || { echo "FAILED: doctor"; exit 1; }
  out=$($start extract --data "$at/data" --model efficientnet-lite0 --out "$at/tmp/set")
  [[ $out == *"12 computed"* ]] || { echo "FAILED: extract said $out"; exit 1; }
  $start features verify "$at/tmp/set"
  $start compare --features "$at/tmp/set" --heads softmax,knn >/dev/null
  rm -rf "$root/tmp/set"
}

# Each native library of the bundle has its licence there.
for pair in libonnxruntime:microsoft.ml.onnxruntime* libturbojpeg:libjpeg-turbo libvips:netvips.native* ParquetSharpNative:parquetsharp libtorch_cpu:libtorch* \
  lib_lightgbm:lightgbm libFastTreeNative:microsoft.ml.fasttree libcrypto:openssl libcoreclr:dotnet; do
  find "$folder" -name "${pair%%:*}*" | grep -q . || continue
  find "$folder/licenses" -maxdepth 1 -name "${pair#*:}" | grep -q . || { echo "FAILED: licenses/ lacks that of ${pair%%:*}"; exit 1; }
done

echo "== empty environment"
check "env -i $folder/transfer" "$root"

echo "== chroot with glibc, libstdc++ and libgcc"
cp /lib64/ld-linux-x86-64.so.2 "$root/lib64/"
for library in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libresolv.so.2 libgcc_s.so.1 libstdc++.so.6; do
  cp -L "$(ldconfig -p | awk -v l="$library" '$1 == l && /x86-64/ { print $NF; exit }')" "$root/lib/"
done
mkdir -p "$root/proc" "$root/dev"
mknod -m 666 "$root/dev/null" c 1 3
mknod -m 666 "$root/dev/urandom" c 1 9
mount -t proc proc "$root/proc" 2>/dev/null && trap 'umount "$root/proc"; rm -rf "$scratch"' EXIT || echo "(without /proc)"
check "env -i $(command -v chroot) $root /opt/$(basename "$folder")/transfer" ""
echo "PASSED: $(du -sm "$folder" | cut -f1) MB"
