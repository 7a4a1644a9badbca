package relay

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
)

// minKey is the smallest size of a key in bytes.
const minKey = 32

// Keys are the keys of a relay, the same for all replicas. They are made by
// [NewKeys] or [RandomKeys]. Printing them shows nothing.
type Keys struct {
	ring func() ring
}

// A ring holds the keys that sealed tokens are made of.
type ring struct {
	lookup []byte
	seals  []sealKey // the first seals, all open
}

type sealKey struct {
	id     [4]byte
	secret []byte
}

// NewKeys returns keys of 32 random bytes or more each. The lookup key is for all
// that is looked up later, such as the counters of a user: it stays the same for as
// long as the store does. The key seal seals sessions and grants; it and those of
// open open them.
//
// To change the seal key, add the new one to open on each replica by
// [Handler.SetKeys], then seal with it on each replica and keep the old one in open
// until the last session that it sealed has expired, 12 hours by default.
func NewKeys(lookup, seal []byte, open ...[]byte) (Keys, error) {
	r := ring{lookup: append([]byte(nil), lookup...)}
	if len(lookup) < minKey {
		return Keys{}, errors.New("relay: the lookup key is shorter than 32 bytes")
	}
	for _, secret := range append([][]byte{seal}, open...) {
		if len(secret) < minKey {
			return Keys{}, errors.New("relay: a seal key is shorter than 32 bytes")
		}
		if hmac.Equal(secret, lookup) {
			return Keys{}, errors.New("relay: a seal key is the lookup key")
		}
		key := sealKey{secret: append([]byte(nil), secret...)}
		id, err := hkdf.Key(sha256.New, secret, nil, "aimbrain relay key id", len(key.id))
		if err != nil {
			return Keys{}, err
		}
		copy(key.id[:], id)
		r.seals = append(r.seals, key)
	}
	return Keys{ring: func() ring { return r }}, nil
}

// RandomKeys returns random keys for a process that runs alone, such as a test. All
// sessions and grants end with the process.
func RandomKeys() Keys {
	var lookup, seal [minKey]byte
	_, _ = rand.Read(lookup[:]) // it never fails
	_, _ = rand.Read(seal[:])
	keys, _ := NewKeys(lookup[:], seal[:]) // the sizes are right
	return keys
}

// String returns a fixed text.
func (k Keys) String() string { return "relay.Keys" }

// GoString returns a fixed text.
func (k Keys) GoString() string { return "relay.Keys" }
