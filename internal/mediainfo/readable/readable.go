// Package readable reports whether a whole piece of media can be read. It is
// separate from package mediainfo because it links image/jpeg, which uploading
// media does not need.
package readable

import (
	"bytes"
	"errors"
	"image/jpeg"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// Limits that keep a hostile photo from using the reader's memory or time.
const (
	// maxPixels is more than cameras produce.
	maxPixels = 100_000_000
	// maxDecode is how many bytes a decoder may use. Only the structure of a
	// larger picture is checked.
	maxDecode = 400 << 20
	// maxPixelsPerByte follows from Huffman coding: a block of 8x8 pixels takes
	// at least one bit.
	maxPixelsPerByte = 8 * 64
	// maxScans is several times the number that progressive encoders write.
	// Each scan covers the whole picture and can be a few bytes long.
	maxScans = 100
)

// Check returns nil for media that can be read to its end. Otherwise the error
// says what is wrong without quoting the data. A JPEG is decoded. Only the
// structure of one with a feature that image/jpeg lacks is checked, as cameras may
// write it. Only the structure of an MP4, QuickTime, WAV or CAF is checked, see
// [mediainfo.CheckStructure]. No audio or video is decoded.
func Check(data []byte) error {
	if mediainfo.Sniff(data) != mediainfo.JPEG {
		return mediainfo.CheckStructure(data)
	}
	frame, err := mediainfo.JPEGFrame(data)
	if err != nil {
		return err
	}
	decode, err := plan(frame, len(data))
	if err != nil || !decode {
		return err
	}
	_, err = jpeg.Decode(bytes.NewReader(data))
	var lacking jpeg.UnsupportedError
	if err == nil || errors.As(err, &lacking) {
		return nil
	}
	return damage(err)
}

// plan decides by the frame header whether to decode.
func plan(f mediainfo.Frame, size int) (decode bool, err error) {
	pixels := int64(f.Width) * int64(f.Height) // an int of 32 bits cannot hold 65535 x 65535
	switch {
	case pixels > maxPixels:
		return false, problem("more than 100 megapixels")
	case f.Scans > maxScans:
		return false, problem("more scans than any picture needs")
	case f.Exotic:
		return false, nil
	case pixels/maxPixelsPerByte > int64(size):
		return false, &mediainfo.Error{
			Format: mediainfo.JPEG, Problem: "too few bytes for the resolution in its header", Incomplete: true,
		}
	}
	perPixel := int64(f.Components)
	if f.Progressive { // coefficients of 4 bytes, and then the picture
		perPixel *= 5
	}
	return pixels*perPixel <= maxDecode, nil
}

// damage describes a decoder's error. The texts of image/jpeg are constants. The
// end of the data is not an error: there is an end marker before it.
func damage(err error) error {
	text := "damaged"
	var format jpeg.FormatError
	if errors.As(err, &format) {
		text += ": " + string(format)
	}
	return problem(text)
}

func problem(text string) error {
	return &mediainfo.Error{Format: mediainfo.JPEG, Problem: text}
}
