// Package reload runs a configuration, watches what it is made of, and keeps the
// last that worked.
//
// The collector's own reload stops what runs before it reads what is new, and ends
// the process where that is not valid or does not start. Here a new configuration
// is checked while the old one runs. One that is not valid changes nothing; one
// that is valid and does not start, or ends by itself within its probation, gives
// way to the one before. What became of it goes into a configstate.State.
//
// Configuration sources enter (Sources: the URIs and the unexpanded text of the
// files among them); collectors come and go, one at a time. Between two of them
// ports are closed for as long as a restart takes; queues on disk stay where they
// are. With a place to keep it, the last that worked is stored as it is written,
// nothing expanded, and runs when a process starts with one that is not valid.
//
// Watched are the files that --config names and those that ${file:…} reads, by
// inotify on their directories (a ConfigMap changes by a symbolic link beside the
// file) and by reading them every Poll besides. A pipe is read once. Other sources
// are read again on SIGHUP. Runner.Run owns all goroutines and waits for them.
package reload
