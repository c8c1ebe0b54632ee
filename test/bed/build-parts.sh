#!/usr/bin/env bash
# Builds the programs of the test bed from pinned sources, each once, into the cache; prints the time that each took.
#   build-parts.sh            everything
#   build-parts.sh api        etcd, kube-apiserver and kubectl only
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scripts/toolchain.sh"
use_toolchain

bin="$HEADGATE_CACHE/bin"
mkdir -p "$bin"

KUBERNETES_VERSION=v1.34.4
CHECKOV_VERSION=3.3.30
ISTIO_VERSION=1.27.0
ISTIO_MODULE=istio.io/istio@v0.0.0-20250808040725-7359d8be2504
REGISTRY_MODULE=github.com/distribution/distribution/v3@v3.1.2
PROMETHEUS_MODULE=github.com/prometheus/prometheus@v0.308.0

# once NAME VERSION COMMAND…: runs the command unless bin/NAME of this version is there already.
once() {
  local name=$1 version=$2 started=$SECONDS
  shift 2
  if [ -x "$bin/$name" ] && [ "$(cat "$bin/.$name.version" 2>/dev/null)" = "$version" ]; then return; fi
  printf '  %-26s %-10s building from source …\n' "$name" "$version"
  "$@" >"$bin/.$name.log" 2>&1 || { tail -n 30 "$bin/.$name.log"; echo "building $name failed; the whole log is $bin/.$name.log"; exit 1; }
  echo "$version" >"$bin/.$name.version"
  printf '  %-26s %-10s %4d s\n' "$name" "$version" $((SECONDS - started))
}

# from_part PART PACKAGE NAME [go build flags…]: a package of one of the pinned modules in parts/.
from_part() {
  local part=$1 package=$2 name=$3
  shift 3
  (cd "$here/parts/$part" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' "$@" -o "$bin/$name" "$package")
}

kubernetes() {
  local stamp=k8s.io/component-base/version minor=${KUBERNETES_VERSION#v1.}
  from_part kubernetes "k8s.io/kubernetes/cmd/$1" "$1" \
    -ldflags "-s -w -X $stamp.gitVersion=$KUBERNETES_VERSION -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}"
}

# from_module MODULE@VERSION PACKAGE NAME [go build flags…]: built inside the downloaded module, so that its own go.sum verifies everything.
from_module() {
  local module=$1 package=$2 name=$3 directory
  shift 3
  directory=$(cd / && go mod download -json "$module" | python3 -c 'import json,sys; print(json.load(sys.stdin)["Dir"])')
  (cd "$directory" && CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' "$@" -o "$bin/$name" "$package")
  echo "$directory" >"$bin/.$name.source"
}

# A Python program with all of its packages pinned, in an environment of its own.
checkov() {
  local environment="$HEADGATE_CACHE/checkov-$CHECKOV_VERSION"
  rm -rf "$environment" && python3 -m venv "$environment" &&
    "$environment/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/parts/checkov/requirements.txt" &&
    printf '#!/bin/sh\nexec "%s/bin/python" -m checkov.main "$@"\n' "$environment" >"$bin/checkov" && chmod +x "$bin/checkov"
}

# Istio's release tags are no module versions; this pseudo-version is release 1.27.0 and is not in the checksum database.
istiod() { GONOSUMDB=istio.io from_module "$ISTIO_MODULE" ./pilot/cmd/pilot-discovery istiod; }
istio_crds() { cp "$(cat "$bin/.istiod.source")/manifests/charts/base/files/crd-all.gen.yaml" "$bin/istio-crds.yaml" && chmod +x "$bin/istio-crds.yaml"; }
# Python programs live in an environment of their own.
object_stores() {
  local environment="$HEADGATE_CACHE/object-stores"
  python3 -m venv --clear "$environment" &&
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/parts/object-stores/requirements.txt" &&
    ln -sf "$environment/bin/moto_server" "$environment/bin/gcp-storage-emulator" "$bin/"
}
clients_python() {
  local environment="$HEADGATE_CACHE/clients-python"
  python3 -m venv --clear "$environment" &&
    "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/parts/clients/requirements.txt" &&
    printf '#!/bin/sh\nexec "%s/bin/python" "$@"\n' "$environment" >"$bin/clients-python" && chmod +x "$bin/clients-python"
}
# Its parser is built upon Go's coming JSON package.
trivy() { GOEXPERIMENT=jsonv2 from_part trivy . trivy-config; }
registry() { from_module "$REGISTRY_MODULE" ./cmd/registry registry; }
prometheus() { from_module "$PROMETHEUS_MODULE" ./cmd/prometheus prometheus -tags netgo,remove_all_sd,enable_kubernetes_sd; }

once etcd 3.6.16 from_part etcd go.etcd.io/etcd/server/v3 etcd
for program in kube-apiserver kubectl; do once $program $KUBERNETES_VERSION kubernetes $program; done
[ "${1:-all}" = api ] && exit 0
for program in kube-controller-manager kube-scheduler kubelet kube-proxy; do once $program $KUBERNETES_VERSION kubernetes $program; done
once istiod $ISTIO_VERSION istiod
once istio-crds.yaml $ISTIO_VERSION istio_crds
once helm 3.18.6 from_part helm helm.sh/helm/v3/cmd/helm helm
once kubeconform 0.7.0 from_part kubeconform github.com/yannh/kubeconform/cmd/kubeconform kubeconform
once lua-runner 1 from_part lua . lua-runner
once kube-score 1.20.0 from_part kube-score github.com/zegl/kube-score/cmd/kube-score kube-score
once kubesec 2.14.2 from_part kubesec github.com/controlplaneio/kubesec/v2 kubesec
once trivy-config 0.74.0 trivy
once checkov $CHECKOV_VERSION checkov
once moto_server 5.2.5 object_stores
once clients-python 2.73.0-0.21.0 clients_python
once registry 3.1.2 registry
once prometheus 3.8 prometheus
once prometheus-adapter 0.12.0 from_part prometheus-adapter sigs.k8s.io/prometheus-adapter/cmd/adapter prometheus-adapter
