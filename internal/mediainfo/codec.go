package mediainfo

// codecName returns a sample entry's name if it is known, and "other" otherwise,
// so that no text from the data gets into logs.
func codecName(b []byte) string {
	switch name := string(b); name {
	case "avc1", "avc3", "hvc1", "hev1", "dvh1", "dvhe", "mp4v", "s263", "vp08", "vp09", "av01", "jpeg", "encv", "enca", "mp4a", "alac", "ac-3", "ec-3", "samr", "sawb", "Opus", "fLaC", "lpcm", "sowt", "twos", "alaw":
		return name
	case "mjp2", "mjpa", "mjpb":
		return "jpeg"
	case "fl32", "fl64":
		return "float"
	case "in24", "in32", "raw ", "NONE", "ipcm":
		return "lpcm"
	case "fpcm":
		return "float"
	case "ulaw":
		return "mulaw"
	case "ima4":
		return "adpcm"
	case ".mp3":
		return "mp3"
	}
	return "other"
}

// encodingName is the usual name of a codec of [Info].
func encodingName(codec string) string {
	switch codec {
	case "avc1", "avc3":
		return "H.264"
	case "hvc1", "hev1", "dvh1", "dvhe":
		return "H.265 (HEVC)"
	case "mp4v":
		return "MPEG-4 part 2"
	case "s263":
		return "H.263"
	case "vp08":
		return "VP8"
	case "vp09":
		return "VP9"
	case "av01":
		return "AV1"
	case "jpeg":
		return "Motion JPEG"
	case "encv", "enca":
		return "encrypted media"
	case "pcm", "lpcm", "sowt", "twos":
		return "linear PCM"
	case "float":
		return "floating-point PCM"
	case "mulaw":
		return "mu-law"
	case "alaw":
		return "A-law"
	case "adpcm":
		return "ADPCM"
	case "gsm":
		return "GSM"
	case "mp3":
		return "MP3"
	case "vorbis":
		return "Vorbis"
	case "mp4a":
		return "AAC"
	case "alac":
		return "ALAC"
	case "ac-3", "ec-3":
		return "Dolby Digital"
	case "samr", "sawb":
		return "AMR"
	case "Opus":
		return "Opus"
	case "fLaC":
		return "FLAC"
	case "lossless", "hierarchical":
		return codec + " JPEG"
	case "arithmetic":
		return "JPEG with arithmetic coding"
	case "12-bit":
		return "JPEG of 12 bits a sample"
	}
	return "an unknown encoding"
}
