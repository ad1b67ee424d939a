// Package configs holds the embedded configurations: what runs on a laptop, on a
// node (agent) and once a cluster (gateway).
//
// A configuration source such as "embedded:laptop" enters; a configuration map
// leaves. Each shape is one YAML file, readable as it stands; what depends on
// the machine is a fragment of its own under with/, merged when its condition
// holds (see fragments.go). Whatever else differs comes through ${env:…} with a
// default, so that the same file serves a laptop and a cluster. The package
// opens nothing and owns no goroutine.
package configs
