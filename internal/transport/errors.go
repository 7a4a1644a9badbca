package transport

// text is a constant error.
type text string

func (t text) Error() string { return string(t) }

const (
	errNoHost   text = "aimbrain: the request has no host"
	errScheme   text = "aimbrain: the scheme of the request is neither http nor https"
	errEarly    text = "aimbrain: the response began before the request, so it belongs to another request"
	errSwitched text = "aimbrain: the response switches to another protocol, which was not requested"
)
