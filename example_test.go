package aimbrain_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

// scene is what the examples use: a fake API that knows one user, and a session of
// that user.
func scene() (context.Context, *aimbraintest.Fake, *aimbrain.Client, aimbrain.Session) {
	fake, err := aimbraintest.Start()
	if err != nil {
		panic(err)
	}
	fake.Enroll("u-81f3", "ada")
	ctx, client := context.Background(), fake.Client()
	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		panic(err)
	}
	return ctx, fake, client, session
}

func ExampleNew() {
	client, err := aimbrain.New("my-key", "my-secret", aimbrain.WithRegion(aimbrain.EUWest1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	_, err = aimbrain.New("my-key", "my-secret\n")
	fmt.Println(err)
	// Output:
	// aimbrain: API secret holds a line break or a NUL: was it read from a file with its newline?
}

func ExampleSessionsService_Create() {
	ctx, fake, client, _ := scene()
	defer fake.Close()

	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{
		UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1", ScreenHeight: 568, ScreenWidth: 320,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("face:", session.Face)
	// Output:
	// face: enrolled
}

func ExampleFaceService_Token() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	token, err := client.Face.Token(ctx, session.ID, aimbrain.TokenAuth)
	if err != nil {
		fmt.Println(err)
		return
	}
	video := aimbraintest.FaceVideo("ada", aimbraintest.Saying(token.Text)) // the user says it
	result, err := client.Face.Auth(ctx, session.ID, aimbrain.Videos(video))
	fmt.Println(result.Matches(aimbrain.RecommendedThreshold), result.IsLive(0.5), err)
	// Output:
	// true true <nil>
}

func ExampleFaceService_Enroll() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	result, err := client.Face.Enroll(ctx, session.ID, aimbrain.Photos(
		aimbraintest.FacePhoto("ada", aimbraintest.Variant(1)),
		aimbraintest.FacePhoto("ada", aimbraintest.Variant(2)),
	))
	fmt.Println(result.ImagesCount, err)
	// Output:
	// 2 <nil>
}

func ExampleFaceService_EnrollAndConfirm() {
	ctx, fake, client, _ := scene()
	defer fake.Close()

	user := aimbrain.SessionRequest{UserID: "u-new", Device: "iPhone6,2", System: "iOS 9.2.1"}
	session, err := client.Sessions.Create(ctx, user)
	if err != nil {
		fmt.Println(err)
		return
	}
	fake.Queue(aimbraintest.LostResponse().On(aimbrain.EndpointFaceEnroll))
	enrolment, err := client.Face.EnrollAndConfirm(ctx, session, user, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	if err != nil {
		fmt.Println(err) // with OutcomeUnknown: do not enrol again, create a session some minutes later
		return
	}
	if enrolment.Session != nil {
		fmt.Println("the response was lost, the user is", enrolment.Session.Face)
	}
	// Output:
	// the response was lost, the user is enrolled
}

func ExampleSessionsService_WaitWhileBuilding() {
	ctx, fake, client, _ := scene()
	defer fake.Close()

	user := aimbrain.SessionRequest{UserID: "u-81f3", Device: "iPhone6,2", System: "iOS 9.2.1"}
	session, err := client.Sessions.WaitWhileBuilding(ctx, user, aimbrain.ModuleFace, time.Minute)
	fmt.Println(session.Face, err)
	// Output:
	// enrolled <nil>
}

func ExampleFaceService_Auth() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	for _, person := range []string{"ada", "mallory"} {
		result, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto(person)))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(person, result.Matches(aimbrain.RecommendedThreshold))
	}
	// Output:
	// ada true
	// mallory false
}

func ExampleFaceService_Compare() {
	ctx, fake, client, _ := scene()
	defer fake.Close()

	passport := aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Variant(1)))
	selfie := aimbrain.Photos(aimbraintest.FacePhoto("ada", aimbraintest.Variant(2)))
	result, err := client.Face.Compare(ctx, passport, selfie)
	fmt.Println(result.Matches(aimbrain.RecommendedThreshold), err)
	// Output:
	// true <nil>
}

func ExampleVoiceService_Token() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	for _, step := range aimbrain.EnrollTokens() {
		token, err := client.Voice.Token(ctx, session.ID, step)
		if err != nil {
			fmt.Println(err)
			return
		}
		recording := aimbraintest.VoiceWAV("ada", aimbraintest.Saying(token.Text)) // the user reads it aloud
		if _, err := client.Voice.Enroll(ctx, session.ID, aimbrain.Recordings(recording)); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("enrolled in five steps")
	// Output:
	// enrolled in five steps
}

