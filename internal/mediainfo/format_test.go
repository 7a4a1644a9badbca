package mediainfo_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

func TestSniff_FormatsInSharedContainer(t *testing.T) {
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

func TestSniff_SignatureOnly(t *testing.T) {
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

func TestFormat_NamesAreUnique(t *testing.T) {
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

func TestSniff_NamedOnlyFormats(t *testing.T) {
	t.Parallel()
	packet := append([]byte("G"), make([]byte, 187)...)
	for _, tt := range []struct {
		name, start string
		want        mediainfo.Format
	}{
		{name: "JPEG XL", start: "\x00\x00\x00\x0cJXL \r\n\x87\n", want: mediainfo.JPEGXL},
		{name: "JPEG XL without boxes", start: "\xff\x0a\x00\x00", want: mediainfo.JPEGXL},
		{name: "JPEG 2000", start: "\x00\x00\x00\x0cjP  \r\n\x87\n", want: mediainfo.JPEG2000},
		{name: "JPEG 2000 without boxes", start: "\xff\x4f\xff\x51\x00\x2f", want: mediainfo.JPEG2000},
		{name: "BigTIFF", start: "II+\x00\x08\x00\x00\x00", want: mediainfo.TIFF},
		{name: "big-endian BigTIFF", start: "MM\x00+\x00\x08\x00\x00", want: mediainfo.TIFF},
		{name: "ICO", start: "\x00\x00\x01\x00\x01\x00\x20\x20\x00\x00", want: mediainfo.ICO},
		{name: "ICO of no picture", start: "\x00\x00\x01\x00\x00\x00\x20\x20\x00\x00", want: mediainfo.Unknown},
		{name: "MP4 whose first box has the size that an ICO starts with", start: "\x00\x00\x01\x00ftypisom", want: mediainfo.MP4},
		{name: "SVG", start: "<svg xmlns=", want: mediainfo.SVG},
		{name: "SVG behind an XML declaration", start: "<?xml version='1.0'?>\n<!-- a --><svg>", want: mediainfo.SVG},
		{name: "other XML", start: "<?xml version='1.0'?><html>", want: mediainfo.Unknown},
		{name: "AU", start: ".snd\x00\x00\x00\x18", want: mediainfo.AU},
		{name: "Wave64", start: "riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", want: mediainfo.W64},
		{name: "ASF", start: "\x30\x26\xb2\x75\x8e\x66\xcf\x11", want: mediainfo.ASF},
		{name: "FLV", start: "FLV\x01\x05", want: mediainfo.FLV},
		{name: "MPEG-TS", start: string(packet) + string(packet) + "G", want: mediainfo.MPEGTS},
		{name: "MPEG-TS of two packets", start: string(packet) + "G", want: mediainfo.MPEGTS},
		{name: "one packet", start: string(packet), want: mediainfo.Unknown},
		{name: "MPEG-TS whose third packet is none", start: string(packet) + string(packet) + "g", want: mediainfo.Unknown},
		{name: "MPEG-PS", start: "\x00\x00\x01\xba\x44\x00", want: mediainfo.MPEGPS},
		{name: "H.264", start: "\x00\x00\x00\x01\x67\x42", want: mediainfo.H264},
		{name: "H.264 with short start codes", start: "\x00\x00\x01\x27\x42", want: mediainfo.H264},
		{name: "H.264 with delimiters", start: "\x00\x00\x00\x01\x09\x10", want: mediainfo.H264},
		{name: "RF64's successor", start: "BW64\xff\xff\xff\xffWAVE", want: mediainfo.WAV},
		{name: "Base64 of a PNG", start: "iVBORw0KGgoAAAANSUhEUg", want: mediainfo.Base64},
		{name: "Base64 of a WebM", start: "GkXfo59ChoEBQveBAULygQ", want: mediainfo.Base64},
		{name: "Base64 of a RIFX", start: "UklGWAAKABhXQVZF", want: mediainfo.Base64},
		{name: "Base64 of an RF64", start: "UkY2NP////9XQVZF", want: mediainfo.Base64},
		{name: "Base64 of an Ogg", start: "T2dnUwACAAAAAAAA", want: mediainfo.Base64},
		{name: "Base64 for URLs of a JPEG", start: "_9j_4AAQSkZJRg", want: mediainfo.Base64},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, mediainfo.Sniff([]byte(tt.start)))
		})
	}
}

func TestSniff_ReadsStartOnly(t *testing.T) {
	t.Parallel()
	far := append([]byte("<?xml version='1.0'?>"), make([]byte, 512)...)
	assert.Equal(t, mediainfo.Unknown, mediainfo.Sniff(append(far, "<svg>"...)))
}
