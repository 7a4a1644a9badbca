package aimbrain_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// TestZeroValue_ReturnsErrors calls all exported methods of the types that New and
// NewSigner return on values that they did not return.
func TestZeroValue_ReturnsErrors(t *testing.T) {
	t.Parallel()
	var nobody *aimbrain.Client
	zero := &aimbrain.Client{}
	for _, row := range []struct {
		name    string
		value   any
		methods int // at least: a row that calls nothing would pass
		want    string
	}{
		{name: "nil Client", value: nobody, methods: 3, want: "was not made by New"},
		{name: "zero Client", value: zero, methods: 3, want: "was not made by New"},
		{name: "zero Client's Sessions", value: zero.Sessions, methods: 1, want: "was not made by New"},
		{name: "zero Client's Face", value: zero.Face, methods: 4, want: "was not made by New"},
		{name: "zero Client's Voice", value: zero.Voice, methods: 3, want: "was not made by New"},
		{name: "zero Client's Behaviour", value: zero.Behaviour, methods: 2, want: "was not made by New"},
		{name: "zero Client's Score", value: zero.Score, methods: 1, want: "was not made by New"},
		{name: "zero SessionsService", value: &aimbrain.SessionsService{}, methods: 1, want: "was not made by New"},
		{name: "zero FaceService", value: &aimbrain.FaceService{}, methods: 4, want: "was not made by New"},
		{name: "zero VoiceService", value: &aimbrain.VoiceService{}, methods: 3, want: "was not made by New"},
		{name: "zero BehaviourService", value: &aimbrain.BehaviourService{}, methods: 2, want: "was not made by New"},
		{name: "zero ScoreService", value: &aimbrain.ScoreService{}, methods: 1, want: "was not made by New"},
		{name: "nil Signer", value: (*aimbrain.Signer)(nil), methods: 2, want: "was not made by NewSigner"},
		{name: "zero Signer", value: &aimbrain.Signer{}, methods: 2, want: "was not made by NewSigner"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			value := reflect.ValueOf(row.value)
			require.GreaterOrEqual(t, value.NumMethod(), row.methods)
			for method, f := range value.Methods() {
				if method.Name == "Sign" { // returns no error
					assert.PanicsWithValue(t, "aimbrain: Signer.Sign: the signer "+row.want, func() { callMethod(t.Context(), f) })
					continue
				}
				var results []reflect.Value
				if !assert.NotPanics(t, func() { results = callMethod(t.Context(), f) }, method.Name) {
					continue
				}
				require.NotEmpty(t, results, method.Name)
				if method.Name == "BaseURL" || method.Name == "Region" { // they return no error, and "" here
					assert.True(t, results[0].IsZero(), method.Name)
					continue
				}
				err, ok := reflect.TypeAssert[error](results[len(results)-1])
				require.True(t, ok, "%s returns no error: decide what it does on a value that was not made by New", method.Name)
				require.ErrorContains(t, err, row.want, method.Name)
				assert.True(t, is[*aimbrain.RequestError](err) || is[*aimbrain.ConfigError](err), "%s: %T", method.Name, err)
				assert.Equal(t, aimbrain.OutcomeNotSent, aimbrain.OutcomeOf(err), method.Name)
				for _, result := range results[:len(results)-1] {
					assert.True(t, result.IsZero(), method.Name)
				}
			}
		})
	}
}

// callMethod calls a method with arguments that are as valid as possible, so that
// only the receiver is invalid.
func callMethod(ctx context.Context, method reflect.Value) []reflect.Value {
	var arguments []reflect.Value
	signature := method.Type()
	for i := range signature.NumIn() {
		in := signature.In(i)
		switch {
		case signature.IsVariadic() && i == signature.NumIn()-1:
			continue
		case in == reflect.TypeFor[context.Context]():
			arguments = append(arguments, reflect.ValueOf(ctx))
		case in.Kind() == reflect.String:
			arguments = append(arguments, reflect.ValueOf(aimbrain.EndpointScore).Convert(in))
		default:
			arguments = append(arguments, reflect.Zero(in))
		}
	}
	return method.Call(arguments)
}
