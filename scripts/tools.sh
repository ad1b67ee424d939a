#!/usr/bin/env bash
# Installs what the tests use beyond Go: Prometheus and promtool to read and fill
# the store and to try the rules, Alertmanager to try who is told, nftables and iproute2 for network namespaces. Tests that need a tool
# skip with a reason where it is missing, so without apt, or without the right to
# install, this only says what is not there.
set -u
declare -A package=([promtool]=prometheus [amtool]=prometheus-alertmanager [nft]=nftables [ip]=iproute2 [conntrack]=conntrack [script]=bsdutils)
missing=()
for tool in "${!package[@]}"; do
  command -v "$tool" >/dev/null 2>&1 || [ -x "/usr/sbin/$tool" ] || missing+=("${package[$tool]}")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "Not installed: ${missing[*]}. The tests that need them will be skipped, each with its reason."
  exit 0
fi
echo "Installing ${missing[*]} for the tests."
export DEBIAN_FRONTEND=noninteractive
# Services must not start: Prometheus' package would listen on 9090.
policy=/usr/sbin/policy-rc.d
[ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' >$policy && chmod +x $policy && trap 'rm -f $policy' EXIT; }
apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
  echo "Could not install ${missing[*]}. The tests that need them will be skipped, each with its reason."
exit 0
