package base64

import (
	"encoding/base64"
	"testing"
)

func BenchmarkEncode(b *testing.B) {
	src := make([]byte, 500_000)
	for i := range src {
		src[i] = byte(i * 7)
	}
	dst := make([]byte, 0, 700_000)
	b.Run("ours", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			dst = AppendEncode(dst[:0], src)
		}
	})
	b.Run("std", func(b *testing.B) {
		b.SetBytes(int64(len(src)))
		for b.Loop() {
			dst = base64.StdEncoding.AppendEncode(dst[:0], src)
		}
	})
}
