package aimbrain_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// exportedDeclarations lists what a package exports, one declaration after the other,
// sorted, without comments.
func exportedDeclarations(t *testing.T, dir string) string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	files := token.NewFileSet()
	var declarations []string
	add := func(node ast.Node) {
		var b bytes.Buffer
		config := printer.Config{Mode: printer.TabIndent, Tabwidth: 8}
		require.NoError(t, config.Fprint(&b, files, node))
		declarations = append(declarations, b.String())
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.FileExports(file)
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || ast.IsExported(receiver(d)) {
					d.Body = nil
					add(d)
				}
			case *ast.GenDecl:
				for i, spec := range d.Specs {
					if d.Tok == token.IMPORT {
						continue
					}
					add(&ast.GenDecl{Tok: d.Tok, Specs: []ast.Spec{spec}})
					if value, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST && value.Values == nil { // after iota: its value is its position
						declarations[len(declarations)-1] += " // number " + strconv.Itoa(i) + " of its group"
					}
				}
			}
		}
	}
	slices.Sort(declarations)
	return strings.Join(declarations, "\n") + "\n"
}

// receiver returns the name of a method's type.
func receiver(f *ast.FuncDecl) string {
	expression := f.Recv.List[0].Type
	for {
		switch e := expression.(type) {
		case *ast.StarExpr:
			expression = e.X
		case *ast.IndexExpr:
			expression = e.X
		case *ast.Ident:
			return e.Name
		default:
			return ""
		}
	}
}

// without returns the lines of a text that another text does not have.
func without(text, other string) []string {
	known := map[string]bool{}
	for line := range strings.Lines(other) {
		known[line] = true
	}
	var lines []string
	for line := range strings.Lines(text) {
		if !known[line] {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestAPI_MatchesListing compares the exports of the public packages with a
// listing, so that a review sees each change of the API. It writes the listing
// with -update.
func TestAPI_MatchesListing(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{
		"aimbrain": ".", "aimbraintest": "aimbraintest", "fit": "fit", "media": "media",
		"relay": "relay", "audit": "relay/audit", "redisstore": "relay/redisstore", "storetest": "relay/storetest", "relaytest": "relay/relaytest",
	} {
		path := filepath.Join("testdata", "api", name+".txt")
		listing := exportedDeclarations(t, dir)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(listing), 0o600))
			continue
		}
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		added, removed := without(listing, string(written)), without(string(written), listing)
		assert.Empty(t, append(added, removed...), "the API of %s has changed: see whether that is meant, and run go test . -run TestAPI -update\nadded: %s\nremoved: %s", name, added, removed)
	}
}
