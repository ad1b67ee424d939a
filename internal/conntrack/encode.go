package conntrack

import "github.com/vigie-otel/vigie/internal/flow"

// appendRequest starts a request in b: struct nlmsghdr, whose length finish
// sets, and struct nfgenmsg.
func appendRequest(b []byte, msg, flags uint16, seq uint32, family uint8) []byte {
	b = host.AppendUint32(b, 0)
	b = host.AppendUint16(b, subsysConntrack<<8|msg)
	b = host.AppendUint16(b, nlmFlagRequest|flags)
	b = host.AppendUint32(b, seq)
	b = host.AppendUint32(b, 0)
	return append(b, family, 0, 0, 0)
}

func finish(b []byte) []byte {
	host.PutUint32(b, uint32(len(b)))
	return b
}

func appendAttr(b []byte, kind uint16, payload ...byte) []byte {
	b = host.AppendUint16(b, uint16(nlaHeader+len(payload)))
	b = host.AppendUint16(b, kind)
	b = append(b, payload...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

func appendU16(b []byte, kind uint16, v uint16) []byte {
	return appendAttr(b, kind, byte(v>>8), byte(v))
}

func appendU32(b []byte, kind uint16, v uint32) []byte {
	return appendAttr(b, kind, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

func appendNested(b []byte, kind uint16, fill func([]byte) []byte) []byte {
	at := len(b)
	b = host.AppendUint16(b, 0)
	b = host.AppendUint16(b, kind|nlaNested)
	b = fill(b)
	host.PutUint16(b[at:], uint16(len(b)-at))
	return b
}

// appendFilter writes x as attributes of a dump request. Kernels skip the
// attributes that they don't know.
func appendFilter(b []byte, x *Filter) []byte {
	if x.StatusMask != 0 {
		b = appendU32(b, ctaStatus, uint32(x.Status&x.StatusMask))
		b = appendU32(b, ctaStatusMask, uint32(x.StatusMask))
	}
	if x.MarkMask != 0 {
		b = appendU32(b, ctaMark, x.Mark&x.MarkMask)
		b = appendU32(b, ctaMarkMask, x.MarkMask)
	}
	if x.HasZone {
		b = appendU16(b, ctaZone, x.Zone)
	}
	orig, reply := x.Orig.flags(), x.Reply.flags()
	if x.family() == familyUnspec || orig|reply == 0 {
		return b // the kernel takes a tuple only together with its family
	}
	if orig != 0 {
		b = appendMatch(b, ctaTupleOrig, &x.Orig)
	}
	if reply != 0 {
		b = appendMatch(b, ctaTupleReply, &x.Reply)
	}
	return appendNested(b, ctaFilter, func(b []byte) []byte {
		b = appendAttr(b, ctaFilterOrigFlags, host.AppendUint32(nil, orig)...)
		return appendAttr(b, ctaFilterReplyFlags, host.AppendUint32(nil, reply)...)
	})
}

func appendMatch(b []byte, kind uint16, m *Match) []byte {
	return appendNested(b, kind, func(b []byte) []byte {
		b = appendNested(b, ctaTupleIP, func(b []byte) []byte {
			b = appendAddr(b, ctaIPv4Src, ctaIPv6Src, m.Src.AsSlice())
			return appendAddr(b, ctaIPv4Dst, ctaIPv6Dst, m.Dst.AsSlice())
		})
		return appendNested(b, ctaTupleProto, func(b []byte) []byte {
			if m.Proto == 0 {
				return b
			}
			b = appendAttr(b, ctaProtoNum, byte(m.Proto))
			if m.Proto != flow.ICMP4 && m.Proto != flow.ICMP6 {
				b = appendU16(b, ctaProtoSrc, m.SrcPort)
				b = appendU16(b, ctaProtoDst, m.DstPort)
			}
			return b
		})
	})
}

func appendAddr(b []byte, kind4, kind6 uint16, addr []byte) []byte {
	switch len(addr) {
	case 4:
		return appendAttr(b, kind4, addr...)
	case 16:
		return appendAttr(b, kind6, addr...)
	}
	return b
}
