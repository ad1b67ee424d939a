package conntrack

// Stats are the counters of a namespace, summed over its CPUs by a Summer or
// of one CPU. The kernel's are 32 bits wide a CPU and wrap.
//
// Found, Insert and the like tell little: since Linux 2.6.33 ordinary flows
// count as neither new nor inserted. Drop and EarlyDrop are those to watch.
type Stats struct {
	Invalid       uint64 // packets that fit no flow
	Insert        uint64
	InsertFailed  uint64 // entries that could not be inserted: lost a race, or the chain is too long
	Drop          uint64 // packets dropped because their entry could not be made
	EarlyDrop     uint64 // entries evicted because the table was full
	Error         uint64 // packets with an ICMP error or a broken header
	SearchRestart uint64
	ClashResolve  uint64 // Linux 5.12
	ChainTooLong  uint64 // Linux 5.15
}

// CPUStats are the kernel's counters of one CPU since the namespace was made.
type CPUStats struct {
	CPU           int
	Invalid       uint32
	Insert        uint32
	InsertFailed  uint32
	Drop          uint32
	EarlyDrop     uint32
	Error         uint32
	SearchRestart uint32
	ClashResolve  uint32
	ChainTooLong  uint32
}

// Usage is how full a table is, in entries.
type Usage struct {
	Count uint64
	Limit uint64 // 0: unlimited, as the kernel reads nf_conntrack_max
}

// Summer turns readings of the wrapping per-CPU counters into ever-growing
// sums. The zero value is ready; the first reading counts from the namespace's
// beginning. Not safe for concurrent use.
type Summer struct {
	last  []CPUStats
	total Stats
}

// Add takes a reading of all CPUs in order and returns the sums.
//
// A counter that goes back has wrapped if that makes a step of less than 2³¹;
// otherwise the namespace was made anew and it counts from zero.
func (s *Summer) Add(now []CPUStats) Stats {
	for len(s.last) < len(now) {
		s.last = append(s.last, CPUStats{})
	}
	for i := range now {
		n, l := &now[i], &s.last[i]
		s.total.Invalid += step(l.Invalid, n.Invalid)
		s.total.Insert += step(l.Insert, n.Insert)
		s.total.InsertFailed += step(l.InsertFailed, n.InsertFailed)
		s.total.Drop += step(l.Drop, n.Drop)
		s.total.EarlyDrop += step(l.EarlyDrop, n.EarlyDrop)
		s.total.Error += step(l.Error, n.Error)
		s.total.SearchRestart += step(l.SearchRestart, n.SearchRestart)
		s.total.ClashResolve += step(l.ClashResolve, n.ClashResolve)
		s.total.ChainTooLong += step(l.ChainTooLong, n.ChainTooLong)
		*l = *n
	}
	return s.total
}

func step(last, now uint32) uint64 {
	d := now - last // modulo 2³²: right across a wrap
	if now < last && d >= 1<<31 {
		return uint64(now)
	}
	return uint64(d)
}

// Attributes of IPCTNL_MSG_CT_GET_STATS_CPU (enum ctattr_stats_cpu) and of
// IPCTNL_MSG_CT_GET_STATS (enum ctattr_stats_global).
const (
	statsInvalid       = 4
	statsInsert        = 8
	statsInsertFailed  = 9
	statsDrop          = 10
	statsEarlyDrop     = 11
	statsError         = 12
	statsSearchRestart = 13
	statsClashResolve  = 14
	statsChainTooLong  = 15
	statsEntries       = 1
	statsMaxEntries    = 2
)

// decodeCPUStats reads a message's body; the CPU's number is in nfgenmsg.res_id.
func decodeCPUStats(body []byte) (s CPUStats, ok bool) {
	if len(body) < nfgenHeader {
		return s, false
	}
	s.CPU = int(be.Uint16(body[2:]))
	fields := [...]*uint32{
		statsInvalid: &s.Invalid, statsInsert: &s.Insert, statsInsertFailed: &s.InsertFailed,
		statsDrop: &s.Drop, statsEarlyDrop: &s.EarlyDrop, statsError: &s.Error,
		statsSearchRestart: &s.SearchRestart, statsClashResolve: &s.ClashResolve, statsChainTooLong: &s.ChainTooLong,
	}
	for b := body[nfgenHeader:]; ; {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return s, true
		}
		b = rest
		if kind < len(fields) && fields[kind] != nil {
			*fields[kind] = u32(p)
		}
	}
}

func decodeUsage(body []byte) (u Usage, ok bool) {
	if len(body) < nfgenHeader {
		return u, false
	}
	for b := body[nfgenHeader:]; ; {
		kind, p, rest, ok := nextAttr(b)
		if !ok {
			return u, true
		}
		b = rest
		switch kind {
		case statsEntries:
			u.Count = uint64(u32(p))
		case statsMaxEntries:
			u.Limit = uint64(u32(p))
		}
	}
}
