package main

import (
	"errors"
	"fmt"
	"os"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "0.1.0-dev"

func main() {
	err := becomeJournalctl(os.Args, os.Getenv("VIGIE_HOST_ROOT"))
	if err == nil {
		err = openGates()
	}
	if err == nil {
		err = newCommand().Execute()
	}
	if err != nil {
		var problems problemsError
		if errors.As(err, &problems) {
			// One line a problem and nothing around them: they are read by
			// people and by CI logs.
			fmt.Fprintln(os.Stderr, problems)
		} else {
			fmt.Fprintln(os.Stderr, "vigie:", err)
		}
		os.Exit(exitCode(err))
	}
}

// exitCode is 1, but for a command that tells more by it.
func exitCode(err error) int {
	if told, ok := errors.AsType[interface {
		error
		ExitCode() int
	}](err); ok {
		return told.ExitCode()
	}
	return 1
}
