package fit

import (
	"bytes"
	"image/jpeg"
)

// Markers of JPEG segments.
const (
	markerSOF0 = 0xc0 // baseline
	markerSOF2 = 0xc2 // progressive
	markerDHT  = 0xc4
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerDQT  = 0xdb
	markerDRI  = 0xdd
	markerAPP1 = 0xe1
)

// maxScans is several times the number that progressive encoders write. A scan can
// be a few bytes long, and its decoder visits the whole picture.
const maxScans = 100

// jpegFile is the structure of a JPEG.
type jpegFile struct {
	width, height int
	components    int
	samples       int // in the smallest group of blocks, times the pixels there
	pixels        int // in that group
	progressive   bool
	scans         int
	orientation   int
	// essential are the segments without which the picture cannot be decoded, in
	// their order, each with its marker and the coded data that follows it.
	essential [][]byte
}

// parseJPEG reads the segments in the way of image/jpeg, so that both see the same
// headers. It returns false if the end marker or the frame header is missing, or a
// segment does not fit.
func parseJPEG(data []byte) (f jpegFile, ok bool) {
	f.orientation = 1
	hasEXIF := false
	for pos := 2; ; {
		// image/jpeg skips what stands between two segments.
		for pos+1 < len(data) && (data[pos] != 0xff || data[pos+1] == 0) {
			pos++
		}
		for pos++; pos < len(data) && data[pos] == 0xff; pos++ { // fill bytes
		}
		if pos >= len(data) {
			return f, false
		}
		marker := data[pos]
		pos++
		if marker == markerEOI {
			return f, f.width > 0 && f.scans > 0
		}
		if marker >= markerRST0 && marker <= markerRST7 || marker == 0 {
			continue
		}
		if pos+2 > len(data) {
			return f, false
		}
		size := int(data[pos])<<8 | int(data[pos+1])
		if size < 2 || size > len(data)-pos {
			return f, false
		}
		payload, start := data[pos+2:pos+size], pos
		pos += size
		switch marker {
		case markerSOF0, markerSOF0 + 1, markerSOF2:
			if f.width > 0 || !f.parseFrame(payload) {
				return f, false
			}
			f.progressive = marker == markerSOF2
		case markerSOS:
			f.scans++
			pos = endOfScan(data, pos)
		case markerDHT, markerDQT, markerDRI:
		case markerAPP1:
			if tiff, found := bytes.CutPrefix(payload, []byte("Exif\x00\x00")); found && !hasEXIF {
				hasEXIF = true
				f.orientation = orientation(tiff)
			}
			continue
		default:
			continue
		}
		f.essential = append(f.essential, []byte{0xff, marker}, data[start:pos])
	}
}

// parseFrame reads a frame header.
func (f *jpegFile) parseFrame(p []byte) bool {
	if len(p) < 6 {
		return false
	}
	f.height, f.width = int(p[1])<<8|int(p[2]), int(p[3])<<8|int(p[4])
	f.components = int(p[5])
	if len(p) < 6+3*f.components || f.components == 0 {
		return false
	}
	high, wide := 0, 0
	for i := range f.components {
		h, v := int(p[7+3*i]>>4), int(p[7+3*i]&15)
		f.samples += h * v
		wide, high = max(wide, h), max(high, v)
	}
	f.pixels = wide * high
	return f.pixels > 0
}

// endOfScan returns the position of the marker behind the coded data.
func endOfScan(data []byte, pos int) int {
	for {
		next := bytes.IndexByte(data[pos:], 0xff)
		if next < 0 || pos+next+1 >= len(data) {
			return len(data)
		}
		pos += next
		switch m := data[pos+1]; {
		case m == 0 || m >= markerRST0 && m <= markerRST7:
			pos += 2
		case m == 0xff: // a fill byte
			pos++
		default:
			return pos
		}
	}
}

// decoderBytes is how much memory image/jpeg uses for the picture.
func (f *jpegFile) decoderBytes() int64 {
	samples := int64(f.width) * int64(f.height) * int64(f.samples) / int64(f.pixels)
	total := samples
	if f.progressive {
		total += 4 * samples // all coefficients, until the last scan
	}
	if f.components == 4 {
		total += 4 * int64(f.width) * int64(f.height) // a picture without subsampling
	}
	return total
}

// jfifHeader is the start of every result: the first marker and the usual segment,
// which says that three components are YCbCr. It has square pixels and no thumbnail.
const jfifHeader = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"

// stripped returns the JPEG without its metadata: the coded picture is the same.
func (f *jpegFile) stripped() []byte {
	size := len(jfifHeader) + 2
	for _, part := range f.essential {
		size += len(part)
	}
	out := append(make([]byte, 0, size), jfifHeader...)
	for _, part := range f.essential {
		out = append(out, part...)
	}
	return append(out, 0xff, markerEOI)
}

// matchesDecoder reports whether image/jpeg reads the same size.
func (f *jpegFile) matchesDecoder(data []byte) (bool, error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	return err == nil && config.Width == f.width && config.Height == f.height, err
}
