package fit

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// drawing returns a picture with four different corners: red, green, blue and gray,
// in the order of reading.
func drawing(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i, c := range corners() {
		x, y := i%2*w/2, i/2*h/2
		draw.Draw(m, image.Rect(x, y, x+(w+1)/2, y+(h+1)/2), image.NewUniform(c), image.Point{}, draw.Src)
	}
	return m
}

func corners() []color.RGBA {
	return []color.RGBA{{R: 220, G: 30, B: 30, A: 255}, {R: 30, G: 200, B: 30, A: 255}, {R: 30, G: 30, B: 230, A: 255}, {R: 120, G: 120, B: 120, A: 255}}
}

// cornersOf returns the index in corners of the colour that each corner resembles
// most, in the order of reading.
func cornersOf(m image.Image) [4]int {
	var found [4]int
	for i := range found {
		b := m.Bounds()
		x, y := b.Min.X+b.Dx()/8, b.Min.Y+b.Dy()/8
		if i%2 == 1 {
			x = b.Max.X - 1 - b.Dx()/8
		}
		if i/2 == 1 {
			y = b.Max.Y - 1 - b.Dy()/8
		}
		best := math.MaxInt
		r, g, b32, _ := m.At(x, y).RGBA()
		for j, c := range corners() {
			difference := 0
			for _, d := range []int{int(r>>8) - int(c.R), int(g>>8) - int(c.G), int(b32>>8) - int(c.B)} {
				difference += d * d
			}
			if difference < best {
				best, found[i] = difference, j
			}
		}
	}
	return found
}

// synthetic returns a picture with gradients, edges and fine lines, and with noise
// of an amplitude.
func synthetic(w, h, noise int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	state := uint64(1)
	columns := make([]float64, w)
	for x := range columns {
		columns[x] = 60 * math.Sin(float64(x)/float64(w)*9)
	}
	for y := range h {
		row := 40 * math.Sin(float64(y)/float64(h)*70)
		line := m.Pix[m.PixOffset(0, y):]
		for x := range w {
			state = state*6364136223846793005 + 1442695040888963407
			v := 128 + columns[x] + row
			if (x*8/w+y*8/h)%3 == 0 {
				v += 30
			}
			n := float64(int(state>>33)%(2*noise+1) - noise)
			for i, f := range [3]float64{1, 0.8, 0.6} {
				line[4*x+i] = byte(max(0, min(255, v*f+n)))
			}
			line[4*x+3] = 255
		}
	}
	return m
}

func jpegOf(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}))
	return b.Bytes()
}

func pngOf(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, m))
	return b.Bytes()
}

// tiff returns EXIF data with an orientation and the place Null Island.
func tiff(order binary.AppendByteOrder, orientation int) []byte {
	b := []byte("II*\x00")
	if order.String() == "BigEndian" {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, tag := range []struct{ id, kind, count, value uint32 }{{0x0112, 3, 1, uint32(orientation)}, {0x8825, 4, 1, 38}} {
		b = order.AppendUint16(b, uint16(tag.id))
		b = order.AppendUint16(b, uint16(tag.kind))
		b = order.AppendUint32(b, tag.count)
		if tag.kind == 3 {
			b = order.AppendUint16(b, uint16(tag.value))
			b = order.AppendUint16(b, 0)
		} else {
			b = order.AppendUint32(b, tag.value)
		}
	}
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 1) // the GPS directory has one entry, "N"
	b = order.AppendUint16(b, 1)
	b = order.AppendUint16(b, 2)
	b = order.AppendUint32(b, 2)
	b = append(b, "N\x00\x00\x00"...)
	return order.AppendUint32(b, 0)
}

// withSegment returns a JPEG with a segment behind its first marker.
func withSegment(data []byte, marker byte, payload []byte) []byte {
	segment := append([]byte{0xff, marker, byte((len(payload) + 2) >> 8), byte(len(payload) + 2)}, payload...)
	return append(append(append([]byte(nil), data[:2]...), segment...), data[2:]...)
}

func withEXIF(data []byte, order binary.AppendByteOrder, orientation int) []byte {
	return withSegment(data, 0xe1, append([]byte("Exif\x00\x00"), tiff(order, orientation)...))
}

// open decodes a file.
func open(t testing.TB, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	m, _, err := image.Decode(bytes.NewReader(data))
	require.NoError(t, err)
	return m
}

// ssim returns the mean structural similarity of the luma of two pictures of the
// same size, over blocks of 8x8 pixels: 1 for equal ones.
func ssim(t testing.TB, a, b image.Image) float64 {
	t.Helper()
	require.Equal(t, a.Bounds().Size(), b.Bounds().Size())
	p, q := image.NewGray(a.Bounds()), image.NewGray(b.Bounds())
	draw.Draw(p, p.Rect, a, a.Bounds().Min, draw.Src)
	draw.Draw(q, q.Rect, b, b.Bounds().Min, draw.Src)
	const side, n = 8, 64.0
	const c1, c2 = 0.01 * 255 * 0.01 * 255, 0.03 * 255 * 0.03 * 255
	total, blocks := 0.0, 0.0
	for y := 0; y+side <= p.Rect.Dy(); y += side / 2 {
		for x := 0; x+side <= p.Rect.Dx(); x += side / 2 {
			var sa, sb, saa, sbb, sab float64
			for j := range side {
				for i := range side {
					v, w := float64(p.Pix[(y+j)*p.Stride+x+i]), float64(q.Pix[(y+j)*q.Stride+x+i])
					sa, sb, saa, sbb, sab = sa+v, sb+w, saa+v*v, sbb+w*w, sab+v*w
				}
			}
			ma, mb := sa/n, sb/n
			total += (2*ma*mb + c1) * (2*(sab/n-ma*mb) + c2) / ((ma*ma + mb*mb + c1) * (saa/n - ma*ma + sbb/n - mb*mb + c2))
			blocks++
		}
	}
	return total / blocks
}
