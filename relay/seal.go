package relay

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"
)

// A purpose is what a sealed token is for. A token of one purpose cannot be opened
// for another.
type purpose string

const (
	sessionPurpose purpose = "session"
	grantPurpose   purpose = "grant"
)

const (
	saltSize     = 24
	maxTokenSize = 2048 // characters of a sealed token
)

// seal returns a token that holds plain: the key's ID, a salt, and plain under a key
// that is made of the seal key and the salt, for this token alone. Its length depends
// on that of plain alone.
func (r ring) seal(p purpose, plain []byte) (string, error) {
	key := r.seals[0]
	token := make([]byte, len(key.id)+saltSize, len(key.id)+saltSize+len(plain)+16)
	copy(token, key.id[:])
	_, _ = rand.Read(token[len(key.id):]) // it never fails
	aead, nonce, err := key.cipher(p, token[len(key.id):])
	if err != nil {
		return "", err
	}
	token = aead.Seal(token, nonce, plain, key.id[:])
	return base64.RawURLEncoding.EncodeToString(token), nil
}

// open returns what a token holds, and whether it was sealed for the purpose by one of
// the keys and was not altered.
func (r ring) open(p purpose, text string) ([]byte, bool) {
	if len(text) > maxTokenSize {
		return nil, false
	}
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || base64.RawURLEncoding.EncodedLen(len(token)) != len(text) { // a decoder skips line breaks
		return nil, false
	}
	for _, key := range r.seals {
		if len(token) < len(key.id)+saltSize || [4]byte(token) != key.id {
			continue
		}
		salt, sealed := token[len(key.id):][:saltSize], token[len(key.id)+saltSize:]
		aead, nonce, err := key.cipher(p, salt)
		if err != nil {
			return nil, false
		}
		if plain, err := aead.Open(nil, nonce, sealed, key.id[:]); err == nil {
			return plain, true
		}
	}
	return nil, false
}

// cipher returns the cipher of one token and its nonce. Both are made of the salt, and
// used once.
func (k sealKey) cipher(p purpose, salt []byte) (cipher.AEAD, []byte, error) {
	derived, err := hkdf.Key(sha256.New, k.secret, salt, "aimbrain relay "+string(p), 32+12)
	if err != nil {
		return nil, nil, err
	}
	block, err := aes.NewCipher(derived[:32])
	if err != nil {
		return nil, nil, err
	}
	aead, err := cipher.NewGCM(block)
	return aead, derived[32:], err
}

// A hash is a keyed hash, or a random number, of 128 bits.
type hash [16]byte

// MarshalText returns the hash in hexadecimal digits.
func (h hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText reads what MarshalText returns.
func (h *hash) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(h)) {
		return errors.New("not a hash")
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// newHash returns a random number.
func newHash() hash {
	var h hash
	_, _ = rand.Read(h[:]) // it never fails
	return h
}

// hash returns a keyed hash of parts, for a use that the label names. Each part has its
// length in front.
func (r ring) hash(label string, parts ...[]byte) hash {
	mac := hmac.New(sha256.New, r.lookup)
	var size [8]byte
	for i := -1; i < len(parts); i++ {
		part := []byte(label)
		if i >= 0 {
			part = parts[i]
		}
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write(part)
	}
	return hash(mac.Sum(nil))
}

// A sealedSession is what an app holds in place of the API's session.
type sealedSession struct {
	made  time.Time // by the clock of the replica
	birth hash      // of the user's record
	user  hash      // of both IDs of the user
	id    string    // the API's session
}

const tokenVersion = 1

func (r ring) sealSession(s sealedSession) (string, error) {
	plain := []byte{tokenVersion}
	plain = binary.BigEndian.AppendUint64(plain, uint64(s.made.UnixMilli()))
	plain = append(plain, s.birth[:]...)
	plain = append(plain, s.user[:]...)
	return r.seal(sessionPurpose, append(plain, s.id...))
}

func (r ring) openSession(token string) (sealedSession, bool) {
	plain, ok := r.open(sessionPurpose, token)
	if !ok || len(plain) <= 1+8+16+16 || plain[0] != tokenVersion {
		return sealedSession{}, false
	}
	return sealedSession{
		made:  time.UnixMilli(int64(binary.BigEndian.Uint64(plain[1:]))),
		birth: hash(plain[9:25]), user: hash(plain[25:41]), id: string(plain[41:]),
	}, true
}

// A sealedGrant is what an app holds to have an action executed.
type sealedGrant struct {
	made    time.Time // by the store's clock
	birth   hash      // of the user's record
	id      hash      // of the grant
	user    hash      // of User.ID
	action  hash
	binding hash
	modules modules
}

func (r ring) sealGrant(g sealedGrant) (string, error) {
	plain := []byte{tokenVersion, byte(g.modules)}
	plain = binary.BigEndian.AppendUint64(plain, uint64(g.made.UnixMilli()))
	for _, h := range []hash{g.birth, g.id, g.user, g.action, g.binding} {
		plain = append(plain, h[:]...)
	}
	return r.seal(grantPurpose, plain)
}

func (r ring) openGrant(token string) (sealedGrant, bool) {
	plain, ok := r.open(grantPurpose, token)
	if !ok || len(plain) != 2+8+5*16 || plain[0] != tokenVersion {
		return sealedGrant{}, false
	}
	part := func(i int) hash { return hash(plain[10+16*i:]) }
	return sealedGrant{
		made:    time.UnixMilli(int64(binary.BigEndian.Uint64(plain[2:]))),
		modules: modules(plain[1]),
		birth:   part(0), id: part(1), user: part(2), action: part(3), binding: part(4),
	}, true
}
