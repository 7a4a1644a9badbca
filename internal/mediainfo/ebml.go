package mediainfo

import (
	"math"
	"math/bits"
)

// element is one EBML element.
type element struct {
	id         uint32
	start, end uint64 // of the body
	open       bool   // the length is unknown; end is that of the parent
	cut        bool   // the body ends behind the data
}

// elements steps through the EBML elements from pos to end.
type elements struct {
	src      *source
	pos, end uint64
	nested   bool // the element must be inside its parent
}

func (e element) inside(src *source) elements {
	return elements{src: src, pos: e.start, end: e.end, nested: true}
}

// next returns the next element. ok is false at the end.
func (s *elements) next() (e element, ok bool, err error) {
	if s.pos >= s.end {
		return element{}, false, nil
	}
	s.src.steps-- // an element of 2 bytes takes as long to read as two boxes
	h, err := s.src.at(s.pos, int(min(s.end-s.pos, 12)))
	if err != nil {
		return element{}, false, err
	}
	idLen := bits.LeadingZeros8(h[0]) + 1
	if idLen > 4 {
		return element{}, false, bad(WebM, "an element has an impossible name")
	}
	if len(h) <= idLen {
		return element{}, false, s.ends()
	}
	for _, b := range h[:idLen] {
		e.id = e.id<<8 | uint32(b)
	}
	h = h[idLen:]
	sizeLen := bits.LeadingZeros8(h[0]) + 1
	if sizeLen > 8 {
		return element{}, false, bad(WebM, "an element has an impossible size")
	}
	if len(h) < sizeLen {
		return element{}, false, s.ends()
	}
	size := uint64(h[0]) & (1<<(8-sizeLen) - 1)
	for _, b := range h[1:sizeLen] {
		size = size<<8 | uint64(b)
	}
	e.start = s.pos + uint64(idLen+sizeLen)
	left := s.end - e.start
	switch {
	case size == 1<<(7*sizeLen)-1:
		e.open, size = true, left
	case size > left:
		e.cut, size = true, left
	}
	if s.nested && (e.open || e.cut) {
		return element{}, false, bad(WebM, "an element is larger than the element that it is in")
	}
	e.end = e.start + size
	s.pos = e.end
	return e, true, nil
}

func (s *elements) ends() error {
	if s.nested {
		return bad(WebM, "an element is larger than the element that it is in")
	}
	return short(WebM, "ends inside an element")
}

// number returns an unsigned number of up to 8 bytes.
func (e element) number(src *source) (v uint64, err error) {
	p, err := e.read(src, 8)
	for _, b := range p {
		v = v<<8 | uint64(b)
	}
	return v, err
}

// float returns 0 for a length that no number has.
func (e element) float(src *source) (float64, error) {
	p, err := e.read(src, 8)
	switch len(p) {
	case 4:
		return float64(math.Float32frombits(be32(p))), err
	case 8:
		return math.Float64frombits(be64(p)), err
	}
	return 0, err
}

func (e element) read(src *source, n int) ([]byte, error) {
	return src.at(e.start, int(min(uint64(n), e.end-e.start)))
}
