//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestScenariosAreChosenByNameWithWhatTheyNeedInTheirOrder(t *testing.T) {
	names := func(pattern string) (all []string) {
		chosen, err := choose(pattern)
		require.NoError(t, err, pattern)
		for _, s := range chosen {
			all = append(all, s.name)
		}
		return all
	}
	require.Equal(t, []string{"install", "second-node", "upgrade", "rights"}, names("rights|upgrade"))
	require.Equal(t, []string{"dry-run"}, names("dry"))
	all := names("")
	require.Len(t, all, len(story)-1)
	require.NotContains(t, all, "crowd", "only when it is named")
	require.Contains(t, names("crowd"), "crowd")

	// A misspelt name must not be a run that holds everything.
	_, err := choose("rbac")
	require.ErrorContains(t, err, `"rbac" names no scenario`)
	_, err = choose("(")
	require.ErrorContains(t, err, "E2E_RUN")
}
