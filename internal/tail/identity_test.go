package tail

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// torn is a file that can't be read.
type torn struct{}

func (torn) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }

func TestAFingerprintGrowsWithItsFileAndKnowsAnother(t *testing.T) {
	scratch := make([]byte, fingerprintMax)
	of := func(text string) Fingerprint {
		p, err := takeFingerprint(strings.NewReader(text), fingerprintMax, scratch)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	known := of("one\ntwo\n")
	for name, c := range map[string]struct {
		file   io.ReaderAt
		longer Fingerprint
		begins bool
	}{
		"as it was":      {strings.NewReader("one\ntwo\n"), known, true},
		"grown":          {strings.NewReader("one\ntwo\n3\n"), of("one\ntwo\n3\n"), true},
		"another":        {strings.NewReader("one\n2\n3\n"), of("one\n2\n3\n"), false},
		"shorter":        {strings.NewReader("one\n"), of("one\n"), false},
		"empty":          {strings.NewReader(""), of(""), false},
		"not to be read": {torn{}, known, false},
	} {
		// What an earlier look left behind must not stand in for what is gone.
		copy(scratch, "one\ntwo\n")
		if longer, begins := known.extend(c.file, scratch); longer != c.longer || begins != c.begins {
			t.Errorf("%s: %+v, begins %v", name, longer, begins)
		}
	}
	if longer, begins := (Fingerprint{}).extend(strings.NewReader("one\n"), scratch); longer != of("one\n") || !begins {
		t.Errorf("of nothing: %+v, begins %v", longer, begins)
	}
}
