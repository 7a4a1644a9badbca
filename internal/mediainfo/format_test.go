package mediainfo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

func TestSniff_FormatsInsideASharedContainer(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, start string
		want        mediainfo.Format
	}{
		{name: "wave of more than 4 GiB", start: "RF64\xff\xff\xff\xffWAVE", want: mediainfo.WAV},
		{name: "big-endian wave", start: "RIFX\x00\x00\x00\x24WAVE", want: mediainfo.RIFX},
		{name: "other kind of RIFX", start: "RIFX\x00\x00\x00\x24RMID", want: mediainfo.Unknown},
		{name: "other kind of RIFF", start: "RIFF\x24\x00\x00\x00RMID", want: mediainfo.Unknown},
		{name: "wave without RIFF", start: "ABCD\x24\x00\x00\x00WAVE", want: mediainfo.Unknown},
		{name: "compressed AIFF", start: "FORM\x00\x00\x00\x24AIFC", want: mediainfo.AIFF},
		{name: "other kind of FORM", start: "FORM\x00\x00\x00\x24ILBM", want: mediainfo.Unknown},
		{name: "AIFF without FORM", start: "ABCD\x00\x00\x00\x24AIFF", want: mediainfo.Unknown},
		{name: "audio book", start: "\x00\x00\x00\x18ftypM4B ", want: mediainfo.M4A},
		{name: "sequence of AVIF pictures", start: "\x00\x00\x00\x18ftypavis", want: mediainfo.AVIF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, mediainfo.Sniff([]byte(tt.start)))
		})
	}
}

func TestSniff_AsFewBytesAsTheSignatureHas(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, start string
		want        mediainfo.Format
	}{
		{name: "JPEG", start: "\xff\xd8\xff", want: mediainfo.JPEG},
		{name: "CAF", start: "caff", want: mediainfo.CAF},
		{name: "QuickTime of before ftyp", start: "\x00\x00\x00\x08wide", want: mediainfo.QuickTime},
		{name: "MP3 frame", start: "\xff\xfb\x90\x64", want: mediainfo.MP3},
		{name: "AAC frame", start: "\xff\xf1\x50\x80", want: mediainfo.AAC},
		{name: "BMP", start: "BM\x46\x00\x00\x00\x00\x00\x00\x00", want: mediainfo.BMP},
		{name: "BMP without its reserved bytes", start: "BM\x46\x00\x00\x00\x00\x00\x00", want: mediainfo.Unknown},
		{name: "MP3 frame without its last byte", start: "\xff\xfb\x90", want: mediainfo.Unknown},
		{name: "box without a name", start: "\x00\x00\x00\x08", want: mediainfo.Unknown},
		{name: "shorter than a box header", start: "\x00\x00\x00", want: mediainfo.Unknown},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, mediainfo.Sniff([]byte(tt.start)))
		})
	}
}

func TestFormat_EveryConstantHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]mediainfo.Format{}
	for f := mediainfo.Unknown; f <= mediainfo.H264; f++ {
		name := f.String()
		assert.NotEmpty(t, name)
		assert.NotContains(t, seen, name)
		seen[name] = f
	}
	assert.Equal(t, "unknown", (mediainfo.H264 + 1).String(), "the first value behind the constants")
}
