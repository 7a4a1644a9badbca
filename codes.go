package aimbrain

import "strconv"

// A Code is AimBrain's own number for what went wrong, finer than the HTTP
// status. It is an error, so that
//
//	errors.Is(err, aimbrain.CodeUserNotFound)
//
// holds when the API's response lists it, alone or among others. A code that is
// not in the table comes through as its number.
type Code int

// The codes that the vendor documents. There is no code 4.
const (
	CodeNoFace               Code = 1   // no face found in the photo or video
	CodeNoImageData          Code = 2   // no image data in the face field
	CodeNoFacialPoints       Code = 3   // no facial points in the photo or video
	CodeMotionBlur           Code = 5   // blurred by motion
	CodeWrongOrientation     Code = 6   // the face has the wrong orientation
	CodeFaceTooFar           Code = 7   // the face is far away
	CodePoorSharpness        Code = 8   // poor sharpness
	CodePoorContrast         Code = 9   // poor contrast
	CodePoorBrightness       Code = 10  // poor brightness
	CodeBlurry               Code = 11  // blurry
	CodeLivelinessTimeout    Code = 12  // timeout while liveliness was processed
	CodeMalformedImage       Code = 13  // the image is malformed
	CodeFileTooBig           Code = 14  // the file, or the request, is too big
	CodeUnreadableVoice      Code = 15  // the voice data cannot be read
	CodeDurationMismatch     Code = 16  // video and audio differ in duration
	CodeNoMedia              Code = 17  // no media found
	CodeNoVideo              Code = 18  // no video found
	CodeNoAudio              Code = 19  // the audio cannot be had
	CodeUnsupportedImage     Code = 20  // the image type is not supported
	CodeNoUserEncodings      Code = 103 // no user encodings
	CodeEnrollmentFailed     Code = 104 // the user cannot be enrolled
	CodeUndecodableData      Code = 105 // the data cannot be decoded
	CodeUndecodableRequest   Code = 106 // the request body cannot be decoded
	CodeUserNotFound         Code = 107 // the user is not found
	CodeUnsupportedMIMEType  Code = 108 // the MIME type is not supported
	CodeAPIError             Code = 120 // API error
	CodeNoFaces              Code = 150 // no faces in the request
	CodeNoVoices             Code = 151 // no voices in the request
	CodeNoToken              Code = 152 // no token found
	CodeNoModels             Code = 153 // no models for the API key
	CodeTimedOut             Code = 170 // the operation timed out
	CodeUnsupportedFileType  Code = 180 // the file type is not supported
	CodeSeveralFileTypes     Code = 181 // several file types found
	CodeUndecodableMediaBody Code = 182 // the request body cannot be decoded (media)
	CodeUnknown              Code = 999 // unknown error
)

// Codes lists the documented codes in the order of their numbers.
func Codes() []Code {
	return []Code{
		CodeNoFace, CodeNoImageData, CodeNoFacialPoints, CodeMotionBlur,
		CodeWrongOrientation, CodeFaceTooFar, CodePoorSharpness, CodePoorContrast,
		CodePoorBrightness, CodeBlurry, CodeLivelinessTimeout, CodeMalformedImage,
		CodeFileTooBig, CodeUnreadableVoice, CodeDurationMismatch, CodeNoMedia,
		CodeNoVideo, CodeNoAudio, CodeUnsupportedImage, CodeNoUserEncodings,
		CodeEnrollmentFailed, CodeUndecodableData, CodeUndecodableRequest,
		CodeUserNotFound, CodeUnsupportedMIMEType, CodeAPIError, CodeNoFaces,
		CodeNoVoices, CodeNoToken, CodeNoModels, CodeTimedOut,
		CodeUnsupportedFileType, CodeSeveralFileTypes, CodeUndecodableMediaBody,
		CodeUnknown,
	}
}

// Error returns the number and the meaning, so that a Code reads well as an
// error: "code 10: poor brightness".
func (c Code) Error() string {
	text := "code " + strconv.Itoa(int(c))
	if meaning := c.Description(); meaning != "" {
		text += ": " + meaning
	}
	return text
}

// Description returns what the code means, or "" for a code that is not documented.
func (c Code) Description() string { return c.entry().meaning }

// Action returns what kind of step helps, or [ActionUnknown] for a code that
// is not documented.
func (c Code) Action() Action { return c.entry().action }

// Remedy returns what to do about it in a few words, or "" for a code that is not
// documented, such as "retake in better light". They are for a developer or an
// operator; for the person in front of the camera there is [Code.Prompt].
func (c Code) Remedy() string { return c.entry().advice }

// Prompt returns a sentence in English for the person in front of the camera, such
// as "Please try again in better light.", or "" for a code against which the
// person can do nothing.
func (c Code) Prompt() string {
	switch c {
	case CodeNoFace:
		return "We could not see your face. Please look into the camera and try again."
	case CodeNoFacialPoints:
		return "We could not see your whole face. Please look straight into the camera and try again."
	case CodeMotionBlur:
		return "Please hold the camera still and try again."
	case CodeWrongOrientation:
		return "Please hold the camera upright, look straight into it and try again."
	case CodeFaceTooFar:
		return "Please move closer to the camera and try again."
	case CodePoorSharpness, CodeBlurry:
		return "The picture is not sharp. Please let the camera focus and try again."
	case CodePoorContrast, CodePoorBrightness:
		return "Please try again in better light."
	}
	return ""
}

