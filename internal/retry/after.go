package retry

import (
	"net/http"
	"strconv"
	"time"
)

// After is the wait of a Retry-After header.
type After struct {
	Wait  time.Duration
	Given bool
}

// ReadAfter reads both forms of the header, seconds and a date. A date is by the
// server's clock. The wait is therefore counted from the response's own Date, and
// from now only if that is invalid. Of two different values the longer one counts.
// An invalid value is ignored.
func ReadAfter(header http.Header, now time.Time) After {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	var longest After
	for _, value := range header.Values("Retry-After") {
		if wait, ok := parseAfter(value, now); ok {
			longest = After{Wait: max(longest.Wait, wait), Given: true}
		}
	}
	return longest
}

func parseAfter(value string, now time.Time) (time.Duration, bool) {
	if isDigits(value) {
		const most = int64(1<<63-1) / int64(time.Second)
		seconds, _ := strconv.ParseInt(value, 10, 64) // the largest int64 for more digits than fit
		return time.Duration(min(seconds, most)) * time.Second, true
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now)), true
	}
	return 0, false
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
