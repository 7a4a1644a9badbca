// Backend shows the server's part in production. The app holds no secret: it
// serialises its requests, and this server signs and sends them. The app receives
// the result of the action, never the score.
package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

// A backend responds to the app. It takes the user from its own log-in and the
// session from its own records, never from the app's request.
type backend struct {
	client  *aimbrain.Client
	session func(*http.Request) (sessionID string, ok bool)
}

// pay accepts a payment if the face matches the user.
func (b *backend) pay(w http.ResponseWriter, r *http.Request) {
	session, ok := b.session(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, aimbrain.MaxRequestBytes))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	if body, err = aimbrain.SetMember(body, "session", session); err != nil {
		http.Error(w, "invalid request", http.StatusBadRequest)
		return
	}
	result, err := b.authenticate(r.Context(), body)
	switch {
	case r.Context().Err() != nil: // the app has disconnected
	case err != nil:
		slog.Warn("face authentication", "err", err) // the value does not hold the text of the API or a gateway
		refuse(w, err)
	case !result.Matches(aimbrain.RecommendedThreshold):
		http.Error(w, "refused", http.StatusForbidden)
	default:
		_, _ = io.WriteString(w, "paid\n")
	}
}

// authenticate signs the app's request, sends it and reads the response.
func (b *backend) authenticate(ctx context.Context, body []byte) (none aimbrain.FaceAuthResult, err error) {
	response, err := b.client.Forward(ctx, aimbrain.EndpointFaceAuth, body)
	if err != nil {
		return none, err
	}
	return aimbrain.Decode[aimbrain.FaceAuthResult](response)
}

// run starts the backend and two apps: that of the user, and that of an impostor
// with the user's session.
func run(ctx context.Context, out io.Writer) error {
	fake, err := aimbraintest.Start()
	if err != nil {
		return err
	}
	defer fake.Close()
	fake.Enroll("u-81f3", "ada")
	client := fake.Client()
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		return err
	}
	b := &backend{client: client, session: func(r *http.Request) (string, bool) {
		return session.ID, r.Header.Get("Authorization") == "Bearer ada's own log-in"
	}}

	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pay", b.pay)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }()

	for _, subject := range []string{"ada", "mallory"} {
		response, err := app(ctx, "http://"+listener.Addr().String()+"/pay", aimbraintest.FacePhoto(subject, aimbraintest.Variant(7)))
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s's face: %s", subject, response)
	}
	return nil
}

// app is the part on the phone. It sends a serialised request, without a key.
func app(ctx context.Context, url string, photo []byte) (string, error) {
	body := `{"session":"set by the server","faces":["` + base64.StdEncoding.EncodeToString(photo) + `"]}`
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer ada's own log-in")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return string(text), err
}
