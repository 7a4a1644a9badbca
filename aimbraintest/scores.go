package aimbraintest

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"strconv"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// The scores of this file are simulated: they come from hashes, not from faces.

// likeness returns the score of a medium that is compared with a subject: 0.80 to
// 0.99 for the same person and 0.01 to 0.20 for another.
func likeness(same bool, subject string, m medium) float64 {
	if same {
		return between(0.80, 0.99, "same", subject, m.subject, string(m.hash[:]))
	}
	return between(0.01, 0.20, "other", subject, m.subject, string(m.hash[:]))
}

// liveliness returns 0 for a photo, and for a recording if no token is expected. It
// returns a high number for a video if no token is expected, and for a file with the
// expected token; foreign media counts as having it. Otherwise it returns a low one.
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

// anomaly returns the score of what a session submitted.
func anomaly(submitted string) float64 { return between(0.05, 0.40, "anomaly", submitted) }

// between returns a number in the range, which depends on the parts alone.
func between(low, high float64, parts ...string) float64 {
	sum := sha256.Sum256([]byte(chain(parts...)))
	share := float64(binary.BigEndian.Uint32(sum[:])) / math.MaxUint32
	return round(low + share*(high-low))
}

// chain joins parts. Two different lists never give the same text.
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

// round rounds to four digits.
func round(v float64) float64 { return math.Round(v*1e4) / 1e4 }

// digits returns the nth LipSync token. The first is "6-6-7". Any thousand in a row
// are distinct.
func digits(n int) string {
	s := strconv.Itoa(1000 + (667+n%1000*387)%1000)
	return s[1:2] + "-" + s[2:3] + "-" + s[3:4]
}

// sentence returns the nth voice token. It differs from the 511 before.
func sentence(n int) string {
	who := [8]string{"my neighbour", "the young baker", "an old sailor", "her brother", "the tall gardener", "our teacher", "a quiet painter", "the night nurse"}
	does := [8]string{"carries", "paints", "remembers", "borrows", "polishes", "draws", "repairs", "collects"}
	what := [8]string{"seven yellow boats", "a silver lantern", "the garden gate", "three wooden chairs", "an empty bottle", "the morning paper", "two grey pebbles", "a broken clock"}
	k := (5 + n%512*203) % 512 // 203 is odd, so that all 512 occur
	return who[k&7] + " " + does[k>>3&7] + " " + what[k>>6]
}
