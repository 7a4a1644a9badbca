// Voice enrols a voice in five steps and authenticates it. In each recording the user
// says the token, a text that the API chose just before. The liveliness of an older
// recording is low.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "voice:", err)
		os.Exit(1)
	}
}

// A recorder shows a text to the user and returns a recording of the user reading
// it. In production this is the app's part.
type recorder func(text string) []byte

func run(ctx context.Context, out io.Writer) error {
	fake, err := aimbraintest.Start()
	if err != nil {
		return err
	}
	defer fake.Close()
	client := fake.Client()
	ada := func(text string) []byte { return aimbraintest.VoiceWAV("ada", aimbraintest.Saying(text)) }

	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		return err
	}
	if err := enroll(ctx, client, session.ID, ada, out); err != nil {
		return err
	}
	result, err := authenticate(ctx, client, session.ID, ada, out)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "matches: %t, live: %t\n", result.Matches(aimbrain.RecommendedThreshold), result.IsLive(0.5))
	return nil
}

// enroll makes one step for each of the five tokens.
func enroll(ctx context.Context, client *aimbrain.Client, sessionID string, record recorder, out io.Writer) error {
	for i, step := range aimbrain.EnrollTokens() {
		token, err := client.Voice.Token(ctx, sessionID, step)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "step %d of 5, please read: %q\n", i+1, token.Text)
		if _, err := client.Voice.Enroll(ctx, sessionID, aimbrain.Recordings(record(token.Text))); err != nil {
			return err // for an unknown outcome of the first step, see Voice.EnrollAndConfirm
		}
	}
	return nil
}

func authenticate(ctx context.Context, client *aimbrain.Client, sessionID string, record recorder, out io.Writer) (aimbrain.VoiceAuthResult, error) {
	token, err := client.Voice.Token(ctx, sessionID, aimbrain.TokenAuth)
	if err != nil {
		return aimbrain.VoiceAuthResult{}, err
	}
	fmt.Fprintf(out, "to log in, please read: %q\n", token.Text)
	return client.Voice.Auth(ctx, sessionID, aimbrain.Recordings(record(token.Text)))
}
