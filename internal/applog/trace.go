package applog

import "strings"

// trace reads a trace's ID: 32 hex digits, 16 as older Zipkin libraries write
// them, with dashes as a UUID, or X-Ray's "1-5f84c7a1-e7d1852d8c4fe7a3e2b1c9d0",
// also within "Root=…;Parent=…;Sampled=1" and followed by "@" and the segment.
func (r *Record) trace(s string) bool {
	if i := strings.Index(s, "Root="); i >= 0 {
		return r.xrayHeader(s[i:])
	}
	id, segment, _ := strings.Cut(s, "@")
	if len(id) == 35 && strings.HasPrefix(id, "1-") && id[10] == '-' {
		var b [16]byte
		if !hexInto(b[:4], id[2:10]) || !hexInto(b[4:], id[11:]) {
			return false
		}
		r.TraceID = b
		if segment != "" {
			unhex(r.SpanID[:], segment)
		}
		return b != [16]byte{}
	}
	switch len(s) {
	case 16:
		return unhex(r.TraceID[8:], s)
	case 32:
		return unhex(r.TraceID[:], s)
	case 36:
		return s[8] == '-' && s[13] == '-' && s[18] == '-' && s[23] == '-' &&
			unhex(r.TraceID[:], s[:8]+s[9:13]+s[14:18]+s[19:23]+s[24:])
	}
	return false
}

// xrayHeader reads "Root=1-…;Parent=…;Sampled=1".
func (r *Record) xrayHeader(s string) bool {
	ok := false
	for part := range strings.SplitSeq(s, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch key {
		case "Root":
			ok = len(value) == 35 && r.trace(value)
		case "Parent":
			unhex(r.SpanID[:], value)
		case "Sampled":
			r.Sampled = value == "1"
		}
	}
	return ok
}

// traceParent reads W3C's "00-<trace>-<span>-<flags>".
func (r *Record) traceParent(s string) bool {
	if len(s) < 55 || s[2] != '-' || s[35] != '-' || s[52] != '-' || !unhex(r.TraceID[:], s[3:35]) {
		return false
	}
	unhex(r.SpanID[:], s[36:52])
	var flags [1]byte
	if hexInto(flags[:], s[53:55]) {
		r.Sampled = flags[0]&1 != 0
	}
	return true
}

// flags reads W3C's flags, as two hex digits or a number, or a truth.
func (r *Record) flags(f *Field) bool {
	switch f.Type {
	case Str:
		var b [1]byte
		switch {
		case len(f.Str) == 2 && hexInto(b[:], f.Str):
			r.Sampled = b[0]&1 != 0
		case strings.EqualFold(f.Str, "true"), f.Str == "1":
			r.Sampled = true
		case strings.EqualFold(f.Str, "false"), f.Str == "0":
		default:
			return false
		}
	case Int, Bool:
		r.Sampled = f.Int&1 != 0
	default:
		return false
	}
	return true
}

// unhex reads an ID of exactly dst's length; false, and dst all zero, if it is
// none, or all zero itself.
func unhex(dst []byte, s string) bool {
	if !hexInto(dst, s) {
		clear(dst)
		return false
	}
	for _, b := range dst {
		if b != 0 {
			return true
		}
	}
	return false
}

func hexInto(dst []byte, s string) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range dst {
		hi, lo := digit(s[2*i]), digit(s[2*i+1])
		if hi > 15 || lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func digit(c byte) byte {
	switch {
	case c-'0' <= 9:
		return c - '0'
	case c|0x20-'a' <= 5:
		return c | 0x20 - 'a' + 10
	}
	return 255
}