func ExampleVoiceService_Enroll() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	result, err := client.Voice.Enroll(ctx, session.ID, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
	fmt.Println(result.VoiceSamples, err)
	// Output:
	// 1 <nil>
}

func ExampleVoiceService_Auth() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	_, err := client.Voice.Auth(ctx, session.ID, aimbrain.Recordings(aimbraintest.VoiceWAV("ada")))
	if errors.Is(err, aimbrain.ErrTokenRequired) {
		token, err := client.Voice.Token(ctx, session.ID, aimbrain.TokenAuth)
		if err != nil {
			fmt.Println(err)
			return
		}
		recording := aimbraintest.VoiceCAF("ada", aimbraintest.Saying(token.Text))
		result, err := client.Voice.Auth(ctx, session.ID, aimbrain.Recordings(recording))
		fmt.Println(result.Matches(aimbrain.RecommendedThreshold), result.IsLive(0.5), err)
	}
	// Output:
	// true true <nil>
}

func ExampleBehaviourService_Submit() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	_, err := client.Behaviour.Submit(ctx, session.ID, aimbrain.Events{
		Touches: []aimbrain.Touch{
			{ID: 1, Phase: aimbrain.TouchBegan, Time: 1480, X: 120, Y: 300, RX: 12, RY: 8, Radius: 21.5, Elements: []string{"amount", "payment"}},
			{ID: 1, Phase: aimbrain.TouchEnded, Time: 1553, X: 121, Y: 301, RX: 13, RY: 9, Radius: 20.0, Elements: []string{"amount", "payment"}},
		},
	})
	fmt.Println(err)
	// Output:
	// <nil>
}

func ExampleBehaviourService_Auth() {
	ctx, fake, client, _ := scene()
	defer fake.Close()

	session, err := client.Sessions.Create(ctx, aimbrain.SessionRequest{UserID: "u-new", Device: "iPhone6,2", System: "iOS 9.2.1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 4 { // the API collects data before it decides
		result, err := client.Behaviour.Auth(ctx, session.ID, aimbraintest.Behaviour("ada", 40))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(result.Status, result.Matches(aimbrain.RecommendedThreshold))
	}
	// Output:
	// not enrolled false
	// not enrolled false
	// not enrolled false
	// enrolled true
}

func ExampleScoreService_Get() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	if _, err := client.Behaviour.Submit(ctx, session.ID, aimbraintest.Behaviour("ada", 40)); err != nil {
		fmt.Println(err)
		return
	}
	result, err := client.Score.Get(ctx, session.ID)
	anomaly, ok := result.ByType("anomaly")
	fmt.Println(ok, anomaly.Value >= 0 && anomaly.Value <= 1, err)
	// Output:
	// true true <nil>
}

func ExampleClient_Forward() {
	ctx, fake, client, session := scene()
	defer fake.Close()

	// The request that an app has sent over the bank's own channel.
	request := []byte(`{"session":"what the app believes","tokentype":"auth"}`)

	request, err := aimbrain.SetMember(request, "session", session.ID) // the server's session, not the app's
	if err != nil {
		fmt.Println(err)
		return
	}
	response, err := client.Forward(ctx, aimbrain.EndpointFaceToken, request)
	if err != nil {
		fmt.Println(err)
		return
	}
	token, err := aimbrain.Decode[aimbrain.Token](response)
	fmt.Println(token.Text != "", err)
	// Output:
	// true <nil>
}

func ExampleSigner() {
	signer, err := aimbrain.NewSigner("test", "secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	body := []byte(`{"userId": "user", "device":"device", "system":"system"}`)
	signature := signer.Sign(http.MethodPost, aimbrain.EndpointSessions, body)
	fmt.Println(signature)
	fmt.Println(signer.Verify(http.MethodPost, aimbrain.EndpointSessions, append(body, '\n'), signature))
	// Output:
	// uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI=
	// aimbrain: the signature does not match the request
}

func ExampleAPIError_Action() {
	ctx, fake, client, session := scene()
	defer fake.Close()
	fake.Queue(aimbraintest.Code(aimbrain.CodePoorBrightness))

	_, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(aimbraintest.FacePhoto("ada")))
	var api *aimbrain.APIError
	if errors.As(err, &api) && api.Action() == aimbrain.ActionRetake {
		fmt.Println("please", api.Remedy())
	}
	// Output:
	// please retake in better light
}
