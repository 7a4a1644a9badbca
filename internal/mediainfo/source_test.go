package mediainfo_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// counter counts the reads and bytes of a file.
type counter struct {
	data  []byte
	reads int
	bytes int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.reads++
	c.bytes += len(p)
	return bytes.NewReader(c.data).ReadAt(p, off)
}

// inspectBoth checks that InspectAt and Inspect have the same result, and that
// InspectAt stays within its bounds.
func inspectBoth(t testing.TB, data []byte) (mediainfo.Info, error) {
	t.Helper()
	want, wantErr := mediainfo.Inspect(data)
	c := &counter{data: data}
	got, err := mediainfo.InspectAt(c, int64(len(data)))
	require.Equal(t, want, got)
	require.Equal(t, wantErr, err)
	require.LessOrEqual(t, c.reads, 64, "reads")
	require.LessOrEqual(t, c.bytes, 64<<10, "bytes")
	return got, err
}

func TestInspectAt_EqualsInspect(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/*.*")
	require.NoError(t, err)
	for _, name := range names {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			for n := 0; n < len(data); n += 1 + len(data)/300 {
				_, _ = inspectBoth(t, data[:n])
			}
			_, _ = inspectBoth(t, data)
		})
	}
}

func TestInspectAt_HeadersFarFromStart(t *testing.T) {
	t.Parallel()
	far := bytes.Repeat([]byte("0123456789abcdef"), 64<<10) // 1 MiB
	metadata := jpegSegment(0xe2, make([]byte, 65_533)...)
	for _, tt := range []struct {
		name string
		data []byte
		want mediainfo.Info
	}{
		{
			name: "movie header behind the media", data: mp4File(func(p *mp4Parts) { p.front = mp4Box("mdat", far) }),
			want: mediainfo.Info{
				Format: mediainfo.MP4, Width: 64, Height: 48, HasVideo: true, VideoCodec: "avc1", FrameRate: 25,
				Duration: 80 * time.Millisecond, VideoDuration: 80 * time.Millisecond,
			},
		},
		{
			name: "frame header behind 30 kB of metadata", data: jpegOf(jpegSegment(0xe2, make([]byte, 30_000)...), jpegFrame(0xc0)),
			want: mediainfo.Info{Format: mediainfo.JPEG, Width: 96, Height: 72},
		},
		{
			name: "frame header behind 60 full segments of metadata",
			data: jpegOf(bytes.Repeat(metadata, 60), jpegFrame(0xc0)),
			want: mediainfo.Info{Format: mediainfo.JPEG, Width: 96, Height: 72},
		},
		{
			name: "samples of a WAV behind other chunks", data: wavOf(voiceFormat(), riffChunk("LIST", far), riffChunk("data", make([]byte, 32_000))),
			want: voiceInfo(time.Second),
		},
		{
			name: "samples of a CAF behind other chunks", data: cafOf(cafDesc(), cafHeader("info", uint64(len(far))), far, cafSamples(32_000)),
			want: cafInfo(time.Second),
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

func TestInspectAt_HeadersBeyondBounds(t *testing.T) {
	t.Parallel()
	const problem = ": the headers are outside the part of the file that is read for them"
	segment := jpegSegment(0xe2, make([]byte, 2000)...)
	for _, tt := range []struct {
		name   string
		data   []byte
		format string
	}{
		{name: "segments", format: "JPEG", data: jpegOf(bytes.Repeat(segment, 64), jpegFrame(0xc0))},
		{name: "stray bytes", format: "JPEG", data: jpegOf(jpegSegment(0xfe), make([]byte, 64<<10), jpegFrame(0xc0))},
		{name: "fill bytes", format: "JPEG", data: jpegOf("\xff\xe2\x00\x02", string(bytes.Repeat([]byte{0xff}, 64<<10)))},
		{name: "boxes", format: "MP4", data: mp4File(func(p *mp4Parts) { p.front = bytes.Repeat(mp4Box("free", make([]byte, 2000)), 64) })},
		{name: "small boxes", format: "MP4", data: mp4File(func(p *mp4Parts) { p.front = bytes.Repeat(mp4Box("free"), 8192) })},
		{name: "chunks", format: "WAV", data: wavOf(bytes.Repeat(riffChunk("LIST", make([]byte, 2000)), 64), voiceFormat())},
		{name: "chunks of a CAF", format: "CAF", data: cafOf(bytes.Repeat(append(cafHeader("info", 2000), make([]byte, 2000)...), 64), cafDesc())},
		{name: "elements", format: "WebM", data: webmFile(bytes.Repeat(ebml("ec", make([]byte, 2000)), 64), webmTracks(webmVideo()))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := inspectBoth(t, tt.data)
			wantError(t, err, tt.format+problem, false)
			var e *mediainfo.Error
			require.ErrorAs(t, err, &e)
			assert.True(t, e.Beyond, "Beyond")
		})
	}
}

func TestInspectAt_ReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken disk")
	data := file(t, "phone.mp4")
	for _, tt := range []struct {
		name string
		r    io.ReaderAt
		size int64
		want error
	}{
		{name: "at once", r: failing{err: broken}, size: 100, want: broken},
		{name: "behind the first window", r: failing{data: data[:1024], err: broken}, size: int64(len(data)), want: broken},
		{name: "shorter than was said", r: bytes.NewReader(data[:1500]), size: int64(len(data)), want: io.ErrUnexpectedEOF},
		{name: "without an error", r: failing{data: data[:10]}, size: int64(len(data)), want: io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := mediainfo.InspectAt(tt.r, tt.size)
			assert.ErrorIs(t, err, tt.want)
			_, ok := mediainfo.Unreadable(err)
			assert.False(t, ok, "it is no problem of the media")
		})
	}
}

// failing returns the start of a file, and then an error.
type failing struct {
	data []byte
	err  error
}

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	if off > int64(len(f.data)) {
		return 0, f.err
	}
	n := copy(p, f.data[off:])
	if n < len(p) {
		return n, f.err
	}
	return n, nil
}

func TestInspectAt_UnreadableFragments(t *testing.T) {
	t.Parallel()
	data := mp4File(mp4Fragmented, func(p *mp4Parts) {
		p.behind = bytes.Repeat(append(mp4Fragment(1, 0, 1), mp4Box("mdat", make([]byte, 2000))...), 10)
	})
	broken := errors.New("broken disk")
	_, err := mediainfo.InspectAt(failing{data: data[:8000], err: broken}, int64(len(data)))
	assert.ErrorIs(t, err, broken)
}

func TestInspectAt_NoData(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{0, -1} {
		_, err := mediainfo.InspectAt(bytes.NewReader([]byte("RIFF")), size)
		assert.EqualError(t, err, "empty: no data at all")
	}
}

func TestInspectAt_WrongSize(t *testing.T) {
	t.Parallel()
	// A file of 8 EiB of which only the start exists.
	for _, name := range []string{"gray.jpg", "faststart.mp4", "pipe.wav", "pipe.caf", "vp8.webm"} {
		start := append(file(t, name), make([]byte, 1<<20)...)
		c := &counter{data: start}
		info, err := mediainfo.InspectAt(c, 1<<63-1)
		assert.LessOrEqual(t, c.reads, 64, name)
		assert.NotErrorIs(t, err, io.ErrUnexpectedEOF, name)
		assert.NotEqual(t, mediainfo.Unknown, info.Format, name)
	}
}
