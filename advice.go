package aimbrain

import (
	"context"
	"log/slog"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/payload"
	"github.com/aimbrain/aimbrain-go/media"
)

// A MediaCheck is what a client does with media that has problems, see
// [WithMediaCheck]. The problems, their severities and their texts are those of
// package media.
type MediaCheck int

const (
	// MediaCheckWarn logs each problem at level warn and sends the media. Without
	// [WithLogger], or with one that leaves warnings out, nothing is checked. It is
	// the default.
	MediaCheckWarn MediaCheck = iota
	// MediaCheckOff checks nothing.
	MediaCheckOff
	// MediaCheckRefuse sends nothing when media has a problem of severity
	// [media.Refused]: it is of a format that the API does not take, damaged, or
	// certainly cut, or it does not fit in a request. The call returns a
	// [*RequestError] that names the file, such as "faces[1]", and has all such
	// problems in Problems. Media with other problems is logged, as by MediaCheckWarn,
	// and sent: the API is not known to refuse a phone's photo of more than 640×480,
	// or a file of more than 500 kB.
	MediaCheckRefuse
	// MediaCheckStrict sends nothing when media has any problem, for a program that
	// makes captures itself.
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

// WithMediaCheck sets what happens to media that has a problem: that breaks a rule of
// the API by its size, format or damage, goes beyond the vendor's guidance (pictures
// of 640×480 at most, videos of 3 s, recordings of 5 s at 16 kHz), or says where it was
// captured. The default is [MediaCheckWarn]: what the API enforces of the guidance is
// not documented, and less than all of it. [media.Limits] lists all rules.
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

// A MediaProblem is a problem of one file of a request.
type MediaProblem struct {
	// File names the file, such as "faces[1]", or the part of a forwarded body in
	// which media cannot be found, such as "the body".
	File string
	media.Problem
}

// report refuses the request for problems of its media, or logs what was found.
func (c *config) report(ctx context.Context, endpoint string, problems []payload.Problem) error {
	var refusing []MediaProblem
	for _, p := range problems {
		problem := mediaProblem(p)
		if c.mediaCheck == MediaCheckStrict || c.mediaCheck == MediaCheckRefuse && problem.Severity == media.Refused {
			refusing = append(refusing, problem)
		}
	}
	if len(refusing) > 0 {
		return &RequestError{
			Endpoint: endpoint, Argument: refusing[0].File, Reason: "is refused by WithMediaCheck: " + inWords(refusing), Problems: refusing,
		}
	}
	if c.logger == nil || !c.logger.Enabled(ctx, slog.LevelWarn) {
		return nil
	}
	for _, p := range problems {
		problem := mediaProblem(p)
		c.logger.LogAttrs(ctx, slog.LevelWarn, mediaMessage(problem.Severity),
			slog.String("endpoint", endpoint), slog.String("file", problem.File), slog.String("rule", string(problem.Rule)),
			slog.String("severity", problem.Severity.String()), slog.String("problem", problem.Message), slog.String("fix", problem.Fix))
	}
	return nil
}

func mediaMessage(severity media.Severity) string {
	switch severity {
	case media.Refused:
		return "aimbrain: media breaks a rule of the API"
	case media.MayBeRefused:
		return "aimbrain: media may be refused by the API"
	}
	return "aimbrain: media goes beyond the guidance"
}

func mediaProblem(p payload.Problem) MediaProblem {
	return MediaProblem{File: p.Place, Problem: media.Problem{
		Rule: media.Rule(p.Rule.ID), Severity: media.Severity(p.Rule.Severity), Source: media.Source(p.Rule.Source),
		Message: p.Text, Fix: p.Fix, Command: p.Command,
	}}
}

// inWords lists all problems. Those of the first file come first, and its place is
// known.
func inWords(problems []MediaProblem) string {
	var text strings.Builder
	for i, p := range problems {
		if i > 0 {
			text.WriteString("; ")
			if p.File != problems[i-1].File {
				text.WriteString(p.File + ": ")
			}
		}
		text.WriteString(p.Message)
	}
	return text.String()
}
