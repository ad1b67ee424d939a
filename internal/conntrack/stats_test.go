package conntrack

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCountersThatWrapGoOnAndThoseThatResetStartAnew(t *testing.T) {
	var s Summer
	got := s.Add([]CPUStats{{Drop: 10}, {Drop: 1<<32 - 5}})
	require.EqualValues(t, 10+1<<32-5, got.Drop)

	got = s.Add([]CPUStats{{Drop: 30}, {Drop: 7}}) // the second wrapped
	require.EqualValues(t, 30+1<<32+7, got.Drop)

	got = s.Add([]CPUStats{{Drop: 4}, {Drop: 7}}) // the first went back: a new namespace
	require.EqualValues(t, 34+1<<32+7, got.Drop)

	got = s.Add([]CPUStats{{Drop: 4}, {Drop: 7}, {Drop: 100, EarlyDrop: 3}}) // a CPU came online
	require.EqualValues(t, 134+1<<32+7, got.Drop)
	require.EqualValues(t, 3, got.EarlyDrop)
}

func TestColumnsOfTheStatFileAreFoundByName(t *testing.T) {
	for name, tc := range map[string]struct {
		file string
		want []CPUStats
	}{
		"Linux 4.14": {
			"entries  searched found new invalid ignore delete delete_list insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n" +
				"0000002a  00000001 00000002 00000003 00000004 00000005 00000006 00000007 00000008 00000009 0000000a 0000000b 0000000c  00000000 00000000 00000000 0000000d\n",
			[]CPUStats{{Invalid: 4, Insert: 8, InsertFailed: 9, Drop: 10, EarlyDrop: 11, Error: 12, SearchRestart: 13}},
		},
		"Linux 6.18": {
			"entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n" +
				"0000002a  00000001 00000002 00000000 00000004 00000000 00000000 00000007 00000008 00000009 0000000a 0000000b 0000000c  00000000 00000000 00000000 0000000d\n" +
				"0000002a  00000000 00000000 00000000 ffffffff 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000  00000000 00000000 00000000 00000000\n",
			[]CPUStats{
				{Invalid: 4, Insert: 8, InsertFailed: 9, Drop: 10, EarlyDrop: 11, Error: 12, SearchRestart: 13, ClashResolve: 1, ChainTooLong: 7},
				{CPU: 1, Invalid: 1<<32 - 1},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var p Proc
			got, err := p.parseStat(nil, []byte(tc.file))
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
	var p Proc
	_, err := p.parseStat(nil, []byte("entries drop\n0000 xyz\n"))
	require.ErrorIs(t, err, ErrMalformed)
}

func TestAKernelThatIgnoresTheFilterIsFoundOut(t *testing.T) {
	for name, tc := range map[string]struct {
		seen verdict
		want FilterSupport
	}{
		"nothing came":                    {verdict{}, FilterUnknown},
		"all fits":                        {verdict{entries: 100, filtered: true}, FilterInKernel},
		"one entry changed meanwhile":     {verdict{entries: 100, strangers: 1, filtered: true}, FilterInKernel},
		"the kernel says it does not":     {verdict{entries: 100, strangers: 40}, FilterUserSpace},
		"it filters by another field":     {verdict{entries: 100, strangers: 40, filtered: true}, FilterUserSpace},
		"all fits, by chance, unfiltered": {verdict{entries: 100}, FilterUserSpace},
	} {
		t.Run(name, func(t *testing.T) {
			var k kernelFilter
			k.learn(tc.seen, false)
			require.Equal(t, tc.want, k.support())
		})
	}
}

func TestWithoutAModuleProcSaysSo(t *testing.T) {
	_, err := OpenProc(t.TempDir())
	require.ErrorIs(t, err, ErrNoModule)
}
