package media

// A Format is the container of a file, by its usual name.
type Format string

// The formats that are recognised.
const (
	FormatUnknown Format = ""

	FormatJPEG     Format = "JPEG"
	FormatPNG      Format = "PNG"
	FormatWebP     Format = "WebP"
	FormatHEIF     Format = "HEIF" // HEIC as well
	FormatAVIF     Format = "AVIF"
	FormatGIF      Format = "GIF"
	FormatBMP      Format = "BMP"
	FormatTIFF     Format = "TIFF"
	FormatJPEGXL   Format = "JPEG XL"
	FormatJPEG2000 Format = "JPEG 2000"
	FormatICO      Format = "ICO"
	FormatSVG      Format = "SVG"

	FormatMP4       Format = "MP4"
	FormatQuickTime Format = "QuickTime" // .mov
	Format3GP       Format = "3GP"
	FormatWebM      Format = "WebM"
	FormatMatroska  Format = "Matroska"
	FormatAVI       Format = "AVI"
	FormatFLV       Format = "FLV"
	FormatMPEGTS    Format = "MPEG-TS"
	FormatMPEGPS    Format = "MPEG-PS"
	FormatASF       Format = "ASF" // WMV and WMA
	FormatH264      Format = "H.264 without a container"

	FormatWAV  Format = "WAV"
	FormatRF64 Format = "RF64" // a WAV with sizes of 64 bits
	FormatRIFX Format = "RIFX" // a big-endian WAV
	FormatCAF  Format = "CAF"
	FormatAIFF Format = "AIFF"
	FormatAU   Format = "AU"
	FormatW64  Format = "Wave64"
	FormatFLAC Format = "FLAC"
	FormatMP3  Format = "MP3"
	FormatM4A  Format = "M4A"
	FormatADTS Format = "ADTS" // AAC without a container
	FormatOgg  Format = "Ogg"
	FormatAMR  Format = "AMR"

	FormatHTML    Format = "HTML"
	FormatJSON    Format = "JSON"
	FormatXML     Format = "XML"
	FormatBase64  Format = "base64"
	FormatDataURL Format = "data URL"
	FormatText    Format = "text" // any other text
)

// A Codec is the encoding of a picture, of a video or of sound, by its usual name.
type Codec string

// The codecs that are recognised. CodecOther is one that is not.
const (
	CodecUnknown Codec = ""
	CodecOther   Codec = "other"

	// Of a JPEG.
	CodecBaseline     Codec = "baseline"
	CodecProgressive  Codec = "progressive"
	CodecLossless     Codec = "lossless"
	CodecArithmetic   Codec = "arithmetic"
	CodecHierarchical Codec = "hierarchical"
	Codec12Bit        Codec = "12-bit"

	// Of videos and other pictures.
	CodecH264      Codec = "H.264"
	CodecHEVC      Codec = "HEVC"
	CodecMPEG4     Codec = "MPEG-4 part 2"
	CodecH263      Codec = "H.263"
	CodecVP8       Codec = "VP8"
	CodecVP9       Codec = "VP9"
	CodecAV1       Codec = "AV1"
	CodecMJPEG     Codec = "Motion JPEG"
	CodecEncrypted Codec = "encrypted"

	// Of sound.
	CodecPCM    Codec = "PCM"   // linear, in integers
	CodecFloat  Codec = "float" // linear, in floating point
	CodecMuLaw  Codec = "mu-law"
	CodecALaw   Codec = "A-law"
	CodecADPCM  Codec = "ADPCM"
	CodecGSM    Codec = "GSM"
	CodecMP3    Codec = "MP3"
	CodecAAC    Codec = "AAC"
	CodecALAC   Codec = "ALAC"
	CodecFLAC   Codec = "FLAC"
	CodecOpus   Codec = "Opus"
	CodecVorbis Codec = "Vorbis"
	CodecAC3    Codec = "Dolby Digital"
	CodecAMR    Codec = "AMR"
	CodecAMRWB  Codec = "AMR-WB"
)
