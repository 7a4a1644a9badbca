package aimbrain_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a snippet of the README may take for granted.
const surroundings = `
var (
	ctx = context.Background()
	fake = must(aimbraintest.Start(aimbraintest.WithCredentials("snippet-key", "snippet-secret")))
	client = fake.Client()
	user = aimbrain.SessionRequest{UserID: "u-81f3", Device: "d", System: "s"}
	session = must(client.Sessions.Create(ctx, user))
	selfie = aimbraintest.FacePhoto("ada")
	straight, above, below, left, right = photo(0), photo(1), photo(2), photo(3), photo(4)
	record = func(token string) []byte { return aimbraintest.VoiceWAV("ada", aimbraintest.Saying(token)) }
	appRequest = []byte(fmt.Sprintf("{\"session\":\"the app's\",\"faces\":[%q]}", base64.StdEncoding.EncodeToString(selfie)))
	apiKey, apiSecret, newKey, newSecret = "key", "secret", "key-2", "secret-2"
)

func photo(variant int) []byte { return aimbraintest.FacePhoto("ada", aimbraintest.Variant(variant)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
`

// What its test takes for granted: the code under test.
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

// imports finds the packages that a piece of code names.
func imports(code string) string {
	var b strings.Builder
	for name, path := range map[string]string{
		"context": "context", "errors": "errors", "fmt": "fmt", "slog": "log/slog", "testing": "testing", "base64": "encoding/base64", "time": "time",
		"aimbrain": "github.com/aimbrain/aimbrain-go", "aimbraintest": "github.com/aimbrain/aimbrain-go/aimbraintest",
	} {
		if regexp.MustCompile(`\b` + name + `\.`).MatchString(code) {
			fmt.Fprintf(&b, "import %q\n", path)
		}
	}
	return b.String()
}

func TestEverySnippetOfTheReadmeRunsInAModuleOfItsOwn(t *testing.T) {
	t.Parallel()
	root, err := os.Getwd()
	require.NoError(t, err)
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```").FindAllStringSubmatch(string(readme), -1)
	require.GreaterOrEqual(t, len(blocks), 8)

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

	var programs []string
	functions, calls := "", ""
	for i, block := range blocks {
		code := block[1]
		name := fmt.Sprintf("snippet%d", i+1)
		switch {
		case strings.HasPrefix(code, "package main"):
			write(name+"/main.go", code)
			programs = append(programs, name)
		case strings.HasPrefix(code, "func Test"):
			write(name+"/snippet_test.go", "package snippet\n\n"+imports(code+underTest)+underTest+code)
		default:
			functions += "func " + name + "() error {\n" + code + "\nreturn nil\n}\n\n"
			calls += "\tif err := " + name + "(); err != nil {\n\t\tpanic(fmt.Sprint(\"" + name + ": \", err))\n\t}\n"
		}
	}
	code := surroundings + functions + "func main() {\n" + calls + "\tfmt.Println(\"all snippets ran\")\n}\n"
	write("snippets/main.go", "package main\n\n"+imports(code)+code)

	gotool := func(args ...string) string {
		t.Helper()
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = module
		command.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "AIMBRAIN_API_KEY=key", "AIMBRAIN_API_SECRET=secret")
		out, err := command.CombinedOutput()
		require.NoError(t, err, "go %v:\n%s", args, out)
		return string(out)
	}
	gotool("vet", "./...")
	assert.Contains(t, gotool("run", "./snippets"), "all snippets ran")
	require.Len(t, programs, 1)
	assert.Equal(t, "let in\n", gotool("run", "./"+programs[0]))
	gotool("test", "./...")
}
