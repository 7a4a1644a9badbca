package relay

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

func testRing(t testing.TB) ring {
	t.Helper()
	keys, err := NewKeys(bytes.Repeat([]byte("l"), 32), bytes.Repeat([]byte("s"), 32), bytes.Repeat([]byte("o"), 32))
	require.NoError(t, err)
	return keys.ring()
}

// FuzzSeal_OpensOnlyWhatWasSealed opens arbitrary texts: none may open that was not
// sealed, and none may panic.
func FuzzSeal_OpensOnlyWhatWasSealed(f *testing.F) {
	r := testRing(f)
	session, err := r.sealSession(sealedSession{made: noon(), id: "s-1"})
	require.NoError(f, err)
	grant, err := r.sealGrant(sealedGrant{made: noon()})
	require.NoError(f, err)
	f.Add("")
	f.Add(session[:20])
	f.Add(session + "A")
	f.Add(strings.ToLower(session))
	f.Add(grant[:len(grant)-1] + "!")
	f.Fuzz(func(t *testing.T, text string) {
		if _, ok := r.openSession(text); ok && text != session {
			t.Errorf("opened %q", text)
		}
		if _, ok := r.openGrant(text); ok && text != grant {
			t.Errorf("opened %q", text)
		}
	})
}

func TestSeal_OpensForItsPurposeAlone(t *testing.T) {
	t.Parallel()
	r := testRing(t)
	s := sealedSession{made: noon().Local(), birth: h(1), user: h(2), id: "s-1"}
	text, err := r.sealSession(s)
	require.NoError(t, err)
	opened, ok := r.openSession(text)
	require.True(t, ok)
	assert.True(t, s.made.Equal(opened.made))
	assert.Equal(t, s.id, opened.id)
	assert.Equal(t, s.user, opened.user)
	again, err := r.sealSession(s)
	require.NoError(t, err)
	assert.NotEqual(t, text, again)
	_, ok = r.open(grantPurpose, text)
	assert.False(t, ok)
	for i := range len(text) { // each bit of each character
		for bit := range 7 {
			altered := []byte(text)
			altered[i] ^= 1 << bit
			_, ok := r.openSession(string(altered))
			require.False(t, ok, "character %d, bit %d", i, bit)
		}
	}
	g, err := r.sealGrant(sealedGrant{made: noon(), modules: setOf(aimbrain.ModuleVoice)})
	require.NoError(t, err)
	long, err := r.sealGrant(sealedGrant{made: noon().Add(time.Hour), birth: h(255), modules: setOf(aimbrain.ModuleFace, aimbrain.ModuleVoice)})
	require.NoError(t, err)
	assert.Len(t, long, len(g), "the size says nothing")
}

func TestKeys_PrintNothing(t *testing.T) {
	t.Parallel()
	keys, err := NewKeys(bytes.Repeat([]byte("canary-1"), 4), bytes.Repeat([]byte("canary-2"), 4))
	require.NoError(t, err)
	handler, err := New(&aimbrain.Client{}, WithUser(nil), WithKeys(keys))
	require.Error(t, err)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		text := fmt.Sprintf(verb+verb+verb, keys, &keys, handler)
		assert.NotContains(t, text, "canary")
		assert.NotContains(t, text, "63616e617279")
	}
	_, err = NewKeys([]byte("short"), bytes.Repeat([]byte("s"), 32))
	require.Error(t, err)
	_, err = NewKeys(bytes.Repeat([]byte("s"), 32), bytes.Repeat([]byte("s"), 32))
	require.Error(t, err, "one key for both")
}

// FuzzRecord_DecidesAboutAnything reads arbitrary bytes as the record of a user: what is
// accepted can be decided about, and written again.
func FuzzRecord_DecidesAboutAnything(f *testing.F) {
	value, _, err := newRecord().write(noon())
	require.NoError(f, err)
	f.Add(value)
	f.Add([]byte(`{"v":1,"b":"01000000000000000000000000000000","f":9,"u":1,"c":-1,"s":[{"o":"03000000000000000000000000000000","m":2,"t":9223372036854775807}],"p":[{"k":"05000000000000000000000000000000","s":1,"a":true,"t":1}],"e":[{"m":1,"k":1,"t":0,"n":5}]}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		r, err := readRecord(value)
		if err != nil {
			return
		}
		for _, a := range []attempt{faceAttempt(1), {key: h(5), module: aimbrain.ModuleFace, birth: h(1), samples: 1, permit: First}} {
			begun, s := r.begin(noon(), a)
			for _, f := range []finding{{outcome: judged}, {outcome: judged, passed: true, grant: grantText}, {outcome: unclear}, {outcome: notSent}} {
				settled, _ := begun.settle(noon(), a, f)
				if _, _, err := settled.write(noon()); err != nil {
					t.Error(err)
				}
			}
			if r.Blocked && s.verdict == proceed {
				t.Error("a blocked user proceeds")
			}
		}
	})
}

// FuzzMembers_ReadsStrictRequests reads arbitrary requests. What the relay takes for
// media must be what a JSON reader takes for it.
func FuzzMembers_ReadsStrictRequests(f *testing.F) {
	for _, seed := range []string{
		`{"session":"s","faces":["AAAA"]}`, `{"faces":[ "AA\/A" , "AAAA"],"session":""}`, `{"faces":["A\u0041AA"]}`, `{"faces":["\"","AAAA"]}`,
		`{"faces":[["AAAA"]]}`, `{"faces":[]}`, `{"faces":["AAAA",1]}`, `{"faces":["\\\"]","AAAA"]}`, `{"faces":["A\/=="],"metadata":""}`,
	} {
		f.Add([]byte(seed))
	}
	all := routes()
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := strictjson.Request(nil, body)
		if err != nil {
			return
		}
		for _, rt := range all {
			c, problem := rt.read(func(yield func(string, []byte) bool) {
				for _, m := range members {
					if !yield(string(m.Name), m.Value) {
						return
					}
				}
			})
			if problem != "" || rt.media == "" {
				continue
			}
			for i, medium := range c.media {
				text, _, problem := plainMedia(medium, nil)
				if problem != "" {
					continue
				}
				for _, m := range members {
					if string(m.Name) != rt.media {
						continue
					}
					elements, err := strictjson.Elements(nil, m.Value)
					require.NoError(t, err)
					require.Len(t, elements, len(c.media))
					want, err := strictjson.String(elements[i])
					require.NoError(t, err)
					require.Equal(t, want, string(text))
				}
				_, err := base64.StdEncoding.DecodeString(string(text))
				require.NoError(t, err)
			}
		}
	})
}

func TestCaptureHash_DependsOnEveryByte(t *testing.T) {
	t.Parallel()
	r := testRing(t)
	text := bytes.Repeat([]byte("abcdefgh"), 80_000)
	one := r.captureHash(text)
	assert.Equal(t, one, r.captureHash(bytes.Clone(text)))
	for _, place := range []int{0, 1, 999, len(text) / 2, len(text) - 1} {
		changed := bytes.Clone(text)
		changed[place]++
		assert.NotEqual(t, one, r.captureHash(changed), place)
	}
	assert.NotEqual(t, one, r.captureHash(text[1:]))
}
