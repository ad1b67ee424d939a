package awsclient

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAClockThatIsRefusedGoesByTheServices(t *testing.T) {
	var c Clock
	now := time.Date(2026, 7, 14, 20, 0, 0, 0, time.UTC)
	answer := func(date string) *http.Response { return &http.Response{Header: http.Header{"Date": {date}}} }
	at := func(by time.Duration) string { return now.Add(by).Format(http.TimeFormat) }
	for _, date := range []string{"", "yesterday", at(0), at(3 * time.Minute), at(-3 * time.Minute)} {
		_, wrong := c.Refused(answer(date), c.At(now), now)
		require.False(t, wrong, date)
		require.Equal(t, now, c.At(now))
	}
	ahead, wrong := c.Refused(answer(at(-2*time.Hour)), now, now)
	require.True(t, wrong)
	require.Equal(t, -2*time.Hour, ahead)
	require.Equal(t, now.Add(-2*time.Hour), c.At(now))
	_, wrong = c.Refused(answer(at(-2*time.Hour)), now, now)
	require.True(t, wrong, "another that was signed before that was known")
	_, wrong = c.Refused(answer(at(-2*time.Hour)), c.At(now), now)
	require.False(t, wrong, "signed with AWS' time, and refused: for something else")
	_, wrong = c.Refused(answer(at(0)), c.At(now), now)
	require.True(t, wrong, "ours was set right")
	require.Equal(t, now, c.At(now))
}
