package fit

import (
	"image"
	"image/color"
	"image/draw"
	"math"
)

// The limits for a picture, in pixels: the longer and the shorter side.
const (
	maxLong  = 640
	maxShort = 480
)

// fitSize returns the largest size within the limits that has the proportions of
// w×h, rounded to whole pixels. It never enlarges.
func fitSize(w, h int) (int, int) {
	wide, high := maxLong, maxShort
	if h > w {
		wide, high = high, wide
	}
	if w <= wide && h <= high {
		return w, h
	}
	if int64(w)*int64(high) > int64(h)*int64(wide) {
		return wide, max(1, part(h, wide, w))
	}
	return max(1, part(w, high, h)), high
}

// part returns a*b/c, rounded, also where the product needs more than 32 bits.
func part(a, b, c int) int { return int((int64(a)*int64(b) + int64(c)/2) / int64(c)) }

// scale returns a picture of w×h pixels, without transparency: an [image.Gray], an
// [image.YCbCr] without chroma subsampling, or an [image.RGBA].
func scale(img image.Image, w, h int) image.Image {
	size, out := img.Bounds().Size(), image.Rect(0, 0, w, h)
	// The size of a pixel of the result, in those of the picture.
	stepX, stepY := float64(size.X)/float64(w), float64(size.Y)/float64(h)
	switch src := img.(type) {
	case *image.YCbCr:
		result := image.NewYCbCr(out, image.YCbCrSubsampleRatio444)
		luma := plane{src.Y[src.YOffset(src.Rect.Min.X, src.Rect.Min.Y):], src.YStride, size.X, size.Y}
		luma.scale(result.Y, w, h, stepX, stepY, lumaValues)
		wide, high := subsampling(src.SubsampleRatio)
		at := src.COffset(src.Rect.Min.X, src.Rect.Min.Y)
		chroma := plane{nil, src.CStride, (size.X + wide - 1) / wide, (size.Y + high - 1) / high}
		stepX, stepY = stepX/float64(wide), stepY/float64(high)
		chroma.pix = src.Cb[at:]
		chroma.scale(result.Cb, w, h, stepX, stepY, chromaValues)
		chroma.pix = src.Cr[at:]
		chroma.scale(result.Cr, w, h, stepX, stepY, chromaValues)
		return result
	case *image.Gray:
		result := image.NewGray(out)
		gray := plane{src.Pix[src.PixOffset(src.Rect.Min.X, src.Rect.Min.Y):], src.Stride, size.X, size.Y}
		gray.scale(result.Pix, w, h, stepX, stepY, lumaValues)
		return result
	}
	result := image.NewRGBA(out)
	colors := [3][]byte{make([]byte, w*h), make([]byte, w*h), make([]byte, w*h)}
	b := newBlocks(size.X, size.Y, stepX, stepY, lumaValues)
	b.resize(colors[:], w, h, b.flatten(img))
	for i := range w * h {
		p := result.Pix[4*i : 4*i+4]
		p[0], p[1], p[2], p[3] = colors[0][i], colors[1][i], colors[2][i], 0xff
	}
	return result
}

// subsampling returns how many pixels share a chroma sample, across and down.
func subsampling(ratio image.YCbCrSubsampleRatio) (wide, high int) {
	switch ratio {
	case image.YCbCrSubsampleRatio422:
		return 2, 1
	case image.YCbCrSubsampleRatio420:
		return 2, 2
	case image.YCbCrSubsampleRatio440:
		return 1, 2
	case image.YCbCrSubsampleRatio411:
		return 4, 1
	case image.YCbCrSubsampleRatio410:
		return 4, 2
	}
	return 1, 1
}

// blocks describes the first step of scaling down: each value is the mean of a block
// of kx×ky samples. The second step, a filter, reads two to four values for each
// pixel of the result. The means cost little, and the filter determines the quality.
type blocks struct {
	sw, sh       int // of the picture, in samples
	kx, ky       int
	w, h         int     // in blocks; those at the right and lower edge may be smaller
	stepX, stepY float64 // of the result, in blocks
}

// How many values of the first step there are at least for one of the second. The
// encoder halves the resolution of chroma anyway.
const (
	lumaValues   = 2
	chromaValues = 1.5
)

func newBlocks(sw, sh int, stepX, stepY, values float64) blocks {
	b := blocks{sw: sw, sh: sh, kx: max(1, int(stepX/values)), ky: max(1, int(stepY/values))}
	b.w, b.h = (sw+b.kx-1)/b.kx, (sh+b.ky-1)/b.ky
	b.stepX, b.stepY = stepX/float64(b.kx), stepY/float64(b.ky)
	return b
}

