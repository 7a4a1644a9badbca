package media_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/media"
)

// The variants are what phones, browsers, scanners and recorders make, and what goes
// wrong on the way.

func photos() []variant {
	colour := func(want media.Colour) func(*testing.T, media.Report) {
		return func(t *testing.T, r media.Report) {
			t.Helper()
			assert.Equal(t, want, r.Colour, "Colour")
		}
	}
	jpeg := func(file, line string, codec media.Codec, cut media.Truncation, check func(*testing.T, media.Report)) variant {
		return variant{file: file, make: line, format: media.FormatJPEG, codec: codec, cut: cut, by: "identify", check: check}
	}
	other := func(file, line string, format media.Format, cut media.Truncation) variant {
		return variant{file: file, make: line, format: format, cut: cut, by: "identify"}
	}
	tagged := func(args string) string { return `exiftool -q -n ` + args + ` -o "$OUT" face.jpg` }
	const whole, cut, unknown = media.NotTruncated, media.Truncated, media.TruncationUnknown
	list := []variant{
		jpeg("baseline.jpg", `convert face.jpg -quality 90 "$OUT"`, media.CodecBaseline, whole, colour(media.YCbCr)),
		jpeg("progressive.jpg", `convert face.jpg -interlace JPEG "$OUT"`, media.CodecProgressive, whole, colour(media.YCbCr)),
		jpeg("gray.jpg", `convert face.jpg -colorspace Gray "$OUT"`, media.CodecBaseline, whole, colour(media.Gray)),
		jpeg("cmyk.jpg", `convert face.jpg -colorspace CMYK "$OUT"`, media.CodecBaseline, whole, colour(media.CMYK)),
		jpeg("444.jpg", `convert face.jpg -sampling-factor 1x1 "$OUT"`, media.CodecBaseline, whole, colour(media.YCbCr)),
		jpeg("orientation1.jpg", tagged(`-Orientation=1`), media.CodecBaseline, whole, nil),
		jpeg("orientation2.jpg", tagged(`-Orientation=2`), media.CodecBaseline, whole, nil),
		jpeg("orientation3.jpg", tagged(`-Orientation=3`), media.CodecBaseline, whole, nil),
		jpeg("orientation5.jpg", tagged(`-Orientation=5`), media.CodecBaseline, whole, nil),
		jpeg("orientation6.jpg", tagged(`-Orientation=6`), media.CodecBaseline, whole, nil),
		jpeg("orientation8.jpg", tagged(`-Orientation=8`), media.CodecBaseline, whole, nil),
		jpeg("gps.jpg", tagged(`-GPSLatitude=51.5 -GPSLatitudeRef=N -GPSLongitude=0.1 -GPSLongitudeRef=W`), media.CodecBaseline, whole, nil),
		jpeg("device.jpg", tagged(`-Make=A -Model=B -Orientation=6`), media.CodecBaseline, whole, nil),
		jpeg("time.jpg", tagged(`-DateTimeOriginal="2024:01:02 03:04:05"`), media.CodecBaseline, whole, nil),
		jpeg("xmp-gps.jpg", tagged(`-XMP:GPSLatitude=51.5 -XMP:GPSLongitude=0.1`), media.CodecBaseline, whole, nil),
		jpeg("xmp.jpg", tagged(`-XMP:Title=a`), media.CodecBaseline, whole, nil),
		jpeg("iptc.jpg", tagged(`-IPTC:City=London`), media.CodecBaseline, whole, nil),
		jpeg("thumbnail.jpg", `convert face.jpg -resize 160x120 thumb.jpg && `+tagged(`-Make=A "-ThumbnailImage<=thumb.jpg"`), media.CodecBaseline, whole, nil),
		jpeg("comment.jpg", `head -c 30000 /dev/zero | tr '\0' x >comment.txt && `+tagged(`"-Comment<=comment.txt"`), media.CodecBaseline, whole, nil),
		jpeg("camera6.jpg", `exiftool -q -n -Orientation=6 -Make=A -GPSLatitude=51.5 -GPSLatitudeRef=N -GPSLongitude=0.1 -GPSLongitudeRef=W -o "$OUT" camera.jpg`, media.CodecBaseline, whole, nil),
		{file: "lossless.jpg", make: `ffmpeg -v error -i face.jpg -c:v ljpeg -pred 1 -strict -1 -f image2 -update 1 "$OUT"`, format: media.FormatJPEG, codec: media.CodecLossless, cut: whole, open: "frames"},
		jpeg("cut.jpg", `head -c 9000 face.jpg >"$OUT"`, media.CodecBaseline, cut, nil),
		jpeg("camera-cut.jpg", `head -c 1000000 camera.jpg >"$OUT"`, media.CodecBaseline, cut, nil),
		jpeg("progressive-cut.jpg", `convert noise.jpg -interlace JPEG -quality 95 p.jpg && head -c 300000 p.jpg >"$OUT"`, media.CodecProgressive, cut, nil),
		jpeg("behind.jpg", `cat noise.jpg alpha.png >"$OUT"`, media.CodecBaseline, unknown, nil),

		other("rgb.png", `convert face.jpg "PNG24:$OUT"`, media.FormatPNG, whole),
		other("alpha-copy.png", `cp alpha.png "$OUT"`, media.FormatPNG, whole),
		other("palette.png", `convert face.jpg -colors 64 "PNG8:$OUT"`, media.FormatPNG, whole),
		other("16bit.png", `convert face.jpg -depth 16 "PNG48:$OUT"`, media.FormatPNG, whole),
		other("interlaced.png", `convert face.jpg -interlace PNG "$OUT"`, media.FormatPNG, whole),
		other("screenshot.png", `convert -size 1170x2532 gradient:white-tan "$OUT"`, media.FormatPNG, whole),
		other("gps.png", `convert face.jpg -strip g.png && exiftool -q -n -GPSLatitude=51.5 -GPSLatitudeRef=N -GPSLongitude=0.1 -GPSLongitudeRef=W -o "$OUT" g.png`, media.FormatPNG, unknown),
		other("cut.png", `convert face.jpg c.png && head -c 20000 c.png >"$OUT"`, media.FormatPNG, cut),
		other("lossy.webp", `convert face.jpg -quality 80 "$OUT"`, media.FormatWebP, whole),
		other("lossless.webp", `convert face.jpg -define webp:lossless=true "$OUT"`, media.FormatWebP, whole),
		other("alpha.webp", `convert alpha.png "$OUT"`, media.FormatWebP, whole),
		other("large.webp", `convert face.jpg -resize '1200x1600!' "$OUT"`, media.FormatWebP, whole),
		other("gps.webp", `exiftool -q -n -GPSLatitude=51.5 -GPSLatitudeRef=N -GPSLongitude=0.1 -GPSLongitudeRef=W -o g.jpg face.jpg && convert g.jpg "$OUT"`, media.FormatWebP, whole),
		{file: "cut.webp", make: `convert face.jpg c.webp && head -c 2000 c.webp >"$OUT"`, format: media.FormatWebP, cut: cut, by: "none"},
		{file: "phone.heic", make: `convert noise.jpg -quality 50 "$OUT"`, format: media.FormatHEIF, codec: media.CodecHEVC, cut: whole, by: "identify"},
		{file: "gps.heic", make: `exiftool -q -n -Make=A -GPSLatitude=51.5 -GPSLatitudeRef=N -GPSLongitude=0.1 -GPSLongitudeRef=W -o h.jpg face.jpg && convert h.jpg "$OUT"`, format: media.FormatHEIF, codec: media.CodecHEVC, cut: whole, by: "identify"},
		{file: "cut.heic", make: `convert face.jpg c.heic && head -c 3000 c.heic >"$OUT"`, format: media.FormatHEIF, codec: media.CodecHEVC, cut: cut, by: "none"},
		{file: "photo.avif", make: `convert face.jpg -resize 25% "$OUT"`, format: media.FormatAVIF, codec: media.CodecAV1, cut: whole, by: "identify"},
		other("still.gif", `convert face.jpg "$OUT"`, media.FormatGIF, whole),
		other("moving.gif", `convert -delay 10 face.jpg \( face.jpg -flop \) "$OUT"`, media.FormatGIF, whole),
		other("24bit.bmp", `convert face.jpg "BMP3:$OUT"`, media.FormatBMP, whole),
		other("v5.bmp", `convert alpha.png "$OUT"`, media.FormatBMP, whole),
		{file: "cut.bmp", make: `convert face.jpg b.bmp && head -c 90000 b.bmp >"$OUT"`, format: media.FormatBMP, cut: cut, by: "none"},
		other("little.tif", `convert face.jpg -strip -endian LSB "$OUT"`, media.FormatTIFF, unknown),
		other("big.tif", `convert face.jpg -strip -endian MSB "$OUT"`, media.FormatTIFF, unknown),
		other("turned.tif", `convert face.jpg -strip t.tif && exiftool -q -n -Orientation=6 -o "$OUT" t.tif`, media.FormatTIFF, unknown),
		other("boxes.jp2", `convert face.jpg "$OUT"`, media.FormatJPEG2000, whole),
		other("stream.j2k", `convert face.jpg "$OUT"`, media.FormatJPEG2000, whole),
		other("cut.jp2", `convert face.jpg j.jp2 && head -c 20000 j.jp2 >"$OUT"`, media.FormatJPEG2000, cut),
		other("icon.ico", `convert face.jpg -resize 64x64 "$OUT"`, media.FormatICO, unknown),
		{file: "drawing.svg", make: `printf '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"/>' >"$OUT"`, format: media.FormatSVG, by: "none", open: "size"},
		{file: "odd.jxl", make: `ffmpeg -v error -i face.jpg -vf scale=333:221 -c:v libjxl -f image2 -update 1 "$OUT"`, format: media.FormatJPEGXL, by: "ffprobe", open: "frames"},
		{file: "square.jxl", make: `ffmpeg -v error -i face.jpg -vf scale=256:256 -c:v libjxl -f image2 -update 1 "$OUT"`, format: media.FormatJPEGXL, by: "ffprobe", open: "frames"},
	}
	return list
}

