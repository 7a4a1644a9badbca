package mediainfo_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// jpegSegment is a marker with a payload.
func jpegSegment(marker byte, payload ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(2+len(payload))), payload...)
}

const (
	jpegStart = "\xff\xd8"
	jpegEnd   = "\xff\xd9"
)

// The parts of a photo of 96x72 pixels with one component. No test here decodes
// its one byte of picture data.
func jpegFrame(marker byte) []byte {
	return jpegSegment(marker, 8, 0, 72, 0, 96, 1, 1, 0x11, 0)
}

func jpegScan() []byte {
	return append(jpegSegment(0xda, 1, 1, 0, 0, 63, 0), 0x2a)
}

func jpegOf[P []byte | string](parts ...P) []byte {
	data := []byte(jpegStart)
	for _, p := range parts {
		data = append(data, p...)
	}
	return data
}

func TestJPEGFrame_CodingFollowsFromMarker(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name                string
		marker              byte
		progressive, exotic bool
	}{
		{name: "baseline", marker: 0xc0},
		{name: "extended sequential", marker: 0xc1},
		{name: "progressive", marker: 0xc2, progressive: true},
		{name: "lossless", marker: 0xc3, exotic: true},
		{name: "differential sequential", marker: 0xc5, exotic: true},
		{name: "differential lossless", marker: 0xc7, exotic: true},
		{name: "arithmetic sequential", marker: 0xc9, exotic: true},
		{name: "arithmetic progressive", marker: 0xca, exotic: true},
		{name: "arithmetic differential lossless", marker: 0xcf, exotic: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			frame, err := mediainfo.JPEGFrame(jpegOf(jpegFrame(tt.marker), jpegScan(), []byte(jpegEnd)))
			assert.NoError(t, err)
			assert.Equal(t, mediainfo.Frame{
				Width: 96, Height: 72, Components: 1, Precision: 8, Scans: 1,
				Progressive: tt.progressive, Exotic: tt.exotic,
			}, frame)
		})
	}
}

func TestJPEGFrame_OtherMarkers(t *testing.T) {
	t.Parallel()
	for _, marker := range []byte{0xbf, 0xc4, 0xc8, 0xcc, 0xdb, 0xe0, 0xfe} {
		t.Run(fmt.Sprintf("%#x", marker), func(t *testing.T) {
			t.Parallel()
			other := jpegSegment(marker, 8, 0, 1, 0, 1, 1, 1, 0x11, 0)
			frame, err := mediainfo.JPEGFrame(jpegOf(other, jpegFrame(0xc0), jpegScan(), []byte(jpegEnd)))
			assert.NoError(t, err)
			assert.Equal(t, 96, frame.Width)
		})
	}
}

func TestJPEGFrame_CountsScans(t *testing.T) {
	t.Parallel()
	for _, scans := range []int{1, 2, 10} {
		data := jpegOf(jpegFrame(0xc2), bytes.Repeat(jpegScan(), scans), []byte(jpegEnd))
		frame, err := mediainfo.JPEGFrame(data)
		assert.NoError(t, err)
		assert.Equal(t, scans, frame.Scans)
	}
}

