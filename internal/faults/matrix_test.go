package faults_test

import (
	"fmt"
	"testing"
)

// A row is a row of docs/faults.md, which is generated from the matrix. After a change run "go
// test ./internal/faults -run TestFaultList -update".
type row struct {
	number  number
	fault   string
	outcome string
	cells   []cell
}

// A number is the number of a row. 5+letterB is row 5b, which was a part of row 5.
type number int

const letterB number = 1000

func (n number) base() number { return n % letterB }

// letter returns "" or "b".
func (n number) letter() string {
	if n < letterB {
		return ""
	}
	return string(rune('a' + n/letterB))
}

// String returns "5" or "5b".
func (n number) String() string { return fmt.Sprintf("%d%s", int(n.base()), n.letter()) }

// TestMatrix runs every row of docs/faults.md. The functions in the last column
// make the faults.
func TestMatrix(t *testing.T) {
	t.Parallel()
	l, total := newLab(t), 0
	t.Cleanup(func() { t.Logf("%d cells", total) })
	for _, row := range matrix() {
		for _, c := range row.cells {
			total++
			t.Run(fmt.Sprintf("%02d%s %s", int(row.number.base()), row.number.letter(), row.fault)+"/"+c.name(), func(t *testing.T) {
				t.Parallel()
				c.run(t, l, c)
			})
		}
	}
}

func matrix() []row {
	var rows []row
	for _, part := range [][]row{connecting(), sending(), responding(), refusing(), decoding(), waiting(), guarding()} {
		rows = append(rows, part...)
	}
	return rows
}

func connecting() []row {
	return []row{
		{1, "host name does not exist", "not sent, not retried", noSuchHost()},
		{2, "temporary DNS failure", "not sent", temporaryDNS()},
		{3, "connection refused", "not sent", connectionRefused()},
		{4, "dial hangs", "not sent, attempt timeout", dialHangs()},
		{5, "proxy responds 407, 403 or another 4xx but 429", "not sent, not retried, typed error without the password", proxyRefuses()},
		{5 + letterB, "proxy's port refuses, or it responds 429, 502, 503 or 504", "not sent", proxyFails()},
		{6, "TLS handshake ends or stalls", "not sent", handshakeEnds()},
		{7, "certificate of an unknown CA, expired, or for another host", "not sent, not retried, clear error", badCertificate()},
		{8, "server offers TLS 1.1 at most", "not sent, not retried", oldTLS()},
		{9, "plain HTTP on the TLS port", "not sent, not retried", plainOnTLS()},
		{10, "endless headers from a proxy", "not sent, bounded memory", endlessProxy()},
	}
}

func sending() []row {
	return []row{
		{11, "reset after the headers were sent", "unknown", resetAfterHeaders()},
		{12, "reset in the middle of the body", "unknown", resetInBody()},
		{13, "slow upload", "unknown, deadline honoured", slowUpload()},
		{14, "a dead kept-alive connection", "unknown", deadConnection()},
		{15, "HTTP/2 GOAWAY or REFUSED_STREAM", "executed once", goAway()},
		{16, "HTTP/2 stream reset, INTERNAL_ERROR", "unknown", streamReset()},
		{17, "HTTP/2 black hole", "unknown, error within 15 s", blackHole()},
		{18, "401 or 413 while the body is still being sent", "status surfaced where it arrived; no data race", earlyResponse()},
	}
}

func responding() []row {
	return []row{
		{19, "closed before any response", "unknown", closedBefore()},
		{20, "stall before response headers", "unknown, attempt timeout", stallBefore()},
		{21, "header cut off", "unknown", headerCut()},
		{22, "stall in the middle of the response", "unknown", stallWithin()},
		{23, "body shorter than Content-Length", "unknown", shortBody()},
		{24, "chunked body cut off", "unknown", chunkedCut()},
		{25, "close-delimited body cut off", "unknown, never taken for success", closeDelimitedCut()},
		{26, "one byte at a time", "succeeded", oneByteAtATime()},
		{27, "flood of 1xx", "unknown, bounded", informationalFlood()},
		{28, "10 MB of response headers", "unknown, bounded", headerFlood()},
		{29, "bytes after the body", "succeeded, connection not reused", bytesAfter()},
		{30, "301, 302, 303, 307, 308 to another host", "refused (303: unknown), typed error; the other host gets 0 bytes, with a caller's own http.Client too", redirects()},
	}
}