type codeEntry struct {
	meaning string
	action  Action
	advice  string
}

// entry is the vendor's table of codes, with the kind of step added.
func (c Code) entry() codeEntry {
	switch c {
	case CodeNoFace:
		return codeEntry{"no face found in the photo or video", ActionRetake, "retake"}
	case CodeNoImageData:
		return codeEntry{"no image data in the face field", ActionFixMedia, "check that the data is not corrupted"}
	case CodeNoFacialPoints:
		return codeEntry{"no facial points in the photo or video", ActionRetake, "retake"}
	case CodeMotionBlur:
		return codeEntry{"blurred by motion", ActionRetake, "retake without shaking the camera"}
	case CodeWrongOrientation:
		return codeEntry{"the face has the wrong orientation", ActionRetake, "retake upright"}
	case CodeFaceTooFar:
		return codeEntry{"the face is far away", ActionRetake, "retake closer"}
	case CodePoorSharpness:
		return codeEntry{"poor sharpness", ActionRetake, "retake in focus"}
	case CodePoorContrast:
		return codeEntry{"poor contrast", ActionRetake, "retake in better light"}
	case CodePoorBrightness:
		return codeEntry{"poor brightness", ActionRetake, "retake in better light"}
	case CodeBlurry:
		return codeEntry{"blurry", ActionRetake, "retake in focus"}
	case CodeLivelinessTimeout:
		return codeEntry{"timeout while liveliness was processed", ActionFixMedia, "check that the video keeps to the limits"}
	case CodeMalformedImage:
		return codeEntry{"the image is malformed", ActionFixMedia, "check that the photo is not corrupted"}
	case CodeFileTooBig:
		return codeEntry{"the file is too big", ActionFixMedia, "keep each file under 500 kB and the request under 2 MB"}
	case CodeUnreadableVoice:
		return codeEntry{"the voice data cannot be read", ActionFixMedia, "check that the recording is not corrupted"}
	case CodeDurationMismatch:
		return codeEntry{"video and audio differ in duration", ActionFixMedia, "check that the video is not corrupted"}
	case CodeNoMedia:
		return codeEntry{"no media found", ActionFixMedia, "check that the video is not corrupted"}
	case CodeNoVideo:
		return codeEntry{"no video found", ActionFixMedia, "check that the video is not corrupted"}
	case CodeNoAudio:
		return codeEntry{"the audio cannot be had", ActionFixMedia, "check that the video is not corrupted"}
	case CodeUnsupportedImage:
		return codeEntry{"the image type is not supported", ActionFixMedia, "send a JPEG photo or an H.264 video"}
	default:
		return c.requestEntry()
	}
}

// requestEntry is the part of the table from 103 on.
func (c Code) requestEntry() codeEntry {
	switch c {
	case CodeNoUserEncodings:
		return codeEntry{"no user encodings", ActionRetryLater, "retry later: the template may be in the making, or the user is not enrolled (see the status of a new session)"}
	case CodeEnrollmentFailed:
		return codeEntry{"the user cannot be enrolled", ActionRetryLater, "retry later"}
	case CodeUndecodableData:
		return codeEntry{"the data cannot be decoded", ActionFixRequest, "check that the request is not malformed"}
	case CodeUndecodableRequest:
		return codeEntry{"the request body cannot be decoded", ActionFixRequest, "check that the request is not malformed"}
	case CodeUserNotFound:
		return codeEntry{"the user is not found", ActionEnroll, "enrol the user first"}
	case CodeUnsupportedMIMEType:
		return codeEntry{"the MIME type is not supported", ActionFixMedia, "check that the data is not corrupted"}
	case CodeAPIError:
		return codeEntry{"API error", ActionRetryLater, "retry later"}
	case CodeNoFaces:
		return codeEntry{"no faces in the request", ActionFixRequest, "put face data in"}
	case CodeNoVoices:
		return codeEntry{"no voices in the request", ActionFixRequest, "put voice data in"}
	case CodeNoToken:
		return codeEntry{"no token found", ActionRequestToken, "call the token endpoint first"}
	case CodeNoModels:
		return codeEntry{"no models for the API key", ActionContactVendor, "contact AimBrain"}
	case CodeTimedOut:
		return codeEntry{"the operation timed out", ActionRetryLater, "retry later"}
	case CodeUnsupportedFileType:
		return codeEntry{"the file type is not supported", ActionFixMedia, "check that the data is not corrupted"}
	case CodeSeveralFileTypes:
		return codeEntry{"several file types found", ActionFixMedia, "send files of one type and check that the data is not corrupted"}
	case CodeUndecodableMediaBody:
		return codeEntry{"the request body cannot be decoded", ActionFixMedia, "check that the data is not corrupted"}
	case CodeUnknown:
		return codeEntry{"unknown error", ActionRetryLater, "retry later"}
	}
	return codeEntry{}
}
