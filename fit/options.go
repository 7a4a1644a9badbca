package fit

import (
	"fmt"
	"time"

	"github.com/aimbrain/aimbrain-go/media"
)

// DefaultMaxPixels is the limit of [Photo] for the pixels of a photo, unless
// [WithMaxPixels] sets another. Few phones make larger ones.
const DefaultMaxPixels = 50_000_000

// A PhotoOption is a setting of [Photo].
type PhotoOption func(*photoConfig) error

type photoConfig struct {
	maxPixels int
	maxBytes  int
}

// WithMaxPixels sets the number of pixels above which [Photo] refuses a photo,
// 1 or more. The size is read from the header, before anything is decoded. No
// decoder uses more than 8 bytes for each pixel of the limit: a format that needs
// more, as a progressive JPEG without chroma subsampling, is refused from fewer
// pixels on. The default is [DefaultMaxPixels].
func WithMaxPixels(n int) PhotoOption {
	return func(c *photoConfig) error {
		if n < 1 {
			return fmt.Errorf("fit: WithMaxPixels: %d is less than 1", n)
		}
		c.maxPixels = n
		return nil
	}
}

// WithMaxBytes sets the size of the photo that [Photo] returns, in bytes, 1 or
// more. It is for a request with many photos, whose sum is limited too. The default
// is 500,000, the limit of the API for one file.
func WithMaxBytes(n int) PhotoOption {
	return func(c *photoConfig) error {
		if n < 1 {
			return fmt.Errorf("fit: WithMaxBytes: %d is less than 1", n)
		}
		c.maxBytes = n
		return nil
	}
}

func newPhotoConfig(options []PhotoOption) (photoConfig, error) {
	c := photoConfig{maxPixels: DefaultMaxPixels, maxBytes: media.MaxFileBytes}
	for _, option := range options {
		if err := option(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

// A RecordingOption is a setting of [Recording].
type RecordingOption func(*recordingConfig) error

type recordingConfig struct {
	trim time.Duration // 0 for no limit
}

// WithTrim makes [Recording] keep the first d of a longer recording, and is greater
// than 0. The vendor advises [media.MaxVoiceDuration], 5 s. By default nothing is
// cut off, because the words that are spoken may be at the end.
func WithTrim(d time.Duration) RecordingOption {
	return func(c *recordingConfig) error {
		if d <= 0 {
			return fmt.Errorf("fit: WithTrim: %v is not greater than 0", d)
		}
		c.trim = d
		return nil
	}
}

func newRecordingConfig(options []RecordingOption) (recordingConfig, error) {
	var c recordingConfig
	for _, option := range options {
		if err := option(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}
