package msgpack

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"github.com/tinylib/msgp/msgp"
	"go.opentelemetry.io/collector/pdata/pcommon"
)

func value(t *testing.T, buf string) pcommon.Value {
	t.Helper()
	v, left := pcommon.NewValueEmpty(), Budget(MaxValues)
	r := NewReader(buf)
	require.NoError(t, r.Value(v, &left))
	require.False(t, r.More())
	return v
}

func TestEachWidthOfANumberIsRead(t *testing.T) {
	for _, n := range []int64{0, 1, 127, 128, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64, -1, -32, -33, -128, -129, -32768, -32769, -1 << 31, -1<<31 - 1, math.MinInt64} {
		require.Equal(t, n, value(t, string(msgp.AppendInt64(nil, n))).Int())
		if n >= 0 {
			require.Equal(t, n, value(t, string(msgp.AppendUint64(nil, uint64(n)))).Int())
		}
	}
	require.Equal(t, "18446744073709551615", value(t, string(msgp.AppendUint64(nil, math.MaxUint64))).Str())
	require.InDelta(t, 1.5, value(t, string(msgp.AppendFloat32(nil, 1.5))).Double(), 0)
	require.InDelta(t, math.Pi, value(t, string(msgp.AppendFloat64(nil, math.Pi))).Double(), 0)
}

func TestEachLengthOfTextAndBytesIsRead(t *testing.T) {
	for _, n := range []int{0, 31, 32, 255, 256, 65535, 65536} {
		text := strings.Repeat("é", n/2) + strings.Repeat("x", n%2)
		require.Equal(t, text, value(t, string(msgp.AppendString(nil, text))).Str())
		require.Equal(t, text, string(value(t, string(msgp.AppendBytes(nil, []byte(text)))).Bytes().AsRaw()))
	}
}

func TestWhatIsPastALimitStaysMessagePack(t *testing.T) {
	deep := strings.Repeat("\x91", MaxDepth+5) + "\x01"
	v := value(t, deep)
	for range MaxDepth {
		v = v.Slice().At(0)
	}
	require.Equal(t, "\x91\x91\x91\x91\x91\x01", string(v.Bytes().AsRaw()))

	wide := msgp.AppendMapHeader(nil, MaxFields+1)
	for i := range MaxFields + 1 {
		wide = msgp.AppendNil(msgp.AppendInt(wide, i))
	}
	require.Equal(t, string(wide), string(value(t, string(wide)).Bytes().AsRaw()))

	long := string(msgp.AppendArrayHeader(nil, MaxValues+1)) + strings.Repeat("\xc0", MaxValues+1)
	require.Equal(t, long, string(value(t, long).Bytes().AsRaw()))
}

func TestALengthIsBelievedOnlyWhenTheBytesAreThere(t *testing.T) {
	for _, buf := range []string{"", "\xdf\xff\xff\xff\xff", "\xdd\x00\x10\x00\x00\x01", "\xdb\xff\xff\xff\xffab", "\xc6\x7f\xff\xff\xff", "\xd7\x00\x01", "\xcf\x01", "\x82\x01\x01\x01", "\xc9\xff\xff\xff\xff\x00"} {
		v, left := pcommon.NewValueEmpty(), Budget(MaxValues)
		require.ErrorIs(t, NewReader(buf).Value(v, &left), ErrShort, "%q", buf)
		require.ErrorIs(t, NewReader(buf).Skip(), ErrShort, "%q", buf)
	}
	require.ErrorIs(t, NewReader("\xc1").Skip(), ErrUnknown)
}

func TestAMomentKeepsItsNanoseconds(t *testing.T) {
	for buf, want := range map[string]time.Time{
		"\xd7\x00\x6a\x2e\xf8\x80\x07\x5b\xcd\x15":     time.Unix(0x6a2ef880, 123456789),
		"\xc7\x08\x00\xf0\x00\x00\x00\x00\x00\x00\x01": time.Unix(0xf0000000, 1),
		"\xd7\x00\xff\xff\xff\xff\x00\x00\x00\x00":     time.Unix(-1, 0),
		"\xce\x6a\x2e\xf8\x80":                         time.Unix(0x6a2ef880, 0),
	} {
		token, err := NewReader(buf).Next()
		require.NoError(t, err)
		at, ok := token.Time()
		require.True(t, ok)
		if d := cmp.Diff(want.UnixNano(), at.UnixNano()); d != "" {
			t.Errorf("%q: %s", buf, d)
		}
	}
}
