package containerlogreceiver

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"golang.org/x/sys/unix"
)

// A node has just come: its pods wrote before the agent ran. Without new_within what
// was there is not read.
func TestFilesMadeShortlyBeforeTheFirstStartAreNewOnes(t *testing.T) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, t.TempDir(), 0, unix.STATX_BTIME, &st); err != nil || st.Mask&unix.STATX_BTIME == 0 {
		t.Skip("this file system does not tell when a file was made")
	}
	for within, want := range map[time.Duration]bool{time.Minute: true, 0: false} {
		s := newStage(t, false)
		s.config.StartAt, s.config.NewWithin = "end", within
		s.write(t, "before\n")
		time.Sleep(300 * time.Millisecond) // births are known to 100 ms
		require.NoError(t, s.Start(t.Context(), componenttest.NewNopHost()))
		stop := make(chan struct{})
		wrote := make(chan error, 1)
		go func() { // until one is behind the first look
			for {
				select {
				case <-stop:
					wrote <- nil
					return
				case <-time.After(50 * time.Millisecond):
					if err := s.append("after\n"); err != nil {
						wrote <- err
						return
					}
				}
			}
		}()
		s.moody.wait(t, "a line after", func() bool { return slices.Contains(s.moody.bodies, "after") })
		close(stop)
		require.NoError(t, <-wrote)
		require.NoError(t, s.Shutdown(t.Context()))
		require.Equal(t, want, slices.Contains(s.moody.bodies, "before"), "new_within %s: %v", within, s.moody.bodies)
	}
}
