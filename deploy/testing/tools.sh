#!/usr/bin/env bash
# Gets and builds what `make deploy-check` holds the templates against, into
# build/deploy: lists of AWS' own from npm, stub providers for Terraform, and
# Terraform or OpenTofu where neither is installed. Needs Go, Node.js and npm;
# nothing here reaches a cloud or a provider registry.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
out=$root/build/deploy
mkdir -p "$out/bin"

# The AWS provider's bindings are 37 MB packed, most of it of no use here.
aws_package=@cdktf/provider-aws@21.22.1 # provider 6.25.0
aws_version=6.25.0
aws_sum=sha512-$(sed -n 's/^aws sha512-//p' "$root/deploy/testing/sums.txt")
helm_version=3.1.1
grafana_version=4.0.0 # its schema is written by hand: ../terraform/testing/grafana.json

say() { echo "deploy-check: $*" >&2; }

for tool in go node npm openssl tar; do
	command -v $tool >/dev/null || { say "$tool is not here, and nothing can be checked without it"; exit 1; }
done

say "AWS' lists and k6's types (npm)"
cp "$root"/deploy/testing/package*.json "$out/"
(cd "$out" && npm ci --silent --ignore-scripts --no-audit --no-fund --legacy-peer-deps)

if [ ! -e "$out/aws/$aws_version" ]; then
	say "the AWS provider's types (npm, 37 MB)"
	rm -rf "$out/aws" && mkdir -p "$out/aws"
	tarball=$(cd "$out/aws" && npm pack --silent "$aws_package")
	got=sha512-$(openssl dgst -sha512 -binary "$out/aws/$tarball" | base64 -w0)
	[ "$got" = "$aws_sum" ] || { say "$aws_package is not the one that was pinned: $got"; exit 1; }
	tar xzf "$out/aws/$tarball" -C "$out/aws" --wildcards 'package/lib/*/index*' 'package/package.json'
	rm "$out/aws/$tarball"
	touch "$out/aws/$aws_version"
fi

say "stub providers"
(cd "$root/deploy/terraform/testing/stub" && GOFLAGS= go build -trimpath -ldflags '-s -w' -o "$out/bin/stub" .)
types() { # what the .tf files name of a provider
	grep -rhoE "^(resource|data) \"$1_[a-z0-9_]+\"" "$root/deploy/terraform" --include='*.tf' |
		sed -E 's/^(resource|data) "(.*)"$/\1:\2/' | sort -u
}
place() { # a provider into the mirror, for Terraform's and OpenTofu's default hosts
	for host in registry.terraform.io registry.opentofu.org; do
		dir=$out/mirror/$host/$1/$2/$3/$(go env GOOS)_$(go env GOARCH)
		mkdir -p "$dir"
		cp "$out/bin/stub" "$dir/terraform-provider-$2_v$3"
		cp "$out/$2.json" "$dir/schema.json"
	done
}
rm -rf "$out/mirror"
# shellcheck disable=SC2046 # words are wanted
node "$root/deploy/terraform/testing/schema.mjs" "$out/aws/package" aws $(types aws) >"$out/aws.json"
# shellcheck disable=SC2046
node "$root/deploy/terraform/testing/schema.mjs" "$out/node_modules/@cdktf/provider-helm" helm $(types helm) >"$out/helm.json"
cp "$root/deploy/terraform/testing/grafana.json" "$out/grafana.json"
place hashicorp aws $aws_version
place hashicorp helm $helm_version
place grafana grafana $grafana_version

say "CloudFormation's types"
node "$root/deploy/cloudformation/testing/types.mjs" "$out" "$root"/deploy/cloudformation/*.yaml >"$out/cloudformation.json"

rm -f "$out/bin/terraform"
if tf=$(command -v terraform || command -v tofu); then
	ln -sf "$tf" "$out/bin/terraform"
elif [ ! -x "$out/bin/tofu" ]; then
	say "neither terraform nor tofu is here: building OpenTofu (some minutes)"
	version=v1.12.6
	mkdir -p "$out/tofu" && cd "$out/tofu"
	theirs=$(go mod download -json github.com/opentofu/opentofu@$version | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')
	# `go install` refuses a module that replaces others; a module that replaces the same builds it.
	{
		echo "module tofu"
		grep -E '^go ' "$theirs"
		echo "tool github.com/opentofu/opentofu/cmd/tofu"
		echo "require github.com/opentofu/opentofu $version"
		grep -E '^replace' "$theirs"
	} >go.mod
	GOFLAGS=-mod=mod go mod tidy
	GOFLAGS= go build -trimpath -ldflags '-s -w -X github.com/opentofu/opentofu/version.dev=no' -o "$out/bin/tofu" github.com/opentofu/opentofu/cmd/tofu
fi
[ -e "$out/bin/terraform" ] || ln -s tofu "$out/bin/terraform"
say "done"
