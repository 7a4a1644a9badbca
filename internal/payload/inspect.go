package payload

import (
	"github.com/aimbrain/aimbrain-go/internal/base64"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A Problem is a problem of a medium of a request.
type Problem struct {
	Place string // such as "faces[1]"
	mediainfo.Problem
	// Command mends what a program can mend of the medium, nil if none can.
	Command []string
}

// inspected returns the kind of package mediainfo.
func (k Kind) inspected() mediainfo.Kind {
	if k == Voice {
		return mediainfo.Voice
	}
	return mediainfo.Face
}

// inspect looks at a file in the request, in standard base64. All forms of media
// end there, and the whole file is there.
func inspect[T string | []byte](b *Builder, place string, kind mediainfo.Kind, text T) {
	file := base64Text[T]{text}
	found := mediainfo.ExamineAt(file, file.size())
	problems := found.Problems(kind)
	command := found.Command(kind, problems)
	for _, p := range problems {
		b.problems = append(b.problems, Problem{place, p, command})
	}
}

// inspectForwarded looks at the media of a request that an app has serialised. What
// cannot be looked at is a problem as well, or MediaCheckRefuse could be avoided.
func (b *Builder) inspectForwarded(serialised []byte) {
	if b.err != nil || !b.settings.Inspect {
		return
	}
	unknown := func(place, what string) { b.problems = append(b.problems, uninspectable(place, what)) }
	members, err := strictjson.Request(nil, serialised)
	if err != nil {
		unknown("the body", "it is not strict JSON")
		return
	}
	for _, member := range members {
		kind := Face
		switch string(member.Name) {
		case "faces", "faces1", "faces2":
		case "voices":
			kind = Voice
		default:
			continue
		}
		files, err := strictjson.Elements(nil, member.Value)
		if err != nil {
			unknown(string(member.Name), "it is not a strict JSON array")
			continue
		}
		for i, file := range files {
			b.file = i
			b.inspectString(b.place(string(member.Name)), kind.inspected(), file)
		}
	}
}

// uninspectable is the problem of a body, or a part of it, in which media cannot be
// found. The API may read it in another way.
func uninspectable(place, what string) Problem {
	return Problem{Place: place, Problem: mediainfo.Problem{
		Rule: mediainfo.Rule{ID: "json", Limit: "strict JSON", Severity: mediainfo.Refused, Source: mediainfo.SourceUnknown},
		Text: what + ", and its media cannot be checked",
		Fix:  "Send strict JSON, with the media as strings in an array.",
	}}
}

// inspectString looks at a file in a JSON string.
func (b *Builder) inspectString(place string, kind mediainfo.Kind, raw []byte) {
	if raw[0] != '"' {
		b.problems = append(b.problems, uninspectable(place, "it is not a string"))
		return
	}
	if plain := raw[1 : len(raw)-1]; base64.Valid(plain) { // most are plain, and need no copy
		inspect(b, place, kind, plain)
		return
	}
	text, err := strictjson.String(raw)
	if err != nil {
		b.problems = append(b.problems, uninspectable(place, "it is not a strict JSON string"))
		return
	}
	if !base64.Valid(text) {
		b.problems = append(b.problems, Problem{Place: place, Problem: mediainfo.Problem{
			Rule: mediainfo.Rule{ID: "base64", Kind: kind, Limit: "standard base64", Severity: mediainfo.Refused, Source: mediainfo.Documented},
			Text: notBase64(text), Fix: "Send standard base64, with padding and without line breaks.",
		}})
		return
	}
	inspect(b, place, kind, text)
}

// Serialised writes a whole serialised request, byte for byte.
func (b *Builder) Serialised(request []byte) {
	switch {
	case len(request) == 0:
		b.Refuse("the body", "is empty", nil)
	case b.settings.Metadata != nil:
		b.Refuse("WithMetadata", "would change a request that is forwarded as it came", nil)
	default:
		b.JSON(request)
		b.inspectForwarded(request)
	}
}

// Object returns a function that writes an object around the members of one
// endpoint.
func Object(members func(*Builder)) func(*Builder) {
	return func(b *Builder) {
		b.text("{")
		b.Bytes("metadata", b.settings.Metadata) // before the media: they are sized exactly
		members(b)
		b.text("}")
	}
}
