package synth

import (
	"encoding/binary"
	"math/bits"
)

// This is a JPEG encoder of its own, because image/jpeg writes no progressive files
// and its output may change with a Go version.

// jpegMaxSegment is the longest payload of one segment.
const jpegMaxSegment = 65_533

// JPEG returns a maker of the photo with a number of padding bytes.
func JPEG(s Spec) func(padding int) []byte {
	pic := jpegNewPicture(newFace(s))
	head := []byte{0xff, 0xd8}
	if s.EXIF {
		head = jpegSegment(head, 0xe1, jpegEXIF(s))
	} else {
		head = jpegSegment(head, 0xe0, []byte("JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	}
	head = pic.appendTables(head, s.Progressive)
	scans := pic.scans(s.Progressive)
	return func(padding int) []byte {
		data := append([]byte(nil), head...)
		data = comments(data, Marker(s), padding)
		data = append(data, scans...)
		return append(data, 0xff, 0xd9)
	}
}

func jpegSegment(dst []byte, marker byte, payload []byte) []byte {
	dst = append(dst, 0xff, marker)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(payload)+2))
	return append(dst, payload...)
}

// comments appends a comment that begins with text and has padding bytes after
// it. If one comment is not enough for the padding, it appends more.
func comments(dst, text []byte, padding int) []byte {
	grow := min(padding, jpegMaxSegment-len(text))
	if left := padding - grow; left > 0 && left < 4 {
		grow -= 4 // another comment takes at least 4 bytes
	}
	dst = jpegSegment(dst, 0xfe, append(text, make([]byte, grow)...))
	for padding -= grow; padding > 0; {
		n := min(padding, jpegMaxSegment+4)
		if left := padding - n; left > 0 && left < 4 {
			n -= 4
		}
		dst = jpegSegment(dst, 0xfe, make([]byte, n-4))
		padding -= n
	}
	return dst
}

// jpegFindMarker returns the first comment that begins as the marker does.
func jpegFindMarker(data []byte) []byte {
	for pos := 2; len(data)-pos >= 4 && data[pos] == 0xff && data[pos+1] != 0xda; {
		n := int(binary.BigEndian.Uint16(data[pos+2:]))
		if n < 2 || n > len(data)-pos-2 {
			return nil
		}
		if p := data[pos+4 : pos+2+n]; data[pos+1] == 0xfe {
			if _, _, ok := readMarker(p); ok {
				return p
			}
		}
		pos += 2 + n
	}
	return nil
}

// jpegEXIF returns an APP1 payload: a little-endian TIFF. Its first directory has
// the orientation, and its second the thumbnail.
func jpegEXIF(s Spec) []byte {
	small := s
	small.Width, small.Height = 80, max(1, min(80, 80*s.Height/s.Width))
	pic := jpegNewPicture(newFace(small))
	thumb := pic.appendTables([]byte{0xff, 0xd8}, false)
	thumb = append(append(thumb, pic.scans(false)...), 0xff, 0xd9)

	const first, second = 8, 8 + 2 + 12 + 4
	const image = second + 2 + 3*12 + 4
	le := binary.LittleEndian
	p := []byte("Exif\x00\x00II*\x00")
	field := func(tag, kind uint16, value uint32) {
		p = le.AppendUint16(le.AppendUint16(p, tag), kind)
		p = le.AppendUint32(le.AppendUint32(p, 1), value)
	}
	p = le.AppendUint16(le.AppendUint32(p, first), 1)
	field(0x0112, 3, 1) // Orientation: as stored
	p = le.AppendUint16(le.AppendUint32(p, second), 3)
	field(0x0103, 3, 6)                  // Compression: JPEG
	field(0x0201, 4, image)              // JPEGInterchangeFormat
	field(0x0202, 4, uint32(len(thumb))) // JPEGInterchangeFormatLength
	return append(le.AppendUint32(p, 0), thumb...)
}

// jpegPlane is one component's quantized coefficients, in blocks of 64 in
// zigzag order.
type jpegPlane struct {
	sampling     int // blocks in an MCU, across and down
	stride, rows int // in blocks, padded to whole MCUs
	across, down int // in blocks, without the padding
	coef         []int16
}

type jpegPicture struct {
	width, height int
	planes        [3]jpegPlane
}

// jpegNewPicture returns a transformed face, with a quarter of the chroma samples
// (4:2:0), as cameras write.
func jpegNewPicture(f *face) *jpegPicture {
	pic := &jpegPicture{width: f.width, height: f.height}
	mcusX, mcusY := (f.width+15)/16, (f.height+15)/16
	for i := range pic.planes {
		p := &pic.planes[i]
		step, sample := 2, func(x, y int) int { return int(f.at(2*x, 2*y)[i]) }
		p.sampling = 1
		if i == 0 {
			step, sample = 1, func(x, y int) int { return int(f.luma(x, y)) }
			p.sampling = 2
		}
		p.stride, p.rows = mcusX*p.sampling, mcusY*p.sampling
		p.across, p.down = (f.width+8*step-1)/(8*step), (f.height+8*step-1)/(8*step)
		p.coef = make([]int16, p.stride*p.rows*64)
		for b := range p.stride * p.rows {
			jpegTransform(p.coef[b*64:b*64+64], b%p.stride*8, b/p.stride*8, sample, jpegStep(i))
		}
	}
	return pic
}

// jpegStep returns the quantization step of the coefficient of frequency u, v:
// coarser for higher frequencies and for chroma.
func jpegStep(plane int) func(u, v int) int {
	if plane == 0 {
		return func(u, v int) int { return 6 + 3*(u+v) }
	}
	return func(u, v int) int { return 8 + 5*(u+v) }
}

// jpegCosines[u][x] is cos((2x+1)uπ/16) in 4096ths. The first row is scaled by 1/√2,
// as the transform requires.
var jpegCosines = func() (t [8][8]int) { //nolint:gochecknoglobals // a table that nothing writes
	quarter := [...]int{4096, 4017, 3784, 3406, 2896, 2276, 1567, 799, 0}
	for u := range t {
		for x := range t[u] {
			k := (2*x + 1) * u % 32
			k = min(k, 32-k)
			if k > 8 {
				t[u][x] = -quarter[16-k]
			} else {
				t[u][x] = quarter[k]
			}
			if u == 0 {
				t[u][x] = 2896
			}
		}
	}
	return t
}()

// jpegZigzag[k] is the index u+8v of the k-th coefficient.
var jpegZigzag = func() (z [64]int) { //nolint:gochecknoglobals // a table that nothing writes
	k := 0
	for sum := range 15 {
		for i := range sum + 1 {
			u, v := i, sum-i
			if sum%2 == 1 {
				u, v = v, u
			}
			if u < 8 && v < 8 {
				z[k] = u + 8*v
				k++
			}
		}
	}
	return z
}()

// jpegTransform writes the quantized cosine transform of the block at x0, y0.
func jpegTransform(dst []int16, x0, y0 int, sample func(x, y int) int, step func(u, v int) int) {
	var in, rows [64]int64 // the sums need more than 32 bits
	flat := true
	for i := range in {
		in[i] = int64(sample(x0+i%8, y0+i/8)) - 128
		flat = flat && in[i] == in[0]
	}
	if flat { // most blocks of a drawing
		dst[0] = int16(jpegDivide(in[0]*8, int64(step(0, 0))))
		return
	}
	for i := range rows { // rows[8y+u]
		for x, c := range &jpegCosines[i%8] {
			rows[i] += int64(c) * in[i&^7+x]
		}
	}
	for k, at := range jpegZigzag {
		u, v, sum := at%8, at/8, int64(0)
		for y, c := range &jpegCosines[v] {
			sum += int64(c) * rows[8*y+u]
		}
		// The transform's factor of 1/4 and 4096 twice.
		dst[k] = int16(jpegDivide(sum, int64(step(u, v))<<26))
	}
}

// jpegDivide rounds to the nearest.
func jpegDivide(n, d int64) int64 {
	if n < 0 {
		return -((-n + d/2) / d)
	}
	return (n + d/2) / d
}

// appendTables appends all segments between the file's header and its scans.
func (p *jpegPicture) appendTables(dst []byte, progressive bool) []byte {
	for i := range 2 {
		q := []byte{byte(i)}
		for _, at := range jpegZigzag {
			q = append(q, byte(jpegStep(i)(at%8, at/8)))
		}
		dst = jpegSegment(dst, 0xdb, q)
	}
	frame := binary.BigEndian.AppendUint16([]byte{8}, uint16(p.height))
	frame = binary.BigEndian.AppendUint16(frame, uint16(p.width))
	frame = append(frame, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1)
	if progressive {
		dst = jpegSegment(dst, 0xc2, frame)
	} else {
		dst = jpegSegment(dst, 0xc0, frame)
	}
	// Both tables have a code of one bit for the most frequent symbol of a drawing,
	// and codes of one length for all others: see dc and ac.
	dc := append(make([]byte, 17), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	dc[1], dc[5] = 1, 11
	ac := append(make([]byte, 17), 0)
	ac[0], ac[1], ac[9] = 0x10, 1, 161
	for run := range 16 {
		for size := 1; size <= 10; size++ {
			ac = append(ac, byte(run<<4|size))
		}
	}
	dst = jpegSegment(dst, 0xc4, dc)
	return jpegSegment(dst, 0xc4, append(ac, 0xf0))
}

// scans returns the coded picture: one scan, or for a progressive photo a rough
// picture and then its details.
func (p *jpegPicture) scans(progressive bool) []byte {
	w := &jpegWriter{pic: p}
	if !progressive {
		w.scan(0, 63, 0, 1, 2)
		return w.buf
	}
	w.scan(0, 0, 0, 1, 2)
	w.scan(1, 5, 0)
	w.scan(1, 63, 1)
	w.scan(1, 63, 2)
	w.scan(6, 63, 0)
	return w.buf
}

// jpegWriter writes entropy-coded data.
type jpegWriter struct {
	pic  *jpegPicture
	buf  []byte
	acc  uint32
	n    int // bits in acc
	last [3]int
}

// scan codes the coefficients from to to of the planes. Several planes are
// interleaved.
func (w *jpegWriter) scan(from, to int, planes ...int) {
	head := []byte{byte(len(planes))}
	for _, i := range planes {
		head = append(head, byte(i+1), 0)
	}
	w.buf = jpegSegment(w.buf, 0xda, append(head, byte(from), byte(to), 0))
	w.last = [3]int{}
	if len(planes) == 1 {
		p := &w.pic.planes[planes[0]]
		for b := range p.across * p.down {
			w.block(planes[0], b/p.across*p.stride+b%p.across, from, to)
		}
	} else {
		chroma := &w.pic.planes[1] // one block an MCU
		for mcu := range chroma.stride * chroma.rows {
			for _, i := range planes {
				p := &w.pic.planes[i]
				for b := range p.sampling * p.sampling {
					x := mcu%chroma.stride*p.sampling + b%p.sampling
					y := mcu/chroma.stride*p.sampling + b/p.sampling
					w.block(i, y*p.stride+x, from, to)
				}
			}
		}
	}
	if w.n > 0 {
		w.put(1<<(8-w.n)-1, 8-w.n)
	}
}

func (w *jpegWriter) block(plane, b, from, to int) {
	coef := w.pic.planes[plane].coef[b*64 : b*64+64]
	if from == 0 {
		w.dc(int(coef[0]) - w.last[plane])
		w.last[plane] = int(coef[0])
		from = 1
	}
	run := 0
	for _, c := range coef[from : to+1] {
		if c == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			w.put(256+160, 9)
		}
		w.ac(run, int(c))
		run = 0
	}
	if run > 0 {
		w.put(0, 1) // the rest of the block is 0
	}
}

func (w *jpegWriter) dc(diff int) {
	size, value := jpegMagnitude(diff)
	if size == 0 {
		w.put(0, 1)
		return
	}
	w.put(uint32(16+size-1), 5)
	w.put(value, size)
}

func (w *jpegWriter) ac(run, c int) {
	size, value := jpegMagnitude(c)
	w.put(uint32(256+run*10+size-1), 9)
	w.put(value, size)
}

// jpegMagnitude returns the number of bits of a value and these bits. Those of a
// negative value are the bits of the value less one.
func jpegMagnitude(v int) (size int, value uint32) {
	size = bits.Len(uint(max(v, -v)))
	if v < 0 {
		v += 1<<size - 1
	}
	return size, uint32(v)
}

func (w *jpegWriter) put(value uint32, n int) {
	w.acc = w.acc<<n | value
	for w.n += n; w.n >= 8; w.n -= 8 {
		b := byte(w.acc >> (w.n - 8))
		w.buf = append(w.buf, b)
		if b == 0xff { // otherwise it would begin a marker
			w.buf = append(w.buf, 0)
		}
	}
}
