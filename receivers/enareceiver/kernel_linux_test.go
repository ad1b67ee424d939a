package enareceiver

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheKernelOfThisMachineIsReadWithoutAnError(t *testing.T) {
	d, err := openEthtool()
	require.NoError(t, err)
	s, logs := started(t, d)
	defer func() { require.NoError(t, s.shutdown(t.Context())) }()
	m, err := s.scrape(t.Context())
	require.NoError(t, err)
	if m.DataPointCount() == 0 {
		require.Equal(t, 1, logs.Len(), "no ENA here: exactly one line says so")
	}
}
