// Package replaycmd is the command `vigie replay`: labelled traffic into a file,
// to standard output or to an OTLP endpoint, in real time or as fast as it goes.
// What it makes is internal/replay's.
package replaycmd
