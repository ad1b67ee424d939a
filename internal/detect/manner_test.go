package detect

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

func TestAnAgentsKindIsTheProductsThatItNames(t *testing.T) {
	kind := func(s string) uint16 { return agentKind([]byte(s)) }
	chrome := kind("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36")
	require.Equal(t, chrome, kind("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.1.2 Safari/537.36"))
	for _, other := range []string{
		"Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
		"Mozilla/5.0 (Windows NT 10.0; rv:126.0) Gecko/20100101 Firefox/126.0", "curl/8.9.1", "Shop/5.3 (iPhone; iOS 18.1)", "Kiosk/5.3 (iPhone; iOS 18.1)",
	} {
		require.NotEqual(t, chrome, kind(other), other)
	}
	require.Equal(t, kind("Shop/5.3 (iPhone; iOS 18.1)"), kind("Shop/6.0 (iPad; iOS 17.0)"))
}

// shapeOf is a row of a client of one kind that asked for pages, with or without
// what belongs to them.
func shapeOf(key uint64, visitor bool) row {
	c := client{n: 6, turns: 6, pages: 6, tmpls: 0x3f}
	e := event{key: key, kind: 77, class: classPage, nano: 100e9}
	if visitor {
		c = client{n: 6, turns: 2, pages: 1, static: 5, refs: 5, tmpls: 0x3f}
		e.flags = flagReferer
	}
	return row{key: key, w: 1, class: classPage, val: [dims]uint32{dimManner: manner(&e, &c)}}
}

func TestWaysInWhichHardlyAnyOfAKindComeByAreOddOnceTheyAreMany(t *testing.T) {
	var m manners
	var usual []row
	for i := range uint64(100) {
		usual = append(usual, shapeOf(i*0x9e3779b97f4a7c15, i != 0))
	}
	for range 10 {
		m.learn(usual)
	}
	bot, person := shapeOf(1, false), shapeOf(1, true)
	p, ok := m.share(bot.val[dimManner])
	require.True(t, ok)
	require.Less(t, p, float32(oddShare))
	p, ok = m.share(person.val[dimManner])
	require.True(t, ok)
	require.Greater(t, p, float32(0.9))

	odd := func(bots int) (n int) {
		var x excess
		for i := range uint64(300) {
			x.rows = append(x.rows, shapeOf((i+7)*0x9e3779b97f4a7c15, i >= uint64(bots)))
		}
		x.mask = make([]uint16, len(x.rows))
		x.oddly(&m)
		for _, v := range x.mask {
			if v&foreign != 0 && v&(1<<groupSession) != 0 {
				n++
			}
		}
		return n
	}
	require.Zero(t, odd(60), "too little is known of how many there always are")
	for range 2 {
		m.learn(usual)
	}
	require.Equal(t, 60, odd(60))
	require.Zero(t, odd(6), "as many as there always are")
	require.Zero(t, odd(0))
}

func TestWhatASiteThatFailsBringsAboutIsLeftOutOfAClientsManner(t *testing.T) {
	e := event{kind: 77, class: classPage, nano: 100e9, flags: flagReferer}
	quick, slow := client{n: 6, turns: 2, pages: 1, static: 5, refs: 5, lost: 1}, client{n: 6, turns: 6, pages: 6, refs: 5, lost: 1}
	require.Equal(t, manner(&e, &quick), manner(&e, &slow))
	slow.lost = 0
	require.NotEqual(t, manner(&e, &quick), manner(&e, &slow))
}

func TestASummaryCarriesAnEventWhole(t *testing.T) {
	want := event{nano: 5e9, pq: 1 << 50, path: 9, tmpl: 8, uax: 7, fam: 6, kind: 5, ja4: 4, acct: 3, rep: 2, status: 404, method: methodPOST, class: classAPI, flags: flag4 | flagReferer, size: 12, dur: 1}
	want.addr = [16]byte{10: 255, 11: 255, 12: 192, 14: 2, 15: 1}
	want.key = clientKey(11, want.addr, true)
	b := appendEvent(nil, &want)
	require.Len(t, b, eventBytes)
	f := fields{b: b}
	var got event
	f.event(&got, 11)
	require.NoError(t, f.err)
	require.Empty(t, cmp.Diff(want, got, cmp.AllowUnexported(event{})))
}

func TestDoubtStopsTheLearningOfMannersForAWhileAndNotForEver(t *testing.T) {
	s := service{second: 1000}
	require.False(t, s.doubtful())
	learned := 0
	for range 3000 {
		s.second++
		if s.second%10 == 0 {
			s.doubt()
		}
		if !s.doubtful() {
			learned++
		}
	}
	require.InDelta(t, 3000-doubtMost, learned, 20)
	s.second += 2 * doubtFor
	s.doubt()
	require.True(t, s.doubtful(), "a new doubt begins anew")
}
