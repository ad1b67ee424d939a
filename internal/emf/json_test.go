package emf

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnyTextComesBackFromJSONAsItWas(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	runes := []rune("abc \"\\\n\r\t\x00\x1f\x7f é☕😀!#[]^")
	for range 20_000 {
		var s strings.Builder
		for range r.IntN(40) {
			s.WriteRune(runes[r.IntN(len(runes))])
		}
		var back string
		require.NoError(t, json.Unmarshal(AppendString(nil, s.String()), &back))
		require.Equal(t, s.String(), back)
	}
}

func TestNumbersComeBackFromJSONAsTheyWere(t *testing.T) {
	for _, v := range []float64{0, -1, 1e15, 1 << 53, 1<<53 + 2, 0.1, 1e-7, 1e22, -math.MaxFloat64, math.SmallestNonzeroFloat64, math.Copysign(0, -1)} {
		var back float64
		require.NoError(t, json.Unmarshal(AppendFloat(nil, v), &back))
		require.Equal(t, v+0, back+0)
	}
}

func BenchmarkAppendString(b *testing.B) {
	line := strings.Repeat(`10.1.2.3 - - "GET /api/v2/match/events HTTP/2.0" 200 1234 `, 20)
	doc := strings.Repeat(`{"Name":"http.server.requests","Unit":"Count"},`, 20)
	for name, s := range map[string]string{"log": line, "document": doc} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			var out []byte
			for b.Loop() {
				out = AppendString(out[:0], s)
			}
		})
	}
}
