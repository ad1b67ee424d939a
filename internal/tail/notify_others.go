//go:build !linux

package tail

import "errors"

// Notifier exists on Linux only; elsewhere everything is polled.
type Notifier struct{ C <-chan Event }

// NewNotifier says that there is none.
func NewNotifier() (*Notifier, error) { return nil, errors.New("inotify needs Linux") }

// Close does nothing.
func (*Notifier) Close() {}

func (*Notifier) watchDir(string) error { return nil }
func (*Notifier) wakeOnce(*File) error  { return nil }
