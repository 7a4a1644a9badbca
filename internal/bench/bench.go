// Package bench compares the cost of a call with the floor that the standard
// library's own primitives set on the same bytes, and with plain implementations
// of the same work. The results are ratios within one run, as absolute times depend
// on the machine.
//
//	go test -bench . ./internal/bench     all measurements
//	go run ./internal/bench/ratios        the ratios as a table, medians of 10
package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"hash"
	"io"
	"math/rand/v2"
	"net/http"
	"runtime"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

const (
	key     = "bench-key"
	secret  = "bench-secret-of-usual-length-0123456789"
	session = "4f1c2a9e-0f7b-4f6e-9d1c-session"
)

// An Op does one piece of work once.
type Op func() error

// Photo returns n bytes that look compressed.
func Photo(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n))) //nolint:gosec // noise, the same in each run
	photo := make([]byte, n)
	for i := range photo {
		photo[i] = byte(r.Uint32())
	}
	return photo
}

// fixedResponse is a transport that responds at once and reads nothing: the cost of a
// call is then that of the library and of http.Client.
type fixedResponse string

func (f fixedResponse) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, ProtoMajor: 1, Header: http.Header{}, Request: r,
		ContentLength: int64(len(f)), Body: io.NopCloser(strings.NewReader(string(f))),
	}, nil
}

// Prepare is a whole enrolment without the network: it encodes, signs and decodes.
func Prepare(photos ...[]byte) Op {
	client, err := aimbrain.New(key, secret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithHTTPClient(&http.Client{Transport: fixedResponse(`{"imagesCount":1}`)}))
	media := aimbrain.Photos(photos...)
	return func() error {
		if err != nil {
			return err
		}
		_, err := client.Face.Enroll(context.Background(), session, media)
		return err
	}
}

// Floor encodes and hashes the same bytes into an existing buffer, and does
// nothing else.
func Floor(photos ...[]byte) Op {
	buf := make([]byte, 0, requestSize(photos...))
	mac := hmac.New(sha256.New, []byte(secret))
	var sum [sha256.Size]byte
	return func() error {
		mac.Reset()
		mac.Write(appendRequest(buf, photos...))
		mac.Sum(sum[:0])
		return nil
	}
}

// PlainStrings is the usual implementation: base64 strings, json.Marshal, and a
// message that is concatenated to be signed.
func PlainStrings(photos ...[]byte) Op {
	return func() error {
		faces := make([]string, 0, len(photos))
		for _, photo := range photos {
			faces = append(faces, base64.StdEncoding.EncodeToString(photo))
		}
		body, err := json.Marshal(map[string]any{"session": session, "faces": faces})
		if err != nil {
			return err
		}
		message := strings.Join([]string{"POST", "/v1/face/enroll", string(body)}, "\n")
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(message))
		_ = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		return nil
	}
}

// PlainBytes leaves the base64 to json.Marshal.
func PlainBytes(photos ...[]byte) Op {
	return func() error {
		body, err := json.Marshal(struct {
			Session string   `json:"session"`
			Faces   [][]byte `json:"faces"`
		}{session, photos})
		if err != nil {
			return err
		}
		signPlain(hmac.New(sha256.New, []byte(secret)), body)
		return nil
	}
}

// PlainBuffer encodes once into a new buffer of the final size.
func PlainBuffer(photos ...[]byte) Op {
	return func() error {
		body := appendRequest(make([]byte, 0, requestSize(photos...)), photos...)
		signPlain(hmac.New(sha256.New, []byte(secret)), body)
		return nil
	}
}

