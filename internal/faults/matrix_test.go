package faults_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A row of faults.md.
type row struct {
	number  int
	fault   string
	outcome string
	cells   []cell
}

// minCells is how many cells there must be at least.
const minCells = 800

// TestMatrix runs every row of faults.md, in the words of that table. How a
// fault is made is in the functions that the last column names.
func TestMatrix(t *testing.T) {
	t.Parallel()
	l, counted, total := newLab(t), &tally{cells: map[int]int{}}, 0
	t.Cleanup(func() { t.Logf("%d cells", total) })
	for _, row := range matrix() {
		require.NotEmpty(t, row.cells, "row %d has no cell", row.number)
		for _, c := range row.cells {
			total++
			counted.add(row.number)
			t.Run(fmt.Sprintf("%02d %s", row.number, row.fault)+"/"+c.name(), func(t *testing.T) {
				t.Parallel()
				c.run(t, l, c)
			})
		}
	}
	for number := 1; number <= 73; number++ {
		assert.NotZero(t, counted.cells[number], "row %d of faults.md has no cell", number)
	}
	assert.GreaterOrEqual(t, total, minCells)
}

func matrix() []row {
	var rows []row
	for _, part := range [][]row{connecting(), sending(), answering(), refusing(), decoding(), waiting(), guarding()} {
		rows = append(rows, part...)
	}
	return rows
}

func connecting() []row {
	return []row{
		{1, "host name does not exist", "no retry, typed network error", noSuchHost()},
		{2, "temporary DNS failure", "unsent", temporaryDNS()},
		{3, "connection refused", "unsent", connectionRefused()},
		{4, "dial hangs", "attempt timeout, unsent", dialHangs()},
		{5, "proxy refuses or wants a password", "typed error, no password in it, not retried", proxyRefuses()},
		{6, "TLS handshake ends or stalls", "unsent", handshakeEnds()},
		{7, "certificate of an unknown CA, expired, or for another host", "no retry, clear error", badCertificate()},
		{8, "server offers TLS 1.1 at most", "no retry", oldTLS()},
		{9, "plain HTTP on the TLS port", "no retry", plainOnTLS()},
		{10, "endless headers from a proxy", "bounded memory", endlessProxy()},
	}
}

func sending() []row {
	return []row{
		{11, "reset after the headers were sent", "ambiguous", resetAfterHeaders()},
		{12, "reset in the middle of the body", "ambiguous", resetInBody()},
		{13, "slow upload", "deadline honoured", slowUpload()},
		{14, "a kept-alive connection that has died", "ambiguous", deadConnection()},
		{15, "HTTP/2 GOAWAY or REFUSED_STREAM", "executed once", goAway()},
		{16, "HTTP/2 stream reset, INTERNAL_ERROR", "ambiguous", streamReset()},
		{17, "HTTP/2 black hole", "error within 15 s", blackHole()},
		{18, "401 or 413 while the body still goes up", "status surfaced where it arrived; no data race", earlyAnswer()},
	}
}

func answering() []row {
	return []row{
		{19, "closed before any response", "ambiguous", closedBefore()},
		{20, "stall before response headers", "attempt timeout, ambiguous", stallBefore()},
		{21, "header cut off", "ambiguous", headerCut()},
		{22, "stall in the middle of the response", "ambiguous", stallWithin()},
		{23, "body shorter than Content-Length", "ambiguous", shortBody()},
		{24, "chunked body cut off", "ambiguous", chunkedCut()},
		{25, "close-delimited body cut off", "ambiguous, never taken for success", closeDelimitedCut()},
		{26, "one byte at a time", "success", oneByteAtATime()},
		{27, "flood of 1xx", "bounded, error", informationalFlood()},
		{28, "10 MB of response headers", "bounded, error", headerFlood()},
		{29, "bytes after the body", "success, connection not used again", bytesAfter()},
		{30, "301, 302, 303, 307, 308 to another host", "typed error; the other host gets 0 bytes", redirects()},
	}
}

