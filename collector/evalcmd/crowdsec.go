package evalcmd

import "os/exec"

// crowdSec says why CrowdSec has no rows: it judges through its own agent, local
// API and hub, and is not driven from here.
func crowdSec() string {
	if _, err := exec.LookPath("crowdsec"); err != nil {
		return "CrowdSec is not installed here; no rows of it"
	}
	return "CrowdSec is installed but was not run"
}
