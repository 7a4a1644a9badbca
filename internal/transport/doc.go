// Package transport carries HTTP requests that must not be sent twice, and whose
// responses must not be mixed up.
//
// A [Transport] makes connections by net/http and shares them in a pool of its
// own. What it adds to net/http's transport:
//
//   - No request is repeated once a byte of it was written. net/http repeats one
//     for which it can read the body again, for example over HTTP/2 after a
//     stream that the server reset after it processed the request.
//   - HTTP/2 requests wait for a free stream in place of being refused, on at
//     most 8 connections, and a stream that is refused is requested again.
//   - At most 8 connections to a host are being established at a time.
//   - A response that began before its request is discarded with its connection,
//     and an HTTP/1.1 connection is not reused after a 5xx or a 408: the
//     response that a gateway did not wait for may still come.
//
// A connection goes through three states: it is dialled for a caller that waits,
// leased to one request (HTTP/1.1) or to as many as the server allows (HTTP/2),
// and idle, until it is closed. pool.go holds these transitions.
package transport
