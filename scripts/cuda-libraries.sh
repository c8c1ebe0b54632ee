#!/usr/bin/env bash
# For `make test-gpu`: puts ONNX Runtime's provider for CUDA beside its library in node_modules, and what it needs into
# the cache, as runtime/gpu.Dockerfile does for the image. Prints the folder of the libraries.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
. "$here/scripts/toolchain.sh"
use_toolchain

home="$HEADGATE_CACHE/cuda"
requirements="$here/runtime/cuda-requirements.txt"
if ! cmp -s "$requirements" "$home/.requirements"; then
  echo "ONNX Runtime's provider for CUDA and NVIDIA's libraries from PyPI into the cache, about 1.5 GB" >&2
  rm -rf "$home"
  mkdir -p "$home/libraries"
  "$toolchain/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --target "$home/packages" --requirement "$requirements" >&2
  find "$home/packages/nvidia" -type f -name 'lib*.so*' ! -name '*.alt.*' -exec mv -t "$home/libraries" {} +
  cp "$requirements" "$home/.requirements"
fi
cp "$home"/packages/onnxruntime/capi/libonnxruntime_providers_{shared,cuda}.so \
  "$here/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/"
echo "$home/libraries"
