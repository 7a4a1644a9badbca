package fit

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/media"
)

// FuzzPhoto gives Photo hostile files: it returns an acceptable photo or an *Error,
// in bounded memory.
func FuzzPhoto(f *testing.F) {
	photo := jpegOf(f, drawing(40, 30), 90)
	f.Add(photo)
	f.Add(photo[:len(photo)-3])
	f.Add(withEXIF(photo, binary.LittleEndian, 6))
	f.Add(withSize(f, photo, 0xc0, 4000, 3000))
	f.Add(bytes.Replace(photo, []byte{0xff, 0xc0}, []byte{0xff, 0xc2}, 1))
	f.Add(pngOf(f, drawing(40, 30)))
	f.Add(bombPNG(900, 900, 16, 6, 1))
	f.Add(bombVP8L(1000, 1000))
	f.Add(lossyWebP())
	f.Fuzz(func(t *testing.T, data []byte) {
		const maxPixels = 1_000_000
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fitted, err := Photo(data, WithMaxPixels(maxPixels))
		runtime.ReadMemStats(&after)
		// The decoder, the reduced picture, the result and the filters.
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(4*bytesPerPixel*maxPixels+20*len(data)))
		if err != nil {
			var refused *Error
			require.ErrorAs(t, err, &refused)
			require.Empty(t, fitted)
			return
		}
		require.LessOrEqual(t, len(fitted), media.MaxFileBytes)
		config, err := jpeg.DecodeConfig(bytes.NewReader(fitted))
		require.NoError(t, err)
		require.LessOrEqual(t, max(config.Width, config.Height), 640)
		require.LessOrEqual(t, min(config.Width, config.Height), 480)
		require.NotContains(t, string(fitted), "Exif\x00")
	})
}

// lossyWebP returns a WebP of 1x1 pixels.
func lossyWebP() []byte {
	return []byte("RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00\x30\x01\x00\x9d\x01\x2a\x01\x00\x01\x00\x02\x00\x34\x25\xa4\x00\x03\x70\x00\xfe\xfb\x94\x00\x00")
}

// FuzzRecording gives Recording hostile files: it returns an acceptable recording or
// an *Error, in bounded memory.
func FuzzRecording(f *testing.F) {
	samples := int16s(tone(16_000, 440, 0.01))
	f.Add(wave{samples: samples}.bytes())
	f.Add(wave{rate: 44_100, channels: 2, samples: samples}.bytes())
	f.Add(wave{rate: 1, samples: samples[:20]}.bytes())
	f.Add(wave{rate: 44_101, codec: wavFloat, width: 4, samples: samples}.bytes())
	f.Add(wave{order: binary.BigEndian, head: "RIFX", samples: samples}.bytes())
	f.Add(wave{size: 0xffffffff, samples: samples}.bytes())
	samples = samples[:20]
	for _, file := range []string{
		"caff\x00\x01\x00\x00desc\x00\x00\x00\x00\x00\x00\x00\x20\x40\xcf\x40\x00\x00\x00\x00\x00lpcm\x00\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x10data\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
		"FORM\x00\x00\x00\x42AIFCCOMM\x00\x00\x00\x16\x00\x01\x00\x00\x00\x0a\x00\x10\x40\x0c\xfa\x00\x00\x00\x00\x00\x00\x00sowtSSND\x00\x00\x00\x1c\x00\x00\x00\x00\x00\x00\x00\x00",
		".snd\x00\x00\x00\x18\xff\xff\xff\xff\x00\x00\x00\x03\x00\x00\x3e\x80\x00\x00\x00\x01",
		w64GUID("riff") + "\xff\xff\xff\xff\xff\xff\xff\xff" + w64GUID("wave") + w64GUID("fmt ") + "\x28\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00" + w64GUID("data") + "\xff\xff\xff\xff\xff\xff\xff\x7f",
	} {
		data := append([]byte(file), samples...)
		_, err := Recording(data)
		require.NoError(f, err, "%q", file[:4])
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		fitted, err := Recording(data)
		runtime.ReadMemStats(&after)
		// The samples as float32, the result twice, and the filters.
		assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20+20*len(data)))
		if err != nil {
			var refused *Error
			require.ErrorAs(t, err, &refused)
			require.Empty(t, fitted)
			return
		}
		require.LessOrEqual(t, len(fitted), media.MaxFileBytes)
		again, err := Recording(fitted)
		require.NoError(t, err)
		require.Equal(t, fitted, again)
	})
}
