// Enroll enrols faces from a queue. The handler queues the photos and responds at
// once. A worker enrols. If the response is lost, it confirms whether the enrolment
// was processed, which may take minutes. The app requests the result.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "enroll:", err)
		os.Exit(1)
	}
}

// A state is the state of a user's enrolment.
type state string

const (
	queued   state = "queued"
	building state = "building" // enrolled, but not ready for authentications
	enrolled state = "enrolled"
	retake   state = "retake"  // the photos were rejected: capture new ones
	failed   state = "failed"  // not processed: send the photos again
	unknown  state = "unknown" // perhaps processed: wait some minutes before the next enrolment
)

// settles is the time after an enrolment with an unknown outcome before another one
// may be sent.
const settles = 10 * time.Minute

// An entry is what is stored of a user's enrolment.
type entry struct {
	state state
	since time.Time
}

// An enroller enrols users from a queue.
type enroller struct {
	client *aimbrain.Client
	user   func(*http.Request) (aimbrain.SessionRequest, bool) // returns the user of the bank's own log-in

	jobs    chan func() // the functions hold the photos, so that no dump of a field shows them
	ctx     context.Context
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu      sync.Mutex // guards the fields below
	closed  bool
	entries map[string]entry // by user id; a bank stores them in its database
}

// newEnroller returns an enroller with a number of workers and a queue for a number
// of enrolments.
func newEnroller(client *aimbrain.Client, user func(*http.Request) (aimbrain.SessionRequest, bool), workers, queue int) *enroller {
	e := &enroller{client: client, user: user, jobs: make(chan func(), queue), entries: map[string]entry{}}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	for range workers { // a worker waits for minutes if the response is lost
		e.workers.Go(func() {
			for job := range e.jobs {
				job()
			}
		})
	}
	return e
}

// enrol queues an enrolment.
func (e *enroller) enrol(w http.ResponseWriter, r *http.Request) {
	user, ok := e.user(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	var request struct {
		Faces [][]byte `json:"faces"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, aimbrain.MaxRequestBytes)).Decode(&request); err != nil {
		http.Error(w, "invalid enrolment", http.StatusBadRequest)
		return
	}
	switch err := e.submit(user, request.Faces); {
	case errors.Is(err, errUnderWay):
		http.Error(w, "an enrolment is under way", http.StatusConflict)
	case err != nil:
		w.Header().Set("Retry-After", "30")
		http.Error(w, "not now", http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "queued\n")
	}
}

// status responds with the state of the user's enrolment.
func (e *enroller) status(w http.ResponseWriter, r *http.Request) {
	user, ok := e.user(r)
	if !ok {
		http.Error(w, "log in first", http.StatusUnauthorized)
		return
	}
	e.mu.Lock()
	current, ok := e.entries[user.UserID]
	e.mu.Unlock()
	if !ok {
		http.Error(w, "no enrolment", http.StatusNotFound)
		return
	}
	_, _ = io.WriteString(w, string(current.state)+"\n")
}

var (
	errUnderWay = errors.New("an enrolment of the user is under way")
	errFull     = errors.New("the queue is full or closed")
)

// submit queues an enrolment. A user has one enrolment at a time: the status does not
// show which of two was processed.
func (e *enroller) submit(user aimbrain.SessionRequest, faces [][]byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	current := e.entries[user.UserID]
	switch {
	case current.state == queued, current.state == building, current.state == unknown && time.Since(current.since) < settles:
		return errUnderWay
	case e.closed:
		return errFull
	}
	select {
	case e.jobs <- func() { e.work(user, faces) }:
		e.entries[user.UserID] = entry{queued, time.Now()}
		return nil
	default:
		return errFull
	}
}

func (e *enroller) store(user aimbrain.SessionRequest, s state) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entries[user.UserID] = entry{s, time.Now()}
}

// work enrols a user and stores the result. A program also logs the errors.
func (e *enroller) work(user aimbrain.SessionRequest, faces [][]byte) {
	session, err := e.client.Sessions.Create(e.ctx, user)
	if err != nil {
		e.store(user, failed) // no photo was sent
		return
	}
	if session.Face == aimbrain.NotEnrolled { // otherwise an earlier enrolment was processed
		_, err := e.client.Face.EnrollAndConfirm(e.ctx, session, user, aimbrain.Photos(faces...))
		switch {
		case err == nil:
		case errors.Is(err, aimbrain.ErrMediaRejected):
			e.store(user, retake)
			return
		case aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown:
			e.store(user, unknown)
			return
		default:
			e.store(user, failed)
			return
		}
	}
	e.store(user, building)
	session, err = e.client.Sessions.WaitWhileBuilding(e.ctx, user, aimbrain.ModuleFace, 5*time.Minute)
	if err != nil || session.Face != aimbrain.Enrolled {
		e.store(user, unknown) // the next enrolment begins with the status
		return
	}
	e.store(user, enrolled)
}

// shutdown refuses new enrolments and returns when those in the queue have ended. If
// ctx ends before, enrolments that were not sent fail, and those that are being
// confirmed stay unknown.
func (e *enroller) shutdown(ctx context.Context) error {
	e.mu.Lock()
	if !e.closed {
		e.closed = true
		close(e.jobs)
	}
	e.mu.Unlock()
	drained := make(chan struct{})
	go func() {
		e.workers.Wait()
		close(drained)
	}()
	defer e.cancel()
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		e.cancel()           // ends the calls
		_ = e.client.Close() // ends the confirmation, which has a context of its own
		<-drained
		return context.Cause(ctx)
	}
}

// run starts a server and an app that enrols. The response to the enrolment is lost.
func run(ctx context.Context, out io.Writer) error {
	fake, err := aimbraintest.Start()
	if err != nil {
		return err
	}
	defer fake.Close()
	fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceEnroll))
	e := newEnroller(fake.Client(), func(r *http.Request) (aimbrain.SessionRequest, bool) {
		return aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"}, r.Header.Get("Authorization") == "Bearer ada's own log-in"
	}, 4, 100)

	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /enrolment", e.enrol)
	mux.HandleFunc("GET /enrolment", e.status)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	defer func() { _ = server.Close() }()
	go func() { _ = server.Serve(listener) }()

	url := "http://" + listener.Addr().String() + "/enrolment"
	body, err := json.Marshal(map[string][][]byte{"faces": {aimbraintest.FacePhoto("ada")}})
	if err != nil {
		return err
	}
	response, err := app(ctx, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "the handler responds: %s", response)

	ending, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	if err := e.shutdown(ending); err != nil {
		return err
	}
	if response, err = app(ctx, http.MethodGet, url, nil); err != nil {
		return err
	}
	fmt.Fprintf(out, "after the queue was drained: %s", response)
	fmt.Fprintf(out, "enrolments that were processed: %d\n", fake.Processed(aimbrain.EndpointFaceEnroll))
	return nil
}

// app is the part on the phone.
func app(ctx context.Context, method, url string, body []byte) (string, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
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
	return response.Status + " " + string(text), err
}
