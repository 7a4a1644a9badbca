// Path counts the code that one call of Face.Auth executes: functions, their lines
// and their files, by package. It measures how much code a reader of the call has
// to follow.
//
//	go run ./internal/bench/path
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/coverage"
	"slices"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

const module = "github.com/aimbrain/aimbrain-go"

func main() {
	var err error
	if dir := os.Getenv("PATH_COUNTERS"); dir != "" {
		err = call(context.Background(), dir)
	} else {
		err = run(context.Background(), os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "path:", err)
		os.Exit(1)
	}
}

// call makes the call in a program that was built with -cover, and writes the
// coverage.
func call(ctx context.Context, dir string) error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"score":0.9,"liveliness":0.8}`)
	}))
	defer server.Close()
	client, err := aimbrain.New("key", "secret", aimbrain.WithBaseURL(server.URL))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := coverage.ClearCounters(); err != nil {
		return err
	}
	if _, err := client.Face.Auth(ctx, "session", aimbrain.Photos(make([]byte, 30_000))); err != nil {
		return err
	}
	if err := coverage.WriteMetaDir(dir); err != nil {
		return err
	}
	return coverage.WriteCountersDir(dir)
}

// run builds this program with -cover, runs it, and counts.
func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "path")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	counters, profile, program := filepath.Join(dir, "counters"), filepath.Join(dir, "profile"), filepath.Join(dir, "program.exe")
	atExit := filepath.Join(dir, "exit") // coverage of the whole program, which is not counted
	for _, folder := range []string{counters, atExit} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return err
		}
	}
	covered := module + "," + module + "/internal/..."
	for _, command := range [][]string{
		{"go", "build", "-cover", "-covermode=atomic", "-coverpkg=" + covered, "-o", program, module + "/internal/bench/path"},
		{program},
		{"go", "tool", "covdata", "textfmt", "-i=" + counters, "-o", profile},
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the commands above
		c.Env = append(os.Environ(), "PATH_COUNTERS="+counters, "GOCOVERDIR="+atExit)
		if output, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", command[0], err, output)
		}
	}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return fmt.Errorf("go list: %w", err)
	}
	executed, err := readProfile(profile)
	if err != nil {
		return err
	}
	counts := map[string]*count{}
	for _, path := range slices.Sorted(maps.Keys(executed)) {
		name := strings.TrimPrefix(strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), module), "/")
		if strings.HasPrefix(name, "internal/bench") {
			continue
		}
		if counts[name] == nil {
			counts[name] = &count{}
		}
		if err := counts[name].add(filepath.Join(strings.TrimSpace(string(root)), strings.TrimPrefix(path, module)), executed[path]); err != nil {
			return err
		}
	}
	fmt.Fprintln(out, "| package | functions | lines of these functions | files |\n|---|---|---|---|")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		c := counts[name]
		fmt.Fprintf(out, "| %s | %d | %d | %d |\n", cmp.Or(name, "(root)"), c.functions, c.lines, c.files)
	}
	fmt.Fprintf(out, "\nOf the root package: %s\n", strings.Join(counts[""].names, ", "))
	return nil
}

// readProfile returns the lines of each file that were executed.
func readProfile(path string) (map[string]map[int]bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	executed := map[string]map[int]bool{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		name, block, found := strings.Cut(lines.Text(), ".go:")
		var from, to, column, statements, times int
		if _, err := fmt.Sscanf(block, "%d.%d,%d.%d %d %d", &from, &column, &to, &column, &statements, &times); !found || err != nil || times == 0 || statements == 0 {
			continue
		}
		name += ".go"
		if executed[name] == nil {
			executed[name] = map[int]bool{}
		}
		for line := from; line <= to; line++ {
			executed[name][line] = true
		}
	}
	return executed, nil
}

// A count is the executed code of a package.
type count struct {
	functions, lines, files int
	names                   []string
}

// add counts the functions of a file in which a line was executed.
func (c *count) add(path string, executed map[int]bool) error {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	c.files++
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Body == nil {
			continue
		}
		from, to := files.Position(function.Pos()).Line, files.Position(function.End()).Line
		for line := files.Position(function.Body.Pos()).Line; line <= to; line++ {
			if executed[line] {
				c.functions++
				c.lines += to - from + 1
				c.names = append(c.names, filepath.Base(path)+" "+function.Name.Name)
				break
			}
		}
	}
	return nil
}
