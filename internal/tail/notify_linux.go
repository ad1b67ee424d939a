package tail

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// dirMask is what is asked of a directory: files that come, move and go, but not
// what is written (IN_MODIFY would come once a write).
const dirMask = unix.IN_CREATE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_DELETE | unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// Notifier tells through C what happened, by inotify(7).
type Notifier struct {
	C <-chan Event

	file *os.File
	fd   int
	done chan struct{}

	mu    sync.Mutex
	marks map[int]mark // by watch descriptor; guarded by mu
}

type mark struct {
	dir  string
	wake *File
}

// NewNotifier starts the goroutine that reads inotify; Close ends it.
func NewNotifier() (*Notifier, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("inotify_init (see fs.inotify.max_user_instances): %w", err)
	}
	c := make(chan Event, 1024)
	n := &Notifier{C: c, file: os.NewFile(uintptr(fd), "inotify"), fd: fd, done: make(chan struct{}), marks: map[int]mark{}}
	go n.read(c)
	return n, nil
}

// Close ends the watches and waits for the goroutine.
func (n *Notifier) Close() {
	_ = n.file.Close()
	<-n.done
}

// watchDir asks for changes of a directory's entries; again is harmless.
func (n *Notifier) watchDir(dir string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	wd, err := unix.InotifyAddWatch(n.fd, dir, dirMask)
	if err != nil {
		return fmt.Errorf("inotify_add_watch %s (see fs.inotify.max_user_watches): %w", dir, err)
	}
	n.marks[wd] = mark{dir: dir}
	return nil
}

// wakeOnce asks for one event when the open file is next written to. The
// descriptor is named, so that a rename in between does no harm.
func (n *Notifier) wakeOnce(f *File) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	wd, err := unix.InotifyAddWatch(n.fd, "/proc/self/fd/"+strconv.Itoa(int(f.f.Fd())), unix.IN_MODIFY|unix.IN_ONESHOT)
	if err != nil {
		return fmt.Errorf("inotify_add_watch %s: %w", f.Path, err)
	}
	n.marks[wd] = mark{wake: f}
	return nil
}

func (n *Notifier) read(c chan<- Event) {
	defer close(n.done)
	buf := make([]byte, 64<<10)
	overflow := false // events that C had no room for
	for {
		got, err := n.file.Read(buf)
		if err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return
		}
		for b := buf[:got]; len(b) >= unix.SizeofInotifyEvent; {
			wd := int(int32(binary.NativeEndian.Uint32(b)))
			flags := binary.NativeEndian.Uint32(b[4:])
			b = b[min(len(b), unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))):]
			e, ok := n.event(wd, flags)
			if overflow {
				e, ok = Event{All: true}, true
			}
			if !ok {
				continue
			}
			select {
			case c <- e:
				overflow = false
			default:
				overflow = true // the reader is full of events already
			}
		}
	}
}

func (n *Notifier) event(wd int, flags uint32) (Event, bool) {
	if flags&unix.IN_Q_OVERFLOW != 0 {
		return Event{All: true}, true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	m, ok := n.marks[wd]
	if flags&unix.IN_IGNORED != 0 {
		delete(n.marks, wd)
		return Event{}, false
	}
	return Event{Dir: m.dir, Wake: m.wake}, ok
}