func signPlain(mac hash.Hash, body []byte) {
	io.WriteString(mac, "POST\n/v1/face/enroll\n") //nolint:errcheck // a hash.Hash never returns an error
	mac.Write(body)
	_ = base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Request is a serialised enrolment of one photo.
func Request(photo []byte) []byte {
	return appendRequest(nil, photo)
}

// requestSize returns the capacity that appendRequest needs.
func requestSize(photos ...[]byte) int {
	size := 64
	for _, photo := range photos {
		size += base64.StdEncoding.EncodedLen(len(photo)) + 64
	}
	return size
}

func appendRequest(body []byte, photos ...[]byte) []byte {
	body = append(body, `{"session":"`+session+`","faces":["`...)
	for i, photo := range photos {
		if i > 0 {
			body = append(body, `","`...)
		}
		body = base64.StdEncoding.AppendEncode(body, photo)
	}
	return append(body, `"]}`...)
}

// Scan finds the members of a request and validates all of it.
func Scan(request []byte) Op {
	var space [8]strictjson.Member
	return func() error {
		_, err := strictjson.Object(space[:0], request)
		return err
	}
}

// ScanPlain does the same with encoding/json, as far as it can.
func ScanPlain(request []byte) Op {
	return func() error {
		var members map[string]json.RawMessage
		return json.Unmarshal(request, &members)
	}
}

// Forward signs a serialised request, without the network.
func Forward(request []byte) Op {
	client, err := aimbrain.New(key, secret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithHTTPClient(&http.Client{Transport: fixedResponse(`{"imagesCount":1}`)}))
	return func() error {
		if err != nil {
			return err
		}
		_, err := client.Forward(context.Background(), aimbrain.EndpointFaceEnroll, request)
		return err
	}
}

// ForwardFloor hashes the request, and does nothing else.
func ForwardFloor(request []byte) Op {
	mac := hmac.New(sha256.New, []byte(secret))
	var sum [sha256.Size]byte
	return func() error {
		mac.Reset()
		mac.Write(request)
		mac.Sum(sum[:0])
		return nil
	}
}

// SetMember sets the session of a request that an app has serialised. It reads the
// request once and copies it once, see [SetMemberFloor].
func SetMember(request []byte) Op {
	return func() error {
		_, err := aimbrain.SetMember(request, "session", session)
		return err
	}
}

// SetAndForward sets the session of a request and signs it, without the network.
func SetAndForward(request []byte) Op {
	client, err := aimbrain.New(key, secret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithHTTPClient(&http.Client{Transport: fixedResponse(`{"imagesCount":1}`)}))
	return func() error {
		if err != nil {
			return err
		}
		changed, err := aimbrain.SetMember(request, "session", session)
		if err != nil {
			return err
		}
		_, err = client.Forward(context.Background(), aimbrain.EndpointFaceEnroll, changed)
		return err
	}
}

// EscapeSlashes writes each slash of a request as apps do.
func EscapeSlashes(request []byte) []byte {
	return bytes.ReplaceAll(request, []byte("/"), []byte(`\/`))
}

// SetMemberFloor is one pass of the reader and one copy.
func SetMemberFloor(request []byte) Op {
	scan := Scan(request)
	return func() error {
		runtime.KeepAlive(bytes.Clone(request))
		return scan()
	}
}

// Decode reads a response as strictly as a call does.
func Decode() Op {
	response := aimbrain.Response{StatusCode: http.StatusOK, Body: []byte(`{"score": 0.9731, "liveliness": 0.25, "metadata": "dHJhY2UtNDI="}`)}
	return func() error {
		_, err := aimbrain.Decode[aimbrain.FaceAuthResult](response)
		return err
	}
}

// DecodePlain reads a response with encoding/json.
func DecodePlain() Op {
	body := []byte(`{"score": 0.9731, "liveliness": 0.25, "metadata": "dHJhY2UtNDI="}`)
	return func() error {
		var result struct {
			Score      *float64 `json:"score"`
			Liveliness *float64 `json:"liveliness"`
			Metadata   []byte   `json:"metadata"`
		}
		return json.Unmarshal(body, &result)
	}
}

// PrepareEncoded is Prepare for a photo that is base64 already.
func PrepareEncoded(photo []byte) Op {
	client, err := aimbrain.New(key, secret, aimbrain.WithRegion(aimbrain.Development), aimbrain.WithHTTPClient(&http.Client{Transport: fixedResponse(`{"imagesCount":1}`)}))
	media := aimbrain.Base64(base64.StdEncoding.EncodeToString(photo))
	return func() error {
		if err != nil {
			return err
		}
		_, err := client.Face.Enroll(context.Background(), session, media)
		return err
	}
}
