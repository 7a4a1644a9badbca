package strictjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"testing"
)

// faceRequest is a request with one picture of 500 kB, which is 667 kB as base64.
func faceRequest() []byte {
	picture := make([]byte, 500_000)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range picture {
		picture[i] = byte(rng.Uint32())
	}
	return []byte(`{"session":"0d4f8a52-9f0c-4c2b-8f5e-6d2a4b1f7c33","faces":["` +
		base64.StdEncoding.EncodeToString(picture) + `"]}`)
}

const scoreResponse = `{"session": "0d4f8a52-9f0c-4c2b-8f5e-6d2a4b1f7c33", "score": 0.9731, "liveliness": 1.0,
 "status": 1, "metadata": {"device": "a", "app": null}, "faces": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}`

func benchObject(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var buf [8]Member
	for b.Loop() {
		members, err := Object(buf[:0], data)
		if err != nil || len(members) == 0 {
			b.Fatal(err)
		}
	}
}

func benchUnmarshal(b *testing.B, data []byte) {
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(data, &members); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkObject667kB(b *testing.B)    { benchObject(b, faceRequest()) }
func BenchmarkUnmarshal667kB(b *testing.B) { benchUnmarshal(b, faceRequest()) }
func BenchmarkObjectSmall(b *testing.B)    { benchObject(b, []byte(scoreResponse)) }
func BenchmarkUnmarshalSmall(b *testing.B) { benchUnmarshal(b, []byte(scoreResponse)) }

// The most expensive input of 2 MB: see the tests of hostile input.
func BenchmarkObjectManyNames(b *testing.B) { benchObject(b, manyNames(100_000)) }

func BenchmarkObjectNonASCII(b *testing.B) {
	benchObject(b, []byte(`{"a":"`+string(bytes.Repeat([]byte("é世界"), 80_000))+`"}`))
}

// All slashes are escaped, as apps write them.
func BenchmarkObject667kBEscaped(b *testing.B) {
	benchObject(b, bytes.ReplaceAll(faceRequest(), []byte("/"), []byte(`\/`)))
}
