// Package tail follows log files as they grow, rotate, shrink and disappear.
//
// Globs and checkpoints enter; whole lines with their offsets leave, and the
// checkpoints to store. What lines mean, batches and storage are the caller's.
//
// A file is known by device, inode and a fingerprint of its first bytes, never
// by its name alone: a renamed file is read to its end under its new name, and a
// reused inode is not mistaken for the file before. A file that shrinks was
// truncated (copytruncate): if its copy is found beside it, reading goes on
// there; what can't be read any more is counted. Files that were rotated while
// nobody looked are caught up with by their names and times. Compressed ones are
// not read; if their plain form was not finished, that is counted.
//
// How growth is noticed: directories are watched by inotify for files that come,
// move and go, never for writes, since a busy file would cost an event a write.
// Busy files are asked for their size (fstat, 0.3 µs) at each Poll instead; a
// quiet one gets a one-shot watch that wakes it. Where inotify is missing or
// full, everything is polled. fsnotify was the alternative; it can ask neither
// for less than all events of a directory nor for one shot.
//
// Ownership: a Set and its Files belong to one goroutine. The only goroutine
// here is the notifier's, which reads the inotify descriptor until Close. At
// most MaxOpen descriptors are open and MaxFiles files known; what is left out is
// counted.
package tail
