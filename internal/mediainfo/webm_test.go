package mediainfo_test

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// ebml returns an element whose name is given in hexadecimal digits. Its size
// takes two bytes, or four.
func ebml(name string, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	if len(body) < 0x3fff {
		return append(binary.BigEndian.AppendUint16(ebmlName(name), 0x4000|uint16(len(body))), body...)
	}
	return append(binary.BigEndian.AppendUint32(ebmlName(name), 0x10000000|uint32(len(body))), body...)
}

// ebmlOpen returns an element of unknown length.
func ebmlOpen(name string, parts ...[]byte) []byte {
	e := append(ebmlName(name), "\x01\xff\xff\xff\xff\xff\xff\xff"...)
	for _, p := range parts {
		e = append(e, p...)
	}
	return e
}

func ebmlName(digits string) []byte {
	name, err := hex.DecodeString(digits)
	if err != nil {
		panic(err)
	}
	return name
}

func ebmlNumber(name string, v uint16) []byte {
	return ebml(name, binary.BigEndian.AppendUint16(nil, v))
}

func ebmlFloat(name string, v float64) []byte {
	return ebml(name, binary.BigEndian.AppendUint64(nil, math.Float64bits(v)))
}

const (
	webmSegment = "18538067"
	webmCluster = "1f43b675"
)

func webmHead(docType string) []byte { return ebml("1a45dfa3", ebml("4282", []byte(docType))) }

func webmFile(parts ...[]byte) []byte {
	return append(webmHead("webm"), ebml(webmSegment, parts...)...)
}

func webmInfo(parts ...[]byte) []byte { return ebml("1549a966", parts...) }

func webmTracks(entries ...[]byte) []byte { return ebml("1654ae6b", entries...) }

// webmVideo returns an entry for VP8 of 64x48, with additional or other elements.
func webmVideo(more ...[]byte) []byte {
	return ebml("ae", append([][]byte{
		ebmlNumber("d7", 1), ebmlNumber("83", 1), ebml("86", []byte("V_VP8")), ebml("e0", ebmlNumber("b0", 64), ebmlNumber("ba", 48)),
	}, more...)...)
}

func webmSound() []byte {
	return ebml("ae", ebmlNumber("d7", 2), ebmlNumber("83", 2), ebml("86", []byte("A_OPUS")),
		ebml("e1", ebmlFloat("b5", 48_000), ebmlNumber("9f", 2), ebmlNumber("6264", 16)))
}

func webmBlock(track byte) []byte { return ebml("a3", []byte{0x80 | track, 0, 0, 0x80, 1, 2, 3}) }

func webmInfoOf(d time.Duration) mediainfo.Info {
	return mediainfo.Info{
		Format: mediainfo.WebM, Width: 64, Height: 48, HasVideo: true, VideoCodec: "vp08",
		Duration: d, VideoDuration: d, DurationUnknown: d == 0,
	}
}

func TestInspect_WebMOfOtherWriters(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	sound := func(i *mediainfo.Info) {
		i.HasAudio, i.AudioCodec, i.SampleRate, i.Channels, i.BitsPerSample = true, "Opus", 48_000, 1, 16
	}
	rate := func(i *mediainfo.Info) { i.FrameRate = 25 }
	for name, want := range map[string]mediainfo.Info{
		"vp8.webm":      with(webmInfoOf(400*ms), rate),
		"vp9-pipe.webm": with(with(webmInfoOf(0), rate), func(i *mediainfo.Info) { i.VideoCodec = "vp09" }),
		"live.webm":     with(with(webmInfoOf(0), rate), sound),
		"sound.webm":    with(mediainfo.Info{Format: mediainfo.WebM, Duration: 108 * ms, AudioDuration: 108 * ms}, sound),
	} {
		data := file(t, name)
		info, err := inspectBoth(t, data)
		assert.NoError(t, err, name)
		assert.Equal(t, want, info, name)
		assert.NoError(t, mediainfo.CheckStructure(data), name)
	}
}

