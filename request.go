package aimbrain

import (
	"context"
	"errors"

	"github.com/aimbrain/aimbrain-go/internal/jsonfields"
	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// A reader makes a result of the members of a response.
type reader[T any] func(members *jsonfields.Object, response Response) T

// do makes a call. It is the one path of every request: check the arguments, encode
// and sign the body, then make attempts until one is final or the rules of the retry
// policy, the budget and the context end them. The body and its signature are the
// same for each attempt. On an error the result is the zero value.
func do[T any](ctx context.Context, s *service, path string, opts []CallOption, write func(*payload.Builder), read reader[T]) (T, error) {
	var none T
	call, err := begin(ctx, s, path, opts)
	if err != nil {
		return none, err
	}
	defer call.end()
	if err := call.encode(ctx, write); err != nil {
		return none, err
	}
	return send(ctx, call, read)
}

// send makes the attempts of a call whose body is encoded and signed.
func send[T any](ctx context.Context, call *call, read reader[T]) (T, error) {
	var none T
	var tries tries
	wait, err := call.holdBack(ctx)
	for err == nil {
		tries.number, tries.wait, tries.waited = tries.number+1, wait, tries.waited+wait
		attempt := call.exchange(ctx)
		result, verdict := interpret(ctx, call, tries, attempt, read)
		tries.unknown = tries.unknown || verdict.outcome == OutcomeUnknown
		next := call.again(ctx, tries, verdict)
		call.observe(ctx, tries, attempt, verdict, next)
		if !next.follows {
			return result, verdict.err
		}
		wait = next.wait
		if err = sleep(ctx, wait); err != nil {
			err = call.cancelled(tries, errors.Join(err, verdict.err))
		}
	}
	return none, err
}
