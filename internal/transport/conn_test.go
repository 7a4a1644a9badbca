package transport_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/transport"
)

// A changing count is that of a connection whose streams begin and end between two
// reads.
type changing struct {
	limit    int
	inFlight []int // at each read, the last one for all others
}

func (c *changing) look() int {
	now := c.inFlight[0]
	if len(c.inFlight) > 1 {
		c.inFlight = c.inFlight[1:]
	}
	return now
}

func (c *changing) InFlight() int { return c.look() }

func (c *changing) Available() int { return c.limit - c.look() }

func TestStreams_CountChangesBetweenReads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                string
		limit, starting     int
		looks               []int
		inFlight, available int
		exact               bool
	}{
		{name: "nothing changes", limit: 4, looks: []int{2}, inFlight: 2, available: 2, exact: true},
		{name: "the leased stream begins after the first look", limit: 1, starting: 1, looks: []int{0, 1}, available: 0},
		{name: "the leased stream begins after the second look", limit: 1, starting: 1, looks: []int{0, 0, 1}, available: 1},
		{name: "a stream ends after the first look", limit: 100, looks: []int{1, 0}, available: 100, exact: true},
		{name: "a stream ends after the second look", limit: 1, looks: []int{1, 1, 0}, available: 1, exact: true},
		{name: "streams end all the time", limit: 4, looks: []int{4, 3, 2, 2, 1, 1, 1}, inFlight: 1, available: 3, exact: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inFlight, available, exact := transport.Streams(&changing{limit: tt.limit, inFlight: tt.looks}, tt.starting)
			assert.Equal(t, tt.inFlight, inFlight, "in flight")
			assert.Equal(t, tt.available, available, "available")
			assert.Equal(t, tt.exact, exact, "exact")
		})
	}
}
