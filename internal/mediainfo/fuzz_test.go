package mediainfo_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// FuzzInspect looks for a panic and for answers that contradict each other.
func FuzzInspect(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := mediainfo.Inspect(data)
		if info.Format != mediainfo.Sniff(data) {
			t.Fatal("Inspect and Sniff differ")
		}
		if info.Width < 0 || info.Height < 0 || info.Duration < 0 || info.VideoDuration < 0 || info.AudioDuration < 0 {
			t.Fatalf("negative: %+v", info)
		}
		if info.DurationUnknown && info.Duration != 0 {
			t.Fatalf("a duration that is said to be unknown: %+v", info)
		}
		if mediainfo.CheckStructure(data) == nil && err != nil {
			t.Fatalf("sound, but not to be inspected: %v", err)
		}
	})
}
