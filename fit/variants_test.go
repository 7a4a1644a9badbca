package fit

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/media"
)

// TestPhoto_ReadsWhatOtherProgramsWrite compares the result with that of the command
// for photos, which does the same by other code.
func TestPhoto_ReadsWhatOtherProgramsWrite(t *testing.T) {
	t.Parallel()
	needTools(t, "convert", "exiftool")
	dir := t.TempDir()
	source := filepath.Join(dir, "source.png")
	require.NoError(t, os.WriteFile(source, pngOf(t, synthetic(903, 677, 5)), 0o600))
	for _, row := range []struct {
		name        string
		convert     string
		file        string
		orientation string
		turn        string // -auto-orient if it is "": ImageMagick 6 has it for JPEG alone
	}{
		{name: "baseline", convert: "-quality 90", file: "jpg"},
		{name: "progressive", convert: "-interlace JPEG -quality 90", file: "jpg"},
		{name: "progressive, gray", convert: "-interlace JPEG -colorspace Gray", file: "jpg"},
		{name: "gray", convert: "-colorspace Gray", file: "jpg"},
		{name: "CMYK", convert: "-colorspace CMYK", file: "jpg"},
		{name: "4:4:4", convert: "-sampling-factor 1x1", file: "jpg"},
		{name: "4:2:2", convert: "-sampling-factor 2x1", file: "jpg"},
		{name: "4:4:0", convert: "-sampling-factor 1x2", file: "jpg"},
		{name: "4:1:1", convert: "-sampling-factor 4x1", file: "jpg"},
		{name: "PNG", file: "png"},
		{name: "PNG of 16 bits", convert: "-depth 16", file: "png"},
		{name: "PNG, interlaced", convert: "-interlace PNG", file: "png"},
		{name: "PNG, gray", convert: "-colorspace Gray", file: "png"},
		{name: "PNG with a palette", convert: "-colors 200", file: "png"},
		{name: "PNG with transparency", convert: "-alpha set -channel A -evaluate set 60% +channel", file: "png"},
		{name: "lossy WebP", convert: "-quality 90", file: "webp"},
		{name: "lossless WebP", convert: "-define webp:lossless=true", file: "webp"},
		{name: "WebP with transparency", convert: "-alpha set -channel A -evaluate set 60% +channel", file: "webp"},
		{name: "orientation 2", file: "jpg", orientation: "2"},
		{name: "orientation 3", file: "jpg", orientation: "3"},
		{name: "orientation 4", file: "jpg", orientation: "4"},
		{name: "orientation 5", file: "jpg", orientation: "5"},
		{name: "orientation 6", file: "jpg", orientation: "6"},
		{name: "orientation 7", file: "jpg", orientation: "7"},
		{name: "orientation 8", file: "jpg", orientation: "8"},
		{name: "PNG, orientation 6", file: "png", orientation: "6", turn: "-rotate 90"},
		{name: "WebP, orientation 6", file: "webp", orientation: "6", turn: "-rotate 90"},
		{name: "small", convert: "-resize 320x240", file: "jpg", orientation: "6"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, want := filepath.Join(dir, "in."+row.file), filepath.Join(dir, "want.png")
			run(t, "convert", append(append([]string{source}, strings.Fields(row.convert)...), in)...)
			if row.orientation != "" {
				run(t, "exiftool", "-q", "-overwrite_original", "-n", "-Orientation="+row.orientation, "-GPSLatitude=51.5", "-GPSLatitudeRef=N",
					"-Make=Camera", "-XMP:Creator=Somebody", "-Comment=Something", in)
			}
			data, err := os.ReadFile(in)
			require.NoError(t, err)
			fitted, err := Photo(data)
			require.NoError(t, err)
			m := checkFitted(t, fitted, media.MaxFileBytes)

			size := "640x480>"
			if b := m.Bounds(); b.Dy() > b.Dx() {
				size = "480x640>"
			}
			args := append([]string{in, "-background", "white", "-flatten"}, strings.Fields(cmp.Or(row.turn, "-auto-orient"))...)
			run(t, "convert", append(args, "-strip", "-colorspace", "sRGB", "-resize", size, want)...)
			similarity := ssim(t, open(t, want), m)
			t.Logf("SSIM %.4f", similarity)
			assert.Greater(t, similarity, 0.96)

			out := filepath.Join(dir, "out.jpg")
			require.NoError(t, os.WriteFile(out, fitted, 0o600))
			var tags []map[string]any
			require.NoError(t, json.Unmarshal([]byte(run(t, "exiftool", "-json", "-G", out)), &tags))
			for name := range tags[0] {
				group, _, _ := strings.Cut(name, ":")
				assert.Contains(t, []string{"SourceFile", "ExifTool", "File", "JFIF", "Composite"}, group, name)
			}
		})
	}
}
