package synth

import "math/bits"

// This is the smallest part of H.264 that makes a video: Constrained Baseline, one
// picture coded without loss and repeated. Macroblocks that continue what is left
// of or above them are predicted; all others are sent as plain samples.

// mp4Bits writes an H.264 bit stream.
type mp4Bits struct {
	buf  []byte
	free int // unused bits in the last byte
}

// u writes an unsigned number of n bits.
func (w *mp4Bits) u(n int, v uint32) {
	for n--; n >= 0; n-- {
		if w.free == 0 {
			w.buf, w.free = append(w.buf, 0), 8
		}
		w.free--
		w.buf[len(w.buf)-1] |= byte(v>>n&1) << w.free
	}
}

// ue writes numbers as Exp-Golomb codes.
func (w *mp4Bits) ue(vs ...int) {
	for _, v := range vs {
		n := bits.Len(uint(v + 1))
		w.u(n-1, 0)
		w.u(n, uint32(v+1))
	}
}

// nal ends the stream and returns it as a NAL unit. A 3 after two zero bytes
// prevents a start code.
func (w *mp4Bits) nal(header byte) []byte {
	w.u(1, 1)
	out, zeros := []byte{header}, 0
	for _, b := range w.buf {
		if zeros >= 2 && b <= 3 {
			out, zeros = append(out, 3), 0
		}
		out = append(out, b)
		if zeros++; b != 0 {
			zeros = 0
		}
	}
	return out
}

// mp4Picture is a face in 4:2:0, padded to whole macroblocks.
type mp4Picture struct {
	width, height int
	across, down  int       // in macroblocks
	planes        [3][]byte // Y, Cb and Cr
}

func mp4NewPicture(f *face) *mp4Picture {
	p := &mp4Picture{width: f.width, height: f.height, across: (f.width + 15) / 16, down: (f.height + 15) / 16}
	for i := range p.planes {
		scale, side := 1, 16
		if i > 0 {
			scale, side = 2, 8
		}
		stride := p.across * side
		p.planes[i] = make([]byte, stride*p.down*side)
		for at := range p.planes[i] {
			p.planes[i][at] = f.at(at%stride*scale, at/stride*scale)[i]
		}
	}
	return p
}

// level returns the lowest level, times 10, of the few used here.
func (p *mp4Picture) level() byte {
	side := max(p.across, p.down)
	switch n := p.across * p.down; {
	case n <= 1620 && side <= 113:
		return 30
	case n <= 8192 && side <= 256:
		return 40
	}
	return 51
}

// parameterSets returns the sequence and the picture parameter set.
func (p *mp4Picture) parameterSets() (sps, pps []byte) {
	var s mp4Bits
	s.u(24, 66<<16|0xc0<<8|uint32(p.level()))
	// ID, 16 frame numbers, output in coded order, one reference.
	s.ue(0, 0, 2, 1)
	s.u(1, 0)
	s.ue(p.across-1, p.down-1)
	s.u(3, 0b111)                                         // frames only; cropped
	s.ue(0, p.across*8-p.width/2, 0, p.down*8-p.height/2) // in units of 2 pixels
	s.u(1, 0)

	var q mp4Bits
	q.ue(0, 0)
	q.u(2, 0) // CAVLC
	q.ue(0, 0, 0)
	q.u(3, 0)
	q.ue(0, 0, 0) // quantizers
	q.u(3, 0b100) // slices have a deblocking flag
	return s.nal(0x67), q.nal(0x68)
}

// intra returns the slice that has the picture.
func (p *mp4Picture) intra() []byte {
	var w mp4Bits
	w.ue(0, 7, 0)
	w.u(4, 0)
	w.ue(0)
	w.u(2, 0)
	w.ue(0, 1) // no quantizer change, no deblocking
	plain := make([]bool, p.across*p.down)
	for mb := range plain {
		x, y := mb%p.across, mb/p.across
		luma, chroma := p.predicts(0, x, y), p.predicts(1, x, y)&p.predicts(2, x, y)
		if plain[mb] = luma == 0 || chroma == 0; plain[mb] {
			p.writePlain(&w, x, y)
			continue
		}
		lumaType, chromaMode := 2, 2 // I_16x16 from the left; from above
		if luma&mp4FromAbove != 0 {
			lumaType = 1
		}
		if chroma&mp4FromLeft != 0 {
			chromaMode = 1
		}
		w.ue(lumaType, chromaMode, 0) // no quantizer change
		// The code of "no coefficients" is longer next to a plain macroblock.
		if x > 0 && plain[mb-1] || y > 0 && plain[mb-p.across] {
			w.u(6, 0b000011)
		} else {
			w.u(1, 1)
		}
	}
	return w.nal(0x65)
}

// The predictions that are exact for a macroblock, as a set.
const (
	mp4FromLeft  = 1
	mp4FromAbove = 2
)

// predicts returns the predictions that are exact for a plane's part of a
// macroblock.
func (p *mp4Picture) predicts(plane, x, y int) uint8 {
	side := 16
	if plane > 0 {
		side = 8
	}
	pix, stride := p.planes[plane], p.across*side
	first := y*side*stride + x*side
	var set uint8
	if x > 0 {
		set |= mp4FromLeft
	}
	if y > 0 {
		set |= mp4FromAbove
	}
	for i := 0; i < side*side && set != 0; i++ {
		row, col := i/side, i%side
		v := pix[first+row*stride+col]
		if set&mp4FromLeft != 0 && v != pix[first+row*stride-1] {
			set &^= mp4FromLeft
		}
		if set&mp4FromAbove != 0 && v != pix[first-stride+col] {
			set &^= mp4FromAbove
		}
	}
	return set
}

// writePlain writes a macroblock's samples (I_PCM), which begin at a whole byte.
func (p *mp4Picture) writePlain(w *mp4Bits, x, y int) {
	w.ue(25)
	w.free = 0
	for i, pix := range p.planes {
		side := 16
		if i > 0 {
			side = 8
		}
		stride := p.across * side
		for row := range side {
			at := (y*side+row)*stride + x*side
			w.buf = append(w.buf, pix[at:at+side]...)
		}
	}
}

// repeat returns the slice of frame n, which repeats the picture.
func (p *mp4Picture) repeat(n int) []byte {
	var w mp4Bits
	w.ue(0, 5, 0)
	w.u(4, uint32(n%16))
	w.u(3, 0)
	w.ue(0, 1)
	w.ue(p.across * p.down) // skip them all
	return w.nal(0x41)
}
