package aimbraintest

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// The numbers here are simulated: they come from hashes, not from faces.

// likeness is the score of a medium against who it is compared with: 0.80 to
// 0.99 for the same person and 0.01 to 0.20 for another.
func likeness(same bool, subject string, m medium) float64 {
	if same {
		return between(0.80, 0.99, "same", subject, m.subject, string(m.hash[:]))
	}
	return between(0.01, 0.20, "other", subject, m.subject, string(m.hash[:]))
}

// liveliness is 0 for a photo, and for a recording without a token. It is high
// for a video without a token, and for what has the expected token spoken in
// it; foreign media is believed to. It is low for all else.
func (m medium) liveliness(expected string) float64 {
	switch {
	case m.info.Format == mediainfo.JPEG:
		return 0
	case expected == "" && !m.info.HasVideo:
		return 0
	case expected == "", !m.marked, m.spoken == expected:
		return between(0.85, 0.99, "live", string(m.hash[:]))
	}
	return between(0.05, 0.20, "not live", string(m.hash[:]))
}

// anomaly is the score of what a session submitted, nil for nothing.
func anomaly(submitted string) *float64 {
	if submitted == "" {
		return nil
	}
	v := between(0.05, 0.40, "anomaly", submitted)
	return &v
}

// between returns a number that the parts decide.
func between(low, high float64, parts ...string) float64 {
	sum := sha256.Sum256([]byte(chain(parts...)))
	share := float64(binary.BigEndian.Uint32(sum[:])) / math.MaxUint32
	return round(low + share*(high-low))
}

// chain joins parts so that no two lists of them look the same.
func chain(parts ...string) string {
	var b []byte
	for _, part := range parts {
		b = append(strconv.AppendInt(b, int64(len(part)), 10), ':')
		b = append(b, part...)
	}
	return string(b)
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return round(sum / float64(len(values)))
}

// round keeps four digits, as many as anybody reads.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// digits is the nth LipSync token, "6-6-7" to begin with: no two of a thousand
// in a row are the same.
func digits(n int) string {
	s := strconv.Itoa(1000 + (667+n%1000*387)%1000)
	return s[1:2] + "-" + s[2:3] + "-" + s[3:4]
}

// sentence is the nth voice token, none the same as the 511 before.
func sentence(n int) string {
	who := [8]string{"my neighbour", "the young baker", "an old sailor", "her brother", "the tall gardener", "our teacher", "a quiet painter", "the night nurse"}
	does := [8]string{"carries", "paints", "remembers", "borrows", "polishes", "draws", "repairs", "collects"}
	what := [8]string{"seven yellow boats", "a silver lantern", "the garden gate", "three wooden chairs", "an empty bottle", "the morning paper", "two grey pebbles", "a broken clock"}
	k := (5 + n%512*203) % 512 // 203 is odd, so that all 512 come up
	return who[k&7] + " " + does[k>>3&7] + " " + what[k>>6]
}
