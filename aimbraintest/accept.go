package aimbraintest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo/readable"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
	"github.com/aimbrain/aimbrain-go/internal/synth"
)

// A medium is a photo, video or recording that was accepted.
type medium struct {
	info    mediainfo.Info
	hash    [sha256.Size]byte
	subject string // the subject, or the hash if it is not known
	known   bool   // a label or a marker names the subject
	spoken  string // the token in the marker
	marked  bool   // this package made the file, so that it has no token but spoken
}

// elements returns the raw elements of an array of media. There is at least one.
func (c *call) elements(name string, kind int) ([][]byte, error) {
	words := modules(kind)
	raw, ok := find(c.members, name)
	if !ok || strictjson.IsNull(raw) {
		return nil, refuseCode(words.missing, strconv.Quote(name)+" is missing: send at least "+words.medium+" in it")
	}
	elements, err := strictjson.Elements(nil, raw)
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, strconv.Quote(name)+" is not an array")
	case len(elements) == 0:
		return nil, refuseCode(words.missing, strconv.Quote(name)+" is empty: send at least "+words.medium+" in it")
	}
	return elements, nil
}

// media accepts the elements of a member, or refuses all of them for the first
// fault.
func (c *call) media(name string, kind int, elements [][]byte) ([]medium, error) {
	media := make([]medium, 0, len(elements))
	for i, element := range elements {
		place := name + "[" + strconv.Itoa(i) + "]"
		data, err := decodeMedium(place, element, modules(kind))
		if err != nil {
			return nil, err
		}
		m, err := c.fake.accept(place, data, kind)
		if err != nil {
			return nil, err
		}
		media = append(media, m)
	}
	for _, m := range media[1:] {
		if m.info.Format != media[0].info.Format {
			return nil, refuseCode(aimbrain.CodeSeveralFileTypes, fmt.Sprintf("%q holds %s and %s: send files of one type in a request", name, media[0].info.Format, m.info.Format))
		}
	}
	return media, nil
}

// decodeMedium returns one element of an array, decoded from base64.
func decodeMedium(place string, element []byte, words names) ([]byte, error) {
	s, err := strictjson.String(element)
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, strconv.Quote(place)+" is not a string of base64")
	case s == "":
		return nil, refuseCode(words.empty, strconv.Quote(place)+" is empty: there is no data in it")
	case strings.HasPrefix(s, "data:"):
		return nil, refuseCode(aimbrain.CodeUndecodableData, strconv.Quote(place)+" is a data URL: send only what follows its comma")
	case strings.ContainsAny(s, "\r\n"): // encoding/base64 skips them
		return nil, refuseCode(aimbrain.CodeUndecodableData, strconv.Quote(place)+" is base64 with line breaks: send base64 without line breaks")
	}
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, refuseCode(aimbrain.CodeUndecodableData, strconv.Quote(place)+" is not standard base64 with padding")
	}
	if len(data) > MaxMediaBytes {
		return nil, refuseCode(aimbrain.CodeFileTooBig, fmt.Sprintf("%q is %d bytes: send %d at most", place, len(data), MaxMediaBytes))
	}
	return data, nil
}

// accept checks a file and returns it with its subject.
func (f *Fake) accept(place string, data []byte, kind int) (medium, error) {
	check, as := checkFace, mediainfo.Face
	if kind == voiceModule {
		check, as = checkVoice, mediainfo.Voice
	}
	info, _ := mediainfo.Inspect(data) // check reports the error
	problems := mediainfo.Check(info, int64(len(data)), as)
	if code, problem := check(data, info, problems); problem != "" {
		return medium{}, refuseCode(code, strconv.Quote(place)+": "+problem)
	}
	if f.config.guidance {
		if codes, problem := checkGuidance(info, problems); problem != "" {
			return medium{}, refuse(http.StatusUnprocessableEntity, strconv.Quote(place)+": "+problem+" (the fake has WithGuidanceEnforced)", codes...)
		}
	}
	m := medium{info: info, hash: sha256.Sum256(data)}
	m.subject, m.spoken, m.marked = synth.Subject(data)
	m.known = m.marked
	f.mu.Lock()
	defer f.mu.Unlock()
	if label, ok := f.labels[m.hash]; ok {
		m.subject, m.known = label, true
	}
	if !m.known {
		m.subject = hex.EncodeToString(m.hash[:])
	}
	return m, nil
}

// checkFace returns the problem of a photo or video, "" for none.
func checkFace(data []byte, info mediainfo.Info, problems []mediainfo.Problem) (code aimbrain.Code, problem string) {
	format := broken(problems, mediainfo.RuleFaceFormat, mediainfo.RuleFaceCodec)
	switch info.Format {
	case mediainfo.JPEG:
		if format != "" {
			return aimbrain.CodeUnsupportedImage, format
		}
		if err := readable.Check(data); err != nil {
			return aimbrain.CodeMalformedImage, "the photo is damaged: " + err.Error()
		}
		return 0, ""
	case mediainfo.MP4, mediainfo.M4A, mediainfo.QuickTime, mediainfo.WebM:
		if err := readable.Check(data); err != nil {
			return aimbrain.CodeNoMedia, "the video is damaged: " + err.Error()
		}
		switch {
		case !info.HasVideo:
			return aimbrain.CodeNoVideo, format
		case format != "":
			return aimbrain.CodeUnsupportedImage, format
		}
		return aimbrain.CodeDurationMismatch, broken(problems, mediainfo.RuleSoundLength)
	case mediainfo.PNG, mediainfo.GIF, mediainfo.WebP, mediainfo.HEIC, mediainfo.AVIF, mediainfo.BMP, mediainfo.TIFF,
		mediainfo.JPEGXL, mediainfo.JPEG2000, mediainfo.ICO, mediainfo.SVG:
		return aimbrain.CodeUnsupportedImage, format
	}
	return aimbrain.CodeUnsupportedFileType, format
}

// checkVoice returns the problem of a recording, "" for none.
func checkVoice(data []byte, info mediainfo.Info, problems []mediainfo.Problem) (code aimbrain.Code, problem string) {
	format := broken(problems, mediainfo.RuleVoiceFormat, mediainfo.RuleVoiceCodec)
	switch info.Format {
	case mediainfo.WAV, mediainfo.CAF:
		if format != "" {
			return aimbrain.CodeUnreadableVoice, format
		}
		if err := readable.Check(data); err != nil {
			return aimbrain.CodeUnreadableVoice, "the recording is damaged: " + err.Error()
		}
		return 0, ""
	case mediainfo.Unknown:
		return aimbrain.CodeUnreadableVoice, format
	}
	return aimbrain.CodeUnsupportedFileType, format
}

// broken returns the text of the first problem with one of the rules, "" for none.
func broken(problems []mediainfo.Problem, rules ...mediainfo.RuleID) string {
	for _, p := range problems {
		if slices.Contains(rules, p.Rule.ID) {
			return p.Text
		}
	}
	return ""
}

// checkGuidance returns how media goes beyond the vendor's guidance, "" if it
// does not. The API has a fitting code only for a long video.
func checkGuidance(info mediainfo.Info, problems []mediainfo.Problem) (codes []aimbrain.Code, problem string) {
	var texts []string
	for _, p := range problems {
		if !p.Rule.Guidance {
			continue
		}
		texts = append(texts, p.Text)
		if p.Rule.ID == mediainfo.RuleVideoLength && info.Duration > mediainfo.MaxVideo {
			codes = append(codes, aimbrain.CodeLivelinessTimeout)
		}
	}
	return codes, strings.Join(texts, "; ")
}
