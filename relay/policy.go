package relay

import (
	"errors"
	"fmt"

	aimbrain "github.com/aimbrain/aimbrain-go"
)

// A Requirement says whether something is required. The zero value says nothing, and
// [New] refuses it.
type Requirement int

// The requirements.
const (
	Required    Requirement = iota + 1 // an authentication without it is not accepted
	NotRequired                        // it is not looked at
)

// A Policy says what an authentication needs to be accepted. Face and Voice must be
// set on purpose: [New] refuses a rule that leaves a field open.
//
// A threshold of 0.5 is the module's equal error rate: false accepts and false rejects
// are equally likely there. It does not meet rules such as NIST SP 800-63B, which ask
// for a false match rate of one in a thousand or better. Choose a threshold by a
// measurement with your own users.
//
// A printed photo reaches a face threshold: without liveliness the score says who is
// on the picture, and not who is in front of the camera.
type Policy struct {
	Face  Rule // of /v1/face/auth
	Voice Rule // of /v1/voice/auth
	// Behaviour is the threshold of /v1/behavioural, 0 to ignore its score. The app
	// gets the result step_up for a score below it.
	Behaviour float64
	// Both reports whether an action needs a face and a voice. Nil means that each
	// action needs one of them. Face and voice are both inherence: together they are
	// still one element of strong customer authentication.
	Both func(Action) bool
}

// A Rule is what an authentication with one module needs.
type Rule struct {
	// Disabled says that the module is not used. All requests to it are refused, and
	// the other fields are zero.
	Disabled bool
	// Threshold is the lowest score that is accepted, above 0 and 1 at most.
	Threshold float64
	// Liveliness says whether the API must have recognised a living person, with a
	// liveliness of LivelinessThreshold at least. A photo has a liveliness of 0.
	Liveliness          Requirement
	LivelinessThreshold float64
	// Token says whether the person must have been shown a token for this
	// authentication by way of this relay in the last 5 minutes. Whether the API
	// judges the movement of lips depends on a token, which an app may leave out.
	Token Requirement
}

// check returns what is wrong with a policy.
func (p Policy) check() error {
	if p.Face.Disabled && p.Voice.Disabled {
		return errors.New("Policy disables face and voice")
	}
	if p.Both != nil && (p.Face.Disabled || p.Voice.Disabled) {
		return errors.New("Policy.Both needs face and voice, and one is disabled")
	}
	if p.Behaviour < 0 || p.Behaviour > 1 || p.Behaviour != p.Behaviour {
		return errors.New("Policy.Behaviour is not a threshold from 0 to 1")
	}
	if err := p.Face.check("Policy.Face"); err != nil {
		return err
	}
	return p.Voice.check("Policy.Voice")
}

func (r Rule) check(name string) error {
	threshold := func(t float64) bool { return t > 0 && t <= 1 }
	unset := func(q Requirement) bool { return q != Required && q != NotRequired }
	switch {
	case r.Disabled && r != Rule{Disabled: true}:
		return fmt.Errorf("%s is disabled and has other fields", name)
	case r.Disabled:
		return nil
	case !threshold(r.Threshold):
		return fmt.Errorf("%s.Threshold is not above 0 and at most 1", name)
	case unset(r.Liveliness):
		return fmt.Errorf("%s.Liveliness is not set: Required or NotRequired", name)
	case unset(r.Token):
		return fmt.Errorf("%s.Token is not set: Required or NotRequired", name)
	case r.Liveliness == Required && !threshold(r.LivelinessThreshold):
		return fmt.Errorf("%s.LivelinessThreshold is not above 0 and at most 1", name)
	case r.Liveliness == NotRequired && r.LivelinessThreshold != 0:
		return fmt.Errorf("%s.LivelinessThreshold is set, and Liveliness is not required", name)
	}
	return nil
}

// rule returns the rule of a module, a disabled one for any but face and voice.
func (p Policy) rule(m aimbrain.Module) Rule {
	switch m {
	case aimbrain.ModuleFace:
		return p.Face
	case aimbrain.ModuleVoice:
		return p.Voice
	case aimbrain.ModuleBehaviour:
	}
	return Rule{Disabled: true}
}

// needsBoth reports whether an action needs a face and a voice.
func (p Policy) needsBoth(a Action) bool { return p.Both != nil && p.Both(a) }

// passes reports whether a score and a liveliness fulfil the rule.
func (r Rule) passes(score, liveliness float64) bool {
	if r.Disabled || !(aimbrain.FaceAuthResult{Score: score}).Matches(r.Threshold) {
		return false
	}
	return r.Liveliness == NotRequired || aimbrain.FaceAuthResult{Liveliness: liveliness}.IsLive(r.LivelinessThreshold)
}
