package aimbrain

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/base64"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
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
	// MediaCheckRefuse sends nothing. The call returns a [*RequestError] that names
	// the file, such as "faces[1]", and all problems.
	MediaCheckRefuse
)

// String returns "warn", "off" or "refuse".
func (m MediaCheck) String() string {
	switch m {
	case MediaCheckWarn:
		return "warn"
	case MediaCheckOff:
		return "off"
	case MediaCheckRefuse:
		return "refuse"
	}
	return "invalid"
}

// WithMediaCheck sets what happens to media that breaks a rule of the API, by its
// size, format or damage, or goes beyond the vendor's guidance for resolution,
// duration, sample rate and encoding. The default is [MediaCheckWarn]: what the
// API enforces of the guidance is not documented, and less than all of it.
//
// Media is checked in whatever form it is given, and in the members "faces",
// "faces1", "faces2" and "voices" of a body for [Client.Forward] that is strict
// JSON. Only headers are read: media without a problem may still be refused by the
// API. What a text or the log says of a problem is numbers and names of formats,
// and nothing of the content.
func WithMediaCheck(mode MediaCheck) Option {
	return func(c *config) error {
		if mode < MediaCheckWarn || mode > MediaCheckRefuse {
			return &ConfigError{Parameter: "WithMediaCheck", Reason: "is none of MediaCheckOff, MediaCheckWarn and MediaCheckRefuse"}
		}
		c.mediaCheck = mode
		return nil
	}
}

// An inspection is what was found in the media of one request.
type inspection struct{ problems []problem }

type problem struct {
	place string // such as "faces[1]"
	mediainfo.Problem
}

// inspection begins one, and returns nil if nobody wants to know.
func (c *config) inspection(ctx context.Context) *inspection {
	switch {
	case c.mediaCheck == MediaCheckRefuse:
	case c.mediaCheck == MediaCheckWarn && c.logger != nil && c.logger.Enabled(ctx, slog.LevelWarn):
	default:
		return nil
	}
	return new(inspection)
}

// inspected is the kind as package mediainfo has it.
func (k mediaKind) inspected() mediainfo.Kind {
	if k == voiceKind {
		return mediainfo.Voice
	}
	return mediainfo.Face
}

// inspect looks at a file as it stands in the request, in standard base64. All
// ways to give media end there, and all of the file is there.
func inspect[T string | []byte](i *inspection, place string, kind mediainfo.Kind, text T) {
	file := base64Text[T]{text}
	info, err := mediainfo.InspectAt(file, file.size())
	damage, damaged := mediainfo.Unreadable(err)
	damaged = damaged && file.size() > 0
	if damaged {
		i.problems = append(i.problems, problem{place, damage})
	}
	for _, p := range mediainfo.Check(info, file.size(), kind) {
		if damaged && p.Rule.Guidance {
			continue // that a number is not in the headers follows from the damage
		}
		i.problems = append(i.problems, problem{place, p})
	}
}

// inspectForwarded looks at the media of a request that an app has serialised. A
// body that is not strict JSON is left to the API, and so are members that are
// not arrays of strings.
func (b *body) inspectForwarded(serialised []byte) {
	if b.err != nil || b.inspection == nil {
		return
	}
	members, err := strictjson.Object(nil, serialised)
	if err != nil {
		return
	}
	for _, member := range members {
		kind := faceKind
		switch string(member.Name) {
		case "faces", "faces1", "faces2":
		case "voices":
			kind = voiceKind
		default:
			continue
		}
		files, err := strictjson.Elements(nil, member.Value)
		if err != nil {
			continue
		}
		for i, file := range files {
			b.file = i
			b.inspectString(b.place(string(member.Name)), kind.inspected(), file)
		}
	}
}

// inspectString looks at a file in a JSON string.
func (b *body) inspectString(place string, kind mediainfo.Kind, raw []byte) {
	if raw[0] != '"' {
		return
	}
	if plain := raw[1 : len(raw)-1]; base64.Valid(plain) { // most are, and need no copy
		inspect(b.inspection, place, kind, plain)
		return
	}
	text, err := strictjson.String(raw)
	if err != nil {
		return
	}
	if !base64.Valid(text) {
		b.inspection.problems = append(b.inspection.problems, problem{place, mediainfo.Problem{
			Rule: mediainfo.Rule{ID: "base64", Kind: kind}, Text: notBase64(text),
		}})
		return
	}
	inspect(b.inspection, place, kind, text)
}

// conclude refuses the request, or warns of what was found in its media.
func (b *body) conclude(ctx context.Context, c *config) {
	problems := b.inspection.problems
	if len(problems) == 0 {
		return
	}
	if c.mediaCheck == MediaCheckRefuse {
		b.refuse(problems[0].place, "is refused by WithMediaCheck: "+inWords(problems), nil)
		return
	}
	for _, p := range problems {
		message := "aimbrain: media breaks a rule of the API"
		if p.Rule.Guidance {
			message = "aimbrain: media goes beyond the vendor's guidance"
		}
		c.logger.LogAttrs(ctx, slog.LevelWarn, message,
			slog.String("endpoint", b.endpoint), slog.String("file", p.place), slog.String("rule", string(p.Rule.ID)), slog.String("problem", p.Text))
	}
}

// inWords lists all problems. Those of the first file come first, and its place is
// known.
func inWords(problems []problem) string {
	var text strings.Builder
	for i, p := range problems {
		if i > 0 {
			text.WriteString("; ")
			if p.place != problems[i-1].place {
				text.WriteString(p.place + ": ")
			}
		}
		text.WriteString(p.Text)
	}
	return text.String()
}
