package warroomexporter

import (
	"net/http"
	"time"
)

// writeWait is how long one event may take to leave: the server's own
// WriteTimeout is of a whole answer, and a stream has no end. A phone that went
// away is let go after it.
const writeWait = 15 * time.Second

// serveStream answers GET /api/warroom/stream: server-sent events, a snapshot and
// then a delta each second. A viewer who falls behind gets a new snapshot in
// place of the deltas that it missed.
func (w *warroom) serveStream(rw http.ResponseWriter, r *http.Request) {
	v := w.room.viewers.join()
	if v == nil {
		rw.Header().Set("Retry-After", "10")
		http.Error(rw, "too many viewers are connected; see room::viewers", http.StatusServiceUnavailable)
		return
	}
	defer w.room.viewers.leave(v)
	select { // the slow sections, for a first viewer
	case w.room.wake <- struct{}{}:
	default:
	}
	h := rw.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("X-Accel-Buffering", "no") // nginx in between must not collect
	s := streamer{rw: rw, control: http.NewResponseController(rw), room: w.room}
	if s.write([]byte("retry: 1000\n\n")) != nil || s.resync() != nil {
		return
	}
	for {
		select {
		case <-r.Context().Done():
			return
		case <-w.room.viewers.done:
			return
		case f := <-v.queue:
			if s.next(v, f) != nil {
				return
			}
		}
	}
}

// streamer writes to one viewer.
type streamer struct {
	rw      http.ResponseWriter
	control *http.ResponseController
	room    *room
	seen    uint64 // seq of what the viewer has
}

func (s *streamer) next(v *viewer, f frame) error {
	if v.lagged.Swap(false) {
		s.room.viewers.resyncs.Add(1)
		return s.resync()
	}
	if f.seq <= s.seen { // older than the snapshot that went before
		return nil
	}
	s.seen = f.seq
	return s.write(f.data)
}

func (s *streamer) resync() error {
	f, err := s.room.current()
	if err != nil {
		return err
	}
	s.seen = f.seq
	return s.write(f.data)
}

func (s *streamer) write(b []byte) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return err
	}
	if _, err := s.rw.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}
