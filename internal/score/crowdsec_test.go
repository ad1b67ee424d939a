package score

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The stand-in names each address that asked for more than a hundred things, in
// CrowdSec's words.
const standIn = `#!/bin/sh
for last; do :; done
cut -d' ' -f1 "${last#file://}" | sort | uniq -c | awk '$1 > 100 {print "time=x level=info msg=\"Ip " $2 " performed '"'"'crowdsecurity/http-crawl'"'"' (41 events over 2s) at now\""}'
`

func TestThePeersAlertsAreReadFromItsLog(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "crowdsec")
	require.NoError(t, os.WriteFile(binary, []byte(standIn), 0o700))
	c, _, _ := toolCase(t)
	c.Intensity = 3
	r, err := c.crowdSec(t.Context(), binary, "config.yaml", filepath.Join(dir, "access.log"))
	require.NoError(t, err)
	if r.AttackersHit == 0 || r.AttackersHit > r.Attackers || r.InReach < 100 || r.InReach > r.AttackRequests || r.Lines < 1000 || r.PeopleHit > r.People {
		t.Errorf("%+v", r)
	}
}

func TestAPeerThatFailsIsQuoted(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "crowdsec")
	require.NoError(t, os.WriteFile(binary, []byte("#!/bin/sh\necho no such parser >&2\nexit 1\n"), 0o700))
	c := Case{Scenario: "scan", Seed: 1, Scale: 0.001}
	_, err := c.crowdSec(t.Context(), binary, "config.yaml", filepath.Join(dir, "access.log"))
	require.ErrorContains(t, err, "no such parser")
}
