package aimbraintest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
)

// TestSyntheticMedia_SameBytesOnEveryPlatform compares the media with hashes that
// were made on a 64-bit platform. A user sees a change of these hashes: files that
// the user keeps change with them.
func TestSyntheticMedia_SameBytesOnEveryPlatform(t *testing.T) {
	t.Parallel()
	events := func(b aimbrain.Events) []byte {
		data, err := json.Marshal(b)
		require.NoError(t, err)
		return data
	}
	for _, row := range []struct {
		name string
		data func() []byte
		want string
	}{
		{name: "photo", data: func() []byte { return FacePhoto("ada") }, want: "f1e1b21e1f28fd4d"},
		{name: "photo of another subject", data: func() []byte { return FacePhoto("Zoë Ångström") }, want: "264bb63c8912f750"},
		{name: "photo, negative variant", data: func() []byte { return FacePhoto("ada", Variant(-3)) }, want: "abeefc45215484b7"},
		{name: "photo, 1 pixel", data: func() []byte { return FacePhoto("ada", Resolution(1, 1)) }, want: "0a986bc0b52ce1e8"},
		{name: "photo, wide", data: func() []byte { return FacePhoto("ada", Resolution(8192, 9)) }, want: "704845176f4be6bd"},
		{name: "photo, high", data: func() []byte { return FacePhoto("ada", Resolution(7, 8192)) }, want: "a6912c8bf23e45a7"},
		{name: "photo, progressive with EXIF", data: func() []byte { return FacePhoto("bob", Resolution(641, 479), Progressive(), WithEXIF()) }, want: "d25e1c4c46ed0224"},
		{name: "photo, padded", data: func() []byte { return FacePhoto("ada", Size(MaxMediaBytes+1)) }, want: "b6c5d9393813b8d4"},
		{name: "video", data: func() []byte { return FaceVideo("ada") }, want: "3aa558872c43cf30"},
		{name: "video, token", data: func() []byte {
			return FaceVideo("bob", Variant(2), Resolution(482, 642), Duration(3*time.Second+1), Saying("6-6-7"))
		}, want: "4da955c5c9e7ad40"},
		{name: "WAV", data: func() []byte { return VoiceWAV("ada") }, want: "e5c61284aefd7a61"},
		{name: "WAV of another subject", data: func() []byte { return VoiceWAV("Zoë Ångström", Variant(-1), Saying("my neighbour paints")) }, want: "83ce9045073eb629"},
		{name: "WAV, highest rate", data: func() []byte { return VoiceWAV("ada", SampleRate(192_000), Duration(300*time.Millisecond)) }, want: "b8b73dbad11c0e58"},
		{name: "WAV, lowest rate", data: func() []byte { return VoiceWAV("ada", SampleRate(1000), Duration(5*time.Second+1)) }, want: "4fdc8b91a0585088"},
		{name: "WAV, padded", data: func() []byte { return VoiceWAV("ada", Size(MaxMediaBytes)) }, want: "5dfbdeb5adc17d34"},
		{name: "CAF", data: func() []byte { return VoiceCAF("ada") }, want: "b17d1c8a67bcce74"},
		{name: "CAF of another subject", data: func() []byte { return VoiceCAF("bob", Variant(1), SampleRate(44_100)) }, want: "d23d0464dc69e426"},
		{name: "behaviour", data: func() []byte { return events(Behaviour("ada", 40)) }, want: "c3444586f90bc944"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			sum := sha256.Sum256(row.data())
			assert.Equal(t, row.want, hex.EncodeToString(sum[:8]))
		})
	}
}
