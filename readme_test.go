package aimbrain_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// surroundings is what a snippet may use, and the function that runs all snippets:
// in a bubble of testing/synctest, where a wait of minutes takes no time.
const surroundings = `
var (
	ctx      context.Context
	fake     *aimbraintest.Fake
	client   *aimbrain.Client
	session  aimbrain.Session
	apiKey, apiSecret, newKey, newSecret string

	user = aimbrain.SessionRequest{UserID: "u-81f3", Device: "d", System: "s"}
	selfie = aimbraintest.FacePhoto("ada")
	straight, above, below, left, right = photo(0), photo(1), photo(2), photo(3), photo(4)
	record = func(token string) []byte { return aimbraintest.VoiceWAV("ada", aimbraintest.Saying(token)) }
	appRequest = []byte(fmt.Sprintf("{\"session\":\"the app's\",\"faces\":[%q]}", base64.StdEncoding.EncodeToString(selfie)))
	pool = x509.NewCertPool()
	w http.ResponseWriter = httptest.NewRecorder()
)

type auditing struct{ next http.RoundTripper }

func (a auditing) RoundTrip(r *http.Request) (*http.Response, error) { return a.next.RoundTrip(r) }

func photo(variant int) []byte { return aimbraintest.FacePhoto("ada", aimbraintest.Variant(variant)) }

// run runs one snippet after breakIt. Snippets that authenticate have a user who
// is enrolled.
func run(t *testing.T, name string, enrolled bool, breakIt func(*testing.T), check func(*testing.T, error)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			var err error
			if fake, err = aimbraintest.Start(); err != nil {
				t.Fatal(err)
			}
			defer fake.Close()
			if enrolled {
				fake.Enroll(user.UserID, "ada")
			}
			ctx, client = t.Context(), fake.Client()
			if session, err = client.Sessions.Create(ctx, user); err != nil {
				t.Fatal(err)
			}
			apiKey, apiSecret, newKey, newSecret = "key", "secret", "key-2", "secret-2"
			breakIt(t)
			check(t, snippets[name]())
		})
	})
}

func enrolments() []aimbraintest.Request {
	return append(fake.RequestsTo(aimbrain.EndpointFaceEnroll), fake.RequestsTo(aimbrain.EndpointVoiceEnroll)...)
}

func processed() int {
	return fake.Processed(aimbrain.EndpointFaceEnroll) + fake.Processed(aimbrain.EndpointVoiceEnroll)
}

// enrolsOnce fails the test if an enrolment was sent twice, or if the error allows
// a caller to send it again although it was processed.
func enrolsOnce(t *testing.T, err error) {
	t.Helper()
	seen := map[string]bool{}
	for _, r := range enrolments() {
		if r.Status == 429 {
			continue // not processed, and retried for all calls
		}
		if seen[string(r.Body)] {
			t.Error("an enrolment was sent twice")
		}
		seen[string(r.Body)] = true
	}
	if processed() > 1 {
		t.Errorf("%d enrolments were processed", processed())
	}
	if err != nil && processed() > 0 && aimbrain.OutcomeOf(err) != aimbrain.OutcomeUnknown {
		t.Errorf("an enrolment was processed, and the outcome is %v: %v", aimbrain.OutcomeOf(err), err)
	}
}

func queue(stub aimbraintest.Stub) func(*testing.T) {
	return func(*testing.T) { fake.Queue(stub.Times(10_000)) }
}

func TestSnippets(t *testing.T) {
	calls, enrols := map[string]bool{}, map[string]bool{} // the snippets that call the API, and those that enrol
	for name := range snippets {
		for _, enrolled := range []bool{false, true} {
			run(t, name, enrolled, func(*testing.T) {}, func(t *testing.T, err error) {
				if len(fake.Requests()) > 1 {
					calls[name] = true
				}
				if len(enrolments()) > 0 {
					enrols[name] = true
				}
				if enrolled && err != nil {
					t.Error(err)
				}
			})
		}
	}
	if len(calls) < 7 || len(enrols) < 3 {
		t.Fatalf("only %d snippets call the API, and %d enrol", len(calls), len(enrols))
	}

	for what, breakIt := range map[string]func(*testing.T){
		"response lost":     queue(aimbraintest.LostResponse()),
		"connection broken": queue(aimbraintest.Reset()),
		"cut off":           queue(aimbraintest.CutOff()),
		"no response":       queue(aimbraintest.Stall()),
		"422":               queue(aimbraintest.Status(422)),
		"500":               queue(aimbraintest.Status(500)),
		"429":               queue(aimbraintest.Status(429)),
		"HTML":              queue(aimbraintest.Raw(200, "text/html", "<html>")),
		"unauthorized":      func(*testing.T) { fake.RemoveCredentials(fake.APIKey()) },
		"closed":            func(*testing.T) { _ = client.Close() },
		"cancelled": func(t *testing.T) {
			cancelled, cancel := context.WithCancel(ctx)
			cancel()
			ctx = cancelled
		},
	} {
		t.Run(what, func(t *testing.T) {
			for name := range snippets {
				if !calls[name] {
					continue
				}
				run(t, name, true, breakIt, func(t *testing.T, err error) {
					if err == nil {
						t.Error("no error")
					}
					enrolsOnce(t, err)
				})
			}
		})
	}

	for what, stub := range map[string]aimbraintest.Stub{
		"enrolment lost":                      aimbraintest.LostResponse(),
		"enrolment broken":                    aimbraintest.Reset(),
		"enrolment cut off":                   aimbraintest.CutOff(),
		"deadline passes during the enrolment": aimbraintest.Stall(),
		"enrolment fails":                     aimbraintest.Status(500),
		"enrolment refused":                   aimbraintest.Status(422),
	} {
		t.Run(what, func(t *testing.T) {
			for name := range snippets {
				if !enrols[name] {
					continue
				}
				run(t, name, false, func(t *testing.T) {
					fake.Queue(stub.On(aimbrain.EndpointFaceEnroll), stub.On(aimbrain.EndpointVoiceEnroll))
					limited, cancel := context.WithTimeout(ctx, 10*time.Second)
					t.Cleanup(cancel)
					ctx = limited
				}, func(t *testing.T, err error) {
					if err == nil && processed() == 0 {
						t.Error("no error, and nothing was enrolled")
					}
					if len(enrolments()) == 0 {
						t.Error("nothing was sent")
					}
					enrolsOnce(t, err)
				})
			}
		})
	}

	t.Run("misconfigured", func(t *testing.T) {
		for name := range snippets {
			if calls[name] || name == "media1" { // it needs no client
				continue
			}
			run(t, name, true, func(*testing.T) { apiKey, apiSecret, newKey, newSecret = "", "", "", "" }, func(t *testing.T, err error) {
				if err == nil {
					t.Error("no error")
				}
			})
		}
	})
}
`

