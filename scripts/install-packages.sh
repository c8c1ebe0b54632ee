#!/usr/bin/env bash
# Installs the Debian or Ubuntu packages that the test bed needs, after saying which; nothing when all are there.
set -euo pipefail

packages=(
  containerd runc containernetworking-plugins # the node's container runtime
  buildah                                     # builds the images
  iptables conntrack iproute2 socat           # what kube-proxy and the kubelet call
  redis-server                                # the cache that pods of the runtime share
  openssl util-linux procps ca-certificates   # certificates, namespaces
)

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
  echo "these packages must be installed by root: apt-get install ${missing[*]}" >&2
  exit 1
fi

echo "installing from the distribution: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Debian starts services as it installs them; the bed runs its own containerd, so the distribution's stays off.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
