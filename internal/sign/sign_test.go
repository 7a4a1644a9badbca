package sign_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aimbrain/aimbrain-go/internal/sign"
)

func TestSignature_PublishedVector(t *testing.T) {
	t.Parallel()
	pair := sign.NewPair("test", "secret")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				s := pair.Begin("post", "/V1/sessions")
				s.Write([]byte(`{"userId": "user", `))
				s.Write([]byte(`"device":"device", "system":"system"}`))
				assert.Equal(t, "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI=", s.Sum())
				pair.End(s)
			}
		})
	}
	all.Wait()
}

// A request whose body changes behind what was hashed is signed from its beginning.
func TestSignature_Restart(t *testing.T) {
	t.Parallel()
	pair := sign.NewPair("test", "secret")
	s := pair.Begin("POST", "/v1/sessions")
	s.Write([]byte(`{"userId": "another", `))
	s.Restart()
	s.Write([]byte(`{"userId": "user", "device":"device", "system":"system"}`))
	assert.Equal(t, "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI=", s.Sum())
}

func TestPair_PrintsNothingOfTheSecret(t *testing.T) {
	t.Parallel()
	pair := sign.NewPair("canary-key", "canary-secret")
	for _, format := range []string{"%v", "%+v", "%#v"} {
		assert.NotContains(t, fmt.Sprintf(format, pair), "canary")
	}
	key, secret := pair.Credentials()
	assert.Equal(t, "canary-key canary-secret", key+" "+secret)
}
