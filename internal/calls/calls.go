// Package calls is the table of the library's typed calls: one entry for each row
// of internal/endpoints. The fault matrix, the figures, the tests of the root and
// its fuzz targets range over it. Only tests and the harness import it.
//
// The table is in table.go. The class, the media and the scores of a call are
// those of its row.
package calls

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/endpoints"
)

// A Call is a row of the table of endpoints, with its typed call.
type Call struct {
	endpoints.Endpoint

	Recorded any      // the result of the recorded response, without its Response
	Metadata string   // the metadata of the recorded response
	Broken   []string // responses with status 200 that the call must refuse

	typed    func(context.Context, *aimbrain.Client, Arguments, []aimbrain.CallOption) (any, error)
	decode   func(aimbrain.Response) (any, error)
	response func(User) string
	result   func(User) any
	recorded Arguments
	options  []aimbrain.CallOption // of the recorded request
}

// Arguments are the arguments of a typed call. A call uses those that it needs.
type Arguments struct {
	UserID  string
	Session string
	Media   []aimbrain.Media // one for each media member of the row
}

// All returns the table, in the order of internal/endpoints.
func All() []Call { return append(sessionCalls(), append(faceCalls(), voiceCalls()...)...) }

// Where returns the calls for which keep returns true.
func Where(keep func(Call) bool) []Call {
	return slices.DeleteFunc(All(), func(c Call) bool { return !keep(c) })
}

// To returns the call to an endpoint. It panics if the table has none.
func To(path string) Call {
	all := All()
	i := slices.IndexFunc(all, func(c Call) bool { return c.Path == path })
	if i < 0 {
		panic("calls: " + path + " has no entry: add it to internal/calls/table.go")
	}
	return all[i]
}

// Do makes the call for a user. All its arguments are the user's own. The result
// has the library's own type.
func (c Call) Do(ctx context.Context, client *aimbrain.Client, user int, opts ...aimbrain.CallOption) (any, error) {
	return c.typed(ctx, client, c.Arguments(user), opts)
}

// DoWith makes the call with the given arguments.
func (c Call) DoWith(ctx context.Context, client *aimbrain.Client, arguments Arguments, opts ...aimbrain.CallOption) (any, error) {
	return c.typed(ctx, client, arguments, opts)
}

// DoRecorded makes the call whose request and response are in testdata/calls.
func (c Call) DoRecorded(ctx context.Context, client *aimbrain.Client, opts ...aimbrain.CallOption) (any, error) {
	return c.typed(ctx, client, c.recorded, slices.Concat(c.options, opts))
}

// Arguments returns the arguments of a user.
func (c Call) Arguments(user int) Arguments {
	u := User(user)
	arguments := Arguments{UserID: u.Name(), Session: u.Session()}
	for range c.Media {
		arguments.Media = append(arguments.Media, c.MediaOf(u.Media()))
	}
	return arguments
}

// MediaOf returns bytes as the media of the call: a recording if it is about a
// voice, and a photo otherwise.
func (c Call) MediaOf(raw []byte) aimbrain.Media {
	if c.Module == endpoints.Voice {
		return aimbrain.Recordings(raw)
	}
	return aimbrain.Photos(raw)
}

// Decode decodes a response as the result of the call.
func (c Call) Decode(response aimbrain.Response) (any, error) { return c.decode(response) }

// Response is the body of the API's response for a user. The values in it are the
// user's own, so that a misdirected response is detected.
func (c Call) Response(user int) string { return c.response(User(user)) }

// Result is the result of the API's response for a user, without its Response.
func (c Call) Result(user int) any { return c.result(User(user)) }

// Check returns an error if the result of a successful call is not the user's own.
func (c Call) Check(user int, result any) error {
	bare, response := Bare(result)
	if response.StatusCode == 0 && reflect.DeepEqual(c.Result(user), bare) {
		return fmt.Errorf("a %T without its Response: the function that makes it must set it", result)
	}
	if want := c.Result(user); !reflect.DeepEqual(want, bare) || response.StatusCode == 0 {
		return fmt.Errorf("a %T that is not user %d's: %+v where it must be %+v", result, user, bare, want)
	}
	return nil
}

// Repeats reports whether the call may be retried when its outcome is unknown.
func (c Call) Repeats(optIn bool) bool {
	return c.Repeat == endpoints.Always || c.Repeat == endpoints.OptIn && optIn
}

// Fixture is the beginning of the names of the call's files in testdata/calls, such
// as "face-auth".
func (c Call) Fixture() string {
	return strings.ReplaceAll(strings.TrimPrefix(c.Path, "/v1/"), "/", "-")
}

// ScoreNames returns the names of the members of the response that are scores: those
// of the row, and those inside another member.
func (c Call) ScoreNames() []string {
	var names []string
	for _, score := range Scores(c.Result(0)) {
		names = append(names, score.Name)
	}
	return names
}

// Bare separates a result from its Response.
func Bare(result any) (bare any, response aimbrain.Response) {
	value := reflect.New(reflect.TypeOf(result)).Elem()
	value.Set(reflect.ValueOf(result))
	field := value.FieldByName("Response")
	response, _ = field.Interface().(aimbrain.Response)
	field.SetZero()
	return value.Interface(), response
}

// IsZero reports whether a result is the zero value of its type, as required
// beside every error.
func IsZero(result any) bool { return reflect.ValueOf(result).IsZero() }

// A Score is a score in a result.
type Score struct {
	Name  string // on the wire
	Value float64
	Inner bool // it is inside another member
}

// Scores returns the scores in a result: each of its numbers that is no integer.
func Scores(result any) []Score { return scoresIn(reflect.ValueOf(result), false) }

func scoresIn(value reflect.Value, inner bool) []Score {
	var scores []Score
	for field, content := range value.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case content.Kind() == reflect.Float64:
			scores = append(scores, Score{Name: name, Value: content.Float(), Inner: inner})
		case content.Kind() == reflect.Slice && content.Type().Elem().Kind() == reflect.Struct:
			for i := range content.Len() {
				scores = append(scores, scoresIn(content.Index(i), true)...)
			}
		}
	}
	return scores
}

// An entry is an entry of the table. T is the type of the result.
type entry[T aimbrain.Result] struct {
	path     string
	typed    func(ctx context.Context, c *aimbrain.Client, a Arguments, opts []aimbrain.CallOption) (T, error)
	response func(u User) string // the API's response for a user, with values that are the user's own
	result   func(u User) T      // the result of it
	recorded recording[T]
	broken   []string // responses with status 200 that are not those of the endpoint
}

// A recording is the request and the response of an entry in testdata/calls.
type recording[T aimbrain.Result] struct {
	media    []aimbrain.Media
	options  []aimbrain.CallOption
	want     T      // the result of the response, without its Response
	metadata string // of the response
}

func (e entry[T]) call() Call {
	row, _ := endpoints.Find(e.path) // the test of the table reports an endpoint without a row
	return Call{
		Endpoint: row, Recorded: e.recorded.want, Metadata: e.recorded.metadata, Broken: e.broken,
		typed: func(ctx context.Context, c *aimbrain.Client, a Arguments, opts []aimbrain.CallOption) (any, error) {
			return e.typed(ctx, c, a, opts)
		},
		decode:   func(r aimbrain.Response) (any, error) { return aimbrain.Decode[T](r) },
		response: e.response,
		result:   func(u User) any { return e.result(u) },
		recorded: Arguments{UserID: "u-81f3", Session: SessionID, Media: e.recorded.media},
		options:  e.recorded.options,
	}
}
