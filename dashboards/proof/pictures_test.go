package proof

import "testing"

func pictures(t *testing.T, p *Proof) {}
