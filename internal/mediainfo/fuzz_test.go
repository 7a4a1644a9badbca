package mediainfo_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// FuzzInspect looks for a panic, for results that contradict each other, and for a
// difference between a file in memory and a file that is read.
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
		info, err := inspectBoth(t, data)
		if info.Format != mediainfo.Sniff(data) {
			t.Fatal("Inspect and Sniff differ")
		}
		if info.Width < 0 || info.Height < 0 || info.Duration < 0 || info.VideoDuration < 0 || info.AudioDuration < 0 {
			t.Fatalf("negative: %+v", info)
		}
		if info.DurationUnknown && info.Duration != 0 {
			t.Fatalf("a duration that is said to be unknown: %+v", info)
		}
		if info.Orientation < 0 || info.Orientation > 8 || info.Rotation%90 != 0 || info.Rotation < 0 || info.Rotation > 270 || !(info.FrameRate >= 0) {
			t.Fatalf("out of range: %+v", info)
		}
		var e *mediainfo.Error
		if mediainfo.CheckStructure(data) == nil && err != nil && !(errors.As(err, &e) && e.Beyond) {
			t.Fatalf("sound, but not to be inspected: %v", err)
		}
		if (info.HasVideo || info.HasAudio) && info.Duration == 0 && len(mediainfo.Check(info, int64(len(data)), mediainfo.Face))+len(mediainfo.Check(info, int64(len(data)), mediainfo.Voice)) == 0 {
			t.Fatalf("a duration that is not known passes: %+v", info)
		}
	})
}

// FuzzParts puts its input where the readers of boxes, elements, tags and chunks
// read it, behind headers that lead there.
func FuzzParts(f *testing.F) {
	f.Add(mp4Edit(30, 50, 1<<16))
	f.Add(mp4Fragment(1, 0, 5))
	f.Add(mp4Index(1, 0, 30, 30))
	f.Add(mp4VideoEntry())
	f.Add(mp4TrackHeader(1))
	f.Add(webmVideo())
	f.Add(ebml(webmCluster, webmBlock(1)))
	f.Add(exif(binary.LittleEndian, 8, -1, exifTag{0x0112, 3, 1, 6})[10:])
	f.Add(voiceFormat())
	f.Fuzz(func(t *testing.T, part []byte) {
		files := [][]byte{
			mp4File(mp4Fragmented, func(p *mp4Parts) { p.behind = part }),
			mp4File(func(p *mp4Parts) { p.edts = mp4Box("edts", part) }),
			mp4File(func(p *mp4Parts) { p.tkhd = part }),
			mp4File(func(p *mp4Parts) { p.stsd = mp4Box("stsd", words(1<<24, 1), part) }),
			mp4File(func(p *mp4Parts) { p.moovEnd = part }),
			webmFile(webmTracks(part)),
			webmFile(webmTracks(webmVideo()), part),
			cafOf(part),
			append([]byte("RIFX\x00\x00\x00\x00WAVE"), part...),
			append([]byte("RF64\x00\x00\x00\x00WAVE"), part...),
		}
		if len(part) < 60_000 {
			files = append(files, jpegOf(jpegSegment(0xe1, append([]byte("Exif\x00\x00"), part...)...), jpegFrame(0xc0)))
		}
		for _, data := range files {
			info, err := inspectBoth(t, data)
			var e *mediainfo.Error
			if mediainfo.CheckStructure(data) == nil && err != nil && !(errors.As(err, &e) && e.Beyond) {
				t.Fatalf("sound, but not to be inspected: %v", err)
			}
			if info.DurationUnknown && info.Duration != 0 || info.Duration < 0 {
				t.Fatalf("duration: %+v", info)
			}
		}
	})
}