func TestInspect_WebM(t *testing.T) {
	t.Parallel()
	scale := ebml("2ad7b1", words(500_000))
	tracks := webmTracks(webmVideo())
	for _, tt := range []struct {
		name string
		data []byte
		want mediainfo.Info
	}{
		{name: "without a duration", data: webmFile(webmInfo(), tracks), want: webmInfoOf(0)},
		{name: "duration in milliseconds", data: webmFile(webmInfo(ebmlFloat("4489", 3000)), tracks), want: webmInfoOf(3 * time.Second)},
		{
			name: "duration of 4 bytes", data: webmFile(webmInfo(ebml("4489", words(math.Float32bits(3000)))), tracks),
			want: webmInfoOf(3 * time.Second),
		},
		{name: "duration of 3 bytes", data: webmFile(webmInfo(ebml("4489", []byte{1, 2, 3})), tracks), want: webmInfoOf(0)},
		{name: "duration in half milliseconds", data: webmFile(webmInfo(ebmlFloat("4489", 3000), scale), tracks), want: webmInfoOf(1500 * time.Millisecond)},
		{name: "duration of a nanosecond", data: webmFile(webmInfo(ebmlFloat("4489", 1), ebml("2ad7b1", words(1))), tracks), want: webmInfoOf(1)},
		{name: "duration that is not a number", data: webmFile(webmInfo(ebmlFloat("4489", math.NaN())), tracks), want: webmInfoOf(0)},
		{name: "duration below 0", data: webmFile(webmInfo(ebmlFloat("4489", -1)), tracks), want: webmInfoOf(0)},
		{name: "duration without an end", data: webmFile(webmInfo(ebmlFloat("4489", math.Inf(1))), tracks), want: webmInfoOf(1000 * time.Hour)},
		{name: "tracks in front of the duration", data: webmFile(tracks, webmInfo(ebmlFloat("4489", 3000))), want: webmInfoOf(3 * time.Second)},
		{name: "duration behind the first cluster", data: webmFile(tracks, ebmlOpen(webmCluster), webmInfo(ebmlFloat("4489", 3000))), want: webmInfoOf(0)},
		{name: "stops behind the tracks", data: append(webmHead("matroska"), ebmlOpen(webmSegment, tracks)...), want: webmInfoOf(0)},
		{name: "second video track", data: webmFile(webmTracks(webmVideo(), webmVideo(ebml("e0", ebmlNumber("b0", 640))))), want: webmInfoOf(0)},
		{
			name: "frame rate", data: webmFile(webmTracks(webmVideo(ebml("23e383", words(50_000_000))))),
			want: with(webmInfoOf(0), func(i *mediainfo.Info) { i.FrameRate = 20 }),
		},
		{
			name: "unknown codec", data: webmFile(webmTracks(webmVideo(ebml("86", []byte("V_\x1b[2J"))))),
			want: with(webmInfoOf(0), func(i *mediainfo.Info) { i.VideoCodec = "other" }),
		},
		{
			name: "picture inside a picture", data: webmFile(webmTracks(webmVideo(ebml("e0", ebml("e0", ebmlNumber("b0", 640)))))), want: webmInfoOf(0),
		},
		{
			name: "video and sound", data: webmFile(webmInfo(ebmlFloat("4489", 3000)), webmTracks(webmSound(), webmVideo())),
			want: with(webmInfoOf(3*time.Second), func(i *mediainfo.Info) {
				i.VideoDuration = 0 // or the sound's, as the file does not say
				i.HasAudio, i.AudioCodec, i.SampleRate, i.Channels, i.BitsPerSample = true, "Opus", 48_000, 2, 16
			}),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			info, err := inspectBoth(t, tt.data)
			assert.NoError(t, err)
			assert.Equal(t, tt.want, info)
		})
	}
}

func TestInspect_WebMSampleRate(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]int{
		0: 0, 0.9: 0, 1: 1, 44_100: 44_100, 10_000_000: 10_000_000, 10_000_001: 0, math.Inf(1): 0, -1: 0,
	} {
		info, err := mediainfo.Inspect(webmFile(webmTracks(ebml("ae", ebmlNumber("83", 2), ebml("e1", ebmlFloat("b5", rate))))))
		assert.NoError(t, err)
		assert.Equal(t, want, info.SampleRate, rate)
	}
}

func TestInspect_WebMCodecs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"V_VP8": "vp08", "V_VP9": "vp09", "V_AV1": "av01", "V_MPEG4/ISO/AVC": "avc1", "V_MPEGH/ISO/HEVC": "hvc1", "V_MJPEG": "jpeg",
		"A_OPUS": "Opus", "A_VORBIS": "vorbis", "A_PCM/INT/LIT": "pcm", "A_PCM/FLOAT/IEEE": "float", "A_AAC": "mp4a", "A_FLAC": "fLaC",
		"V_VP88": "other", "": "other",
	} {
		info, err := mediainfo.Inspect(webmFile(webmTracks(webmVideo(ebml("86", []byte(name))))))
		require.NoError(t, err)
		assert.Equal(t, want, info.VideoCodec, name)
	}
}

