package conntrack

// Usage asks for the number of entries and, since Linux 4.18, their limit; on
// older kernels Limit is 0 and Proc has it.
func (c *Conn) Usage() (u Usage, err error) {
	err = c.send(func(seq uint32, b []byte) []byte {
		return finish(appendRequest(b, msgStatsGlobal, 0, seq, familyUnspec))
	})
	if err != nil {
		return u, err
	}
	return u, c.answers(false, func(h header, body []byte) bool {
		u, _ = decodeUsage(body)
		return true
	})
}

// CPUStats asks for the counters of each CPU and appends them to dst, in the
// order of CPUs.
func (c *Conn) CPUStats(dst []CPUStats) ([]CPUStats, error) {
	err := c.send(func(seq uint32, b []byte) []byte {
		return finish(appendRequest(b, msgStatsCPU, nlmFlagDump, seq, familyUnspec))
	})
	if err != nil {
		return dst, err
	}
	return dst, c.answers(true, func(h header, body []byte) bool {
		if s, ok := decodeCPUStats(body); ok {
			dst = append(dst, s)
		}
		return true
	})
}

// KernelFilters tells whether the last filtered dump was filtered by the
// kernel. It is one verdict for the Conn: ask the same kind of filter.
func (c *Conn) KernelFilters() FilterSupport { return c.features.support() }
