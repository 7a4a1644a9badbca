package mediainfo

import "bytes"

// Format is the kind of a file, recognised by its first bytes. [Inspect] reads the
// headers of JPEG, MP4, QuickTime, M4A, WebM, WAV, RIFX and CAF. The other formats
// only have a name, so that an error can say what was sent.
type Format int

// The formats that [Sniff] recognises.
const (
	Unknown Format = iota
	JPEG
	MP4
	WAV
	CAF
	QuickTime // a .mov, which has the structure of MP4
	M4A       // MP4 that its writer branded as audio only
	PNG
	GIF
	WebP
	HEIC
	AVIF
	BMP
	TIFF
	WebM // WebM and Matroska
	AVI
	MP3
	AAC // a plain ADTS stream
	Ogg
	FLAC
	AIFF
	AMR
	RIFX   // a big-endian WAV
	Base64 // Base64 text or a data: URL of a file, in place of the file itself
	JPEGXL
	JPEG2000
	ICO
	SVG
	AU  // Sun's audio
	W64 // Sony Wave64
	ASF // WMV and WMA
	FLV
	MPEGTS
	MPEGPS
	H264 // a plain stream, without a container
)

var formatNames = [...]string{ //nolint:gochecknoglobals // a table that is never written
	Unknown: "unknown", JPEG: "JPEG", MP4: "MP4", WAV: "WAV", CAF: "CAF",
	QuickTime: "QuickTime", M4A: "M4A", PNG: "PNG", GIF: "GIF", WebP: "WebP",
	HEIC: "HEIC", AVIF: "AVIF", BMP: "BMP", TIFF: "TIFF", WebM: "WebM",
	AVI: "AVI", MP3: "MP3", AAC: "AAC", Ogg: "Ogg", FLAC: "FLAC",
	AIFF: "AIFF", AMR: "AMR", RIFX: "big-endian WAV (RIFX)", Base64: "Base64 text",
	JPEGXL: "JPEG XL", JPEG2000: "JPEG 2000", ICO: "ICO", SVG: "SVG", AU: "AU", W64: "Wave64", ASF: "ASF", FLV: "FLV",
	MPEGTS: "MPEG-TS", MPEGPS: "MPEG-PS", H264: "H.264 without a container",
}

// String returns the format's usual name, or "unknown" for a value that is not one
// of the constants.
func (f Format) String() string {
	if f < 0 || int(f) >= len(formatNames) {
		return formatNames[Unknown]
	}
	return formatNames[f]
}

