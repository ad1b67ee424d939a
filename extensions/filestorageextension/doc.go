// Package filestorageextension is contrib's file_storage, but for a full disk.
//
// What components store enters and leaves as it does there: one bbolt file a
// component. When the disk is full, contrib's exporter queue, which stores what it
// is about to send before it sends it, gives that item up without a word: what was
// accepted is lost. Here such an item is read, which needs no room, and sent; its
// place is noted when there is room again. A crash in between sends it once more.
// New items are refused with the disk's error, as there, so that whoever brings them
// keeps them.
//
// The package owns no goroutine.
package filestorageextension
