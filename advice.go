package aimbrain

import (
	"context"
	"log/slog"
	"time"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// What the vendor advises for media. Its own samples go beyond, and no error
// code exists for it, so that the library warns and sends.
const (
	advisedWidth      = 640
	advisedHeight     = 480
	advisedVideo      = 3 * time.Second
	advisedVoice      = 5 * time.Second
	advisedSampleRate = 16_000
	maxFileBytes      = 500_000
)

// advise logs how a file, or its beginning, departs from the vendor's advice.
// Only numbers are logged, nothing of the content.
func advise(ctx context.Context, logger *slog.Logger, endpoint string, file []byte) {
	warn := func(text string, attrs ...slog.Attr) {
		attrs = append([]slog.Attr{slog.String("endpoint", endpoint)}, attrs...)
		logger.LogAttrs(ctx, slog.LevelWarn, "aimbrain: "+text, attrs...)
	}
	if len(file) > maxFileBytes {
		warn("a file is larger than the API's limit of 500 kB", slog.Int("bytes", len(file)))
	}
	info, err := mediainfo.Inspect(file)
	if err != nil {
		return // the API says what it cannot read
	}
	short, long := min(info.Width, info.Height), max(info.Width, info.Height)
	if long > advisedWidth || short > advisedHeight {
		warn("a picture is larger than the advised 640x480", slog.Int("width", info.Width), slog.Int("height", info.Height))
	}
	if info.HasVideo && info.Duration > advisedVideo {
		warn("a video is longer than the advised 3 s", slog.Duration("duration", info.Duration))
	}
	if info.HasVideo || !info.HasAudio {
		return
	}
	if info.Duration > advisedVoice {
		warn("a recording is longer than the advised 5 s", slog.Duration("duration", info.Duration))
	}
	if info.SampleRate != advisedSampleRate {
		warn("a recording is not sampled at the advised 16 kHz", slog.Int("sample_rate", info.SampleRate))
	}
}
