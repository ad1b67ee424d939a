package evalcmd

import (
	"context"
	"os/exec"

	"github.com/vigie-otel/vigie/internal/score"
)

// crowdSec runs CrowdSec where it is installed and a configuration is given;
// else the note says what was missing.
func (f *runFlags) crowdSec(ctx context.Context) ([]score.PeerResult, string, error) {
	if len(f.only) > 0 {
		return nil, "", nil
	}
	binary, err := exec.LookPath("crowdsec")
	switch {
	case err != nil:
		return nil, "CrowdSec is not installed here: no rows of it", nil
	case f.peer == "":
		return nil, "CrowdSec is installed, but no --crowdsec-config was given: no rows of it", nil
	}
	results, err := score.CrowdSec(ctx, binary, f.peer)
	return results, "", err
}
