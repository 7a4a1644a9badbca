package aimbrain

import (
	"io"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// Media is what a person's face or voice was captured in: one or more photos,
// videos or recordings, for [FaceService] and [VoiceService]. It is made by
// [Photos], [Videos], [Recordings], [Files], [Readers] or [Base64], and joined
// by [Media.Append]. The zero value holds nothing and is refused by every call.
//
// A call reads its media before it returns and before it sends anything; the
// caller's slices are the caller's again when the call has returned.
//
// The vendor's limits: [MaxMediaBytes] a file and less than [MaxRequestBytes] a
// request, base64 included. Beyond that the vendor advises photos and videos of
// 640×480 at most, videos of 3 s, and recordings of 5 s at 16 kHz, and accepts
// more; with [WithLogger] the library warns of it and sends, see [WithMediaCheck].
type Media struct {
	items []payload.Medium
}

// MaxMediaBytes is the size of a photo, a video or a recording at most, before
// base64: 500 kB, the vendor's limit. It is checked by [WithMediaCheck].
const MaxMediaBytes = 500_000

// Photos is one or more JPEG photos of a face, as raw bytes.
func Photos(photos ...[]byte) Media { return mediaOf(payload.Face, photos, payload.Raw) }

// Videos is one or more H.264 videos of a face, as raw bytes.
func Videos(videos ...[]byte) Media { return mediaOf(payload.Face, videos, payload.Raw) }

// Recordings is one or more recordings of a voice, WAV or CAF with 16 kHz
// linear PCM, as raw bytes.
func Recordings(recordings ...[]byte) Media { return mediaOf(payload.Voice, recordings, payload.Raw) }

// Files is one or more photos, videos or recordings in regular files. They are
// opened when the call is made, and closed before it returns. A path to
// anything else, such as a directory, a device, a socket or a named pipe, is
// refused with a [*RequestError]; symbolic links are followed. A file system
// that does not respond holds up a call no longer than a reader does, see
// [Readers].
func Files(paths ...string) Media { return mediaOf(payload.AnyKind, paths, payload.File) }

// Readers is one or more photos, videos or recordings, each read to its end
// when the call is made: such a value serves one call. Readers are not closed.
//
// A Read that blocks does not hold up the call. When the context ends, or the
// time of [WithTimeout] has passed, the call returns a [*NetworkError], and
// nothing was sent. Go cannot end the Read, so each reader is read in a
// goroutine of its own, which ends when the Read does. Until then the reader is
// still in use: close the pipe or connection behind it to end the Read. What
// the reader writes to its buffer by then is discarded. The readers of packages
// bytes and strings never block, and are read in the caller's goroutine.
//
// A reader that breaks the contract of [io.Reader], by a count below 0 or
// beyond its buffer, is a [*RequestError]. A panic of a reader reaches the
// caller of the call with the same value; it is recovered and dropped when the
// call has returned by then.
func Readers(readers ...io.Reader) Media { return mediaOf(payload.AnyKind, readers, payload.Reader) }

// Base64 is one or more photos, videos or recordings that are standard base64
// already, as an app sends them. They go out as they are, and are not encoded
// a second time. Any other form, such as with line breaks, for URLs, without
// padding or as a data URL, is a [*RequestError] that says which form it is.
func Base64(texts ...string) Media { return mediaOf(payload.AnyKind, texts, payload.Text) }

func mediaOf[T any](kind payload.Kind, sources []T, item func(T) payload.Medium) Media {
	var m Media
	for _, source := range sources {
		m.items = append(m.items, item(source).Of(kind))
	}
	return m
}

// Append returns the media of both, in that order.
func (m Media) Append(more Media) Media {
	return Media{items: append(m.items[:len(m.items):len(m.items)], more.items...)}
}

// Len returns how many photos, videos and recordings there are.
func (m Media) Len() int { return len(m.items) }

// String returns how many there are, and nothing of what is in them.
func (m Media) String() string {
	if len(m.items) == 1 {
		return "1 file"
	}
	return strconv.Itoa(len(m.items)) + " files"
}
