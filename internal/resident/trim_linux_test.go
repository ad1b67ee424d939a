package resident

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func residentFile(t *testing.T) int {
	t.Helper()
	body, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	for line := range strings.Lines(string(body)) {
		if rest, ok := strings.CutPrefix(line, "RssFile:"); ok {
			kb, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			require.NoError(t, err)
			return kb
		}
	}
	t.Skip("this kernel's /proc/self/status has no RssFile")
	return 0
}

func TestTrimLowersTheResidentSetAndTheProgramGoesOn(t *testing.T) {
	before := residentFile(t)
	require.NoError(t, Trim())
	after := residentFile(t)
	if after >= before {
		t.Errorf("file-backed resident memory was %d kB and is %d kB", before, after)
	}
}

func TestOnlyPrivateMappingsOfTheProgramThatCannotBeWrittenAreTouched(t *testing.T) {
	const exe = "/usr/bin/vigie"
	for line, want := range map[string]bool{
		"00400000-00402000 r--p 00000000 fe:00 42  /usr/bin/vigie":    true,
		"00402000-036c2000 r-xp 00002000 fe:00 42  /usr/bin/vigie":    true,
		"072cf000-0749a000 rw-p 06ecf000 fe:00 42  /usr/bin/vigie":    false,
		"00400000-00402000 r--s 00000000 fe:00 42  /usr/bin/vigie":    false,
		"00400000-00402000 r--p 00000000 fe:00 43  /usr/lib/other.so": false,
		"c000000000-c000400000 rw-p 00000000 00:00 0":                 false,
		"junk": false,
	} {
		if _, _, got := ownReadOnly(line, exe); got != want {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

// The dynamic linker's addresses are in a mapping that is read-only by now, and are
// not in the file.
func TestWhatWasWrittenBeforeItBecameReadOnlyStays(t *testing.T) {
	const smaps = `00400000-00402000 r-xp 00000000 fe:00 42                 /usr/bin/vigie
Size:                  8 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
00402000-00403000 r--p 00002000 fe:00 42                 /usr/bin/vigie
Size:                  4 kB
Anonymous:             4 kB
VmFlags: rd mr mw me ac
00403000-00404000 rw-p 00003000 fe:00 42                 /usr/bin/vigie
Anonymous:             0 kB
`
	got, err := cleanParts(strings.NewReader(smaps), "/usr/bin/vigie")
	require.NoError(t, err)
	require.Equal(t, []part{{0x400000, 0x402000}}, got)
}
