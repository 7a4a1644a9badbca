// Package fit makes photos and recordings acceptable to the API: it turns what phones
// and browsers make into small files without metadata.
//
//	fitted, err := fit.Photo(data)     // an upright JPEG of 640×480 at most
//	fitted, err := fit.Recording(data) // a WAV of 16 bits, 16 kHz and one channel
//
// Both take the whole file, and return a new one of 500,000 bytes at most. They
// neither look for a face or a voice nor improve a capture: a dark photo stays dark.
//
// The package is a module of its own, github.com/aimbrain/aimbrain-go/fit, so that a
// program that only sends media requires nothing but the standard library. It needs
// no cgo and no other program, and is safe for concurrent use.
//
// # What is fitted
//
// [Photo] reads JPEG (baseline and progressive; gray, YCbCr, RGB and CMYK), PNG and
// WebP. It applies the EXIF orientation, puts transparent parts on white, scales to
// 640 pixels on the longer side and 480 on the shorter at most, and lowers the quality
// until the file fits. It removes EXIF, which often has the place, and everything else
// that is not the picture, colour profiles among it. A JPEG that is small and upright
// keeps its coded picture.
//
// [Recording] reads linear PCM, in integers or floating point, in WAV, RIFX, RF64,
// Wave64, CAF, AIFF, AIFF-C and AU, at rates up to 768 kHz. It mixes the channels and
// resamples: frequencies up to 7 kHz are within 0.1 dB, and those that 16 kHz cannot
// represent are at -60 dB or less. It cuts nothing off unless [WithTrim] says so.
//
// # What is refused
//
// Everything else: HEIC, AVIF, GIF, videos, compressed sound such as AAC, MP3, Opus or
// mu-law, damaged files, and recordings that would be over 500,000 bytes. The error is
// an [*Error]. Its Problem is that of package media, and has one sentence for a person
// and, where a program can do it, the command:
//
//	var refused *fit.Error
//	if errors.As(err, &refused) {
//		log.Print(refused.Problem.Fix, " ", refused.Problem.Command)
//	}
//
// # Untrusted files
//
// The number of pixels is read from the header, and limited before anything is
// decoded: see [WithMaxPixels]. Beyond the file itself, a photo of 12 megapixels needs
// this much memory, by its kind:
//
//	JPEG of a phone (4:2:0)           25 MB
//	JPEG with full chroma (4:4:4)     45 MB
//	progressive JPEG, 4:2:0          100 MB
//	progressive JPEG, 4:4:4          190 MB
//	JPEG in CMYK                     105 MB
//	PNG of 8 bits, of 16 bits         55 MB, 105 MB
//	PNG of 16 bits, interlaced       205 MB
//	WebP: lossy, lossless             30 MB, 60 MB
//	WebP with transparency           100 MB
//
// No photo needs more than 8 bytes for each pixel of the limit and a few megabytes:
// 400 MB with the default limit. A program with many calls at once lowers the limit, or
// limits the calls. A recording needs up to 5 times the size of its file, and a few
// megabytes.
//
// Nothing of a file is in an error or a log.
package fit