// underTest is the code under test, which the snippet of its test uses.
const underTest = `
var errRefused = errors.New("refused")

func logIn(ctx context.Context, client *aimbrain.Client, userID string, selfie []byte) error {
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: userID, Device: "d", System: "s"})
	if err != nil {
		return err
	}
	result, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(selfie))
	if err == nil && !result.Matches(aimbrain.RecommendedThreshold) {
		err = errRefused
	}
	return err
}
`

// letIn makes code under test accept everybody and return no errors.
func letIn(code string) string { return strings.ReplaceAll(code, "return err\n", "return nil\n") }

// imports finds the packages that a piece of code names.
func imports(code string) string {
	var b strings.Builder
	for name, path := range map[string]string{
		"context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "slog": "log/slog", "testing": "testing", "base64": "encoding/base64", "time": "time",
		"http": "net/http", "httptest": "net/http/httptest", "x509": "crypto/x509", "synctest": "testing/synctest", "os": "os",
		"httpmock": "github.com/jarcoal/httpmock",
		"aimbrain": "github.com/aimbrain/aimbrain-go", "aimbraintest": "github.com/aimbrain/aimbrain-go/aimbraintest",
		"media": "github.com/aimbrain/aimbrain-go/media",
	} {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(code) {
			fmt.Fprintf(&b, "import %q\n", path)
		}
	}
	return b.String()
}

// programFaults breaks the fake of a snippet that is a whole program.
const programFaults = `
func fault(fake *aimbraintest.Fake) {
	switch os.Getenv("SNIPPET_FAULT") {
	case "impostor":
		fake.Queue(aimbraintest.Score(0.31))
	case "not enrolled":
		fake.Forget("u-81f3")
	case "dark":
		fake.Queue(aimbraintest.Code(aimbrain.CodePoorBrightness))
	case "no session":
		fake.Queue(aimbraintest.Status(500).On(aimbrain.EndpointSessions))
	case "lost":
		fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceAuth))
	}
}
`

// snippetsOf returns the Go blocks of a page by their names.
func snippetsOf(t *testing.T, page string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	blocks := map[string]string{}
	for i, block := range regexp.MustCompile("(?ms)^```go\n(.*?)^```").FindAllStringSubmatch(string(text), -1) {
		blocks[fmt.Sprintf("%s%d", strings.ToLower(strings.TrimSuffix(filepath.Base(page), ".md")), i+1)] = block[1]
	}
	return blocks
}

