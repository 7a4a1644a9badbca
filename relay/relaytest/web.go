package relaytest

import (
	"net/http"
	"net/url"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// webAttacks are about browsers, methods and paths.
func webAttacks() []attack {
	origin := func(headers map[string]string) func(*attacker) {
		return func(a *attacker) {
			session := a.session(Ada)
			for _, c := range a.withSession(Ada, session) {
				c.edit = func(r *http.Request) {
					for name, value := range headers {
						r.Header.Set(name, value)
					}
				}
				a.stops(c.endpoint, c)
			}
		}
	}
	const foreign = "a request from another origin must be refused"
	return []attack{
		{"Origin_CrossSite", foreign, origin(map[string]string{"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})},
		{"Origin_SameSite", foreign, origin(map[string]string{"Origin": "https://other.example.com", "Sec-Fetch-Site": "same-site"})},
		{"Origin_Null", foreign, origin(map[string]string{"Origin": "null"})},
		{"Origin_WithoutFetchMetadata", foreign, origin(map[string]string{"Origin": "https://evil.example"})},
		{"Origin_SimpleRequest", "a form or text must not be processed: a browser sends it without asking", func(a *attacker) {
			session := a.session(Ada)
			for _, kind := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "", "text/plain, application/json", "application/json-seq"} {
				c := a.faceCall(Ada, session, string(Ada))
				c.edit = func(r *http.Request) { r.Header.Set("Content-Type", kind) }
				a.stops(kind, c)
			}
			c := a.faceCall(Ada, session, string(Ada))
			c.edit = func(r *http.Request) { r.Header.Del("Content-Type") }
			a.stops("no type", c)
		}},
		{"Origin_Preflight", "the preflight of another origin must not be allowed", func(a *attacker) {
			r := a.request(call{who: Ada, endpoint: aimbrain.EndpointFaceAuth})
			r.Method = http.MethodOptions
			r.Header.Set("Origin", "https://evil.example")
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
			if got := a.do(r); got.header.Get("Access-Control-Allow-Origin") != "" {
				a.problem("it is allowed for %q", got.header.Get("Access-Control-Allow-Origin"))
			}
		}},
		{"Origin_NotReadable", "a page of another origin must not read a response", func(a *attacker) {
			c := a.faceCall(Ada, a.session(Ada), string(Ada))
			c.edit = func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }
			if got := a.send(c); got.header.Get("Access-Control-Allow-Origin") != "" {
				a.problem("it is allowed for %q", got.header.Get("Access-Control-Allow-Origin"))
			}
		}},
		{"Method_NotPost", "any method but POST must be refused", func(a *attacker) {
			session := a.session(Ada)
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodTrace, "post", "BREW"} {
				r := a.request(a.faceCall(Ada, session, string(Ada)))
				r.Method = method
				a.stopsRequest(method, aimbrain.EndpointFaceAuth, r)
			}
		}},
		{"Path_Cleaned", "a path that is not exact must be refused without a redirect: the face would be posted again", func(a *attacker) {
			session := a.session(Ada)
			path := a.Path(aimbrain.EndpointFaceAuth)
			last := strings.LastIndex(path, "/")
			for _, changed := range []string{
				"/" + path, path + "/", path[:last] + "/" + path[last:], path[:last] + "/." + path[last:], path[:last] + "/x/.." + path[last:],
				path[:last] + "%2F" + path[last+1:], path + "%00", path + "%20", strings.ToUpper(path), path + ".json", path + ";a=b", path[:last+1] + "%61uth",
			} {
				r := a.request(a.faceCall(Ada, session, string(Ada)))
				u, err := url.ParseRequestURI("http://relay.example" + changed)
				a.must(err == nil, "%v", err)
				r.URL, r.RequestURI = u, changed
				a.stopsRequest(changed, aimbrain.EndpointFaceAuth, r)
			}
		}},
		{"Response_NotStored", "a response must not be stored by a cache", func(a *attacker) {
			session := a.session(Ada)
			for _, c := range append(a.withSession(Ada, session), call{who: Ada, endpoint: aimbrain.EndpointSessions, body: sessionBody(a.APIUserID(Ada))}, call{endpoint: aimbrain.EndpointSessions, body: "{}"}) {
				if got := a.send(c); !strings.Contains(got.header.Get("Cache-Control"), "no-store") {
					a.problem("%s: Cache-Control is %q", c.endpoint, got.header.Get("Cache-Control"))
				}
			}
		}},
		{"Response_IsJSON", "a response must not be read as a page", func(a *attacker) {
			session := a.session(Ada)
			c := a.faceCall(Ada, session, string(Ada))
			c.body = strings.TrimSuffix(c.body, "}") + `,"<script>alert(1)</script>":1}`
			got := a.send(c)
			if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") || strings.Contains(got.body, "<script>") {
				a.problem("the response is %s %.100s", kind, got.body)
			}
		}},
	}
}