func videos() []variant {
	const whole, cut, unknown = media.NotTruncated, media.Truncated, media.TruncationUnknown
	const h264, aac = media.CodecH264, media.CodecAAC
	mp4 := func(file, line string, codec, sound media.Codec) variant {
		return variant{file: file, make: line, format: media.FormatMP4, codec: codec, sound: sound, cut: whole}
	}
	test := func(size, seconds, options string) string {
		return `ffmpeg -v error -f lavfi -i testsrc2=size=` + size + `:rate=25:duration=` + seconds + ` ` + options + ` "$OUT"`
	}
	const x264 = `-c:v libx264 -preset ultrafast -pix_fmt yuv420p`
	turned := func(degrees string) string {
		return `ffmpeg -v error -i short.mp4 -c copy -metadata:s:v rotate=` + degrees + ` "$OUT"`
	}
	return []variant{
		mp4("baseline.mp4", test("320x240", "2", x264+" -profile:v baseline"), h264, ""),
		mp4("faststart.mp4", `ffmpeg -v error -i short.mp4 -c copy -movflags +faststart "$OUT"`, h264, aac),
		mp4("end.mp4", `ffmpeg -v error -i short.mp4 -c copy "$OUT"`, h264, aac),
		mp4("rotated90.mp4", turned("90"), h264, aac),
		mp4("rotated180.mp4", turned("180"), h264, aac),
		mp4("rotated270.mp4", turned("270"), h264, aac),
		mp4("portrait.mp4", `ffmpeg -v error -f lavfi -i testsrc2=size=1920x1080:rate=30:duration=6 -r 10 -c:v libx264 -preset ultrafast -pix_fmt yuv420p p.mp4 && ffmpeg -v error -i p.mp4 -c copy -metadata:s:v rotate=90 "$OUT"`, h264, ""),
		mp4("high444.mp4", test("320x240", "1", `-c:v libx264 -preset ultrafast -pix_fmt yuv444p`), h264, ""),
		mp4("10bit.mp4", test("320x240", "1", `-c:v libx264 -preset ultrafast -pix_fmt yuv420p10le`), h264, ""),
		mp4("aspect.mp4", test("320x240", "1", x264+` -vf setsar=4/3`), h264, ""),
		mp4("hevc.mp4", test("320x240", "1", `-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1`), media.CodecHEVC, ""),
		mp4("mpeg4.mp4", test("320x240", "1", `-c:v mpeg4`), media.CodecMPEG4, ""),
		mp4("av1.mp4", test("160x120", "0.4", `-c:v libaom-av1 -cpu-used 8`), media.CodecAV1, ""),
		mp4("vp9.mp4", test("320x240", "1", `-c:v libvpx-vp9 -deadline realtime -cpu-used 8`), media.CodecVP9, ""),
		mp4("edit.mp4", `ffmpeg -v error -ss 0.5 -i short.mp4 -c copy "$OUT"`, h264, aac),
		mp4("sound-longer.mp4", `ffmpeg -v error -i short.mp4 -i voice.wav -map 0:v -map 1:a -c:v copy -c:a aac "$OUT"`, h264, aac),
		mp4("rate.mp4", `ffmpeg -v error -f lavfi -i testsrc2=size=320x240:rate=30000/1001:duration=2 `+x264+` "$OUT"`, h264, ""),
		mp4("ac3.mp4", `ffmpeg -v error -i short.mp4 -c:v copy -c:a ac3 "$OUT"`, h264, media.CodecAC3),
		{file: "location.mp4", make: `ffmpeg -v error -i short.mp4 -c copy -metadata location=+51.5-000.1/ "$OUT"`, format: media.FormatMP4, codec: h264, sound: aac, cut: whole, check: located},
		{file: "location.mov", make: `ffmpeg -v error -i short.mp4 -c copy -movflags use_metadata_tags -metadata com.apple.quicktime.location.ISO6709=+51.5-000.1/ -metadata com.apple.quicktime.make=A "$OUT"`, format: media.FormatQuickTime, codec: h264, sound: aac, cut: whole, check: located},
		{file: "fragmented.mp4", make: `ffmpeg -v error -i short.mp4 -c copy -movflags frag_keyframe+empty_moov "$OUT"`, format: media.FormatMP4, codec: h264, sound: aac, cut: unknown, check: unlessOpen},
		{file: "cmaf.mp4", make: `ffmpeg -v error -i short.mp4 -c copy -movflags cmaf "$OUT"`, format: media.FormatMP4, codec: h264, sound: aac, cut: unknown, check: unlessOpen},
		{file: "dash.mp4", make: `ffmpeg -v error -i short.mp4 -an -c copy -movflags dash+global_sidx "$OUT"`, format: media.FormatMP4, codec: h264, cut: unknown},
		{file: "cut.mp4", make: `ffmpeg -v error -i short.mp4 -c copy -movflags +faststart f.mp4 && head -c 60000 f.mp4 >"$OUT"`, format: media.FormatMP4, codec: h264, sound: aac, cut: cut},
		{file: "no-moov.mp4", make: `head -c 60000 short.mp4 >"$OUT"`, format: media.FormatMP4, cut: cut, by: "none", open: "duration"},
		{file: "clip.mov", make: `ffmpeg -v error -i short.mp4 -c copy "$OUT"`, format: media.FormatQuickTime, codec: h264, sound: aac, cut: whole},
		{file: "iphone.mov", make: test("1280x720", "4", `-c:v libx265 -preset ultrafast -x265-params log-level=none -tag:v hvc1`), format: media.FormatQuickTime, codec: media.CodecHEVC, cut: whole},
		{file: "mjpeg.mov", make: test("320x240", "1", `-c:v mjpeg -pix_fmt yuvj420p`), format: media.FormatQuickTime, codec: media.CodecMJPEG, cut: whole},
		{file: "prores.mov", make: test("320x240", "1", `-c:v prores`), format: media.FormatQuickTime, codec: media.CodecOther, cut: whole},
		{file: "pcm.mov", make: `ffmpeg -v error -i short.mp4 -c:v copy -c:a pcm_s16be "$OUT"`, format: media.FormatQuickTime, codec: h264, sound: media.CodecPCM, cut: whole},
		{file: "phone.3gp", make: `ffmpeg -v error -i short.mp4 -c copy "$OUT"`, format: media.Format3GP, codec: h264, sound: aac, cut: whole},
		{file: "h263.3gp", make: test("176x144", "1", `-c:v h263`), format: media.Format3GP, codec: media.CodecH263, cut: whole},
		{file: "vp8.webm", make: test("320x240", "2", `-c:v libvpx -deadline realtime -cpu-used 8`), format: media.FormatWebM, codec: media.CodecVP8, cut: whole},
		{file: "vp9.webm", make: `ffmpeg -v error -i short.mp4 -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus "$OUT"`, format: media.FormatWebM, codec: media.CodecVP9, sound: media.CodecOpus, cut: whole},
		{file: "live.webm", make: `ffmpeg -v error -i short.mp4 -an -c:v libvpx -deadline realtime -cpu-used 8 -live 1 -f webm - | cat >"$OUT"`, format: media.FormatWebM, codec: media.CodecVP8, cut: unknown, open: "duration"},
		{file: "cut.webm", make: test("320x240", "2", `-c:v libvpx -deadline realtime -cpu-used 8 -f webm w.webm && head -c 20000 w.webm >"$OUT"; :`), format: media.FormatWebM, codec: media.CodecVP8, cut: cut},
		{file: "h264.mkv", make: `ffmpeg -v error -i short.mp4 -c copy "$OUT"`, format: media.FormatMatroska, codec: h264, sound: aac, cut: whole},
		{file: "mpeg4.avi", make: `ffmpeg -v error -i short.mp4 -c:v mpeg4 -c:a mp3 "$OUT"`, format: media.FormatAVI, codec: media.CodecMPEG4, sound: media.CodecMP3, cut: whole},
		{file: "mjpeg.avi", make: `ffmpeg -v error -i short.mp4 -c:v mjpeg -c:a pcm_s16le "$OUT"`, format: media.FormatAVI, codec: media.CodecMJPEG, sound: media.CodecPCM, cut: whole},
		{file: "h264.avi", make: `ffmpeg -v error -i short.mp4 -c:v copy -an "$OUT"`, format: media.FormatAVI, codec: h264, cut: whole},
		{file: "h264.flv", make: `ffmpeg -v error -i short.mp4 -c copy "$OUT"`, format: media.FormatFLV, codec: h264, sound: aac, cut: whole},
		{file: "h264.ts", make: `ffmpeg -v error -i short.mp4 -c copy "$OUT"`, format: media.FormatMPEGTS, codec: h264, sound: aac, open: "size duration rate channels frames"},
		{file: "mpeg2.mpg", make: test("320x240", "1", `-c:v mpeg2video -f vob`), format: media.FormatMPEGPS, by: "none", open: "duration"},
		{file: "raw.h264", make: `ffmpeg -v error -i short.mp4 -an -c copy -bsf:v h264_mp4toannexb "$OUT"`, format: media.FormatH264, by: "none", open: "duration"},
		{file: "windows.wmv", make: test("320x240", "1", `-c:v wmv2`), format: media.FormatASF, by: "none", open: "duration"},
	}
}

