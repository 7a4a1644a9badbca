// Quickstart makes the calls of the vendor's quick start: a session, an enrolment, a
// session after it, and the authentications of the user and of an impostor.
//
// It needs no credentials: the API is a fake in the same process, and the faces
// are drawn. With AIMBRAIN_API_KEY and AIMBRAIN_API_SECRET in the environment
// it calls the real API, and needs photos of real people:
//
//	go run ./examples/quickstart -enroll me1.jpg,me2.jpg -same me3.jpg -impostor friend.jpg
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	aimbrain "github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/aimbraintest"
)

func main() {
	err := run(context.Background(), os.Args[1:], os.Getenv, os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	photos, err := readPhotos(args, out)
	if err != nil {
		return err
	}
	var last aimbrain.Attempt
	observe := aimbrain.WithObserver(func(_ context.Context, a aimbrain.Attempt) { last = a })

	var client *aimbrain.Client
	if getenv(aimbrain.EnvAPIKey) != "" || getenv(aimbrain.EnvAPISecret) != "" {
		if !photos.own {
			return errors.New("credentials are set: the real API needs photos of real faces, see -help")
		}
		client, err = aimbrain.NewFromEnv(observe)
	} else {
		var fake *aimbraintest.Fake
		if fake, err = aimbraintest.Start(); err != nil {
			return err
		}
		defer fake.Close()
		photos.introduce(fake)
		fmt.Fprintln(out, "No credentials in the environment: the API is a fake in this process, and its scores are simulated.")
		if photos.own {
			fmt.Fprintln(out, "It does not recognise faces: your flags say who is on your photos.")
		}
		fmt.Fprintln(out)
		client, err = aimbrain.New(fake.APIKey(), fake.APISecret(), aimbrain.WithBaseURL(fake.URL()), observe)
	}
	if err != nil {
		return err
	}
	defer client.Close()
	return walk(ctx, client, photos, func(r aimbrain.Response, err error) {
		defer func() { last = aimbrain.Attempt{} }()
		if last.Number == 0 {
			return // nothing was sent
		}
		body := r.Body
		var api *aimbrain.APIError
		if errors.As(err, &api) {
			body = api.Body
		}
		fmt.Fprintf(out, "[%s][%d][%.2fs] %s\n", last.Endpoint, last.Status, last.Duration.Seconds(), body)
	}, out)
}

// walk makes the calls and shows each response.
func walk(ctx context.Context, client *aimbrain.Client, photos photos, show func(aimbrain.Response, error), out io.Writer) error {
	who := aimbrain.SessionRequest{UserID: "user-" + rand.Text(), Device: "quickstart", System: "Go", ScreenHeight: 568, ScreenWidth: 320}

	session, err := client.Sessions.Create(ctx, who)
	show(session.Response, err)
	if err != nil {
		return err
	}
	enrolled, err := client.Face.Enroll(ctx, session.ID, aimbrain.Photos(photos.enroll...))
	show(enrolled.Response, err)
	if err != nil {
		return err
	}
	session, err = client.Sessions.Create(ctx, who)
	show(session.Response, err)
	if err != nil {
		return err
	}
	same, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(photos.same))
	show(same.Response, err)
	if err != nil {
		return err
	}
	impostor, err := client.Face.Auth(ctx, session.ID, aimbrain.Photos(photos.impostor))
	show(impostor.Response, err)
	if err != nil {
		return err
	}

	fmt.Fprintf(out, "\n%d photos were enrolled; the user's face is %v now.\n", enrolled.ImagesCount, session.Face)
	fmt.Fprintln(out, "The same person came:", verdict(same))
	fmt.Fprintln(out, "An impostor came:    ", verdict(impostor))
	return nil
}

func verdict(r aimbrain.FaceAuthResult) string {
	if r.Matches(aimbrain.RecommendedThreshold) {
		return fmt.Sprintf("let in, the score %.2f reaches %.2f.", r.Score, aimbrain.RecommendedThreshold)
	}
	return fmt.Sprintf("kept out, the score %.2f is below %.2f.", r.Score, aimbrain.RecommendedThreshold)
}

// photos are those of the enrolment and of the two authentications.
type photos struct {
	enroll         [][]byte
	same, impostor []byte
	own            bool // the user's own files
}

// readPhotos reads the files that the flags name, and draws the other faces.
func readPhotos(args []string, out io.Writer) (photos, error) {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprintln(out, "quickstart makes the calls of the vendor's quick start, with drawn faces or with your own photos:")
		flags.PrintDefaults()
	}
	enroll := flags.String("enroll", "", "JPEG photos of the user, `files` separated by commas")
	same := flags.String("same", "", "another JPEG photo of the user, a `file` (default: the first that is enrolled)")
	impostor := flags.String("impostor", "", "a JPEG photo of somebody else, a `file` (default: a drawn face)")
	if err := flags.Parse(args); err != nil {
		return photos{}, err
	}
	if flags.NArg() > 0 {
		return photos{}, fmt.Errorf("unexpected argument %q: name files by flags, and separate several files by commas", flags.Arg(0))
	}
	p := photos{impostor: aimbraintest.FacePhoto("mallory"), own: *enroll != ""}
	if !p.own {
		if *same != "" || *impostor != "" {
			return photos{}, errors.New("-same and -impostor need -enroll")
		}
		for variant := range 5 {
			p.enroll = append(p.enroll, aimbraintest.FacePhoto("ada", aimbraintest.Variant(variant)))
		}
		p.same = aimbraintest.FacePhoto("ada", aimbraintest.Variant(5))
		return p, nil
	}
	for _, path := range strings.Split(*enroll, ",") {
		photo, err := os.ReadFile(strings.TrimSpace(path))
		if err != nil {
			return photos{}, fmt.Errorf("-enroll: %w", err)
		}
		p.enroll = append(p.enroll, photo)
	}
	p.same = p.enroll[0]
	var err error
	if *same != "" {
		if p.same, err = os.ReadFile(*same); err != nil {
			return photos{}, fmt.Errorf("-same: %w", err)
		}
	}
	if *impostor != "" {
		if p.impostor, err = os.ReadFile(*impostor); err != nil {
			return photos{}, fmt.Errorf("-impostor: %w", err)
		}
	}
	for _, photo := range append(p.enroll, p.same) {
		if bytes.Equal(photo, p.impostor) {
			return photos{}, errors.New("-impostor: the file is one of the user's own photos")
		}
	}
	return p, nil
}

// introduce sets who is on the user's own photos: the fake does not recognise faces.
func (p photos) introduce(fake *aimbraintest.Fake) {
	if !p.own {
		return
	}
	fake.AssignSubject("impostor", p.impostor)
	fake.AssignSubject("user", p.same)
	fake.AssignSubject("user", p.enroll...)
}
