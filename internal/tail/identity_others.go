//go:build !unix

package tail

import "os"

// identify knows no inode here: such files can't be followed.
func identify(os.FileInfo) (ID, bool) { return ID{}, false }
