package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func TestRun_PrintsReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, data, 0o600))
		return path
	}
	photo := write("photo.jpg", aimbraintest.FacePhoto("ada"))
	large := write("large.jpg", aimbraintest.FacePhoto("ada", aimbraintest.Resolution(1024, 768)))
	voice := write("voice.wav", aimbraintest.VoiceWAV("ada", aimbraintest.Duration(6*time.Second)))
	page := write("page.jpg", []byte("<!DOCTYPE html><html>"))
	for _, tt := range []struct {
		name string
		args []string
		code int
		out  []string
		err  string
	}{
		{name: "a valid photo", args: []string{photo}, out: []string{"photo.jpg: photo, JPEG, baseline, 320x240", "no problems found"}},
		{name: "a large photo", args: []string{large}, out: []string{"advice: 1024x768 is larger than 640x480. Scale the photo", "command: convert INPUT -auto-orient"}},
		{name: "a recording", args: []string{voice}, out: []string{"recording, WAV, sound PCM, 16000 Hz, 1 channel, 16 bit, 6 s", "longer than 5 s", "command: ffmpeg -i INPUT -t 5"}},
		{name: "two files", args: []string{photo, page}, code: 1, out: []string{"photo.jpg: photo", "page.jpg: text, HTML", "refused: the data is HTML", "Read the page"}},
		{name: "a photo as a voice", args: []string{"-as", "voice", photo}, code: 1, out: []string{"a recording must be WAV or CAF, not JPEG"}},
		{name: "no such file", args: []string{filepath.Join(dir, "none"), photo}, code: 2, out: []string{"photo.jpg: photo"}, err: "none"},
		{name: "a directory", args: []string{dir}, code: 2, err: "not a regular file"},
		{name: "no file", code: 2, err: "usage"},
		{name: "an unknown purpose", args: []string{"-as", "hand", photo}, code: 2, err: "neither face nor voice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, problems bytes.Buffer
			assert.Equal(t, tt.code, run(tt.args, &out, &problems))
			for _, text := range tt.out {
				assert.Contains(t, out.String(), text)
			}
			assert.Contains(t, problems.String(), tt.err)
			if tt.err == "" {
				assert.Empty(t, problems.String())
			}
		})
	}
}
