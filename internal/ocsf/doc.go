// Package ocsf writes an OCSF Detection Finding (class 2004) into a pdata map,
// so that Security Lake, Security Hub and other consumers of the Open
// Cybersecurity Schema Framework read Vigie's findings as they are.
//
// The schema is version 1.3.0 (https://schema.ocsf.io/1.3.0/classes/detection_finding):
// the first with is_alert, and read by Security Lake. Only the class that Vigie
// emits is here, no general encoder. A value that is zero and not required is
// left out. The package does no I/O and owns no goroutine.
package ocsf
