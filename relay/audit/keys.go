package audit

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

const (
	minKey   = 32 // bytes of a key
	hashSize = 2 * sha256.Size
	idSize   = 32 // of a chain
)

// keyed holds what is derived from a key. The keys live in the variables of the
// functions, so that fmt prints none of them.
type keyed struct {
	id string
	// mac appends the hexadecimal HMAC of a line to dst. It is not safe for
	// concurrent use.
	mac         func(dst, line []byte) []byte
	fingerprint func(request []byte) string
}

func derive(key []byte) (keyed, error) {
	if len(key) < minKey {
		return keyed{}, fmt.Errorf("audit: %w", ErrInvalidKey)
	}
	part := func(use string, size int) []byte {
		b, err := hkdf.Key(sha256.New, key, nil, "aimbrain audit "+use, size)
		if err != nil {
			panic(err) // only for a size beyond 255 hashes
		}
		return b
	}
	lines := hmac.New(sha256.New, part("lines", sha256.Size))
	requests := part("fingerprints", sha256.Size)
	sum := make([]byte, 0, sha256.Size)
	return keyed{
		id: hex.EncodeToString(part("key id", 8)),
		mac: func(dst, line []byte) []byte {
			lines.Reset()
			lines.Write(line)
			sum = lines.Sum(sum[:0])
			return hex.AppendEncode(dst, sum)
		},
		fingerprint: func(request []byte) string {
			h := hmac.New(sha256.New, requests)
			h.Write(request)
			return hex.EncodeToString(h.Sum(nil))
		},
	}, nil
}

// PseudonymOf returns the pseudonym of a user: an HMAC of the user's identifier. The
// key has 32 bytes or more and is not the key of the log: it does not change with
// it, so that the records of a user are found after a change. PseudonymOf panics for a
// shorter key.
func PseudonymOf(key []byte, user string) Pseudonym {
	if len(key) < minKey {
		panic("audit: PseudonymOf: " + ErrInvalidKey.Error())
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte("aimbrain audit pseudonym\x00" + user))
	return Pseudonym(hex.EncodeToString(h.Sum(nil)))
}
