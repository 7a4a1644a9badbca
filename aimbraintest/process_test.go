package aimbraintest_test

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// slashed escapes each slash, as the vendor's mobile clients do.
func slashed(body string) string { return strings.ReplaceAll(body, "/", `\/`) }

// gson escapes the characters that Gson escapes.
func gson(body string) string {
	return strings.NewReplacer("=", `\u003d`, "&", `\u0026`, "<", `\u003c`, ">", `\u003e`, "'", `\u0027`).Replace(body)
}

// ascii escapes all characters that are not ASCII.
func ascii(body string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(body)) {
		if unit < 0x80 {
			b.WriteByte(byte(unit))
		} else {
			fmt.Fprintf(&b, `\u%04X`, unit)
		}
	}
	return b.String()
}

// pretty returns the body indented, with these line ends.
func pretty(t *testing.T, body, end string) string {
	t.Helper()
	var value json.RawMessage = []byte(body)
	indented, err := json.MarshalIndent(value, "", "    ")
	require.NoError(t, err)
	return strings.ReplaceAll(string(indented), "\n", end) + end
}

// browserWAV returns a recording as the vendor's web client makes it: the byte
// rate in its header is twice the right one.
func browserWAV(hz int) []byte {
	wav := aimbraintest.VoiceWAV("ada", aimbraintest.SampleRate(hz), aimbraintest.Duration(5*time.Second))
	binary.LittleEndian.PutUint32(wav[28:], 2*binary.LittleEndian.Uint32(wav[28:]))
	return wav
}

func list(media ...[]byte) string {
	texts := []string{}
	for _, data := range media {
		texts = append(texts, `"`+base64.StdEncoding.EncodeToString(data)+`"`)
	}
	return "[" + strings.Join(texts, ",") + "]"
}

