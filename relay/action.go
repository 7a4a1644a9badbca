package relay

import (
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"unicode/utf8"
)

// An Action is what a person authorises: a log-in, a payment, a batch of payments.
// It comes from the bank's own records, never from the app: an order number in a
// header is looked up, and what the order says is the action.
//
// A grant is valid for exactly one action: all fields are compared.
type Action struct {
	// Kind is the kind of action in the bank's own words, such as "payment".
	// Required, 64 bytes at most.
	Kind string
	// Reference distinguishes actions that are equal otherwise, such as two orders
	// of the same amount to the same payee. It is usually the number of the order.
	Reference string
	// Amount is the amount of a payment in minor units, such as cents. It is not
	// negative.
	Amount int64
	// Currency is the currency of Amount and Total: three upper-case letters.
	Currency string
	// Payee is who receives Amount.
	Payee string
	// Total is the sum of a batch in minor units, and Payees are those of the batch.
	// Their order counts. A batch has neither Amount nor Payee.
	Total  int64
	Payees []string
}

// logIn is the kind of [LogIn].
const logIn = "log-in"

// LogIn returns the action of a log-in. It is the only action of a handler without
// [WithAction].
func LogIn() Action { return Action{Kind: logIn} }

// check returns what is wrong with an action.
func (a Action) check() error {
	switch {
	case a.Kind == "" || len(a.Kind) > 64:
		return errors.New("Action.Kind is empty or longer than 64 bytes")
	case a.Amount < 0 || a.Total < 0:
		return errors.New("the amount of an Action is negative")
	case len(a.Payees) > 0 && (a.Payee != "" || a.Amount != 0):
		return errors.New("an Action has Payees beside Payee or Amount")
	case a.Total != 0 && len(a.Payees) == 0:
		return errors.New("an Action has a Total without Payees")
	case a.Amount != 0 && a.Payee == "":
		return errors.New("an Action has an Amount without a Payee")
	case (a.Currency == "") != (a.Amount == 0 && a.Total == 0) && a.Currency == "":
		return errors.New("an Action has an amount without a Currency")
	case a.Currency != "" && !isCurrency(a.Currency):
		return errors.New("Action.Currency is not three upper-case letters")
	case slices.Contains(a.Payees, ""):
		return errors.New("an Action has an empty payee")
	case !slices.ContainsFunc(append([]string{a.Kind, a.Reference, a.Payee}, a.Payees...), func(s string) bool { return !utf8.ValidString(s) }):
		return nil
	}
	return errors.New("an Action has a text that is not UTF-8")
}

func isCurrency(s string) bool {
	return len(s) == 3 && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c < 'A' || c > 'Z' })
}

// encode returns the encoding of an action. Two actions have the same encoding only
// if all their fields are equal: each text has its length in front.
func (a Action) encode() []byte {
	b := make([]byte, 0, 128)
	text := func(s string) {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	text(a.Kind)
	text(a.Reference)
	text(a.Currency)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Amount))
	text(a.Payee)
	b = binary.BigEndian.AppendUint64(b, uint64(a.Total))
	b = binary.AppendUvarint(b, uint64(len(a.Payees)))
	for _, payee := range a.Payees {
		text(payee)
	}
	return b
}

// String returns the kind, the reference and the amount, without payees.
func (a Action) String() string {
	text := a.Kind
	if a.Reference != "" {
		text += " " + strconv.Quote(a.Reference)
	}
	if amount := max(a.Amount, a.Total); amount != 0 {
		text += " " + strconv.FormatInt(amount, 10) + " " + a.Currency
	}
	if n := len(a.Payees); n > 0 {
		text += " to " + strconv.Itoa(n) + " payees"
	}
	return text
}

// audited returns the action for the audit log, which has the payee too. The payees of a
// batch are in the bank's records, under the reference.
func (a Action) audited() string {
	if a.Payee == "" {
		return a.String()
	}
	return a.String() + " to " + strconv.Quote(a.Payee)
}