// resize fills one plane of w×h samples for each colour. read returns the means of a
// row of blocks for each colour.
func (b *blocks) resize(planes [][]byte, w, h int, read func(y int, rows [][]float32)) {
	across, down := newFilters(w, b.w, b.stepX), newFilters(h, b.h, b.stepY)
	rows, narrow := make([][]float32, len(planes)), make([][]float32, len(planes))
	for c := range planes {
		rows[c], narrow[c] = make([]float32, b.w), make([]float32, w*b.h)
	}
	for y := range b.h {
		read(y, rows)
		for c, row := range rows {
			out := narrow[c][y*w:][:w]
			for x := range out {
				f := &across[x]
				window := row[f.first:][:len(f.weights)]
				sum := float32(0)
				for i, weight := range f.weights {
					sum += weight * window[i]
				}
				out[x] = sum
			}
		}
	}
	sums := make([]float32, w)
	for c, out := range planes {
		for y := range h {
			clear(sums)
			f := &down[y]
			for i, weight := range f.weights {
				for x, v := range narrow[c][(f.first+i)*w:][:w] {
					sums[x] += weight * v
				}
			}
			line := out[y*w:][:w]
			for x, v := range sums {
				line[x] = byte(max(0, min(v+0.5, 255)))
			}
		}
	}
}

// plane is one colour of a picture.
type plane struct {
	pix          []byte
	stride, w, h int
}

func (p *plane) scale(out []byte, w, h int, stepX, stepY, values float64) {
	b := newBlocks(p.w, p.h, stepX, stepY, values)
	sums := make([]uint32, b.w)
	b.resize([][]byte{out}, w, h, func(y int, rows [][]float32) {
		clear(sums)
		from, to := y*b.ky, min((y+1)*b.ky, p.h)
		for line := from; line < to; line++ {
			b.add(sums, p.pix[line*p.stride:][:p.w])
		}
		for x, sum := range sums {
			n := (min((x+1)*b.kx, p.w) - x*b.kx) * (to - from)
			rows[0][x] = float32(sum) / float32(n)
		}
	})
}

// add adds a row of samples to the sums of their blocks.
func (b *blocks) add(sums []uint32, line []byte) {
	full := len(line) / b.kx
	for x := range full {
		sum := uint32(0)
		for _, v := range line[:b.kx] {
			sum += uint32(v)
		}
		sums[x] += sum
		line = line[b.kx:]
	}
	for _, v := range line {
		sums[full] += uint32(v)
	}
}

// flatten returns the reader of the colours of any picture, on white. It converts as
// many rows as a block has, so that there is never a copy of a large picture.
func (b *blocks) flatten(img image.Image) func(y int, rows [][]float32) {
	strip := image.NewRGBA(image.Rect(0, 0, b.sw, b.ky))
	white := image.NewUniform(color.White)
	corner := img.Bounds().Min
	return func(y int, rows [][]float32) {
		from, to := y*b.ky, min((y+1)*b.ky, b.sh)
		area := image.Rect(0, 0, b.sw, to-from)
		draw.Draw(strip, area, white, image.Point{}, draw.Src)
		draw.Draw(strip, area, img, corner.Add(image.Pt(0, from)), draw.Over)
		for x := range b.w {
			left, right := x*b.kx, min((x+1)*b.kx, b.sw)
			var sums [3]uint32
			for line := range to - from {
				pixels := strip.Pix[line*strip.Stride:]
				for p := pixels[4*left : 4*right]; len(p) >= 4; p = p[4:] {
					sums[0] += uint32(p[0])
					sums[1] += uint32(p[1])
					sums[2] += uint32(p[2])
				}
			}
			n := float32((right - left) * (to - from))
			for c, sum := range sums {
				rows[c][x] = float32(sum) / n
			}
		}
	}
}

// weights are what the values from first on contribute to a sample.
type weights struct {
	first   int
	weights []float32 // their sum is 1
}

// newFilters returns the weights for n samples, each the size of step values, of
// which there are size. The filter is a sinc in the window of a wider sinc (Lanczos),
// with three zero crossings on each side, which most programs use to scale down.
func newFilters(n, size int, step float64) []weights {
	const lobes = 3
	wide := max(step, 1) // a filter for enlarging is as wide as for an equal size
	filters := make([]weights, n)
	values := make([]float64, 0, int(2*lobes*wide)+2)
	for i := range filters {
		centre := (float64(i)+0.5)*step - 0.5
		first := max(0, int(math.Ceil(centre-lobes*wide)))
		last := min(size-1, int(math.Floor(centre+lobes*wide)))
		first = min(first, last)
		f := weights{first: first, weights: make([]float32, last-first+1)}
		sum := 0.0
		values = values[:0]
		for j := range f.weights {
			x := (float64(first+j) - centre) / wide
			values = append(values, sinc(x)*sinc(x/lobes))
			sum += values[j]
		}
		for j, v := range values {
			f.weights[j] = float32(v / sum)
		}
		filters[i] = f
	}
	return filters
}
