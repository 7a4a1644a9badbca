package aimbraintest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// FuzzFakeRequest sends any body to any endpoint, with a valid signature. The
// word SESSION in the body is replaced by a session of an enrolled user.
func FuzzFakeRequest(f *testing.F) {
	rows := endpoints.All()
	for i, row := range rows {
		f.Add(i, string(bodyOf(f, membersOf(f, row, "SESSION"))), "")
		f.Add(i, `{"session":"SESSION","metadata":"eA==","mouseEvents":[],"textEvents":[{"t":1}],"touches":[{"t":1,"r":2,"f":3,"tid":1},{"t":2}]}`, "/bio")
		f.Add(i, `{"session":"SESSION","faces":[""],"faces1":[""],"faces2":[7],"voices":["Y2FmZgABAAA="]}`, "")
	}
	f.Add(len(rows), `{`, "/v1/")
	fake, err := aimbraintest.Start(aimbraintest.WithBehaviourCalls(1))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(fake.Close)
	fake.Enroll("u", "ada")
	session := newSession(f, fake.Client(), "u").ID
	f.Fuzz(func(t *testing.T, which int, body, prefix string) {
		paths := append(aimbrain.Endpoints(), "/v1/else")
		endpoint := paths[uint(which)%uint(len(paths))]
		r := request(t, fake, endpoint, strings.ReplaceAll(body, "SESSION", session))
		r.URL.Path = prefix + endpoint
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		response := w.Body.Bytes()
		switch {
		case w.Code == http.StatusOK:
			if _, err := strictjson.Object(nil, response); err != nil {
				t.Fatalf("200 with %q: %v", response, err)
			}
		default:
			var form struct {
				Error  string            `json:"error"`
				Errors []json.RawMessage `json:"errors"`
			}
			if err := json.Unmarshal(response, &form); err != nil || form.Error == "" || form.Errors == nil {
				t.Fatalf("HTTP %d with %q: %v", w.Code, response, err)
			}
		}
	})
}

// FuzzWrongSignature sends any body with a wrong signature.
func FuzzWrongSignature(f *testing.F) {
	f.Add(sessionBody)
	f.Add(`{  "a": [1,  {  }, "\"]"  ]}`)
	f.Add("}]\"\\")
	f.Add("é世\xff")
	fake, err := aimbraintest.Start()
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(fake.Close)
	f.Fuzz(func(t *testing.T, body string) {
		r := request(t, fake, "/v1/score", body)
		r.Header.Set("X-aimbrain-signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
		w := httptest.NewRecorder()
		fake.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "none of the common mistakes") {
			t.Fatalf("HTTP %d with %q", w.Code, w.Body)
		}
	})
}