func TestFake_AcceptsBodiesOfTheVendorsClients(t *testing.T) {
	t.Parallel()
	face, other := aimbraintest.FacePhoto("ada", aimbraintest.Resolution(240, 320)), aimbraintest.FacePhoto("bob")
	voice := aimbraintest.VoiceWAV("ada", aimbraintest.SampleRate(22_050))
	caf := aimbraintest.VoiceCAF("ada", aimbraintest.SampleRate(22_050))
	const (
		touches = `"touches":[{"tid":1,"gid":7,"p":0,"t":1000,"x":10.5,"y":-0,"rx":1.0E-4,"ry":2,"r":12.25,"f":0.33,"ids":["pay\/now","main"]},{"tid":1,"gid":7,"p":3,"t":1016,"x":11,"y":20.0,"rx":1,"ry":2,"r":12,"f":0.3,"ids":[]}]`
		text    = `"textEvents":[{"t":1000,"tx":"Müller & Söhne 😀","ids":["to"]}]`
		motion  = `"accelerations":[{"t":1000,"x":-1.0E-4,"y":9.81,"z":0.0}]`
	)
	rows := []struct {
		name, endpoint, body string // SESSION becomes the session's id
	}{
		{"web session with a null system", aimbrain.EndpointSessions, `{"userId":"","device":"Other","system":null,"screenHeight":1440,"screenWidth":900}`},
		{"web session", aimbrain.EndpointSessions, `{"userId":"x","device":"Chrome","system":"Mac OS","screenHeight":1440,"screenWidth":900}`},
		{"iOS session, whole points", aimbrain.EndpointSessions, `{"userId":"x","system":"iOS 12.1","device":"iPhone9,4","screenWidth":375.0,"screenHeight":667.0}`},
		{"iOS session, fractional points", aimbrain.EndpointSessions, `{"userId":"x","system":"iOS 12.1","device":"iPhone9,4","screenWidth":414.5,"screenHeight":736.25}`},
		{"iOS session with slashes", aimbrain.EndpointSessions, slashed(`{"userId":"a/b","system":"iOS/12","device":"iPhone9,4","screenWidth":375,"screenHeight":667}`)},
		{"Gson session", aimbrain.EndpointSessions, gson(`{"userId":"a=b","device":"<Nexus> & 'co'","system":"7.0","screenHeight":1920,"screenWidth":1080}`)},
		{"sizes with an exponent, and -0", aimbrain.EndpointSessions, `{"device":"d","system":"s","screenHeight":1.0E3,"screenWidth":-0,"userId":"x"}`},
		{"session with all non-ASCII escaped", aimbrain.EndpointSessions, ascii(`{"userId":"x","device":"Müllers 😀 Telefon","system":"世"}`)},
		{"session with metadata", aimbrain.EndpointSessions, `{"metadata":"eA==","userId":"x","device":"d","system":"s"}`},
		{"session, pretty with LF", aimbrain.EndpointSessions, pretty(t, `{"userId":"x","device":"d","system":null,"screenWidth":375.0}`, "\n")},
		{"session, pretty with CR LF", aimbrain.EndpointSessions, pretty(t, `{"userId":"x","device":"d","system":"s"}`, "\r\n")},

		{"web events", aimbrain.EndpointBehaviour, `{"session":"SESSION","mouseEvents":[{"t":1000,"docx":1.5,"docy":2,"elx":1,"ely":-0.5,"type":2,"no":3,"ids":["a"]},{"t":1010,"docx":2,"docy":2,"elx":1,"ely":1,"type":1,"btn":0,"ids":[]}],"keyUpDownEvents":[{"t":1000,"key":"a","dir":1,"ids":["b"]}]}`},
		{"web events, none", aimbrain.EndpointBehaviour, `{"session":"SESSION","mouseEvents":[],"keyUpDownEvents":[]}`},
		{"iOS events", aimbrain.EndpointBehaviour, slashed(`{"session":"SESSION",` + touches + `,` + motion + `,` + text + `}`)},
		{"Android events, session last", aimbrain.EndpointBehaviour, slashed(`{` + touches + `,` + motion + `,` + text + `,"session":"SESSION"}`)},
		{"Android events, none", aimbrain.EndpointBehaviour, `{"touches":[],"accelerations":[],"textEvents":[],"session":"SESSION"}`},
		{"events with metadata", aimbrain.EndpointBehaviour, `{"metadata":"eA==",` + touches + `,"session":"SESSION"}`},
		{"events with all non-ASCII escaped", aimbrain.EndpointBehaviour, ascii(`{` + text + `,"session":"SESSION"}`)},
		{"events with half an emoji", aimbrain.EndpointBehaviour, `{"textEvents":[{"t":1,"tx":"hi \ud83d","ids":[]}],"session":"SESSION"}`},
		{"submitted events", aimbrain.EndpointBehaviourSubmit, pretty(t, `{`+touches+`,"session":"SESSION"}`, "\r\n")},
		{"submitted events, none", aimbrain.EndpointBehaviourSubmit, `{"session":"SESSION","touches":[],"accelerations":[],"textEvents":[]}`},

		{"score", aimbrain.EndpointScore, `{"session":"SESSION"}`},
		{"score with metadata", aimbrain.EndpointScore, `{"session":"SESSION","metadata":"eA=="}`},
		{"face token", aimbrain.EndpointFaceToken, `{"tokentype":"auth","session":"SESSION","metadata":"eA=="}`},
		{"voice token enroll-1", aimbrain.EndpointVoiceToken, `{"session":"SESSION","tokentype":"enroll-1"}`},
		{"voice token enroll-6", aimbrain.EndpointVoiceToken, `{"session":"SESSION","tokentype":"enroll-6"}`},

		{"face enrolment, web", aimbrain.EndpointFaceEnroll, `{"session":"SESSION","faces":` + list(face, face) + `}`},
		{"face enrolment, iOS", aimbrain.EndpointFaceEnroll, slashed(`{"faces":` + list(face) + `,"session":"SESSION"}`)},
		{"face authentication, Gson", aimbrain.EndpointFaceAuth, gson(`{"faces":` + list(face) + `,"session":"SESSION"}`)},
		{"face authentication, slashes and Gson", aimbrain.EndpointFaceAuth, gson(slashed(`{"session":"SESSION","metadata":"eA==","faces":` + list(face) + `}`))},
		{"face authentication, a video", aimbrain.EndpointFaceAuth, slashed(`{"session":"SESSION","faces":` + list(aimbraintest.FaceVideo("ada")) + `}`)},
		{"face authentication, pretty with CR LF", aimbrain.EndpointFaceAuth, pretty(t, `{"session":"SESSION","faces":`+list(face)+`}`, "\r\n")},
		{"comparison, iOS", aimbrain.EndpointFaceCompare, slashed(`{"faces1":` + list(face) + `,"faces2":` + list(other) + `}`)},
		{"comparison with a session, Android", aimbrain.EndpointFaceCompare, slashed(`{"faces1":` + list(face) + `,"faces2":` + list(other) + `,"session":"SESSION"}`)},

		{"voice enrolment, WAV at 44.1 kHz", aimbrain.EndpointVoiceEnroll, `{"session":"SESSION","voices":` + list(browserWAV(44_100)) + `}`},
		{"voice enrolment, WAV at 48 kHz", aimbrain.EndpointVoiceEnroll, `{"session":"SESSION","voices":` + list(browserWAV(48_000)) + `}`},
		{"voice authentication, WAV at 44.1 kHz", aimbrain.EndpointVoiceAuth, `{"session":"SESSION","voices":` + list(browserWAV(44_100)) + `}`},
		{"voice authentication, WAV at 48 kHz", aimbrain.EndpointVoiceAuth, `{"session":"SESSION","voices":` + list(browserWAV(48_000)) + `}`},
		{"voice authentication, Android", aimbrain.EndpointVoiceAuth, slashed(`{"voices":` + list(voice) + `,"session":"SESSION"}`)},
		{"voice authentication, iOS", aimbrain.EndpointVoiceAuth, slashed(`{"session":"SESSION","voices":` + list(caf) + `}`)},
	}
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := newSession(t, client, "u").ID
	_, err := client.Voice.Token(t.Context(), id, aimbrain.TokenAuth)
	require.NoError(t, err)
	for _, row := range endpoints.All() { // also those of which no vendor's body is known
		require.Contains(t, aimbraintest.HandlerPaths(), row.Path, "%s has no handler: %s", row.Path, addHandler)
		body := gson(slashed(string(bodyOf(t, membersOf(t, row, "SESSION")))))
		rows = append(rows, struct{ name, endpoint, body string }{row.Path + ", slashes and Gson", row.Path, body})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			member, value := "session", id
			if row.endpoint == aimbrain.EndpointSessions {
				member, value = "userId", "u"
			}
			body, err := aimbrain.SetMember([]byte(row.body), member, value)
			require.NoError(t, err, "by SetMember")
			response, err := client.Forward(t.Context(), row.endpoint, body)
			require.NoError(t, err, "by Forward")
			assert.Equal(t, http.StatusOK, response.StatusCode)
			if row.endpoint == aimbrain.EndpointSessions {
				_, err = aimbrain.Decode[aimbrain.Session](response)
				require.NoError(t, err)
			}
			if strings.Contains(row.body, `"metadata"`) && row.endpoint != aimbrain.EndpointScore {
				assert.Equal(t, "x", string(response.Metadata))
			}

			direct := strings.ReplaceAll(strings.ReplaceAll(row.body, "SESSION", id), `"userId":""`, `"userId":"u"`)
			got := post(t, fake, row.endpoint, direct)
			assert.Equal(t, http.StatusOK, got.status, got.body)

			if !strings.Contains(direct, `"metadata"`) {
				got = post(t, fake, row.endpoint, strings.Replace(direct, "{", `{"metadata":"eA==",`, 1))
				assert.Equal(t, http.StatusOK, got.status, "with metadata: %s", got.body)
			}
		})
	}
}

