package ocsf

// Tactics of MITRE ATT&CK that the classes of findings use.
var (
	Impact           = Tactic{"TA0040", "Impact"}
	CredentialAccess = Tactic{"TA0006", "Credential Access"}
	Reconnaissance   = Tactic{"TA0043", "Reconnaissance"}
)