func refusing() []row {
	return []row{
		{31, "400, 401, 403, 422, 424, 460", "final, typed, 1 attempt", finalStatuses()},
		{32, "500 with code 120, 170 or 999", "ambiguous", troubleCodes()},
		{33, "500 with anything else", "ambiguous", otherTrouble()},
		{34, "502 or 504 in HTML", "ambiguous, status kept, an excerpt of 256 B at most", htmlErrors()},
		{35, "503", "ambiguous", unavailable()},
		{36, "429", "retry, any call", tooMany()},
		{37, "Retry-After: 0, 5, 3600, a past date, a future date, −1, not a number, overflow, twice", "honoured up to the cap and the deadline; beyond them fail at once and expose the value", retryAfter()},
		{38, "204, or 200 with no body, where a result is due", "decode error, never a zero result", noBody()},
		{39, "unknown status or code", "preserved", unknownStatus()},
		{77, "Retry-After as a date, server's clock minutes or hours off", "the wait that the server meant", skewedRetryAfter()},
		{78, "many callers told the same Retry-After, 0 included", "spread over at least 500 ms", simultaneousRetryAfter()},
	}
}

func decoding() []row {
	return []row{
		{40, "200 in HTML", "error", htmlAnswer()},
		{41, "valid JSON under another Content-Type", "accepted", otherContentType()},
		{42, "response of the limit + 1 byte", "typed too-large error", overLimit()},
		{43, "endless chunked response", "the same, bounded", endlessAnswer()},
		{44, "gzip bomb", "refused", gzipBomb()},
		{45, "a name twice in an object", "error", nameTwice()},
		{46, "a name in another case", "not that member", otherCase()},
		{47, "nesting 10,001 deep", "error", nestedDeep()},
		{48, "wrong types", "error, no partial result", wrongTypes()},
		{49, "score NaN, 1e999, −0.1, 1.1", "error", badScores()},
		{50, "score missing or null", "error, never 0 and never an accept", noScore()},
		{51, "invalid UTF-8, lone surrogate", "error", badText()},
		{52, "data after the JSON value", "error", dataAfter()},
		{53, "byte order mark", "error", byteOrderMark()},
		{54, "errors empty, null, a million long", "bounded, status kept", oddErrors()},
		{55, "an error text that echoes the secret", "redacted", echoes()},
	}
}

func waiting() []row {
	return []row{
		{56, "context cancelled before the call", "0 requests", cancelledBefore()},
		{57, "context cancelled in DNS, dial, TLS, write, header, body, back-off", "back at once; context.Canceled and the cause", cancelledIn()},
		{58, "deadline shorter than the back-off", "fails at once", shortDeadline()},
		{59, "attempt timeout, total timeout", "told apart", timeouts()},
		{60, "retry budget used up", "1 attempt, the original error inside", budgetUsed()},
		{61, "retry budget afterwards", "refills", budgetRefilled()},
		{62, "10,000 callers while everything is 503", "at most 1.1 attempts a call at steady state", everythingDown()},
		{63, "many callers back off at once", "spread by jitter", jitter()},
		{64, "a retried request", "byte-identical body and signature", identicalRetries()},
	}
}

// Rows 65 to 67 and 70 are the root package's config_test.go and
// secrets_test.go in full; what is here is what a server can see of them.
func guarding() []row {
	return []row{
		{65, "http:// base URL", "refused; loopback or an explicit option alone", plainBaseURL()},
		{66, "base URL with user info, query or fragment", "refused, value not echoed; a path prefix works", oddBaseURL()},
		{67, "key or secret empty, or with CR, LF, NUL, non-ASCII in the key", "constructor error without the value", badCredentials()},
		{68, "request of the 2 MB limit or more", "local error, nothing sent", requestTooLarge()},
		{69, "no client, custom client, transport that panics or breaks its contract", "no leak, no deadlock", brokenTransports()},
		{70, "canary key, secret, signature and image under every fmt verb, JSON, error chains", "0 hits", canaries()},
		{71, "caller changes its media slice during or after the call", "the request stays what it was at the call", changedMedia()},
		{72, "one client, 1,000 goroutines, race detector", "0 reports", thousandGoroutines()},
		{73, "Close during calls, abandoned responses", "0 goroutines leaked", closeDuring()},
	}
}