func TestFake_RefusesTheNosessionVariants(t *testing.T) {
	t.Parallel()
	prefixed := aimbraintest.New(t, aimbraintest.WithPathPrefix("/bio"))
	fake := aimbraintest.New(t)
	for _, row := range []struct {
		name, path string
		fake       *aimbraintest.Fake
	}{
		{"face enrolment", "/v1/face/enroll/nosession", fake},
		{"face authentication", "/v1/face/auth/nosession", fake},
		{"in another case", "/v1/Face/Auth/NoSession", fake},
		{"elsewhere in the path", "/v1/face/nosession/auth", fake},
		{"behind a prefix", "/bio/v1/face/auth/nosession", prefixed},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			response := post(t, row.fake, row.path, `{"faces":[]}`)
			assert.Equal(t, http.StatusNotFound, response.status)
			for _, want := range []string{"nosession", "observed in the vendor's iOS client", "undocumented", "not supported here"} {
				assert.Contains(t, response.body, want)
			}
		})
	}
	assert.NotContains(t, post(t, fake, "/v1/face/nosessions", `{}`).body, "undocumented")
}

func TestFake_RefusesAByteOrderMark(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	response := post(t, fake, "/v1/sessions", "\ufeff"+sessionBody)
	assert.Equal(t, http.StatusBadRequest, response.status)
	assert.Equal(t, int(aimbrain.CodeUndecodableRequest), response.code(t))
	assert.Contains(t, response.body, "byte order mark")
	assert.Contains(t, response.body, "without it")
}

