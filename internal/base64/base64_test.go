package base64_test

import (
	"bytes"
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	own "github.com/aimbrain/aimbrain-go/internal/base64"
)

func random(n int) []byte {
	generator := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(generator.Uint32())
	}
	return data
}

func TestAppendEncode_EqualsStandardLibrary(t *testing.T) {
	t.Parallel()
	for n := range 300 {
		data := random(n)
		want := base64.StdEncoding.EncodeToString(data)
		assert.Equal(t, want, string(own.AppendEncode(nil, data)), "%d bytes", n)
		assert.Equal(t, len(want), own.EncodedLen(n))
		assert.Equal(t, "before"+want, string(own.AppendEncode([]byte("before"), data)), "%d bytes", n)

		exact := make([]byte, 3, 3+len(want))
		appended := own.AppendEncode(exact, data)
		assert.Same(t, &exact[0], &appended[0], "no allocation where there is room")
		behind := append(make([]byte, 0, len(want)+8), bytes.Repeat([]byte("x"), len(want)+8)...)
		own.AppendEncode(behind[:0], data)
		assert.Equal(t, "xxxxxxxx", string(behind[len(want):]), "nothing is written behind the end")
	}
	for _, char := range []byte("\x00\xff\xaa\x55") {
		data := bytes.Repeat([]byte{char}, 1000)
		require.Equal(t, base64.StdEncoding.EncodeToString(data), string(own.AppendEncode(nil, data)))
	}
	every := make([]byte, 0, 3<<12) // each pair of characters in each place
	for i := range 1 << 12 {
		every = append(every, byte(i>>4), byte(i<<4)|byte(i>>8), byte(i))
	}
	for shift := range 12 {
		require.Equal(t, base64.StdEncoding.EncodeToString(every[shift:]), string(own.AppendEncode(nil, every[shift:])))
	}
}

func TestValid_EqualsStandardLibrary(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		text := base64.StdEncoding.EncodeToString(random(n))
		require.True(t, own.Valid(text), text)
		for i := range len(text) {
			for _, c := range "=-_ \n\r\x00\xff\"\\" {
				changed := text[:i] + string(c) + text[i+1:]
				require.Equal(t, validByStandard(changed), own.Valid(changed), "%q", changed)
			}
			require.Equal(t, validByStandard(text[:i]), own.Valid(text[:i]), "%q", text[:i])
		}
	}
	for _, text := range []string{"=", "==", "===", "====", "A===", "AA==", "AAA=", "AA=A", "=AAA", "AAAA====", "AAAA=AA="} {
		assert.Equal(t, validByStandard(text), own.Valid(text), "%q", text)
	}
}

// validByStandard excludes line breaks, which encoding/base64 accepts and JSON
// does not.
func validByStandard(text string) bool {
	_, err := base64.StdEncoding.DecodeString(text)
	return err == nil && !strings.ContainsAny(text, "\r\n")
}

func FuzzAppendEncode(f *testing.F) {
	for n := range 40 {
		f.Add(random(n), uint8(n%5))
	}
	f.Fuzz(func(t *testing.T, data []byte, room uint8) {
		got := own.AppendEncode(make([]byte, 1, 1+int(room)), data)
		require.Equal(t, "\x00"+base64.StdEncoding.EncodeToString(data), string(got))
	})
}

func FuzzValid(f *testing.F) {
	for n := range 40 {
		f.Add(base64.StdEncoding.EncodeToString(random(n)))
	}
	f.Add("AAAA=AA=")
	f.Fuzz(func(t *testing.T, text string) {
		require.Equal(t, validByStandard(text), own.Valid(text), "%q", text)
	})
}
