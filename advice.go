package aimbrain

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/payload"
)

// A MediaCheck is what a client does with media that breaks a rule of the API or
// goes beyond the vendor's guidance, see [WithMediaCheck].
type MediaCheck int

const (
	// MediaCheckWarn logs each problem at level warn and sends the media. Without
	// [WithLogger], or with one that leaves warnings out, nothing is checked. It is
	// the default.
	MediaCheckWarn MediaCheck = iota
	// MediaCheckOff checks nothing.
	MediaCheckOff
	// MediaCheckRefuse sends nothing when media breaks a rule: it is over 500 kB, of a
	// format that the API does not take, or damaged. The call returns a [*RequestError]
	// that names the file, such as "faces[1]", and all rules that it breaks. What goes
	// beyond the guidance alone is logged, as by MediaCheckWarn, and sent: a phone's
	// photo of more than 640×480 is one.
	MediaCheckRefuse
	// MediaCheckStrict is MediaCheckRefuse for the guidance as well: nothing beyond it
	// is sent, for a program that makes captures itself.
	MediaCheckStrict
)

// String returns "warn", "off", "refuse" or "strict".
func (m MediaCheck) String() string {
	switch m {
	case MediaCheckWarn:
		return "warn"
	case MediaCheckOff:
		return "off"
	case MediaCheckRefuse:
		return "refuse"
	case MediaCheckStrict:
		return "strict"
	}
	return "invalid"
}

// WithMediaCheck sets what happens to media that breaks a rule of the API, by its
// size, format or damage, or goes beyond the vendor's guidance: pictures of 640×480
// at most, videos of 3 s, recordings of 5 s at 16 kHz. The default is
// [MediaCheckWarn]: what the API enforces of the guidance is not documented, and
// less than all of it.
//
// Media is checked in whatever form it is given, and in the members "faces",
// "faces1", "faces2" and "voices" of a body for [Client.Forward] that is strict
// JSON. Only headers are read: media without a problem may still be refused by the
// API. What a text or the log says of a problem is numbers and names of formats,
// and nothing of the content.
func WithMediaCheck(mode MediaCheck) Option {
	return func(c *config) error {
		if mode < MediaCheckWarn || mode > MediaCheckStrict {
			return &ConfigError{Parameter: "WithMediaCheck", Reason: "is none of MediaCheckOff, MediaCheckWarn, MediaCheckRefuse and MediaCheckStrict"}
		}
		c.mediaCheck = mode
		return nil
	}
}

// report refuses the request for rules that its media breaks, or logs what was found.
func (c *config) report(ctx context.Context, endpoint string, problems []payload.Problem) error {
	if c.mediaCheck == MediaCheckRefuse || c.mediaCheck == MediaCheckStrict {
		broken := slices.DeleteFunc(slices.Clone(problems), func(p payload.Problem) bool {
			return p.Rule.Guidance && c.mediaCheck == MediaCheckRefuse
		})
		if len(broken) > 0 {
			return &RequestError{Endpoint: endpoint, Argument: broken[0].Place, Reason: "is refused by WithMediaCheck: " + inWords(broken)}
		}
	}
	if c.logger == nil || !c.logger.Enabled(ctx, slog.LevelWarn) {
		return nil
	}
	for _, p := range problems {
		message := "aimbrain: media breaks a rule of the API"
		if p.Rule.Guidance {
			message = "aimbrain: media goes beyond the vendor's guidance"
		}
		c.logger.LogAttrs(ctx, slog.LevelWarn, message,
			slog.String("endpoint", endpoint), slog.String("file", p.Place), slog.String("rule", string(p.Rule.ID)), slog.String("problem", p.Text))
	}
	return nil
}

// inWords lists all problems. Those of the first file come first, and its place is
// known.
func inWords(problems []payload.Problem) string {
	var text strings.Builder
	for i, p := range problems {
		if i > 0 {
			text.WriteString("; ")
			if p.Place != problems[i-1].Place {
				text.WriteString(p.Place + ": ")
			}
		}
		text.WriteString(p.Text)
	}
	return text.String()
}