func TestFake_RefusesALoneSurrogateInAMemberThatIsRead(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	for _, row := range []struct{ name, body, want string }{
		{"in the user id", `{"userId":"u\ud83d","device":"d","system":"s"}`, `\"userId\" is not a string`},
		{"in a name", `{"userId":"u","device":"d","system":"s","a\ud83d":1}`, "lone surrogate"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			response := post(t, fake, "/v1/sessions", row.body)
			assert.Equal(t, http.StatusBadRequest, response.status)
			assert.Contains(t, response.body, row.want)
		})
	}
}

func TestFake_RefusesOtherMethodsAndPaths(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		r := request(t, fake, "/v1/sessions", sessionBody)
		r.Method = method
		response := do(t, fake, r)
		assert.Equal(t, http.StatusMethodNotAllowed, response.status)
		assert.Equal(t, "POST, OPTIONS", response.header.Get("Allow"))
		assert.Zero(t, response.code(t))
	}
	for _, path := range []string{"/", "/v1/", "/v1/sessions/", "/v2/sessions", "/v1/face", "/v1/sessionsx"} {
		response := post(t, fake, path, sessionBody)
		assert.Equal(t, http.StatusNotFound, response.status, path)
		assert.Contains(t, response.body, "/v1/face/auth", "the text lists the endpoints")
	}
}

func TestFake_RefusesARequestOf2MB(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	body := func(n int) string {
		start, end := `{"userId":"u","device":"d","system":"`, `"}`
		return start + strings.Repeat("s", n-len(start)-len(end)) + end
	}
	assert.Equal(t, http.StatusOK, post(t, fake, "/v1/sessions", body(1_999_999)).status)
	for _, n := range []int{2_000_000, 2_000_001, 5_000_000} {
		response := post(t, fake, "/v1/sessions", body(n))
		assert.Equal(t, http.StatusUnprocessableEntity, response.status)
		assert.Equal(t, int(aimbrain.CodeFileTooBig), response.code(t))
	}
	assert.Len(t, fake.Requests()[3].Body, 2_000_000, "a body is kept up to the limit")
}

