package media

import "github.com/aimbrain/aimbrain-go/internal/mediainfo"

// The functions here turn the values of package mediainfo into those of this package.

func kindOf(f *mediainfo.File) Kind {
	switch {
	case f.Text != mediainfo.NoText:
		return KindText
	case f.HasVideo && f.Format != mediainfo.HEIC && f.Format != mediainfo.AVIF:
		return KindVideo
	case f.HasAudio:
		return KindRecording
	}
	switch f.Format {
	case mediainfo.JPEG, mediainfo.PNG, mediainfo.GIF, mediainfo.WebP, mediainfo.HEIC, mediainfo.AVIF, mediainfo.BMP,
		mediainfo.TIFF, mediainfo.JPEGXL, mediainfo.JPEG2000, mediainfo.ICO, mediainfo.SVG:
		return KindPhoto
	case mediainfo.MP4, mediainfo.QuickTime, mediainfo.WebM, mediainfo.AVI, mediainfo.ASF, mediainfo.FLV,
		mediainfo.MPEGTS, mediainfo.MPEGPS, mediainfo.H264:
		return KindVideo
	case mediainfo.WAV, mediainfo.RIFX, mediainfo.CAF, mediainfo.M4A, mediainfo.MP3, mediainfo.AAC, mediainfo.Ogg,
		mediainfo.FLAC, mediainfo.AIFF, mediainfo.AMR, mediainfo.AU, mediainfo.W64:
		return KindRecording
	case mediainfo.Base64:
		return KindText
	}
	return KindUnknown
}

func formatOf(f mediainfo.Format, v mediainfo.Variant, t mediainfo.Text) Format {
	switch t {
	case mediainfo.HTML:
		return FormatHTML
	case mediainfo.JSON:
		return FormatJSON
	case mediainfo.XML:
		return FormatXML
	case mediainfo.Base64Text:
		return FormatBase64
	case mediainfo.DataURL:
		return FormatDataURL
	case mediainfo.OtherText:
		return FormatText
	}
	switch v {
	case mediainfo.RF64:
		return FormatRF64
	case mediainfo.ThreeGP:
		return Format3GP
	case mediainfo.Matroska:
		return FormatMatroska
	}
	switch f {
	case mediainfo.Unknown:
		return FormatUnknown
	case mediainfo.HEIC:
		return FormatHEIF
	case mediainfo.RIFX:
		return FormatRIFX
	case mediainfo.AAC:
		return FormatADTS
	case mediainfo.Base64:
		return FormatBase64
	}
	return Format(f.String()) // the same name
}

func codecOf(name string) Codec {
	switch name {
	case "":
		return CodecUnknown
	case "avc1", "avc3":
		return CodecH264
	case "hvc1", "hev1", "dvh1", "dvhe":
		return CodecHEVC
	case "mp4v":
		return CodecMPEG4
	case "s263":
		return CodecH263
	case "vp08":
		return CodecVP8
	case "vp09":
		return CodecVP9
	case "av01":
		return CodecAV1
	case "jpeg":
		return CodecMJPEG
	case "encv", "enca":
		return CodecEncrypted
	case "pcm", "lpcm", "sowt", "twos":
		return CodecPCM
	case "float":
		return CodecFloat
	case "mulaw":
		return CodecMuLaw
	case "alaw":
		return CodecALaw
	case "adpcm":
		return CodecADPCM
	case "gsm":
		return CodecGSM
	case "mp3":
		return CodecMP3
	case "mp4a":
		return CodecAAC
	case "alac":
		return CodecALAC
	case "fLaC":
		return CodecFLAC
	case "Opus":
		return CodecOpus
	case "vorbis":
		return CodecVorbis
	case "ac-3", "ec-3":
		return CodecAC3
	case "samr":
		return CodecAMR
	case "sawb":
		return CodecAMRWB
	}
	return CodecOther
}

func jpegCodecOf(f *mediainfo.File) Codec {
	switch f.PictureCodec {
	case "":
		if f.Progressive {
			return CodecProgressive
		}
		return CodecBaseline
	case "lossless":
		return CodecLossless
	case "arithmetic":
		return CodecArithmetic
	case "hierarchical":
		return CodecHierarchical
	}
	return Codec12Bit
}

func colorOf(c mediainfo.Color) Color {
	switch c {
	case mediainfo.Gray:
		return Gray
	case mediainfo.YCbCr:
		return YCbCr
	case mediainfo.RGB:
		return RGB
	case mediainfo.CMYK:
		return CMYK
	}
	return ColorUnknown
}

func truncationOf(c mediainfo.Cut) Truncation {
	switch c {
	case mediainfo.CutNo:
		return NotTruncated
	case mediainfo.CutYes:
		return Truncated
	}
	return TruncationUnknown
}
