package mediainfo

const fixWhole = "Send the whole file, or capture it again."

// fix returns a sentence for a person that says what mends a problem.
func (f *File) fix(id RuleID, kind Kind) string {
	video := f.HasVideo
	switch id {
	case RuleReadable:
		if f.Size == 0 {
			return "Look for the program that was to write this file: it wrote nothing."
		}
		return fixWhole
	case RuleReadError:
		return "Look at the error of the reader: the file may have moved, shrunk or lost its permissions."
	case RuleRequestSize, RuleSize:
		switch {
		case kind == Voice:
			return "Record 5 s in mono at 16 kHz and 16 bit, which is 160 kB, or convert it to that."
		case video:
			return "Encode the video for 3 s at 900 kbit/s."
		}
		return "Scale the photo to 640x480, and save it as a JPEG of quality 85."
	case RuleFaceFormat:
		return f.fixFaceFormat()
	case RuleVoiceFormat:
		return f.fixVoiceFormat()
	case RuleFaceCodec:
		if video {
			return "Encode the video as H.264, in an MP4."
		}
		return "Save the photo as a baseline JPEG in sRGB."
	case RuleVoiceCodec, RuleVoiceEncoding:
		return "Convert the recording to linear PCM of 16 bit, in a WAV."
	case RuleSoundLength:
		return "Cut sound and picture to the same length."
	case RuleOrientation:
		return "Turn the picture itself, and then remove the orientation: without it the photo lies on its side, and nothing reports that."
	case RuleFaceEncoding:
		if f.Format == QuickTime {
			return "Copy the video to an MP4, without encoding it."
		}
		return "Encode the video as H.264, in an MP4."
	case RulePictureSize:
		if video {
			return "Scale the video to 640x480 or 480x640."
		}
		return "Scale the photo to 640x480 or 480x640."
	case RuleVideoLength:
		return "Cut the video to 3 s."
	case RuleVoiceLength:
		return "Cut the recording to 5 s, without cutting the phrase."
	case RuleSampleRate:
		return "Convert the recording to 16 kHz."
	case RuleChannels:
		return "Mix the recording down to one channel."
	case RuleLocation:
		return "Remove the metadata before the file leaves your systems."
	}
	return ""
}

func (f *File) fixFaceFormat() string {
	if fix := f.fixText(); fix != "" {
		return fix
	}
	switch {
	case f.isPhoto():
		return "Convert the picture to a JPEG."
	case f.HasVideo || f.isVideo():
		return "Convert the video to H.264, in an MP4."
	case f.Format == SVG || f.Format == Unknown:
		return "Send a JPEG photo, or a video of a face in H.264."
	}
	return "Send a photo or a video of the face: this is sound."
}

func (f *File) fixVoiceFormat() string {
	if fix := f.fixText(); fix != "" {
		return fix
	}
	switch {
	case f.HasAudio || f.purpose(0) == Voice || f.isVideo():
		return "Convert the recording to a WAV."
	case f.isPhoto() || f.Format == JPEG:
		return "Send a recording of the voice: this is a picture."
	}
	return "Send a recording of the voice, as a WAV."
}

// fixText returns what mends text, "" for a file that is none.
func (f *File) fixText() string {
	switch {
	case f.Text == HTML:
		return "Read the page: it is probably an error of a server or a proxy, saved in place of the media."
	case f.Text == JSON:
		return "Take the media out of the JSON, and decode it from base64; a whole request goes to Client.Forward."
	case f.Text == DataURL:
		return "Pass what follows its comma to aimbrain.Base64, or decode that first."
	case f.Text == Base64Text && f.URLSafe:
		return "Write + for - and / for _, with padding and without line breaks, and pass it to aimbrain.Base64; or decode it first."
	case f.Text == Base64Text && f.LineBreaks:
		return "Decode it first, or pass it to aimbrain.Base64 without its line breaks."
	case f.Text == Base64Text || f.Format == Base64:
		return "Decode it first, or pass it to aimbrain.Base64."
	case f.Text != NoText:
		return "Send the media itself: this is only text."
	}
	return ""
}

// isPhoto reports whether the format is one of pictures that ImageMagick converts.
func (f *File) isPhoto() bool {
	switch f.Format {
	case JPEG, PNG, GIF, WebP, HEIC, AVIF, BMP, TIFF, JPEGXL, JPEG2000, ICO:
		return true
	}
	return false
}

// isVideo reports whether the format is one of videos. The headers of some are not
// read, so it is not known whether there is a picture.
func (f *File) isVideo() bool {
	switch f.Format {
	case MP4, QuickTime, WebM, AVI, ASF, FLV, MPEGTS, MPEGPS, H264:
		return true
	}
	return false
}

// The names of the files in a [File.Command].
const (
	CommandInput  = "INPUT"
	CommandOutput = "OUTPUT" // and an extension
)

// Command returns the program and the arguments that mend all problems that a program
// can mend, nil if there are none.
func (f *File) Command(kind Kind, problems []Problem) []string {
	kind = f.purpose(kind)
	if len(problems) == 0 || f.Text != NoText {
		return nil
	}
	copies := f.Format == QuickTime && (!f.HasAudio || f.AudioCodec == "mp4a")
	for _, p := range problems {
		switch p.Rule.ID {
		case RuleReadable, RuleReadError:
			return nil
		case RuleFaceEncoding, RuleLocation:
		default:
			copies = false
		}
	}
	switch {
	case kind == Voice && f.isPhoto():
		return nil
	case kind == Voice && (f.HasAudio || f.isVideo() || f.purpose(0) == Voice):
		return []string{
			"ffmpeg", "-i", CommandInput, "-t", "5", "-vn", "-map_metadata", "-1", "-ac", "1", "-ar", "16000",
			"-c:a", "pcm_s16le", CommandOutput + ".wav",
		}
	case kind == Voice || f.HasAudio && !f.HasVideo:
		return nil
	case f.isPhoto():
		return f.photoCommand()
	case copies:
		return []string{
			"ffmpeg", "-i", CommandInput, "-map_metadata", "-1", "-c", "copy", "-movflags", "+faststart", CommandOutput + ".mp4",
		}
	case f.HasVideo || f.isVideo():
		box := "w=480:h=640"
		if w, h := f.DisplaySize(); w > h {
			box = "w=640:h=480"
		}
		return []string{
			"ffmpeg", "-i", CommandInput, "-t", "3", "-an", "-map_metadata", "-1",
			"-vf", "scale=" + box + ":force_original_aspect_ratio=decrease:force_divisible_by=2",
			"-c:v", "libx264", "-profile:v", "main", "-pix_fmt", "yuv420p",
			"-b:v", "900k", "-maxrate", "1000k", "-bufsize", "1000k", "-movflags", "+faststart", CommandOutput + ".mp4",
		}
	}
	return nil
}

// photoCommand also puts white behind a picture that may have transparent parts, and
// takes the first of several pictures as their sum.
func (f *File) photoCommand() []string {
	box := "480x640>"
	if w, h := f.DisplaySize(); w > h {
		box = "640x480>"
	}
	command := append(make([]string, 0, 16), "convert", CommandInput)
	if f.Format != JPEG && f.Format != HEIC && f.Format != BMP {
		command = append(command, "-background", "white", "-flatten")
	}
	return append(command, "-auto-orient", "-strip", "-colorspace", "sRGB", "-resize", box, "-quality", "85", CommandOutput+".jpg")
}
