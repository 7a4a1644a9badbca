package relay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"hash/crc32"
	"iter"
	"slices"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/base64"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A route is an endpoint that apps may call.
type route struct {
	endpoint string
	module   aimbrain.Module
	kind     routeKind
	media    string   // the member with the media
	known    []string // the other members
}

type routeKind int

const (
	toSession routeKind = iota + 1
	toToken
	toEnrol
	toAuth
	toBehaviour
	toSubmit
)

// routes returns the endpoints that apps may call. /v1/score and /v1/face/compare are
// not among them: a score is for the bank alone.
func routes() map[string]route {
	table := []route{
		{endpoint: aimbrain.EndpointSessions, kind: toSession, known: []string{"userId", "device", "system", "screenHeight", "screenWidth"}},
		{endpoint: aimbrain.EndpointFaceToken, kind: toToken, module: aimbrain.ModuleFace, known: []string{"session", "tokentype"}},
		{endpoint: aimbrain.EndpointFaceEnroll, kind: toEnrol, module: aimbrain.ModuleFace, media: "faces", known: []string{"session"}},
		{endpoint: aimbrain.EndpointFaceAuth, kind: toAuth, module: aimbrain.ModuleFace, media: "faces", known: []string{"session"}},
		{endpoint: aimbrain.EndpointVoiceToken, kind: toToken, module: aimbrain.ModuleVoice, known: []string{"session", "tokentype"}},
		{endpoint: aimbrain.EndpointVoiceEnroll, kind: toEnrol, module: aimbrain.ModuleVoice, media: "voices", known: []string{"session"}},
		{endpoint: aimbrain.EndpointVoiceAuth, kind: toAuth, module: aimbrain.ModuleVoice, media: "voices", known: []string{"session"}},
		{endpoint: aimbrain.EndpointBehaviour, kind: toBehaviour, module: aimbrain.ModuleBehaviour, known: []string{"session"}},
		{endpoint: aimbrain.EndpointBehaviourSubmit, kind: toSubmit, module: aimbrain.ModuleBehaviour, known: []string{"session"}},
	}
	all := map[string]route{}
	for _, r := range table {
		all[r.endpoint] = r
	}
	return all
}

// contents is what a request holds that the relay looks at. Media are parts of the
// body.
type contents struct {
	media     [][]byte
	tokenType string
}

// read reads the members of a request, which is strict JSON. It returns what is wrong
// with one, in words without its content.
func (rt route) read(members iter.Seq2[string, []byte]) (contents, string) {
	var c contents
	found := false
	for name, value := range members {
		problem := ""
		switch {
		case name == "metadata":
			problem = oneString(value)
		case name == rt.media && rt.media != "":
			found = true
			c.media, problem = mediaOf(value)
		case name == "tokentype" && rt.kind == toToken:
			found = true
			c.tokenType, problem = tokenType(value)
		case slices.Contains(rt.known, name):
		case (rt.kind == toBehaviour || rt.kind == toSubmit) && value[0] == '[':
		default:
			return contents{}, "the request has a member that is not known"
		}
		if problem != "" {
			return contents{}, problem
		}
	}
	switch {
	case rt.media != "" && !found:
		return contents{}, "the request has no media"
	case rt.kind == toToken && !found:
		return contents{}, "the request has no tokentype"
	case rt.kind == toAuth && len(c.media) != 1:
		return contents{}, "an authentication has exactly one photo, video or recording"
	case rt.kind == toEnrol && (len(c.media) == 0 || len(c.media) > maxSamples):
		return contents{}, "an enrolment request has one to five photos, videos or recordings"
	}
	return c, ""
}

func oneString(value []byte) string {
	if value[0] != '"' {
		return "the metadata is not a string"
	}
	return ""
}

