package sketch

const cmDepth = 4

// CountMin counts how often 64-bit hashes occur (Cormode and Muthukrishnan
// 2005). Of N counted in w columns an estimate is never too low, and more than
// e·N/w too high with probability e⁻⁴ < 2 %. Two hashes of 32 bits give the four
// rows (Kirsch and Mitzenmacher 2006), so the key is hashed once.
type CountMin struct {
	mask uint32
	rows [cmDepth][]uint32
}

// NewCountMin makes a CountMin of at least width columns: 16 bytes each.
func NewCountMin(width int) *CountMin {
	w := 1
	for w < width {
		w *= 2
	}
	c := &CountMin{mask: uint32(w - 1)}
	for i := range c.rows {
		c.rows[i] = make([]uint32, w)
	}
	return c
}

// Add counts hash n times and returns the new estimate.
func (c *CountMin) Add(hash uint64, n uint32) uint32 {
	a, b := uint32(hash), uint32(hash>>32)|1
	least := ^uint32(0)
	for i := range c.rows {
		p := &c.rows[i][(a+uint32(i)*b)&c.mask]
		if s := *p + n; s >= *p { // saturates
			*p = s
		} else {
			*p = ^uint32(0)
		}
		least = min(least, *p)
	}
	return least
}

// Estimate says how often hash was counted.
func (c *CountMin) Estimate(hash uint64) uint32 {
	a, b := uint32(hash), uint32(hash>>32)|1
	least := ^uint32(0)
	for i := range c.rows {
		least = min(least, c.rows[i][(a+uint32(i)*b)&c.mask])
	}
	return least
}

// Halve ages c: every count is halved.
func (c *CountMin) Halve() {
	for i := range c.rows {
		for j := range c.rows[i] {
			c.rows[i][j] /= 2
		}
	}
}

// Merge adds o to c; it is false, and nothing happens, when their widths differ.
func (c *CountMin) Merge(o *CountMin) bool {
	if c.mask != o.mask {
		return false
	}
	for i := range c.rows {
		for j, n := range o.rows[i] {
			if s := c.rows[i][j] + n; s >= n {
				c.rows[i][j] = s
			} else {
				c.rows[i][j] = ^uint32(0)
			}
		}
	}
	return true
}