func TestInspect_UnreadableWebM(t *testing.T) {
	t.Parallel()
	head := webmHead("webm")
	for _, tt := range []struct {
		name       string
		data       []byte
		problem    string
		incomplete bool
	}{
		{name: "stops inside the file header", data: head[:10], problem: "ends inside the file header", incomplete: true},
		{name: "stops behind the file header", data: head, problem: "no segment", incomplete: true},
		{name: "another kind of file", data: webmHead("mp4"), problem: "the file header says that this is neither WebM nor Matroska"},
		{name: "no kind", data: ebml("1a45dfa3", ebmlNumber("4286", 1)), problem: "the file header does not say that this is WebM or Matroska"},
		{name: "no segment", data: append(webmHead("webm"), webmInfo()...), problem: "no segment behind the file header"},
		{name: "stops inside the name of the segment", data: append(webmHead("webm"), ebmlName(webmSegment)[:3]...), problem: "ends inside an element", incomplete: true},
		{name: "stops inside the size of the segment", data: append(webmHead("webm"), "\x18\x53\x80\x67\x01\xff"...), problem: "ends inside an element", incomplete: true},
		{name: "stops behind the duration", data: webmFile(webmInfo()), problem: "no tracks", incomplete: true},
		{name: "stops inside the tracks", data: cutBy(webmFile(webmTracks(webmVideo())), 5), problem: "ends inside an element", incomplete: true},
		{name: "tracks of an open size", data: webmFile(ebmlOpen("1654ae6b")), problem: "ends inside an element", incomplete: true},
		{name: "media in front of the tracks", data: webmFile(ebmlOpen(webmCluster, webmTracks(webmVideo()))), problem: "no tracks in front of the media"},
		{name: "impossible name", data: webmFile([]byte("\x08\x00\x00\x00\x00\x81")), problem: "an element has an impossible name"},
		{name: "impossible size", data: webmFile([]byte("\xec\x00")), problem: "an element has an impossible size"},
		{name: "oversized element", data: webmFile(webmTracks([]byte("\xae\x82\xd7"))), problem: "an element is larger than the element that it is in"},
		{name: "element cut by the one around it", data: webmFile(webmTracks([]byte("\xae"))), problem: "an element is larger than the element that it is in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := inspectBoth(t, tt.data)
			wantError(t, err, "WebM: "+tt.problem, tt.incomplete)
			assert.Error(t, mediainfo.CheckStructure(tt.data))
		})
	}
}

func TestCheckStructure_WebM(t *testing.T) {
	t.Parallel()
	tracks, block := webmTracks(webmVideo(), webmSound()), webmBlock(1)
	cluster := ebml(webmCluster, ebmlNumber("e7", 0), block)
	for _, tt := range []struct {
		name       string
		data       []byte
		problem    string
		incomplete bool
	}{
		{name: "whole", data: webmFile(webmInfo(), tracks, cluster)},
		{name: "bytes behind the segment", data: append(webmFile(tracks, cluster), "made here"...)},
		{name: "clusters of open sizes", data: append(webmHead("webm"), ebmlOpen(webmSegment, tracks, ebmlOpen(webmCluster, webmBlock(2)), ebmlOpen(webmCluster, block))...)},
		{name: "block in a group", data: webmFile(tracks, ebml(webmCluster, ebml("a0", ebml("a1", []byte{0x81, 0, 0, 0, 1}))))},
		{name: "sound alone", data: webmFile(webmTracks(webmSound()), ebml(webmCluster, webmBlock(2)))},
		{name: "no blocks of sound", data: webmFile(webmTracks(webmSound()), ebml(webmCluster, webmBlock(1))), problem: "no samples"},
		{name: "no blocks of video", data: webmFile(tracks, ebml(webmCluster, webmBlock(2))), problem: "no samples of video"},
		{name: "empty block", data: webmFile(tracks, ebml(webmCluster, ebml("a3"))), problem: "no samples of video"},
		{name: "no track", data: webmFile(webmTracks(), cluster), problem: "no video or audio track"},
		{name: "no height", data: webmFile(webmTracks(webmVideo(ebml("e0", ebmlNumber("ba", 0)))), cluster), problem: "the track gives an empty picture"},
		{name: "no width", data: webmFile(webmTracks(webmVideo(ebml("e0", ebmlNumber("b0", 0)))), cluster), problem: "the track gives an empty picture"},
		{name: "block of an open size", data: webmFile(tracks, ebml(webmCluster, ebmlOpen("a3"))), problem: "ends inside an element", incomplete: true},
		{name: "without the last byte", data: cutBy(webmFile(tracks, cluster), 1), problem: "ends inside an element", incomplete: true},
		{name: "without the last cluster", data: cutBy(webmFile(tracks, cluster, cluster), len(cluster)), problem: "ends inside the segment", incomplete: true},
		{
			name: "open, without the last byte", data: cutBy(append(webmHead("webm"), ebmlOpen(webmSegment, tracks, ebmlOpen(webmCluster, block))...), 1),
			problem: "ends inside an element", incomplete: true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := mediainfo.CheckStructure(tt.data)
			if tt.problem == "" {
				assert.NoError(t, err)
				return
			}
			wantError(t, err, "WebM: "+tt.problem, tt.incomplete)
		})
	}
}

func cutBy(data []byte, n int) []byte { return data[:len(data)-n] }
