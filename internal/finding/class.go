package finding

// Class names what kind of attack, or wall, a finding is.
type Class string

// The classes, and what each means.
const (
	HTTPFlood           Class = "http_flood"           // more requests than the service's crowd, from clients that stand out
	DistributedFlood    Class = "distributed_flood"    // the same, spread so thin that no client stands out
	CredentialStuffing  Class = "credential_stuffing"  // sign-ins with lists of stolen accounts
	CacheBusting        Class = "cache_busting"        // queries that never repeat, to reach the origin
	PathScanning        Class = "path_scanning"        // guessing paths
	Slowloris           Class = "slowloris"            // requests that hold their connection and never end
	SYNFlood            Class = "syn_flood"            // handshakes that are never completed
	ConntrackExhaustion Class = "conntrack_exhaustion" // the connection-tracking table or allowance runs out
	RetryStorm          Class = "retry_storm"          // clients that repeat what failed; harm without malice
)

// Classes returns all classes, in the order of their declaration.
func Classes() []Class {
	return []Class{
		HTTPFlood, DistributedFlood, CredentialStuffing, CacheBusting, PathScanning,
		Slowloris, SYNFlood, ConntrackExhaustion, RetryStorm,
	}
}

// Valid reports whether c is one of Classes.
func (c Class) Valid() bool { return c.Title() != "" }

// Title says the class in words; it is empty for a class that does not exist.
func (c Class) Title() string {
	switch c {
	case HTTPFlood:
		return "HTTP flood"
	case DistributedFlood:
		return "Distributed HTTP flood"
	case CredentialStuffing:
		return "Credential stuffing"
	case CacheBusting:
		return "Cache busting"
	case PathScanning:
		return "Path scanning"
	case Slowloris:
		return "Slow requests hold connections"
	case SYNFlood:
		return "SYN flood"
	case ConntrackExhaustion:
		return "Connection tracking runs out"
	case RetryStorm:
		return "Retry storm"
	}
	return ""
}

// Attack reports whether the class is somebody's intent. A wall that comes
// nearer and a retry storm do harm without it.
func (c Class) Attack() bool {
	return c.Valid() && c != ConntrackExhaustion && c != RetryStorm
}
