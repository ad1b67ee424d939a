// Package cri takes apart what a container runtime writes to its log files.
//
// A line enters as a string without its newline; its time, stream, whether more
// of the same line follows, and the text that the application wrote leave. Two
// formats are known:
//
//   - CRI, of containerd and CRI-O: "2026-07-11T19:00:00.123456789Z stdout F text".
//     Source: kubernetes/design-proposals-archive, node/kubelet-cri-logging.md.
//   - Docker's json-file: {"log":"text\n","stream":"stdout","time":"…"}.
//     Source: moby/moby, daemon/logger/jsonfilelog/jsonlog.
//
// The text is a part of the line that was given, and nothing is allocated,
// unless Docker's JSON escapes something within the text. Lines are not joined
// here and files are not read; the package has no state, no clock and no
// goroutine.
package cri
