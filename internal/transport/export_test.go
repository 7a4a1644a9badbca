package transport

// StreamCount is streamCount.
type StreamCount = streamCount

// Streams is streams.
func Streams(from StreamCount, starting int) (inFlight, available int, exact bool) {
	return streams(from, starting)
}