// signatures are the formats with a fixed text at a fixed offset. The first match
// counts.
var signatures = [...]struct { //nolint:gochecknoglobals // a table that is never written
	format Format
	offset int
	magic  string
}{
	{JPEG, 0, "\xff\xd8\xff"},
	{CAF, 0, "caff"},
	{PNG, 0, "\x89PNG\r\n\x1a\n"},
	{GIF, 0, "GIF8"},
	{TIFF, 0, "II*\x00"},
	{TIFF, 0, "MM\x00*"},
	{TIFF, 0, "II+\x00"}, // BigTIFF
	{TIFF, 0, "MM\x00+"},
	{WebM, 0, "\x1a\x45\xdf\xa3"},
	{MP3, 0, "ID3"},
	{Ogg, 0, "OggS"},
	{FLAC, 0, "fLaC"},
	{AMR, 0, "#!AMR"},
	{JPEGXL, 0, "\xff\x0a"},
	{JPEGXL, 4, "JXL \r\n\x87\n"},
	{JPEG2000, 4, "jP  \r\n\x87\n"},
	{JPEG2000, 0, "\xff\x4f\xff\x51"},
	{AU, 0, ".snd"},
	{W64, 0, "riff\x2e\x91\xcf\x11"},
	{ASF, 0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11"},
	{FLV, 0, "FLV\x01"},
	{SVG, 0, "<svg"},
	{Base64, 0, "data:"},
	{Base64, 0, "/9j/"},    // a JPEG's start
	{Base64, 0, "_9j_"},    // the same in the alphabet for URLs
	{Base64, 0, "UklG"},    // a WAV's
	{Base64, 0, "UkY2NP"},  // an RF64's
	{Base64, 0, "Y2FmZg"},  // a CAF's
	{Base64, 0, "GkXfo"},   // a WebM's
	{Base64, 0, "iVBORw0"}, // a PNG's
	{Base64, 0, "T2dnU"},   // an Ogg's
	{Base64, 5, "GZ0eX"},   // an MP4's
	// QuickTime files from before the ftyp box start with one of these.
	{QuickTime, 4, "moov"},
	{QuickTime, 4, "mdat"},
	{QuickTime, 4, "wide"},
}

// Sniff recognises a file's format by its first bytes. 12 bytes are enough for
// every format that [Inspect] reads and for most others. With fewer bytes, or with
// unknown ones, it returns Unknown. It reads no more than 512 bytes, so it does
// not say that the file is whole.
func Sniff(data []byte) Format {
	data = data[:min(len(data), 512)]
	for i := range signatures {
		s := &signatures[i]
		if bytes.HasPrefix(data[min(s.offset, len(data)):], []byte(s.magic)) {
			return s.format
		}
	}
	if len(data) >= 12 {
		if f := sniffContainer(data); f != Unknown {
			return f
		}
	}
	return sniffFrames(data)
}

// sniffContainer distinguishes the formats that share an outer format and name
// themselves at offset 8.
func sniffContainer(data []byte) Format {
	kind := string(data[8:12]) // does not escape, so it is not allocated
	switch {
	case string(data[:4]) == "RIFF" || string(data[:4]) == "RF64" || string(data[:4]) == "BW64":
		switch kind {
		case "WAVE":
			return WAV
		case "WEBP":
			return WebP
		case "AVI ":
			return AVI
		}
	case string(data[:4]) == "RIFX" && kind == "WAVE":
		return RIFX
	case string(data[:4]) == "FORM" && (kind == "AIFF" || kind == "AIFC"):
		return AIFF
	case string(data[4:8]) == "ftyp":
		switch kind {
		case "qt  ":
			return QuickTime
		case "M4A ", "M4B ":
			return M4A
		case "heic", "heix", "heim", "heis", "hevc", "mif1", "msf1":
			return HEIC
		case "avif", "avis":
			return AVIF
		}
		return MP4
	}
	return Unknown
}

// sniffFrames recognises the formats with the weakest signatures, so it comes
// last.
func sniffFrames(data []byte) Format {
	if len(data) < 4 {
		return Unknown
	}
	if data[0] == 0xff && data[1]&0xf6 == 0xf0 {
		return AAC
	}
	// An MPEG audio frame has 11 sync bits, then a version, a layer, a bit rate
	// and a sample rate, each of which has an invalid value.
	if data[0] == 0xff && data[1]&0xe0 == 0xe0 && data[1]&0x18 != 0x08 &&
		data[1]&0x06 != 0 && data[2]&0xf0 != 0xf0 && data[2]&0x0c != 0x0c {
		return MP3
	}
	// A BMP's bytes 6 to 9 are reserved and 0.
	if data[0] == 'B' && data[1] == 'M' && len(data) >= 10 && data[6]|data[7]|data[8]|data[9] == 0 {
		return BMP
	}
	return sniffStreams(data)
}

// sniffStreams recognises formats by a start code or a period.
func sniffStreams(data []byte) Format {
	const packet = 188 // of a transport stream
	switch start := string(data[:4]); {
	case start == "\x00\x00\x01\xba":
		return MPEGPS
	case start[:3] == "\x00\x00\x01" && isParameterSet(data[3]),
		start == "\x00\x00\x00\x01" && len(data) > 4 && isParameterSet(data[4]):
		return H264
	case start == "\x00\x00\x01\x00" && len(data) >= 10 && data[4] != 0 && data[5] == 0 && data[9] == 0:
		return ICO
	case start[0] == 'G' && len(data) > packet && data[packet] == 'G' && (len(data) <= 2*packet || data[2*packet] == 'G'):
		return MPEGTS
	case start == "<?xm" && bytes.Contains(data, []byte("<svg")):
		return SVG
	}
	return Unknown
}

// isParameterSet reports whether c is the first byte of a NAL unit that H.264
// streams start with: a sequence parameter set, an access unit delimiter or
// supplemental information.
func isParameterSet(b byte) bool {
	return b == 0x67 || b == 0x47 || b == 0x27 || b == 0x09 || b == 0x06
}