func located(t *testing.T, r media.Report) {
	t.Helper()
	assert.True(t, r.Location, "Location")
	assert.True(t, r.Metadata, "Metadata")
}

func unlessOpen(t *testing.T, r media.Report) {
	t.Helper()
	assert.True(t, r.DurationKnown, "the fragments are few enough to be counted")
}

func recordings() []variant {
	const whole, cut, unknown = media.NotTruncated, media.Truncated, media.TruncationUnknown
	wav := func(file, options string, format media.Format, sound media.Codec) variant {
		return variant{file: file, make: `ffmpeg -v error -i stereo.wav ` + options + ` "$OUT"`, format: format, sound: sound, cut: whole}
	}
	return []variant{
		wav("pcm16.wav", `-ac 1 -ar 16000`, media.FormatWAV, media.CodecPCM),
		wav("stereo48.wav", ``, media.FormatWAV, media.CodecPCM),
		wav("pcm8.wav", `-c:a pcm_u8`, media.FormatWAV, media.CodecPCM),
		wav("pcm24.wav", `-c:a pcm_s24le`, media.FormatWAV, media.CodecPCM),
		wav("pcm32.wav", `-c:a pcm_s32le`, media.FormatWAV, media.CodecPCM),
		wav("float.wav", `-c:a pcm_f32le -ar 44100`, media.FormatWAV, media.CodecFloat),
		wav("double.wav", `-c:a pcm_f64le`, media.FormatWAV, media.CodecFloat),
		wav("extensible.wav", `-af 'pan=5.1|FL=c0|FR=c1|FC=c0|LFE=c0|BL=c0|BR=c1'`, media.FormatWAV, media.CodecPCM),
		wav("rf64.wav", `-rf64 always`, media.FormatRF64, media.CodecPCM),
		{file: "mulaw.wav", make: `ffmpeg -v error -i voice.wav -ar 8000 -c:a pcm_mulaw "$OUT"`, format: media.FormatWAV, sound: media.CodecMuLaw, cut: whole, open: "duration"},
		{file: "alaw.wav", make: `ffmpeg -v error -i voice.wav -ar 8000 -c:a pcm_alaw "$OUT"`, format: media.FormatWAV, sound: media.CodecALaw, cut: whole, open: "duration"},
		{file: "adpcm.wav", make: `ffmpeg -v error -i voice.wav -c:a adpcm_ms "$OUT"`, format: media.FormatWAV, sound: media.CodecADPCM, cut: whole, open: "duration depth"},
		{file: "gsm.wav", make: `sox voice.wav -r 8000 -e gsm-full-rate "$OUT"`, format: media.FormatWAV, sound: media.CodecGSM, cut: whole, open: "duration depth", by: "soxi"},
		{file: "pipe.wav", make: `ffmpeg -v error -i voice.wav -f wav - | cat >"$OUT"`, format: media.FormatWAV, sound: media.CodecPCM, cut: unknown},
		{file: "pipe-sox.wav", make: `sox voice.wav -t wav - | cat >"$OUT"`, format: media.FormatWAV, sound: media.CodecPCM, cut: unknown},
		{file: "rifx.wav", make: `sox voice.wav -B "$OUT"`, format: media.FormatRIFX, sound: media.CodecPCM, cut: whole, by: "soxi"},
		{file: "rifx-float.wav", make: `sox voice.wav -B -e floating-point -b 32 "$OUT"`, format: media.FormatRIFX, sound: media.CodecFloat, cut: whole, by: "soxi"},
		{file: "cut.wav", make: `head -c 200000 voice.wav >"$OUT"`, format: media.FormatWAV, sound: media.CodecPCM, cut: cut, by: "none"},
		wav("long.w64", ``, media.FormatW64, media.CodecPCM),
		wav("pcm.caf", `-c:a pcm_s16le`, media.FormatCAF, media.CodecPCM),
		wav("float.caf", `-c:a pcm_f32be`, media.FormatCAF, media.CodecFloat),
		{file: "alac.caf", make: `ffmpeg -v error -i voice.wav -c:a alac "$OUT"`, format: media.FormatCAF, sound: media.CodecALAC, cut: whole, open: "duration depth"},
		{file: "adpcm.caf", make: `ffmpeg -v error -i voice.wav -c:a adpcm_ima_qt "$OUT"`, format: media.FormatCAF, sound: media.CodecADPCM, cut: whole, open: "depth"},
		{file: "cut.caf", make: `ffmpeg -v error -i voice.wav c.caf && head -c 200000 c.caf >"$OUT"`, format: media.FormatCAF, sound: media.CodecPCM, cut: cut, by: "none"},
		wav("pcm.aiff", ``, media.FormatAIFF, media.CodecPCM),
		{file: "pcm.aifc", make: `sox voice.wav "$OUT"`, format: media.FormatAIFF, sound: media.CodecPCM, cut: whole, by: "soxi"},
		{file: "cut.aiff", make: `sox voice.wav a.aiff && head -c 200000 a.aiff >"$OUT"`, format: media.FormatAIFF, sound: media.CodecPCM, cut: cut, by: "none"},
		{file: "mulaw.au", make: `sox voice.wav -r 8000 -e mu-law "$OUT"`, format: media.FormatAU, sound: media.CodecMuLaw, cut: whole, by: "soxi"},
		{file: "pcm.au", make: `sox voice.wav "$OUT"`, format: media.FormatAU, sound: media.CodecPCM, cut: whole, by: "soxi"},
		{file: "cut.au", make: `sox voice.wav u.au && head -c 200000 u.au >"$OUT"`, format: media.FormatAU, sound: media.CodecPCM, cut: cut, by: "none"},
		{file: "voice.flac", make: `ffmpeg -v error -i stereo.wav "$OUT"`, format: media.FormatFLAC, sound: media.CodecFLAC, cut: unknown},
		{file: "voice.mp3", make: `ffmpeg -v error -i stereo.wav "$OUT"`, format: media.FormatMP3, sound: media.CodecMP3, cut: whole},
		{file: "mono22.mp3", make: `ffmpeg -v error -i voice.wav -ar 22050 "$OUT"`, format: media.FormatMP3, sound: media.CodecMP3, cut: whole},
		{file: "plain.mp3", make: `ffmpeg -v error -i voice.wav -write_xing 0 -id3v2_version 0 "$OUT"`, format: media.FormatMP3, sound: media.CodecMP3, cut: unknown, open: "duration"},
		{file: "cut.mp3", make: `ffmpeg -v error -i voice.wav m.mp3 && head -c 30000 m.mp3 >"$OUT"`, format: media.FormatMP3, sound: media.CodecMP3, cut: cut, by: "none"},
		{file: "memo.m4a", make: `ffmpeg -v error -i voice.wav -c:a aac "$OUT"`, format: media.FormatM4A, sound: media.CodecAAC, cut: whole},
		{file: "alac.m4a", make: `ffmpeg -v error -i voice.wav -c:a alac "$OUT"`, format: media.FormatM4A, sound: media.CodecALAC, cut: whole},
		{file: "rate96.m4a", make: `ffmpeg -v error -i voice.wav -ar 96000 -c:a aac "$OUT"`, format: media.FormatM4A, sound: media.CodecAAC, cut: whole},
		{file: "rate96.mov", make: `ffmpeg -v error -i voice.wav -ar 96000 -c:a pcm_s24le "$OUT"`, format: media.FormatQuickTime, sound: media.CodecPCM, cut: whole},
		{file: "float.mov", make: `ffmpeg -v error -i voice.wav -c:a pcm_f32le "$OUT"`, format: media.FormatQuickTime, sound: media.CodecFloat, cut: whole},
		{file: "cut.m4a", make: `ffmpeg -v error -i voice.wav -c:a aac -movflags +faststart f.m4a && head -c 30000 f.m4a >"$OUT"`, format: media.FormatM4A, sound: media.CodecAAC, cut: cut, by: "none"},
		{file: "stream.aac", make: `ffmpeg -v error -i stereo.wav -c:a aac "$OUT"`, format: media.FormatADTS, sound: media.CodecAAC, cut: unknown, open: "duration"},
		{file: "opus.ogg", make: `ffmpeg -v error -i stereo.wav -c:a libopus "$OUT"`, format: media.FormatOgg, sound: media.CodecOpus, cut: whole},
		{file: "vorbis.ogg", make: `ffmpeg -v error -i stereo.wav -c:a libvorbis "$OUT"`, format: media.FormatOgg, sound: media.CodecVorbis, cut: whole},
		{file: "flac.ogg", make: `ffmpeg -v error -i voice.wav -c:a flac "$OUT"`, format: media.FormatOgg, sound: media.CodecFLAC, cut: whole},
		{file: "cut.ogg", make: `ffmpeg -v error -i voice.wav -c:a libopus o.ogg && head -c 20000 o.ogg >"$OUT"`, format: media.FormatOgg, sound: media.CodecOpus, cut: cut, by: "none", open: "duration"},
		{file: "sound.webm", make: `ffmpeg -v error -i voice.wav -c:a libopus "$OUT"`, format: media.FormatWebM, sound: media.CodecOpus, cut: whole},
		{file: "vorbis.webm", make: `ffmpeg -v error -i voice.wav -c:a libvorbis "$OUT"`, format: media.FormatWebM, sound: media.CodecVorbis, cut: whole},
		{file: "narrow.amr", make: amr(`#!AMR\n`, `\074`, 32, 150), format: media.FormatAMR, sound: media.CodecAMR, cut: whole, seconds: 3},
		{file: "wide.awb", make: amr(`#!AMR-WB\n`, `\104`, 61, 150), format: media.FormatAMR, sound: media.CodecAMRWB, cut: whole, seconds: 3},
		{file: "page.html", make: `printf '<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>' >"$OUT"`, format: media.FormatHTML, by: "none"},
		{file: "body.json", make: `printf '{"faces":["%s"]}' "$(base64 -w 0 face.jpg)" >"$OUT"`, format: media.FormatJSON, by: "none"},
		{file: "face.b64", make: `base64 -w 0 face.jpg >"$OUT"`, format: media.FormatBase64, by: "none", check: inner(media.FormatJPEG)},
		{file: "lines.b64", make: `base64 short.mp4 >"$OUT"`, format: media.FormatBase64, by: "none", check: inner(media.FormatMP4)},
		{file: "url.b64", make: `base64 -w 0 voice.wav | tr +/ -_ | tr -d = >"$OUT"`, format: media.FormatBase64, by: "none", check: inner(media.FormatWAV)},
		{file: "page.b64", make: `printf '<!DOCTYPE html><html><body>502</body></html>' | base64 -w 0 >"$OUT"`, format: media.FormatBase64, by: "none", check: inner(media.FormatHTML)},
		{file: "url.txt", make: `printf 'data:image/jpeg;base64,%s' "$(base64 -w 0 face.jpg)" >"$OUT"`, format: media.FormatDataURL, by: "none", check: inner(media.FormatJPEG)},
		{file: "note.txt", make: `echo 'a note, and no photo' >"$OUT"`, format: media.FormatText, by: "none"},
	}
}

func inner(want media.Format) func(*testing.T, media.Report) {
	return func(t *testing.T, r media.Report) {
		t.Helper()
		assert.Equal(t, want, r.Inner, "Inner")
	}
}

// amr is a line that writes frames of silence: few programs encode AMR. Each frame
// begins with a byte that gives its size, and lasts 20 ms.
func amr(head, first string, size, frames int) string {
	return fmt.Sprintf(`{ printf '%s'; i=0; while [ $i -lt %d ]; do printf '%s'; head -c %d /dev/zero; i=$((i+1)); done; } >"$OUT"`, head, frames, first, size-1)
}
