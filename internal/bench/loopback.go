package bench

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// Serve responds to every request with a valid result once it has read it, on its
// own loopback port, until the context ends. It responds to a request to /hold
// when hold allows it.
func Serve(ctx context.Context, hold <-chan struct{}, listening func(url string)) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		if r.Header.Get("X-Hold") != "" || r.URL.Path == "/hold"+aimbrain.EndpointFaceEnroll {
			<-hold
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"token":"6-6-7","imagesCount":1}`)
	})}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	listening("http://" + listener.Addr().String())
	_ = server.Serve(listener) // ends by Close
	return nil
}

// Client returns a client of the server at url.
func Client(url string) (*aimbrain.Client, error) {
	return aimbrain.New(key, secret, aimbrain.WithBaseURL(url))
}

// Token is a small call over loopback.
func Token(client *aimbrain.Client) Op {
	return func() error {
		_, err := client.Face.Token(context.Background(), session, aimbrain.TokenAuth)
		return err
	}
}

// BareToken sends the same signed bytes with net/http and reads the response.
func BareToken(url string) Op {
	body := []byte(`{"session":"` + session + `","tokentype":"auth"}`)
	return bare(url+aimbrain.EndpointFaceToken, func() ([]byte, string) { return body, signature(aimbrain.EndpointFaceToken, body) })
}

// ForwardLoopback sends a serialised request over loopback.
func ForwardLoopback(client *aimbrain.Client, photo []byte) Op {
	request := Request(photo)
	return func() error {
		_, err := client.Forward(context.Background(), aimbrain.EndpointFaceEnroll, request)
		return err
	}
}

// Enroll is a call with a photo over loopback.
func Enroll(client *aimbrain.Client, photo []byte) Op {
	media := aimbrain.Photos(photo)
	return func() error {
		_, err := client.Face.Enroll(context.Background(), session, media)
		return err
	}
}

// BareEnroll sends the same bytes with net/http and hashes them once. The base64
// is made beforehand.
func BareEnroll(url string, photo []byte) Op {
	body := Request(photo)
	return bare(url+aimbrain.EndpointFaceEnroll, func() ([]byte, string) { return body, signature(aimbrain.EndpointFaceEnroll, body) })
}

// BareEncodeEnroll also encodes them, into an existing buffer.
func BareEncodeEnroll(url string, photo []byte) Op {
	buf := make([]byte, 0, requestSize(photo))
	return bare(url+aimbrain.EndpointFaceEnroll, func() ([]byte, string) {
		body := appendRequest(buf[:0], photo)
		return body, signature(aimbrain.EndpointFaceEnroll, body)
	})
}

// PlainEnroll encodes them into a new buffer, as a server with many concurrent
// calls would.
func PlainEnroll(url string, photo []byte) Op {
	return bare(url+aimbrain.EndpointFaceEnroll, func() ([]byte, string) {
		body := appendRequest(make([]byte, 0, requestSize(photo)), photo)
		return body, signature(aimbrain.EndpointFaceEnroll, body)
	})
}

func signature(endpoint string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("POST\n" + endpoint + "\n"))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// bare is minimal careful code that uses net/http directly.
func bare(url string, prepare func() (body []byte, signature string)) Op {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 512}}
	return func() error {
		body, signature := prepare()
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set(aimbrain.HeaderAPIKey, key)
		request.Header.Set(aimbrain.HeaderSignature, signature)
		response, err := client.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		_, err = io.ReadAll(response.Body)
		return err
	}
}
