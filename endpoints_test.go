package aimbrain_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
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
				if !assert.Error(t, err, "%s is decoded as %T: is %T in endpointsOf in endpoints.go?", from.Path, result, result) {
					continue
				}
				assert.ErrorContains(t, err, "is not decoded as", "%s as %T", from.Path, result)
				continue
			}
			if assert.NoError(t, err, "%s: add its result to endpointsOf in endpoints.go", from.Path) {
				assert.NoError(t, from.Check(1, result), "%s: add it to read in endpoints.go", from.Path)
			}
		}
	}
}

// Texts that are written by hand say these things.
func TestEndpoints_AreThoseOfTheDocumentation(t *testing.T) {
	t.Parallel()
	assert.Len(t, endpoints.All(), 11, "README.md says that the library has eleven calls: correct it, and the number here")
	var always []string
	for _, row := range endpoints.All() {
		if row.Repeat == endpoints.Always {
			always = append(always, row.Path)
		}
	}
	assert.Equal(t, []string{aimbrain.EndpointScore, aimbrain.EndpointFaceCompare}, always,
		"README.md (Retries), docs/reliability.md, and the documentation of RetryPolicy and of the package name the calls that are retried with an unknown outcome: correct them, and the list here")
}

// A threshold that was never set must accept nobody, whatever the result.
func TestMatches_FailsClosedForEachResult(t *testing.T) {
	t.Parallel()
	invalid := []float64{0, math.Copysign(0, -1), -1, math.NaN(), math.Inf(1), math.Inf(-1), 1.0001, 50}
	for _, call := range calls.All() {
		result := reflect.ValueOf(call.Result(1))
		best := reflect.New(result.Type()).Elem()
		best.Set(result)
		for _, value := range best.Fields() {
			if value.Kind() == reflect.Float64 && value.CanSet() {
				value.SetFloat(1)
			}
		}
		if len(call.Scores) > 0 {
			assert.True(t, best.MethodByName("Matches").IsValid(), "%s has a score: %s needs the method Matches", call.Path, result.Type())
		}
		for _, method := range []string{"Matches", "IsLive"} {
			reaches := func(v reflect.Value, threshold float64) bool {
				return v.MethodByName(method).Call([]reflect.Value{reflect.ValueOf(threshold)})[0].Bool()
			}
			if !best.MethodByName(method).IsValid() {
				continue
			}
			for _, threshold := range invalid {
				assert.False(t, reaches(best, threshold), "%s.%s accepts the threshold %v: it must call reaches", result.Type(), method, threshold)
			}
			for _, threshold := range []float64{0.000001, 0.5, 1} {
				assert.True(t, reaches(best, threshold), "%s.%s(%v)", result.Type(), method, threshold)
				assert.False(t, reaches(reflect.Zero(result.Type()), threshold), "%s.%s(%v) of the zero value", result.Type(), method, threshold)
			}
		}
	}
}
