// Relay shows the server's part in production with package relay: an app without a
// key, a bank's server with a relay and a payment endpoint, and the fake API. It shows
// a payment that is accepted, and what is refused.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
	"github.com/aimbrain/aimbrain-go/relay"
	"github.com/aimbrain/aimbrain-go/relay/audit"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

// A bank has customers, orders and a relay.
type bank struct {
	customers map[string]relay.User   // by their log-in
	orders    map[string]relay.Action // by their number
	relay     *relay.Handler
}

// user is the log-in of the bank. Here it is a fixed token; in production it is a
// session cookie or a signed header, which is checked.
func (b *bank) user(r *http.Request) (relay.User, error) {
	user, ok := b.customers[r.Header.Get("Authorization")]
	if !ok {
		return relay.User{}, errors.New("not logged in")
	}
	return user, nil
}

// action looks an order up. What the app sends is its number alone.
func (b *bank) action(r *http.Request, _ relay.User) (relay.Action, error) {
	order, ok := b.orders[r.Header.Get("X-Order")]
	if !ok {
		return relay.Action{}, errors.New("there is no such order")
	}
	return order, nil
}

// pay executes an order for which the app has a grant.
func (b *bank) pay(w http.ResponseWriter, r *http.Request) {
	user, err := b.user(r)
	if err != nil {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	order, err := b.action(r, user)
	if err != nil {
		http.Error(w, "no such order", http.StatusNotFound)
		return
	}
	if _, err := b.relay.Redeem(r.Context(), r.Header.Get("X-Grant"), user, order); err != nil {
		http.Error(w, "refused: "+err.Error(), http.StatusForbidden)
		return
	}
	_, _ = io.WriteString(w, "paid "+order.String())
}

// policy is for the fake, whose photos have no liveliness. In production require it,
// choose the threshold by a measurement, and ask for videos with a token.
func policy() relay.Policy {
	rule := relay.Rule{Threshold: aimbrain.RecommendedThreshold, Liveliness: relay.NotRequired, Token: relay.NotRequired}
	return relay.Policy{Face: rule, Voice: relay.Rule{Disabled: true}}
}

// newBank returns a bank whose relay writes to an audit log.
func newBank(client *aimbrain.Client, log *audit.Log) (*bank, error) {
	b := &bank{
		customers: map[string]relay.User{
			"Bearer ada": {ID: "customer-1", APIUserID: "u-81f3"},
			"Bearer bob": {ID: "customer-2", APIUserID: "u-5c90"},
		},
		orders: map[string]relay.Action{
			"7001": {Kind: "payment", Reference: "7001", Amount: 125_00, Currency: "EUR", Payee: "DE02120300000000202051"},
			"7002": {Kind: "payment", Reference: "7002", Amount: 999_00, Currency: "EUR", Payee: "DE02500105170137075030"},
		},
	}
	var err error
	b.relay, err = relay.New(client,
		relay.WithUser(b.user), relay.WithAction(b.action), relay.WithPolicy(policy()),
		relay.WithKeys(relay.RandomKeys()), relay.WithAudit(log))
	return b, err
}

// run starts the bank, and shows what happens to its customers.
func run(ctx context.Context, out io.Writer) error {
	fake, err := aimbraintest.Start()
	if err != nil {
		return err
	}
	defer fake.Close()
	fake.Enroll("u-81f3", "ada")
	fake.Enroll("u-5c90", "bob")
	folder, err := os.MkdirTemp("", "audit")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	auditKey := make([]byte, 32)
	_, _ = rand.Read(auditKey) // it never fails
	log, err := audit.Open(folder, auditKey)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	b, err := newBank(fake.Client(), log)
	if err != nil {
		return err
	}
	url, stop, err := b.serve(ctx)
	if err != nil {
		return err
	}
	defer stop()
	if err := show(ctx, out, url); err != nil {
		return err
	}
	if err := b.relay.Shutdown(ctx); err != nil {
		return err
	}
	if err := log.Close(); err != nil {
		return err
	}
	report, err := audit.Verify(ctx, folder, [][]byte{auditKey}, []audit.Checkpoint{log.Checkpoint()})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "audit file verified: %v, %d records\n", report.OK(), log.Checkpoint().Sequence)
	return nil
}

// serve mounts the relay and the payment endpoint on a free port.
func (b *bank) serve(ctx context.Context) (url string, stop func(), err error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/biometrics/", http.StripPrefix("/biometrics", b.relay))
	mux.HandleFunc("POST /pay", b.pay)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), func() { _ = server.Close() }, nil
}

// An app is the part on the phone. It has the user's log-in and no key.
type app struct {
	url, login string
	session    string
}

// show shows what the apps of ada and bob can do, and somebody else with ada's phone.
func show(ctx context.Context, out io.Writer, url string) error {
	ada := &app{url: url, login: "Bearer ada"}
	bob := &app{url: url, login: "Bearer bob"}
	for _, a := range []*app{ada, bob} {
		session, err := a.post(ctx, "/biometrics/v1/sessions", "", `{"userId":"set by the relay","device":"iPhone6,2","system":"iOS 9.2.1"}`)
		if err != nil {
			return err
		}
		a.session = session.Session
	}
	photo := 0
	face := func(a *app, subject, order string) (reply, error) {
		photo++ // no camera makes the same picture twice
		return a.post(ctx, "/biometrics/v1/face/auth", order, a.face(aimbraintest.FacePhoto(subject, aimbraintest.Variant(photo))))
	}

	got, err := face(ada, "ada", "7001")
	if err != nil {
		return err
	}
	for _, step := range []struct{ name, order string }{
		{"another payment with the grant", "7002"}, {"accepted payment", "7001"}, {"replayed grant", "7001"},
	} {
		text, err := ada.pay(ctx, step.order, got.Grant)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", step.name, text)
	}

	thief := &app{url: url, login: "Bearer bob", session: ada.session}
	if got, err = face(thief, "bob", "7001"); err != nil {
		return err
	}
	fmt.Fprintf(out, "another user's session: %s\n", got)
	for range 6 {
		if got, err = face(ada, "mallory", "7001"); err != nil {
			return err
		}
		name := "rejected impostor"
		if got.Code == "locked" {
			name = "lock-out"
		}
		fmt.Fprintf(out, "%s: %s\n", name, got)
	}
	return nil
}

// face returns a serialised request, as the vendor's SDK makes it.
func (a *app) face(photo []byte) string {
	return `{"faces":["` + base64.StdEncoding.EncodeToString(photo) + `"],"session":"` + a.session + `"}`
}

// A reply is what the relay responds. There is no score in it.
type reply struct {
	Session, Result, Grant, Code string
	RetryAfter                   int `json:"retry_after"`
}

// String returns the result, or the code of the error.
func (r reply) String() string {
	if r.RetryAfter > 0 {
		return fmt.Sprintf("%s, retry after %d s", r.Code, r.RetryAfter)
	}
	return r.Result + r.Code
}

// post posts a request to the relay.
func (a *app) post(ctx context.Context, path, order, body string) (reply, error) {
	text, err := a.send(ctx, path, order, "", body)
	var r reply
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// pay posts an order with a grant.
func (a *app) pay(ctx context.Context, order, grant string) (string, error) {
	text, err := a.send(ctx, "/pay", order, grant, "")
	return string(bytes.TrimSpace(text)), err
}

func (a *app) send(ctx context.Context, path, order, grant, body string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", a.login)
	r.Header.Set("X-Order", order)
	r.Header.Set("X-Grant", grant)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}
