package fit_test

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"os"

	"github.com/aimbrain/aimbrain-go/fit"
	"github.com/aimbrain/aimbrain-go/media"
)

func ExamplePhoto() {
	// A photo of 12 megapixels, as a phone makes it.
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, image.NewYCbCr(image.Rect(0, 0, 3024, 4032), image.YCbCrSubsampleRatio420), nil); err != nil {
		fmt.Println(err)
		return
	}
	fitted, err := fit.Photo(photo.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	size, err := jpeg.DecodeConfig(bytes.NewReader(fitted)) // send fitted with aimbrain.Photos
	fmt.Println(size.Width, size.Height, err)
	// Output: 480 640 <nil>
}

func ExampleRecording() {
	recording, err := os.ReadFile("memo.wav")
	if err != nil {
		recording = longRecording() // 7 s of 44.1 kHz in stereo
	}
	fitted, err := fit.Recording(recording, fit.WithTrim(media.MaxVoiceDuration))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(fitted), "bytes") // send them with aimbrain.Recordings
	// Output: 160044 bytes
}

func ExampleError() {
	photo := []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic") // of an iPhone
	_, err := fit.Photo(photo)
	var refused *fit.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Reason)
	}
	// Problem.Fix is for a person, Problem.Command for a program.
	// Output: HEIF is not decoded here, JPEG, PNG and WebP are
}
