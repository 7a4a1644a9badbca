package aimbraintest_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// In a test, call [aimbraintest.New], which needs no Close.
func Example() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	fake.Enroll("u-81f3", "ada")
	client := fake.Client()

	ctx := context.Background()
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	selfie := aimbrain.Photos(aimbraintest.FacePhoto("ada"))
	login := func() {
		result, err := client.Face.Auth(ctx, session.ID, selfie)
		switch {
		case errors.Is(err, aimbrain.CodePoorBrightness):
			fmt.Println("ask for more light")
		case err != nil:
			fmt.Println(err)
		default:
			fmt.Println("let in:", result.Matches(aimbrain.RecommendedThreshold))
		}
	}

	login()
	fake.Queue(aimbraintest.Score(0.31), aimbraintest.Code(aimbrain.CodePoorBrightness))
	login()
	login()

	// Output:
	// let in: true
	// let in: false
	// ask for more light
}

// LostResponse makes the outcome of an enrolment unknown. A program must not send
// the enrolment again.
func ExampleLostResponse() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	client := fake.Client()
	ctx := context.Background()
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		fmt.Println(err)
		return
	}

	fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceEnroll))
	_, err = client.Face.Enroll(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	fmt.Println("unknown:", aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown)
	fmt.Println("processed:", fake.Processed(aimbrain.EndpointFaceEnroll))
	face, _, _ := fake.Status("u-81f3")
	fmt.Println("face:", face)

	// Output:
	// unknown: true
	// processed: 1
	// face: enrolled
}

// A fake is a handler. It serves the endpoints behind the prefix of a gateway.
func ExampleFake_ServeHTTP() {
	fake, err := aimbraintest.Start(aimbraintest.WithPathPrefix("/bio"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	mux := http.NewServeMux()
	mux.Handle("/bio/", fake)
	server := httptest.NewServer(mux)
	defer server.Close()

	client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(server.URL+"/bio/"))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.Sessions.Create(context.Background(), aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	fmt.Println(err)
	fmt.Println(fake.Requests()[0].Path, fake.Requests()[0].UserID())

	// Output:
	// <nil>
	// /bio/v1/sessions u-81f3
}

// A wrapper around the fake's transport sees every request and response.
func ExampleFake_Transport() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	wrapper := &counting{inner: fake.Transport()}
	client := fake.Client(aimbrain.WithTransport(wrapper))

	_, err = client.Sessions.Create(context.Background(), aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	fmt.Println(wrapper.sent.Load(), err)

	// Output:
	// 1 <nil>
}

type counting struct {
	inner http.RoundTripper
	sent  atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	return c.inner.RoundTrip(r)
}

// The server in front of the fake has a certificate of its own authority, as a
// proxy that opens TLS has.
func ExampleFake_ServeHTTP_certificateAuthority() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	server := httptest.NewUnstartedServer(fake)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // the first handshake fails
	server.StartTLS()
	defer server.Close()
	authority := x509.NewCertPool()
	authority.AddCert(server.Certificate())

	for _, transport := range []*aimbrain.Transport{
		aimbrain.NewTransport(),
		aimbrain.NewTransport(func(t *http.Transport) { t.TLSClientConfig.RootCAs = authority }),
	} {
		client, err := aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(server.URL), aimbrain.WithTransport(transport))
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = client.Sessions.Create(context.Background(), aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
		fmt.Println(aimbrain.OutcomeOf(err))
		transport.CloseIdleConnections()
	}

	// Output:
	// not sent
	// succeeded
}

// Stall and WaitForRequests cancel a request that has arrived.
func ExampleStall() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	client := fake.Client()
	fake.Queue(aimbraintest.Stall())

	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() {
		_, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
		ended <- err
	}()
	if _, err := fake.WaitForRequests(context.Background(), 1); err != nil {
		fmt.Println(err)
	}
	cancel()
	err = <-ended
	fmt.Println(errors.Is(err, context.Canceled), aimbrain.OutcomeOf(err))

	// Output:
	// true unknown
}

// NotSent refuses the connection of one attempt, and with Always those of all
// attempts.
func ExampleNotSent() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer fake.Close()
	client := fake.Client()
	ctx := context.Background()
	request := aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"}

	fake.Queue(aimbraintest.NotSent())
	session, err := client.Sessions.Create(ctx, request)
	fmt.Println(aimbrain.OutcomeOf(err), "after", session.Response.Attempts, "attempts")

	fake.Queue(aimbraintest.NotSent().Always())
	_, err = client.Sessions.Create(ctx, request)
	fmt.Println(aimbrain.OutcomeOf(err), errors.Is(err, syscall.ECONNREFUSED))
	fake.ClearQueue()

	// Output:
	// succeeded after 2 attempts
	// not sent true
}

// Close closes the clients that Client returned, and no others.
func ExampleFake_Close() {
	fake, err := aimbraintest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	client := fake.Client()
	fake.Close()

	_, err = client.Sessions.Create(context.Background(), aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	fmt.Println(errors.Is(err, aimbrain.ErrClosed))

	// Output:
	// true
}

// A test that implements an interface of its own returns the errors of a client.
func ExampleNewError() {
	busy := aimbraintest.NewError(aimbrain.EndpointFaceAuth,
		aimbraintest.Status(http.StatusServiceUnavailable).WithRetryAfter(30*time.Second))
	dark := aimbraintest.NewAPIError(aimbrain.EndpointFaceAuth, http.StatusUnprocessableEntity, aimbrain.CodePoorBrightness)
	lost := aimbraintest.NewNetworkError(aimbrain.EndpointFaceEnroll, aimbrain.ErrAttemptTimeout, aimbrain.OutcomeUnknown)

	var refused *aimbrain.APIError
	if errors.As(busy, &refused) {
		wait, _ := refused.RetryAfter()
		fmt.Println("again in", wait)
	}
	fmt.Println(errors.Is(dark, aimbrain.ErrMediaRejected), dark.Action() == aimbrain.ActionRetake)
	fmt.Println(aimbrain.OutcomeOf(lost))

	// Output:
	// again in 30s
	// true true
	// unknown
}

// A test with recorded fixtures needs no network and no credentials. With
// AIMBRAIN_RECORD=1 and the variables of [aimbrain.NewFromEnv] it records them.
func ExampleRecord() {
	test := func(t *testing.T) {
		fixtures := aimbraintest.Record(t, "testdata/login")
		client := fixtures.Client()

		session, err := client.Sessions.Create(t.Context(), aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
		if err != nil {
			t.Fatal(err)
		}
		result, err := client.Face.Auth(t.Context(), session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
		if err != nil || !result.Matches(aimbrain.RecommendedThreshold) {
			t.Fatal(result.Score, err)
		}
	}
	_ = test
}