func TestJPEGFrame_IncompletePhoto(t *testing.T) {
	t.Parallel()
	end := []byte(jpegEnd)
	empty := jpegSegment(0xc0, 8, 0, 72, 0, 96, 0) // without a component
	for _, tt := range []struct {
		name       string
		data       []byte
		problem    string
		incomplete bool
	}{
		{name: "no start marker", data: []byte("GIF89a"), problem: "JPEG: no start marker"},
		{
			name: "two frame headers", data: jpegOf(jpegFrame(0xc0), jpegFrame(0xc0), jpegScan(), end),
			problem: "JPEG: more than one frame header",
		},
		{
			name: "picture without a component", data: jpegOf(empty, jpegScan(), end),
			problem: "JPEG: the frame header gives an empty picture",
		},
		{
			name: "frame header without its count of components", data: jpegOf(jpegSegment(0xc0, 8, 0, 72, 0, 96), end),
			problem: "JPEG: the frame header has the wrong length",
		},
		{
			name: "frame header longer than its components", data: jpegOf(jpegSegment(0xc0, 8, 0, 72, 0, 96, 1, 1, 0x11, 0, 0), end),
			problem: "JPEG: the frame header has the wrong length",
		},
		{
			name: "scan in front of the frame header", data: jpegOf(jpegScan(), jpegFrame(0xc0), end),
			problem: "JPEG: no frame header in front of the picture data",
		},
		{
			name: "scan header without its last byte", data: jpegOf(jpegFrame(0xc0), jpegSegment(0xda, 1, 1, 0, 0, 63), end),
			problem: "JPEG: a scan header has the wrong length",
		},
		{
			name: "scan of no component", data: jpegOf(jpegFrame(0xc0), jpegSegment(0xda, 0, 0, 63, 0), end),
			problem: "JPEG: a scan header has the wrong length",
		},
		{
			name: "empty scan header", data: jpegOf(jpegFrame(0xc0), jpegSegment(0xda), end),
			problem: "JPEG: a scan header has the wrong length",
		},
		{
			name: "second start marker", data: jpegOf(jpegFrame(0xc0), jpegScan(), []byte(jpegStart), end),
			problem: "JPEG: a second picture starts inside the first",
		},
		{
			name: "no scan", data: jpegOf(jpegFrame(0xc0), end),
			problem: "JPEG: no picture data",
		},
		{
			name: "no end marker", data: jpegOf(jpegFrame(0xc0), jpegScan()),
			problem: "JPEG: ends before its end marker", incomplete: true,
		},
		{
			name: "fill bytes at the end", data: jpegOf(jpegFrame(0xc0), jpegScan(), []byte("\xff\xff\xff")),
			problem: "JPEG: ends before its end marker", incomplete: true,
		},
		{
			name: "marker at the end", data: jpegOf("\xff\xfe"),
			problem: "JPEG: ends inside a segment", incomplete: true,
		},
		{
			name: "half a segment length at the end", data: jpegOf("\xff\xfe\x00"),
			problem: "JPEG: ends inside a segment", incomplete: true,
		},
		{
			name: "impossible segment length at the end", data: jpegOf("\xff\xfe\x00\x01"),
			problem: "JPEG: a segment has an impossible length",
		},
		{
			name: "segment without its last byte", data: jpegOf("\xff\xfe\x00\x04a"),
			problem: "JPEG: ends inside a segment", incomplete: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			frame, err := mediainfo.JPEGFrame(tt.data)
			wantError(t, err, tt.problem, tt.incomplete)
			assert.Zero(t, frame)
		})
	}
}

func TestJPEGFrame_EmptySegment(t *testing.T) {
	t.Parallel()
	_, err := mediainfo.JPEGFrame(jpegOf(jpegSegment(0xfe), jpegFrame(0xc0), jpegScan(), []byte(jpegEnd)))
	assert.NoError(t, err)
}

func TestInspect_PhotoEndsAfterFrameHeader(t *testing.T) {
	t.Parallel()
	info, err := mediainfo.Inspect(jpegOf(jpegSegment(0xfe, []byte("made here")...), jpegFrame(0xc0)))
	assert.NoError(t, err)
	assert.Equal(t, mediainfo.Info{Format: mediainfo.JPEG, Width: 96, Height: 72}, info)
}

func TestInspect_PhotoWithoutResolution(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		data       []byte
		problem    string
		incomplete bool
	}{
		{
			name: "frame header of the wrong length", data: jpegOf(jpegSegment(0xc0, 8, 0, 72, 0, 96, 1), jpegScan()),
			problem: "JPEG: the frame header has the wrong length",
		},
		{
			name: "scan in front of the frame header", data: jpegOf(jpegScan(), jpegFrame(0xc0)),
			problem: "JPEG: no frame header in front of the picture data",
		},
		{
			name: "end marker in front of the frame header", data: jpegOf([]byte(jpegEnd), jpegFrame(0xc0)),
			problem: "JPEG: no frame header in front of the picture data",
		},
		{
			name: "stops in front of the frame header", data: jpegOf(jpegSegment(0xfe, []byte("made here")...)),
			problem: "JPEG: ends before its end marker", incomplete: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := mediainfo.Inspect(tt.data)
			wantError(t, err, tt.problem, tt.incomplete)
			assert.Equal(t, mediainfo.Info{Format: mediainfo.JPEG}, info)
		})
	}
}
