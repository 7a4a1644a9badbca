package aimbraintest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aimbrain/aimbrain-go"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
	"github.com/aimbrain/aimbrain-go/internal/mediainfo/readable"
	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// A medium is a photo, video or recording that was accepted.
type medium struct {
	info    mediainfo.Info
	hash    [sha256.Size]byte
	subject string // whose it is, the hash where nobody says
	known   bool   // somebody says
	spoken  string // the token in it
	marked  bool   // this package made it, so that spoken is all that is said
}

// elements returns the raw media of a member: one at least.
func (c *call) elements(name string, kind int) ([][]byte, error) {
	words := modules(kind)
	raw, ok := find(c.members, name)
	if !ok || strictjson.IsNull(raw) {
		return nil, refuseCode(words.missing, strconv.Quote(name)+" is missing: send "+words.medium+" in it at least")
	}
	elements, err := strictjson.Elements(nil, raw)
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, strconv.Quote(name)+" is not an array")
	case len(elements) == 0:
		return nil, refuseCode(words.missing, strconv.Quote(name)+" is empty: send "+words.medium+" in it at least")
	}
	return elements, nil
}

// media accepts the elements of a member, or refuses all by the first fault.
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

// decodeMedium takes one element of an array out of its base64.
func decodeMedium(place string, element []byte, words names) ([]byte, error) {
	s, err := strictjson.String(element)
	switch {
	case err != nil:
		return nil, refuse(http.StatusBadRequest, strconv.Quote(place)+" is not a string of base64")
	case s == "":
		return nil, refuseCode(words.empty, strconv.Quote(place)+" is empty: there is no data in it")
	case strings.HasPrefix(s, "data:"):
		return nil, refuseCode(aimbrain.CodeUndecodableData, strconv.Quote(place)+" is a data URL: send only what follows its comma")
	case strings.ContainsAny(s, "\r\n"): // which Go's decoder would skip
		return nil, refuseCode(aimbrain.CodeUndecodableData, strconv.Quote(place)+" is base64 with line breaks: send it without")
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

// accept checks a file and finds out whose it is.
func (f *Fake) accept(place string, data []byte, kind int) (medium, error) {
	check := checkFace
	if kind == voiceModule {
		check = checkVoice
	}
	info, _ := mediainfo.Inspect(data) // check says what is wrong
	if code, problem := check(data, info); problem != "" {
		return medium{}, refuseCode(code, strconv.Quote(place)+": "+problem)
	}
	if f.config.guidance {
		if codes, problem := checkGuidance(info); problem != "" {
			return medium{}, refuse(http.StatusUnprocessableEntity, strconv.Quote(place)+": "+problem+" (the fake has WithGuidanceEnforced)", codes...)
		}
	}
	m := medium{info: info, hash: sha256.Sum256(data)}
	m.subject, m.spoken, m.marked = mediaSubject(data)
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

// checkFace says what is wrong with a photo or video, "" for nothing.
func checkFace(data []byte, info mediainfo.Info) (code aimbrain.Code, problem string) {
	switch info.Format {
	case mediainfo.JPEG:
		if err := readable.Check(data); err != nil {
			return aimbrain.CodeMalformedImage, "the photo is damaged: " + err.Error()
		}
		return 0, ""
	case mediainfo.MP4, mediainfo.M4A:
		if err := readable.Check(data); err != nil {
			return aimbrain.CodeNoMedia, "the video is damaged: " + err.Error()
		}
		switch {
		case !info.HasVideo:
			return aimbrain.CodeNoVideo, "there is no video in the file, only sound"
		case info.VideoCodec != "avc1" && info.VideoCodec != "avc3":
			return aimbrain.CodeUnsupportedImage, "the video is not H.264: encode it as H.264"
		}
		return 0, ""
	case mediainfo.PNG, mediainfo.GIF, mediainfo.WebP, mediainfo.HEIC, mediainfo.AVIF, mediainfo.BMP, mediainfo.TIFF:
		return aimbrain.CodeUnsupportedImage, "a photo must be a JPEG, not " + info.Format.String()
	case mediainfo.Base64:
		return aimbrain.CodeUnsupportedFileType, "the data was base64 encoded twice"
	case mediainfo.Unknown:
		return aimbrain.CodeUnsupportedFileType, "this is neither a JPEG photo nor an MP4 video"
	}
	return aimbrain.CodeUnsupportedFileType, "a face must be a JPEG photo or an H.264 video in an MP4, not " + info.Format.String()
}

// checkVoice says what is wrong with a recording, "" for nothing.
func checkVoice(data []byte, info mediainfo.Info) (code aimbrain.Code, problem string) {
	switch info.Format {
	case mediainfo.WAV, mediainfo.CAF:
		if err := readable.Check(data); err != nil {
			return aimbrain.CodeUnreadableVoice, "the recording is damaged: " + err.Error()
		}
		return 0, ""
	case mediainfo.Base64:
		return aimbrain.CodeUnsupportedFileType, "the data was base64 encoded twice"
	case mediainfo.Unknown:
		return aimbrain.CodeUnreadableVoice, "this is neither a WAV nor a CAF recording"
	}
	return aimbrain.CodeUnsupportedFileType, "a recording must be WAV or CAF, not " + info.Format.String()
}

// checkGuidance says how media goes beyond the vendor's guidance, "" for not
// at all. Only for a long video there is a code whose advice fits.
func checkGuidance(info mediainfo.Info) (codes []aimbrain.Code, problem string) {
	short, long := min(info.Width, info.Height), max(info.Width, info.Height)
	switch {
	case long > 640 || short > 480:
		return nil, fmt.Sprintf("%dx%d is larger than 640x480", info.Width, info.Height)
	case info.HasVideo && info.Duration > 3*time.Second:
		return []aimbrain.Code{aimbrain.CodeLivelinessTimeout}, fmt.Sprintf("a video of %v is longer than 3 s", info.Duration)
	case info.HasAudio && !info.HasVideo && info.Duration > 5*time.Second:
		return nil, fmt.Sprintf("a recording of %v is longer than 5 s", info.Duration)
	case info.HasAudio && !info.HasVideo && info.SampleRate != 16_000:
		return nil, fmt.Sprintf("a recording of %d Hz is not of 16,000 Hz", info.SampleRate)
	}
	return nil, ""
}
