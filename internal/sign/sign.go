// Package sign makes HMAC-SHA256 signatures of requests.
package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"strings"
	"sync"
)

// A Pair is a key and the secret that signs. It is safe for concurrent use.
type Pair struct {
	// The pair lives in the variables of these functions: fmt, encoders and
	// debugging dumps print a function as an address at most, but they walk
	// into every field that holds a string, exported or not.
	Credentials func() (key, secret string)
	acquire     func() *Signature
	release     func(*Signature)
}

// NewPair returns a pair. The secret is used as its bytes.
func NewPair(key, secret string) Pair {
	pool := new(sync.Pool)
	return Pair{
		Credentials: func() (string, string) { return key, secret },
		acquire: func() *Signature {
			if used, ok := pool.Get().(*Signature); ok {
				return used
			}
			return &Signature{mac: hmac.New(sha256.New, []byte(secret))}
		},
		release: func(s *Signature) { pool.Put(s) },
	}
}

// Begin begins the signature of a request: its method is signed in upper case and
// its endpoint in lower case. End returns it to the pool.
func (p Pair) Begin(method, endpoint string) *Signature {
	s := p.acquire()
	s.mac.Reset()
	s.scratch = append(s.scratch[:0], strings.ToUpper(method)...)
	s.scratch = append(s.scratch, '\n')
	s.scratch = append(s.scratch, strings.ToLower(endpoint)...)
	s.scratch = append(s.scratch, '\n')
	s.Write(s.scratch)
	return s
}

// Restart forgets the parts of the body.
func (s *Signature) Restart() {
	s.mac.Reset()
	s.Write(s.scratch)
}

// End returns a signature to the pool. The signature must not be used any more.
func (p Pair) End(s *Signature) { p.release(s) }

// A Signature is a signature while it is computed. Its hash stays keyed between
// uses, which saves two of the four blocks of a short message.
type Signature struct {
	mac     hash.Hash
	scratch []byte
}

// Write adds a part of the body.
func (s *Signature) Write(p []byte) {
	s.mac.Write(p) // a hash.Hash never returns an error
}

// Sum returns the signature in base64.
func (s *Signature) Sum() string {
	s.scratch = s.mac.Sum(s.scratch[:0])
	var text [44]byte // base64 of 32 bytes
	base64.StdEncoding.Encode(text[:], s.scratch)
	return string(text[:])
}
