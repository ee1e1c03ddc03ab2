#!/bin/sh
# Checks the pieces beside this script against their SHA-256, joins them, checks the whole and unpacks it here.
set -eu
cd "$(dirname "$0")"
sha256sum --quiet -c SHA256SUMS || { echo "a piece is missing or damaged: carry the pieces named above again" >&2; exit 1; }
cat @NAME@.tar.gz.[0-9]* >@NAME@.tar.gz
sha256sum --quiet -c WHOLE.SHA256 || { echo "the joined archive is not the one that was cut: pieces of two builds are mixed" >&2; rm -f @NAME@.tar.gz; exit 1; }
tar -xzf @NAME@.tar.gz
echo "ready: $(pwd)/@NAME@/transfer doctor"