// tokenType reads the type of a token. The set is not closed.
func tokenType(value []byte) (string, string) {
	text, err := strictjson.String(value)
	odd := func(c byte) bool { return c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') }
	if err != nil || text == "" || len(text) > 32 || slices.ContainsFunc([]byte(text), odd) {
		return "", "the tokentype is invalid"
	}
	return text, ""
}

// mediaOf splits an array of strings that is valid JSON. It looks for quotes: there are
// none within base64.
func mediaOf(value []byte) ([][]byte, string) {
	const invalid = "the media is not an array of base64 strings"
	if value[0] != '[' {
		return nil, invalid
	}
	var media [][]byte
	for rest := value[1:]; ; {
		begin := bytes.IndexByte(rest, '"')
		between := rest
		if begin >= 0 {
			between = rest[:begin]
		}
		between = bytes.Trim(between, " \t\r\n")
		if begin < 0 {
			if string(between) != "]" || len(rest) == 0 {
				return nil, invalid
			}
			return media, ""
		}
		if want := len(media) > 0; want && string(between) != "," || !want && len(between) != 0 {
			return nil, invalid
		}
		rest = rest[begin+1:]
		end := bytes.IndexByte(rest, '"')
		if end < 0 {
			return nil, invalid
		}
		media, rest = append(media, rest[:end]), rest[end+1:]
	}
}

// plainMedia returns the base64 of a medium without JSON's escapes, as iOS writes "\/".
// It is part of the body, or of buf if there are escapes. The problem says what is not
// base64.
func plainMedia(medium, buf []byte) (text, grown []byte, problem string) {
	if bytes.IndexByte(medium, '\\') >= 0 {
		buf = append(append(append(buf[:0], '"'), medium...), '"')
		n, ok := unescape(buf)
		if !ok {
			return nil, buf, "the media has line breaks or is not base64: encode it without wrapping"
		}
		medium = buf[1:n]
	}
	if len(medium) == 0 || !base64.Valid(medium) {
		return nil, buf, "the media is not base64 with padding and without line breaks"
	}
	return medium, buf, ""
}

// unescape removes JSON's escapes of the characters of base64 in place, between the
// quotes, and returns where the text ends.
func unescape(quoted []byte) (int, bool) {
	to := 1
	inner := quoted[1 : len(quoted)-1]
	for len(inner) > 0 {
		i := bytes.IndexByte(inner, '\\')
		if i < 0 {
			i = len(inner)
		}
		to += copy(quoted[to:], inner[:i])
		if inner = inner[i:]; len(inner) == 0 {
			break
		}
		switch {
		case len(inner) >= 2 && inner[1] == '/':
			quoted[to], inner = '/', inner[2:]
		case len(inner) >= 6 && inner[1] == 'u' && inner[2] == '0' && inner[3] == '0':
			high, low := hexDigit(inner[4]), hexDigit(inner[5])
			if high < 0 || low < 0 {
				return 0, false
			}
			quoted[to], inner = byte(high<<4|low), inner[6:]
		default:
			return 0, false
		}
		to++
	}
	return to, true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

const (
	sampledBlocks = 16
	sampledSize   = 1 << 10
)

// captureHash returns a keyed hash of a medium in base64. It is over the length, a
// checksum of the whole, and blocks at places that only the key gives: a copy is found
// in a fraction of the time of a hash of the whole. It is not the identity of a file:
// somebody who changes a capture gets another hash, and the API judges it again.
func (r ring) captureHash(text []byte) hash {
	mac := hmac.New(sha256.New, r.lookup)
	var seed [sha256.Size]byte
	var size [8]byte
	mac.Write([]byte("capture places"))
	binary.BigEndian.PutUint64(size[:], uint64(len(text)))
	mac.Write(size[:])
	mac.Sum(seed[:0])
	mac.Reset()
	mac.Write([]byte("capture"))
	mac.Write(size[:])
	binary.BigEndian.PutUint64(size[:], uint64(crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli))))
	mac.Write(size[:])
	if len(text) <= sampledBlocks*sampledSize {
		mac.Write(text)
		return hash(mac.Sum(nil))
	}
	for i := range sampledBlocks {
		place := int(uint64(binary.BigEndian.Uint16(seed[2*i:])) * uint64(len(text)-sampledSize) >> 16)
		mac.Write(text[place : place+sampledSize])
	}
	return hash(mac.Sum(nil))
}
