package tail_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigie-otel/vigie/internal/tail"
)

// event waits for the notifier and tells the Set.
func (f *follower) event(n *tail.Notifier) tail.Event {
	f.t.Helper()
	select {
	case e := <-n.C:
		f.set.Notice(e)
		return e
	case <-time.After(10 * time.Second):
		f.t.Fatal("no event came")
		return tail.Event{}
	}
}

func TestAQuietFileIsWokenByItsNextLineAndADirectoryByItsNextFile(t *testing.T) {
	f := follow(t, "*/*.log", true)
	n, err := tail.NewNotifier()
	require.NoError(t, err)
	defer n.Close()
	f.set = tail.New(f.opt, n, nil, time.Time{})
	defer f.set.Close()
	f.write("pod/0.log", "one\n")
	f.want(0, "one")
	f.want(time.Minute) // it falls asleep
	ready, _ := f.set.Poll(f.now)
	require.Empty(t, ready)

	f.write("pod/0.log", "two\n")
	ready, _ = f.set.Poll(f.now)
	require.Empty(t, ready, "nobody asks a sleeping file")
	require.NotNil(t, f.event(n).Wake)
	ready, _ = f.set.Poll(f.now)
	require.Len(t, ready, 1)
	f.drain(ready[0])

	require.False(t, f.set.Pending())
	f.write("pod/1.log", "three\n")
	require.Equal(t, f.path("pod"), f.event(n).Dir)
	require.True(t, f.set.Pending())
	f.set.Scan(f.now, false)
	ready, _ = f.set.Poll(f.now)
	require.Len(t, ready, 1)
	f.drain(ready[0])

	f.write("other/0.log", "four\n")
	require.Equal(t, f.dir, f.event(n).Dir)
	f.set.Scan(f.now, false)
	ready, _ = f.set.Poll(f.now)
	require.Len(t, ready, 1)
	f.drain(ready[0])
	require.Equal(t, []string{"two", "three", "four"}, f.got)
}
