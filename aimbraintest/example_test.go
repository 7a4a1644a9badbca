package aimbraintest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// In a test, write fake := aimbraintest.New(t) and leave Close out.
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

// A lost answer leaves a program unsure, and it must not enrol twice.
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
	fmt.Println("unsure:", aimbrain.OutcomeOf(err) == aimbrain.OutcomeUnknown)
	fmt.Println("carried out:", fake.Processed(aimbrain.EndpointFaceEnroll))
	face, _, _ := fake.Status("u-81f3")
	fmt.Println("face:", face)

	// Output:
	// unsure: true
	// carried out: 1
	// face: enrolled
}

// A fake is a handler, and can stand behind a gateway's prefix.
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
