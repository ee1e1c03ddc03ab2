#!/bin/sh
# Checks the pieces beside this script against their SHA-256, joins them, checks the whole and unpacks it here. Needs sha256sum, tar and gzip, of
# busybox too.
set -eu
export LC_ALL=C
cd "$(dirname "$0")"
# Without --quiet, which busybox lacks.
check() { sha256sum -c "$1" 2>&1 | grep -v ': OK$' >&2; }
if check SHA256SUMS; then
  echo "a piece is missing or damaged: carry the pieces named above again" >&2
  exit 1
fi
cat @NAME@.tar.gz.[0-9]* >@NAME@.tar.gz
if check WHOLE.SHA256; then
  rm -f @NAME@.tar.gz
  echo "the joined archive is not the one that was cut: pieces of two builds are mixed" >&2
  exit 1
fi
tar -xzf @NAME@.tar.gz
rm @NAME@.tar.gz
echo "ready: $(pwd)/@NAME@/transfer doctor"
