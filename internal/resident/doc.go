// Package resident gives back the pages of the program's own file that were
// needed only to start.
//
// Nothing enters and nothing leaves: Trim asks the kernel, once, to unmap clean
// pages of the executable. A collector links hundreds of packages; their
// initialisers, and the kernel's habit of mapping what lies around a fault, make
// most of the file resident before the first sample arrives. The pages stay in
// the page cache and come back by a minor fault when they are needed, so this
// changes what is counted as this process's memory and what the kernel may reuse
// first; it does not change what the process allocates. The package owns no
// goroutine.
package resident