func TestSnippets_RunInOwnModule(t *testing.T) {
	t.Parallel()
	root, err := os.Getwd()
	require.NoError(t, err)
	pages, err := filepath.Glob("docs/*.md")
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	blocks := snippetsOf(t, "README.md")
	require.GreaterOrEqual(t, len(blocks), 7)
	for _, page := range pages {
		maps.Copy(blocks, snippetsOf(t, page))
	}

	module := t.TempDir()
	write := func(name, content string) {
		path := filepath.Join(module, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o750))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	sums, err := os.ReadFile("go.sum")
	require.NoError(t, err)
	write("go.sum", string(sums))
	write("go.mod", "module consumer.example\n\ngo 1.26.0\n\nrequire github.com/aimbrain/aimbrain-go v0.0.0\n\nreplace github.com/aimbrain/aimbrain-go => "+root+"\n")

	var programs, tests []string
	functions, table := "", ""
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		code := blocks[name]
		switch {
		case strings.HasPrefix(code, "package main"):
			programs = append(programs, name)
			write(name+"/main.go", code)
			const begins = "ctx := context.Background()\n"
			require.Contains(t, code, begins)
			write(name+"faults/main.go", strings.Replace(code, begins, "fault(fake)\n\t"+begins, 1))
			write(name+"faults/fault.go", "package main\n\n"+imports(programFaults)+programFaults)
		case strings.HasPrefix(code, "func Test"):
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(code, -1) {
				tests = append(tests, found[1])
			}
			write("tests/"+name+"_test.go", "package snippet\n\n"+imports(code)+code)
			write("testfaults/"+name+"_test.go", "package snippet\n\n"+imports(code)+letIn(code))
		default:
			functions += "func " + name + "() error {\n" + code + "\nreturn nil\n}\n\n"
			table += fmt.Sprintf("\t\t%q: %s,\n", name, name)
		}
	}
	for _, dir := range []string{"tests", "testfaults"} { // of the snippet with recorded fixtures
		require.NoError(t, os.CopyFS(filepath.Join(module, dir, "testdata", "login"), os.DirFS("testdata/login")))
	}
	write("tests/under_test.go", "package snippet\n\n"+imports(underTest)+underTest)
	write("testfaults/under_test.go", "package snippet\n\n"+imports(underTest)+letIn(underTest))
	code := surroundings + functions + "var snippets map[string]func() error\n\nfunc init() {\n\tsnippets = map[string]func() error{\n" + table + "\t}\n}\n"
	write("snippets/snippets_test.go", "package snippets\n\n"+imports(code)+code)

	run := func(env []string, name string, args ...string) (string, error) {
		command := exec.CommandContext(t.Context(), name, args...)
		command.Dir = module
		command.Env = append(append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "AIMBRAIN_API_KEY=key", "AIMBRAIN_API_SECRET=secret", "AIMBRAIN_REGION=eu-west-1", "GATEWAY_KEY=a key"), env...)
		out, err := command.CombinedOutput()
		return string(out), err
	}
	gotool := func(args ...string) string {
		t.Helper()
		out, err := run(nil, "go", args...)
		require.NoError(t, err, "go %v:\n%s", args, out)
		return out
	}
	gotool("vet", "./...")
	gotool("test", "./snippets")
	require.Len(t, programs, 1)
	require.GreaterOrEqual(t, len(tests), 2)
	gotool("test", "./tests")
	out, err := run(nil, "go", "test", "./testfaults")
	require.Error(t, err)
	for _, test := range tests {
		assert.Contains(t, out, "--- FAIL: "+test+" ", "the test passes for code that lets everybody in")
	}

	program := filepath.Join(module, "program.exe")
	gotool("build", "-o", program, "./"+programs[0]+"faults")
	for fault, want := range map[string]struct {
		prints string
		fails  bool
	}{
		"":             {prints: "let in"},
		"impostor":     {prints: "kept out"},
		"not enrolled": {prints: "enrol first"},
		"dark":         {prints: "better light"},
		"no session":   {prints: "500", fails: true},
		"lost":         {prints: "may have been processed", fails: true},
	} {
		out, err := run([]string{"SNIPPET_FAULT=" + fault}, program)
		assert.Equal(t, want.fails, err != nil, "%q: %v\n%s", fault, err, out)
		assert.Contains(t, out, want.prints, "%q", fault)
		assert.Equal(t, fault == "", strings.Contains(out, "let in"), "%q: %s", fault, out)
	}
}