func refusing() []row {
	return []row{
		{31, "400, 401, 403, 422, 424, 460", "refused, typed error, 1 attempt", refusedStatuses()},
		{32, "500 with code 120, 170 or 999", "unknown", troubleCodes()},
		{33, "500 with anything else", "unknown", otherTrouble()},
		{34, "502 or 504 in HTML", "unknown, status kept, an excerpt of 256 B at most", htmlErrors()},
		{35, "503", "unknown", unavailable()},
		{36, "429", "refused, but retried for every call", tooMany()},
		{37, "Retry-After: 0, 5, 3600, a past date, a future date, −1, not a number, overflow, twice", "honoured up to the cap and the deadline; beyond them fail at once and expose the value", retryAfter()},
		{38, "204, or 200 with no body, where a result is due", "error, never a zero result", noBody()},
		{39, "unknown status or code", "preserved", unknownStatus()},
		{77, "Retry-After as a date, server's clock wrong by minutes or hours", "the wait that the server meant", skewedRetryAfter()},
		{78, "many callers that receive the same Retry-After, 0 included", "spread over at least 500 ms", simultaneousRetryAfter()},
	}
}

func decoding() []row {
	return []row{
		{40, "200 in HTML", "error", htmlResponse()},
		{41, "valid JSON under another Content-Type", "succeeded", otherContentType()},
		{42, "response of the limit + 1 byte", "typed too-large error", overLimit()},
		{43, "endless chunked response", "the same, bounded", endlessResponse()},
		{44, "gzip bomb", "error, not unpacked", gzipBomb()},
		{45, "a name twice in an object", "error", nameTwice()},
		{46, "a name in another case", "not taken for the member", otherCase()},
		{47, "nesting 10,001 deep", "error", nestedDeep()},
		{48, "wrong types", "error, no partial result", wrongTypes()},
		{49, "score NaN, 1e999, −0.1, 1.1", "error", badScores()},
		{50, "score missing or null", "error, never 0 and never accepted", noScore()},
		{51, "invalid UTF-8, lone surrogate", "error", badText()},
		{52, "data after the JSON value", "error", dataAfter()},
		{53, "byte order mark", "error", byteOrderMark()},
		{54, "errors empty, null, a million long", "refused, bounded, status kept", oddErrors()},
		{55, "an error text that echoes the secret", "redacted", echoes()},
	}
}

func waiting() []row {
	return []row{
		{56, "context cancelled before the call", "not sent, 0 requests", cancelledBefore()},
		{57, "context cancelled in DNS, dial, TLS, write, header, body, back-off", "returns at once; errors.Is finds context.Canceled and the cause", cancelledIn()},
		{58, "deadline shorter than the back-off", "fails at once", shortDeadline()},
		{59, "attempt timeout, total timeout", "distinguished", timeouts()},
		{60, "retry budget used up", "1 attempt, the original error inside", budgetUsed()},
		{61, "retry budget afterwards", "refills", budgetRefilled()},
		{62, "10,000 callers while everything is 503", "at most 1.1 attempts a call at steady state", everythingDown()},
		{63, "many callers back off at once", "spread by jitter", jitter()},
		{64, "a retried request", "byte-identical body and signature", identicalRetries()},
	}
}

// Rows 65 to 67 and 70 are tested in full by the root package's options_test.go and
// interpret_secrets_test.go. The cells here test what a server can observe.
func guarding() []row {
	return []row{
		{65, "http:// base URL", "configuration error, but for loopback or with an explicit option", plainBaseURL()},
		{66, "base URL with user info, query or fragment", "configuration error, value not echoed; a path prefix works", oddBaseURL()},
		{67, "key or secret empty, or with CR, LF, NUL, non-ASCII in the key", "configuration error, value not echoed", badCredentials()},
		{68, "request of the 2 MB limit or more", "not sent, local error", requestTooLarge()},
		{69, "no client, custom client, transport that panics or breaks its contract", "no leak, no deadlock", brokenTransports()},
		{70, "canary key, secret, signature and image under every fmt verb, slog, JSON, gob, error chains, recovered panics", "0 hits", canaries()},
		{71, "caller changes its media slice during or after the call", "the request keeps the media of the call", changedMedia()},
		{72, "one client, 1,000 goroutines, race detector", "0 reports", thousandGoroutines()},
		{73, "Close during calls, abandoned responses", "0 goroutines and descriptors leaked", closeDuring()},
		{74, "HTTP/2 server with 4, 32, 64 streams and 300 calls at once, cold and warm", "0 failures, each executed once, at most 8 connections", fewStreams()},
		{75, "1,000 first calls at once", "at most 8 handshakes under way", manyFirstCalls()},
		{76, "a caller's reader, or a FIFO, that blocks", "returns within 10 ms of the context; no pooled buffer touched later", blockedReader()},
		{79, "401, 403, 404, 413, 424 in HTML, or JSON of another form", "refused; a gateway's response, not the API's meaning", gatewayStatuses()},
		{80, "a stray response cut inside its header, the rest after the next request, TCP and TLS", "never taken for the next call's response", splitStray()},
		{81, "a transport wrapper that rebuilds the request, HTTP/2 reset after execution", "1 execution over the library's transport", rebuiltRequest()},
		{82, "200 with a score and a non-empty error or errors", "error", errorBesideResult()},
		{83, "a score whose text is just below a threshold or just above 1", "below the threshold; error", scoresBesideThresholds()},
	}
}
