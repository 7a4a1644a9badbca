package aimbrain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/calls"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// endpointConstants returns the values of the constants of endpoints.go.
func endpointConstants(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "endpoints.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var paths []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Endpoint") {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		require.True(t, ok, "%s is not a string", spec.Names[0].Name)
		path, err := strconv.Unquote(literal.Value)
		require.NoError(t, err)
		paths = append(paths, path)
		return false
	})
	return paths
}

func TestEndpoints_HaveConstants(t *testing.T) {
	t.Parallel()
	constants := endpointConstants(t)
	for _, path := range aimbrain.Endpoints() {
		assert.Contains(t, constants, path, "%s has no constant: add it to endpoints.go", path)
	}
	for _, path := range constants {
		assert.Contains(t, aimbrain.Endpoints(), path, "%s has no row: add it to the table in internal/endpoints/endpoints.go", path)
	}
}

func TestEndpoints_ResponsesAreRead(t *testing.T) {
	t.Parallel()
	for _, row := range endpoints.All() {
		client, _ := responding(t, 200, `{}`)
		_, err := client.Forward(t.Context(), row.Path, []byte(`{}`))
		if row.Empty {
			require.NoError(t, err, "%s", row.Path)
			continue
		}
		assert.True(t, is[*aimbrain.DecodeError](err), "%s accepts a response without its members: add it to read in endpoints.go, or Empty to its row", row.Path)
	}
	_, known := endpoints.Find("/v1/iris/auth")
	assert.False(t, known)
}

// TestDecode_ResponseOfOneEndpoint decodes the response of each endpoint as the
// result of each other one.
func TestDecode_ResponseOfOneEndpoint(t *testing.T) {
	t.Parallel()
	for _, from := range calls.All() {
		client, _ := responding(t, 200, from.Response(1))
		response, err := client.Forward(t.Context(), from.Path, []byte(`{}`))
		require.NoError(t, err, from.Path)
		for _, as := range calls.All() {
			result, err := as.Decode(response)
			if reflect.TypeOf(result) != reflect.TypeOf(from.Result(1)) {
				assert.ErrorContains(t, err, "is not decoded as", "%s as %T", from.Path, result)
				continue
			}
			if assert.NoError(t, err, "%s: add its result to endpointsOf in endpoints.go", from.Path) {
				assert.NoError(t, from.Check(1, result), "%s: add it to read in endpoints.go", from.Path)
			}
		}
	}
}
