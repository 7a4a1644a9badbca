package mediainfo

import (
	"io"
	"math"
)

// The bounds on the reads that inspect a file, whatever sizes it contains. Every
// read fills one window, so that the number of reads also bounds the bytes.
const (
	maxReads   = 64
	windowSize = 1 << 10 // 64 KiB in all
	// maxSteps is how often the readers of one file may ask for bytes. It is
	// several times what a fragmented video of a minute needs, and bounds the time
	// for a file of empty boxes.
	maxSteps = 1 << 11
)

// source reads the bytes of a file through a moving window. A file in memory has
// the same windows as a file that is read, so that both have the same result.
type source struct {
	data   []byte      // the file, if it is in memory
	r      io.ReaderAt // the reader of the file, if it is not
	buf    []byte      // the window's bytes, for r
	size   uint64
	format Format // for errors

	window []byte
	start  uint64 // of the window
	reads  int    // how many remain
	steps  int    // how many remain

	more more
}

// whole returns an unbounded source for data.
func whole(data []byte, f Format) source {
	return source{data: data, size: uint64(len(data)), format: f, window: data, steps: math.MaxInt}
}

// at returns n bytes from off on, or fewer at the end of the file. n is windowSize
// at most, except for a whole source. The bytes are valid until the next call.
func (s *source) at(off uint64, n int) ([]byte, error) {
	if off >= s.size {
		return nil, nil
	}
	n = int(min(uint64(n), s.size-off))
	if s.steps--; s.steps < 0 {
		return nil, s.beyond()
	}
	if off < s.start || off-s.start+uint64(n) > uint64(len(s.window)) {
		if err := s.move(off); err != nil {
			return nil, err
		}
	}
	return s.window[off-s.start:][:n], nil
}

// rest returns the bytes from off on in one window, none at the end of the file.
func (s *source) rest(off uint64) ([]byte, error) {
	if _, err := s.at(off, 1); err != nil || off >= s.size {
		return nil, err
	}
	return s.window[off-s.start:], nil
}

func (s *source) beyond() error {
	return &Error{
		Format: s.format, Problem: "the headers are outside the part of the file that is read for them", Beyond: true,
	}
}

func (s *source) move(off uint64) error {
	if s.reads == 0 {
		return s.beyond()
	}
	s.reads--
	n := min(windowSize, s.size-off)
	s.start = off
	if s.r == nil {
		s.window = s.data[off : off+n]
		return nil
	}
	s.window = nil // also if the read fails
	got, err := s.r.ReadAt(s.buf[:n], int64(off))
	if uint64(got) < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF // the file is shorter than its declared size
		}
		return err
	}
	s.window = s.buf[:n]
	return nil
}
