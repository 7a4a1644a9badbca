// Stepup requests more factors only for larger amounts: behaviour first, which needs
// no action of the user, then the face, then the voice, all with one session.
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
		fmt.Fprintln(os.Stderr, "stepup:", err)
		os.Exit(1)
	}
}

// A device is the app of one person. Its functions collect and capture.
type device struct {
	behaviour func() aimbrain.Events
	selfie    func() []byte
	say       func(text string) []byte
}

// A door decides whether a person may pay an amount.
type door struct {
	client *aimbrain.Client
	out    io.Writer
}

// enter reports whether the person may pay. A small amount needs one factor that
// matches. A large one needs the face and a live voice.
func (d *door) enter(ctx context.Context, sessionID string, from device, amount int) (bool, error) {
	if amount < 100 {
		behaviour, err := d.client.Behaviour.Auth(ctx, sessionID, from.behaviour())
		if err != nil {
			return false, err
		}
		fmt.Fprintf(d.out, "  behaviour: %.2f, %v\n", behaviour.Score, behaviour.Status)
		if behaviour.Matches(aimbrain.RecommendedThreshold) {
			return true, nil
		}
	}
	face, err := d.client.Face.Auth(ctx, sessionID, aimbrain.Photos(from.selfie()))
	if err != nil {
		return false, err
	}
	fmt.Fprintf(d.out, "  face: %.2f\n", face.Score)
	if !face.Matches(aimbrain.RecommendedThreshold) || amount < 1000 {
		return face.Matches(aimbrain.RecommendedThreshold), nil
	}
	token, err := d.client.Voice.Token(ctx, sessionID, aimbrain.TokenAuth)
	if err != nil {
		return false, err
	}
	voice, err := d.client.Voice.Auth(ctx, sessionID, aimbrain.Recordings(from.say(token.Text)))
	if err != nil {
		return false, err
	}
	fmt.Fprintf(d.out, "  voice: %.2f, liveliness %.2f\n", voice.Score, voice.Liveliness)
	return voice.Matches(aimbrain.RecommendedThreshold) && voice.IsLive(0.5), nil
}

// personsDevice returns the synthetic app of a synthetic person.
func personsDevice(subject string) device {
	return device{
		behaviour: func() aimbrain.Events { return aimbraintest.Behaviour(subject, 40) },
		selfie:    func() []byte { return aimbraintest.FacePhoto(subject, aimbraintest.Variant(3)) },
		say:       func(text string) []byte { return aimbraintest.VoiceCAF(subject, aimbraintest.Saying(text)) },
	}
}

func run(ctx context.Context, out io.Writer) error {
	fake, err := aimbraintest.Start(aimbraintest.WithBehaviourCalls(3))
	if err != nil {
		return err
	}
	defer fake.Close()
	client := fake.Client()
	ada, mallory := personsDevice("ada"), personsDevice("mallory")
	session, err := enrolled(ctx, fake, client, ada)
	if err != nil {
		return err
	}
	d := &door{client: client, out: out}
	for _, visit := range []struct {
		name   string
		device device
		amount int
	}{
		{"ada pays 10", ada, 10},
		{"ada pays 500", ada, 500},
		{"ada pays 5000", ada, 5000},
		{"mallory pays 10 on ada's phone", mallory, 10},
		{"mallory pays 5000 on ada's phone", mallory, 5000},
	} {
		fmt.Fprintf(out, "%s\n", visit.name)
		in, err := d.enter(ctx, session.ID, visit.device, visit.amount)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  paid: %t\n", in)
	}
	return nil
}

// enrolled returns a session of a user with behaviour, face and voice enrolled.
func enrolled(ctx context.Context, fake *aimbraintest.Fake, client *aimbrain.Client, ada device) (aimbrain.Session, error) {
	fake.Enroll("u-81f3", "ada")
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		return aimbrain.Session{}, err
	}
	for range 3 { // the API learns from the first calls
		if _, err := client.Behaviour.Auth(ctx, session.ID, ada.behaviour()); err != nil {
			return aimbrain.Session{}, err
		}
	}
	return session, nil
}
