package flow

// State is the connection state of a TCP or SCTP flow as conntrack follows it.
type State uint8

// The states. Where OpenTelemetry's network.connection.state has a value, its
// name is used (syn_received, closed); conntrack does not tell fin_wait_1 from
// fin_wait_2. SCTP's own states come last.
const (
	StateNone State = iota
	StateSynSent
	StateSynReceived
	StateEstablished
	StateFinWait
	StateCloseWait
	StateLastAck
	StateTimeWait
	StateClosed
	StateSynSent2 // TCP simultaneous open: a SYN from both sides

	StateCookieWait
	StateCookieEchoed
	StateShutdownSent
	StateShutdownReceived
	StateShutdownAckSent
	StateHeartbeatSent
	StateUnknown // a state that this build does not know

	NumStates = int(StateUnknown) + 1
)

// Order: the constants above.
var stateNames = [...]string{
	"none", "syn_sent", "syn_received", "established", "fin_wait", "close_wait", "last_ack",
	"time_wait", "closed", "syn_sent2", "cookie_wait", "cookie_echoed", "shutdown_sent",
	"shutdown_received", "shutdown_ack_sent", "heartbeat_sent", "unknown",
}

// String is the value of network.connection.state.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// ParseState is the reverse of String; an unknown name gives StateUnknown.
func ParseState(name string) State {
	for i, n := range stateNames {
		if n == name {
			return State(i)
		}
	}
	return StateUnknown
}

// HalfOpen reports a handshake that the client has not completed: a TCP flow in
// syn_sent, syn_sent2 or syn_received, an SCTP association before its cookie is
// accepted. It is what a SYN flood leaves in the table.
func (f *Flow) HalfOpen() bool {
	switch f.State {
	case StateSynSent, StateSynReceived, StateSynSent2, StateCookieWait, StateCookieEchoed:
		return !f.Assured()
	}
	return false
}

// Unreplied reports that no packet has come back yet.
func (f *Flow) Unreplied() bool { return f.Status&SeenReply == 0 }

// Assured reports that the kernel has seen traffic both ways and keeps the
// entry when the table is full; entries that are not assured are early-dropped.
func (f *Flow) Assured() bool { return f.Status&Assured != 0 }

// StateName is the value of network.connection.state for any transport: the
// state of TCP and SCTP, for the others how far the exchange came: "unreplied",
// "replied" or "assured".
func (f *Flow) StateName() string {
	switch {
	case f.State != StateNone:
		return f.State.String()
	case f.Proto == TCP || f.Proto == SCTP:
		return StateNone.String()
	case f.Assured():
		return "assured"
	case f.Unreplied():
		return "unreplied"
	}
	return "replied"
}