func TestFake_RefusesMissingAndInvalidMembers(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	id := newSession(t, fake.Client(), "u").ID
	rows := []struct {
		endpoint, body string
		status, code   int
		want           string
	}{
		{"/v1/sessions", ``, 400, 106, "not a strict JSON object"},
		{"/v1/sessions", `{`, 400, 106, "byte 1"},
		{"/v1/sessions", `[]`, 400, 106, "not an object"},
		{"/v1/sessions", `{"userId":"a","userId":"b","device":"d","system":"s"}`, 400, 106, "duplicate"},
		{"/v1/sessions", `{"userId":"a","user\u0049d":"b","device":"d","system":"s"}`, 400, 106, "duplicate"},
		{"/v1/sessions", `{"device":"d","system":"s"}`, 400, 0, `\"userId\" is missing`},
		{"/v1/sessions", `{"userid":"u","device":"d","system":"s"}`, 400, 0, "with this case"},
		{"/v1/sessions", `{"userId":null,"device":"d","system":"s"}`, 400, 0, `\"userId\" is null`},
		{"/v1/sessions", `{"userId":"","device":"d","system":"s"}`, 400, 0, `\"userId\" is empty`},
		{"/v1/sessions", `{"userId":7,"device":"d","system":"s"}`, 400, 0, `\"userId\" is not a string`},
		{"/v1/sessions", `{"userId":"u","system":"s"}`, 400, 0, `\"device\" is missing`},
		{"/v1/sessions", `{"userId":"u","device":"d"}`, 400, 0, `\"system\" is missing`},
		{"/v1/sessions", `{"userId":"u","device":"d","system":"s","screenWidth":"320"}`, 400, 0, `\"screenWidth\" is not a number`},
		{"/v1/sessions", `{"userId":"u","device":"d","system":"s","screenHeight":-1}`, 400, 0, `\"screenHeight\" is not a number`},
		{"/v1/sessions", `{"userId":"u","device":"d","system":"s","screenHeight":null,"more":[{}]}`, 200, 0, `"session"`},
		{"/v1/score", `{}`, 400, 0, `\"session\" is missing`},
		{"/v1/score", `{"session":"x"}`, 403, 0, "no such session"},
		{"/v1/face/token", `{"session":"ID"}`, 400, 0, `\"tokentype\" is missing`},
		{"/v1/face/token", `{"session":"ID","tokentype":"enroll-7"}`, 400, 0, "enroll-1 to enroll-6"},
		{"/v1/face/token", `{"session":"ID","tokentype":"enroll-06"}`, 400, 0, "enroll-1 to enroll-6"},
		{"/v1/voice/token", `{"session":"ID","tokentype":"Auth"}`, 400, 0, "enroll-1 to enroll-6"},
		{"/v1/voice/token", `{"session":"ID","tokentype":"enroll-6"}`, 200, 0, `"token"`},
		{"/v1/face/enroll", `{"session":"ID"}`, 400, 150, `\"faces\" is missing`},
		{"/v1/face/enroll", `{"session":"ID","faces":null}`, 400, 150, `\"faces\" is missing`},
		{"/v1/face/enroll", `{"session":"ID","faces":[]}`, 400, 150, `\"faces\" is empty`},
		{"/v1/face/enroll", `{"session":"ID","faces":"x"}`, 400, 0, `\"faces\" is not an array`},
		{"/v1/face/enroll", `{"session":"ID","faces":[7]}`, 400, 0, `\"faces[0]\" is not a string`},
		{"/v1/face/auth", `{"session":"ID","faces":[]}`, 400, 150, `\"faces\" is empty`},
		{"/v1/voice/enroll", `{"session":"ID","voices":[]}`, 400, 151, `\"voices\" is empty`},
		{"/v1/voice/auth", `{"session":"ID"}`, 400, 151, `\"voices\" is missing`},
		{"/v1/face/compare", `{}`, 400, 150, `\"faces1\" is missing`},
		{"/v1/face/enroll", `{"faces":[]}`, 400, 0, `\"session\" is missing`},
		{"/v1/behavioural", `{"session":"ID"}`, 400, 0, "no events"},
		{"/v1/behavioural", `{"session":"ID","touches":{}}`, 400, 0, `\"touches\" is not an array`},
		{"/v1/behavioural", `{"session":"ID","touches":[null]}`, 400, 0, `\"touches\" is not an array`},
		{"/v1/behavioural/submit", `{"session":"ID","touches":[{"t":"x"}]}`, 400, 0, `\"touches\" is not an array`},
		{"/v1/behavioural/submit", `{"session":"ID","metadata":[]}`, 400, 0, "no events"},
		{"/v1/behavioural/submit", `{"session":"ID","gyroscope":[]}`, 200, 0, "{}"},
	}
	for _, row := range rows {
		t.Run(row.endpoint+" "+row.body, func(t *testing.T) {
			t.Parallel()
			response := post(t, fake, row.endpoint, strings.ReplaceAll(row.body, "ID", id))
			assert.Equal(t, row.status, response.status, response.body)
			assert.Contains(t, response.body, row.want)
			if row.status != http.StatusOK {
				assert.Equal(t, row.code, response.code(t))
			}
		})
	}
}

func TestFake_ReturnsMetadata(t *testing.T) {
	t.Parallel()
	fake := aimbraintest.New(t)
	fake.Enroll("u", "ada")
	client := fake.Client()
	id := newSession(t, client, "u").ID
	events := aimbraintest.Behaviour("ada", 3)
	with := aimbrain.WithMetadata([]byte("ticket 17"))
	s, err := client.Sessions.Create(t.Context(), sessionRequest("u"), with)
	require.NoError(t, err)
	assert.Equal(t, "ticket 17", string(s.Response.Metadata))
	behaviour, err := client.Behaviour.Auth(t.Context(), id, events, with)
	require.NoError(t, err)
	assert.Equal(t, "ticket 17", string(behaviour.Response.Metadata))
	submitted, err := client.Behaviour.Submit(t.Context(), id, events, with)
	require.NoError(t, err)
	assert.Equal(t, "ticket 17", string(submitted.Response.Metadata))
	scores, err := client.Score.Get(t.Context(), id, with)
	require.NoError(t, err)
	assert.Nil(t, scores.Response.Metadata)
	assert.Equal(t, []aimbrain.ScoreMetadata{{Name: "simulated", Value: "true"}}, scores.Metadata)

	for _, other := range []string{`"not base64"`, `7`, `null`, `["eA=="]`} {
		body := fmt.Sprintf(`{"userId":"u","device":"d","system":"s","metadata":%s}`, other)
		response := post(t, fake, "/v1/sessions", body)
		assert.Equal(t, http.StatusOK, response.status)
		assert.NotContains(t, response.body, "metadata")
	}
}
