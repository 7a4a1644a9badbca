package aimbraintest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/strictjson"
)

// find returns a member's raw value. Names are compared in their exact case.
func find(members []strictjson.Member, name string) ([]byte, bool) {
	for i := range members {
		if string(members[i].Name) == name {
			return members[i].Value, true
		}
	}
	return nil, false
}

// required returns a member that must be present and not null.
func (c *call) required(name string) ([]byte, error) {
	raw, ok := find(c.members, name)
	switch {
	case ok && !strictjson.IsNull(raw):
		return raw, nil
	case ok:
		return nil, refuse(http.StatusBadRequest, strconv.Quote(name)+" is null: "+c.endpoint.Path+" requires it")
	}
	text := strconv.Quote(name) + " is missing: " + c.endpoint.Path + " requires it"
	for i := range c.members {
		if strings.EqualFold(string(c.members[i].Name), name) {
			text += " with this case"
			break
		}
	}
	return nil, refuse(http.StatusBadRequest, text)
}

// text returns a string member that must be present and not empty.
func (c *call) text(name string) (string, error) {
	raw, err := c.required(name)
	if err != nil {
		return "", err
	}
	s, err := strictjson.String(raw)
	switch {
	case err != nil:
		return "", refuse(http.StatusBadRequest, strconv.Quote(name)+" is not a string")
	case s == "":
		return "", refuse(http.StatusBadRequest, strconv.Quote(name)+" is empty")
	}
	return s, nil
}

// pixels checks a length that may be missing. The vendor's iOS client sends
// points, which may be fractional.
func (c *call) pixels(name string) error {
	raw, ok := find(c.members, name)
	if !ok || strictjson.IsNull(raw) {
		return nil
	}
	if n, err := strictjson.Number(raw); err != nil || n < 0 {
		return refuse(http.StatusBadRequest, strconv.Quote(name)+" is not a number of pixels, 0 or more")
	}
	return nil
}
