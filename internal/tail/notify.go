package tail

// Event is something that happened to a directory or file. Hand it to
// Set.Notice.
type Event struct {
	Dir  string // an entry of this directory came, moved or went
	Wake *File  // this file grew
	All  bool   // events were lost: look at everything
}
