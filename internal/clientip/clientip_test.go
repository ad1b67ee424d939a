package clientip

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
)

func trust(cidrs ...string) *Resolver {
	var ps []netip.Prefix
	for _, c := range cidrs {
		ps = append(ps, netip.MustParsePrefix(c))
	}
	return New(ps)
}

func TestTheClientIsTheFirstHopThatNoTrustedProxyVouchesFor(t *testing.T) {
	proxies := trust("10.0.0.0/8", "2001:db8:ffff::/48", "::ffff:198.18.0.0/112")
	for _, tc := range []struct {
		name      string
		r         *Resolver
		peer, xff string
		want      string
	}{
		{"without trusted proxies the peer is the client", New(nil), "203.0.113.9", "198.51.100.1", "203.0.113.9"},
		{"a nil resolver trusts nobody", nil, "203.0.113.9", "198.51.100.1", "203.0.113.9"},
		{"an untrusted peer cannot forge", proxies, "203.0.113.9", "198.51.100.1", "203.0.113.9"},
		{"a trusted peer vouches for the last hop", proxies, "10.1.2.3", "198.51.100.1", "198.51.100.1"},
		{"what lies left of the client is forged", proxies, "10.1.2.3", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1"},
		{"ports, quotes, brackets and blanks are dropped", proxies, "10.1.2.3", ` "[2001:db8::7]:4711" , 10.0.0.9:80`, "2001:db8::7"},
		{"IPv6 proxies are trusted too", proxies, "2001:db8:ffff::1", "198.51.100.1", "198.51.100.1"},
		{"mapped prefixes mean IPv4", proxies, "198.18.0.7", "198.51.100.1", "198.51.100.1"},
		{"junk ends the walk at the last address", proxies, "10.1.2.3", "8.8.8.8, unknown, 10.0.0.4", "10.0.0.4"},
		{"an empty header leaves the peer", proxies, "10.1.2.3", "", "10.1.2.3"},
		{"all hops trusted: the outermost", proxies, "10.1.2.3", "10.0.0.1, 10.0.0.2", "10.0.0.1"},
		{"no peer in the log: the rightmost hop stands for it", nil, "", "1.1.1.1, 198.51.100.1", "198.51.100.1"},
		{"no peer and a trusted rightmost hop", proxies, "", "198.51.100.1, 10.0.0.1", "198.51.100.1"},
		{"nothing at all", proxies, "", "-", ""},
	} {
		var peer, want netip.Addr
		if tc.peer != "" {
			peer = netip.MustParseAddr(tc.peer)
		}
		if tc.want != "" {
			want = netip.MustParseAddr(tc.want)
		}
		if got := tc.r.Client(peer, []byte(tc.xff)); got != want {
			t.Errorf("%s: got %v, want %v", tc.name, got, want)
		}
	}
}

func TestALongChainOfTrustedHopsIsReadUpToMaxHops(t *testing.T) {
	r := trust("10.0.0.0/8")
	chain := "198.51.100.1" + strings.Repeat(", 10.0.0.1", MaxHops+10)
	if got := r.Client(netip.MustParseAddr("10.0.0.2"), []byte(chain)); got != netip.MustParseAddr("10.0.0.1") {
		t.Errorf("got %v: hops beyond MaxHops were read", got)
	}
	chain = "198.51.100.1" + strings.Repeat(", 10.0.0.1", MaxHops-1)
	if got := r.Client(netip.MustParseAddr("10.0.0.2"), []byte(chain)); got != netip.MustParseAddr("198.51.100.1") {
		t.Errorf("got %v: a chain of MaxHops was not read to its end", got)
	}
}

func TestAddressesAreReadAsNetipReadsThem(t *testing.T) {
	for _, s := range []string{
		"0.0.0.0", "255.255.255.255", "1.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "a.b.c.d", "",
		"::", "::1", "1::", "2001:db8::1", "2001:db8:0:0:0:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"::ffff:1.2.3.4", "::1.2.3.4", "1:2:3:4:5:6:7::", "1::2::3", ":1", "1:", "12345::", "g::", "fe80::1", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", ":::",
		"1:2:3:4::5:6:7:8",
	} {
		got, ok := ParseAddr([]byte(s))
		want, err := netip.ParseAddr(s)
		if ok != (err == nil) || got != want.Unmap() {
			t.Errorf("%q: got %v %v, netip %v %v", s, got, ok, want, err)
		}
	}
	if got, ok := ParseAddr([]byte("fe80::1%eth0")); !ok || got != netip.MustParseAddr("fe80::1") {
		t.Errorf("zone: got %v %v", got, ok)
	}
}

func FuzzParseAddr(f *testing.F) {
	for _, s := range []string{"1.2.3.4", "2001:db8::1", "::ffff:1.2.3.4", "fe80::1", "1:2:3:4:5:6:7:8"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := ParseAddr(b)
		want, err := netip.ParseAddr(string(b))
		switch {
		case bytes.IndexByte(b, '%') >= 0: // zones differ on purpose
		case bytes.HasPrefix(b, []byte("0")), bytes.Contains(b, []byte(".0")), bytes.Contains(b, []byte(":0")):
			// netip rejects leading zeros in a dotted quad; logs are read leniently
			if err == nil && got != want.Unmap() {
				t.Fatalf("%q: got %v, netip %v", b, got, want)
			}
		case ok != (err == nil) || (ok && got != want.Unmap()):
			t.Fatalf("%q: got %v %v, netip %v %v", b, got, ok, want, err)
		}
		ParseHop(b)
	})
}

func TestResolvingAllocatesNothing(t *testing.T) {
	r := trust("10.0.0.0/8")
	peer, chain := netip.MustParseAddr("10.0.0.2"), []byte(strings.Repeat("6.6.6.6, ", 50)+"2001:db8::1, 10.0.0.1")
	if n := testing.AllocsPerRun(100, func() { r.Client(peer, chain) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkClient(b *testing.B) {
	r := trust("10.0.0.0/8", "192.168.0.0/16")
	peer, chain := netip.MustParseAddr("10.0.0.2"), []byte(strings.Repeat("6.6.6.6, ", 50)+"203.0.113.77, 10.0.0.1")
	b.ReportAllocs()
	for b.Loop() {
		r.Client(peer, chain)
	}
}

func TestNamesGetStandInAddressesThatKeepTheirKinship(t *testing.T) {
	of := func(s string) netip.Addr { a, _ := FromName([]byte(s)); return a }
	site := func(a netip.Addr, bits int) netip.Prefix { p, _ := a.Prefix(bits); return p }
	a, b, c := of("ppp-1.dial.example.net"), of("ppp-2.dial.example.net"), of("www.other.example")
	if a == b || site(a, 64) == site(b, 64) || site(a, 48) != site(b, 48) || site(a, 48) == site(c, 48) {
		t.Errorf("%v %v %v", a, b, c)
	}
	for _, x := range []netip.Addr{a, b, c, of("1234"), of("localhost")} {
		if !Names.Contains(x) {
			t.Errorf("%v is outside %v", x, Names)
		}
	}
	for _, s := range []string{"", "-", "unix:", "a b", "1.2.3.4:5", "é"} {
		if a, ok := FromName([]byte(s)); ok {
			t.Errorf("%q became %v", s, a)
		}
	}
}
