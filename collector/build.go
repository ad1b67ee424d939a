package main

import (
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vigie-otel/vigie/collector/conntrackcmd"
	"github.com/vigie-otel/vigie/collector/costcmd"
	"github.com/vigie-otel/vigie/collector/dashboardscmd"
	"github.com/vigie-otel/vigie/collector/detectcmd"
	"github.com/vigie-otel/vigie/collector/evalcmd"
	"github.com/vigie-otel/vigie/collector/readycmd"
	"github.com/vigie-otel/vigie/collector/replaycmd"
	"github.com/vigie-otel/vigie/collector/reportcmd"
)

// build is what the Go linker wrote into the binary: its modules and their
// versions.
type build struct{ deps []*debug.Module }

func readBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return build{}
	}
	return build{deps: info.Deps}
}

// moduleOf names the Go module and version that a component's configuration
// comes from; what is in none of the dependencies is ours.
func (b build) moduleOf(cfg any) string {
	t := reflect.TypeOf(cfg)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var best *debug.Module
	for _, dep := range b.deps {
		if strings.HasPrefix(t.PkgPath()+"/", dep.Path+"/") && (best == nil || len(dep.Path) > len(best.Path)) {
			best = dep
		}
	}
	if best == nil {
		return "github.com/vigie-otel/vigie " + version
	}
	return best.Path + " " + best.Version
}

// collectorVersion is that of the collector this binary is built on.
func (b build) collectorVersion() string {
	for _, dep := range b.deps {
		if dep.Path == "go.opentelemetry.io/collector/otelcol" {
			return dep.Version
		}
	}
	return "of unknown version"
}

// toolCommands are the subcommands for people; each lives in a package beside
// this one.
func toolCommands() []*cobra.Command {
	return []*cobra.Command{
		detectcmd.New(),
		replaycmd.New(),
		evalcmd.New(),
		reportcmd.New(version),
		conntrackcmd.New(),
		readycmd.New(version),
		costcmd.New(),
		dashboardscmd.New(),
	}
}
