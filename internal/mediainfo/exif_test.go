package mediainfo_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// exifTag is one entry of an image file directory.
type exifTag struct {
	id, kind     uint16
	count, value uint32 // the value as 4 bytes
}

// exif is a segment with a directory at an offset. The directory's count is
// listed, or the number of tags for -1.
func exif(order binary.AppendByteOrder, at, listed int, tags ...exifTag) []byte {
	p := []byte("Exif\x00\x00II*\x00")
	if order == binary.BigEndian {
		p = []byte("Exif\x00\x00MM\x00*")
	}
	p = append(order.AppendUint32(p, uint32(at)), make([]byte, at-8)...)
	if listed < 0 {
		listed = len(tags)
	}
	p = order.AppendUint16(p, uint16(listed))
	for _, tag := range tags {
		p = order.AppendUint16(order.AppendUint16(p, tag.id), tag.kind)
		p = order.AppendUint32(order.AppendUint32(p, tag.count), tag.value)
	}
	return jpegSegment(0xe1, p...)
}

// short16 returns a number of 16 bits as it is stored in an entry's value.
func short16(order binary.AppendByteOrder, v uint32) uint32 {
	if order == binary.BigEndian {
		return v << 16
	}
	return v
}

func TestInspect_Orientation(t *testing.T) {
	t.Parallel()
	le, be := binary.LittleEndian, binary.BigEndian
	orientation := func(v uint32) exifTag { return exifTag{0x0112, 3, 1, v} }
	camera := exifTag{0x010f, 2, 4, 0x61626300}
	for _, tt := range []struct {
		name     string
		segments []byte
		want     int
	}{
		{name: "no EXIF"},
		{name: "without an orientation", segments: exif(le, 8, -1, camera)},
		{name: "little-endian", segments: exif(le, 8, -1, orientation(6)), want: 6},
		{name: "big-endian", segments: exif(be, 8, -1, orientation(short16(be, 6))), want: 6},
		{name: "behind another tag", segments: exif(be, 8, -1, camera, orientation(short16(be, 3))), want: 3},
		{name: "far behind the header", segments: exif(le, 5000, -1, orientation(8)), want: 8},
		{name: "in 32 bits", segments: exif(be, 8, -1, exifTag{0x0112, 4, 1, 5}), want: 5},
		{name: "in 8 bits", segments: exif(le, 8, -1, exifTag{0x0112, 1, 1, 5})},
		{name: "two values", segments: exif(le, 8, -1, exifTag{0x0112, 3, 2, 5})},
		{name: "lowest", segments: exif(le, 8, -1, orientation(1)), want: 1},
		{name: "below the lowest", segments: exif(le, 8, -1, orientation(0))},
		{name: "highest", segments: exif(le, 8, -1, orientation(8)), want: 8},
		{name: "above the highest", segments: exif(le, 8, -1, orientation(9))},
		{name: "far above the highest in 32 bits", segments: exif(le, 8, -1, exifTag{0x0112, 4, 1, 1<<32 - 1})},
		{name: "fewer tags than are listed", segments: exif(le, 8, 1000, camera, orientation(6)), want: 6},
		{name: "more tags than are listed", segments: exif(le, 8, 1, camera, orientation(6))},
		{name: "cut last tag", segments: jpegSegment(0xe1, exif(le, 8, -1, orientation(6))[4:29]...)},
		{name: "cut directory", segments: jpegSegment(0xe1, exif(le, 8, -1)[4:19]...)},
		{name: "empty directory", segments: exif(le, 8, -1)},
		{name: "directory behind the segment", segments: jpegSegment(0xe1, []byte("Exif\x00\x00II*\x00\xff\xff\xff\xff\x00\x00")...)},
		{name: "cut header", segments: jpegSegment(0xe1, []byte("Exif\x00\x00II*\x00\x08\x00\x00")...)},
		{name: "another byte order", segments: jpegSegment(0xe1, append([]byte("Exif\x00\x00IM*\x00"), exif(le, 8, -1, orientation(6))[14:]...)...)},
		{name: "XMP in front", segments: append(jpegSegment(0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00")...), exif(le, 8, -1, orientation(6))...), want: 6},
		{name: "second EXIF", segments: append(exif(le, 8, -1, orientation(6)), exif(le, 8, -1, orientation(3))...), want: 6},
		{name: "in another segment", segments: append([]byte("\xff\xe2"), exif(le, 8, -1, orientation(6))[2:]...)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, jpegOf(tt.segments, jpegFrame(0xc0)))
			assert.NoError(t, err)
			assert.Equal(t, mediainfo.Info{Format: mediainfo.JPEG, Width: 96, Height: 72, Orientation: tt.want}, info)
		})
	}
}

func TestInspect_OrientationOfOtherWriter(t *testing.T) {
	t.Parallel()
	info, err := inspectBoth(t, file(t, "orientation6.jpg"))
	assert.NoError(t, err)
	assert.Equal(t, mediainfo.Info{Format: mediainfo.JPEG, Width: 96, Height: 72, Orientation: 6}, info)
}

func TestInspect_PictureCodec(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		marker, precision byte
		want              string
	}{
		{0xc0, 8, ""}, {0xc1, 8, ""}, {0xc2, 8, ""}, {0xc1, 12, "12-bit"}, {0xc1, 9, "12-bit"},
		{0xc3, 8, "lossless"}, {0xc5, 8, "hierarchical"}, {0xc7, 8, "hierarchical"},
		{0xc9, 8, "arithmetic"}, {0xca, 8, "arithmetic"}, {0xcf, 8, "arithmetic"},
	} {
		frame := jpegFrame(tt.marker)
		frame[4] = tt.precision
		info, err := mediainfo.Inspect(jpegOf(frame))
		assert.NoError(t, err)
		assert.Equal(t, tt.want, info.PictureCodec, "%#x", tt.marker)
		assert.Equal(t, tt.marker == 0xc2, info.Progressive, "%#x", tt.marker)
	}
}

func TestInfo_DisplaySize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		orientation, rotation int
		turned                bool
	}{
		{0, 0, false},
		{1, 0, false},
		{4, 0, false},
		{5, 0, true},
		{8, 0, true},
		{0, 90, true},
		{0, 180, false},
		{0, 270, true},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			t.Parallel()
			w, h := mediainfo.Info{Width: 640, Height: 480, Orientation: tt.orientation, Rotation: tt.rotation}.DisplaySize()
			if tt.turned {
				w, h = h, w
			}
			assert.Equal(t, [2]int{640, 480}, [2]int{w, h})
		})
	}
}
