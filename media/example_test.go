package media_test

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/media"
)

func ExampleInspect() {
	photo := aimbraintest.FacePhoto("ada", aimbraintest.Resolution(1024, 768))

	report := media.Inspect(photo)
	for _, p := range report.Problems {
		fmt.Println(p.Severity, "-", p.Message)
		fmt.Println(p.Fix)
		fmt.Println(p.Command.For("selfie.jpg", "fitted.jpg"))
	}
	// Output:
	// advice - 1024x768 is larger than 640x480
	// Scale the photo to 640x480 or 480x640.
	// convert selfie.jpg -auto-orient -strip -colorspace sRGB -resize '640x480>' -quality 85 fitted.jpg
}

func ExampleInspectReaderAt() {
	recording := aimbraintest.VoiceWAV("ada", aimbraintest.Duration(6*time.Second), aimbraintest.SampleRate(44_100))
	file := bytes.NewReader(recording) // an *os.File is another io.ReaderAt

	fmt.Println(media.InspectReaderAt(file, file.Size()))
	// Output:
	// recording, WAV, sound PCM, 44100 Hz, 1 channel, 16 bit, 6 s, 529294 bytes
	//   may be refused: a file of 529294 bytes is larger than 500,000 bytes. Record 5 s in mono at 16 kHz and 16 bit, which is 160 kB, or convert it to that.
	//   advice: a recording of 6 s is longer than 5 s. Cut the recording to 5 s, without cutting the phrase.
	//   advice: a recording of 44100 Hz is not of 16,000 Hz. Convert the recording to 16 kHz.
	//   command: ffmpeg -i INPUT -t 5 -vn -map_metadata -1 -ac 1 -ar 16000 -c:a pcm_s16le OUTPUT.wav
}

// A report of a photo that is sent as a voice has another problem than the same photo
// as a face.
func ExampleReport_As() {
	report := media.Inspect(aimbraintest.FacePhoto("ada"))

	fmt.Println(len(report.Problems))
	for _, p := range report.As(media.Voice).Problems {
		fmt.Println(p)
	}
	// Output:
	// 0
	// refused: a recording must be WAV or CAF, not JPEG. Send a recording of the voice: this is a picture.
}

// The command runs with package os/exec, without a shell.
func ExampleCommand_For() {
	png := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00IEND\xaeB`\x82")

	command := media.Inspect(png).Command().For("-screen.png", os.DevNull)
	fmt.Printf("%q\n", []string(command[:5]))
	// Output:
	// ["convert" "./-screen.png" "-background" "white" "-flatten"]
}

func ExampleLimits() {
	for _, limit := range media.Limits() {
		if limit.Severity == media.Refused {
			fmt.Println(limit.Rule, "-", limit.Accepted)
		}
	}
	// Output:
	// readable - whole, not damaged, and not empty
	// request-size - base64 of less than 2,000,000 bytes, as for the whole request
	// face-format - a JPEG, or a video in MP4, QuickTime or WebM
	// voice-format - a WAV or CAF
}
