package aimbraintest

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // tried out to name a mistake
	"crypto/sha1" //nolint:gosec // tried out to name a mistake
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// A wrong signature does not show its cause. The functions of this file make the
// common mistakes one after the other, until one gives the signature that was sent.
// The response then says what to change. It never has the right signature, because
// people would paste it.

// A variant is a key, or a part of what is signed, with a mistake.
type variant struct {
	mistake string // "" for the right value
	value   []byte
}

// docsSignature is the example that the vendor publishes, for another body and
// another secret.
const docsSignature = "uPVe74VR9ncmxltwNX69pe6amFTMbJGM0Y8dIGk8vSI="

// maxPairs is the size of the largest body for which two mistakes at once are
// looked for, with some hundred signatures.
const maxPairs = 64 << 10

// mistake returns what is wrong with the signature of a known key.
func (c *call) mistake(key, secret, given string) string {
	if given == docsSignature {
		return "this is the example signature of the documentation: sign each request over its own body and with your own secret"
	}
	if given == secret {
		return "the secret itself was sent as the signature: sign with it, never send it, and make a new key pair now"
	}
	forms := decodeSignature(given)
	if len(forms) == 0 {
		return "the signature is not base64 of 32 bytes, the length of an HMAC-SHA256: send base64(HMAC-SHA256(secret, METHOD \\n endpoint \\n body))"
	}
	for _, form := range forms {
		if found, ok := c.findMistake(key, secret, form); ok {
			return "the signature is wrong: " + found
		}
	}
	return fmt.Sprintf("the signature is wrong, and none of the common mistakes explains it: check the bytes that are signed and the secret. Sign %q followed by the %d bytes of the body as they were received",
		http.MethodPost+"\n"+c.endpoint.Path+"\n", len(c.body))
}

// unknownKey returns what is wrong with a key that is not known.
func (c *call) unknownKey(key, given string) string {
	f := c.fake
	f.mu.Lock()
	defer f.mu.Unlock()
	for known, secret := range f.credentials {
		if !hmac.Equal([]byte(key), []byte(secret)) {
			continue
		}
		right := mac([]byte(known), []byte(http.MethodPost+"\n"+c.endpoint.Path+"\n"), c.body)
		if given == base64.StdEncoding.EncodeToString(right) {
			return "the API key and the secret are swapped: sign with the secret and never send it; make a new key pair, because this one is not secret any more"
		}
		return "the secret was sent in place of the API key: make a new key pair, because this one is not secret any more"
	}
	return "the API key is not known: check that it belongs to this environment and was not removed"
}

// decodeSignature returns the bytes of a signature in each form in which it can be
// read, with the mistake of that form.
func decodeSignature(given string) []variant {
	var forms []variant
	add := func(mistake string, value []byte, err error) {
		if err == nil && len(value) == sha256.Size {
			forms = append(forms, variant{mistake, value})
		}
	}
	const inHex = "the signature is in hex: send it in base64"
	std, stdErr := base64.StdEncoding.Strict().DecodeString(given)
	add("", std, stdErr)
	if stdErr == nil {
		digits, err := hex.DecodeString(string(std))
		add("the signature's hex digits were put in base64: put its raw bytes in base64", digits, err)
	}
	digits, err := hex.DecodeString(given)
	add(inHex, digits, err)
	value, err := base64.URLEncoding.DecodeString(given)
	add("the signature is in URL-safe base64: send it in standard base64, with + and /", value, err)
	value, err = base64.RawStdEncoding.DecodeString(given)
	add("the signature's base64 has no padding: send it with the = at its end", value, err)
	value, err = base64.RawURLEncoding.DecodeString(given)
	add("the signature is in URL-safe base64 without padding: send it in standard base64 with the = at its end", value, err)
	if trimmed := strings.Trim(given, `"'`); trimmed != given {
		value, err = base64.StdEncoding.DecodeString(trimmed)
		add("the signature is in quotes: send it without quotes", value, err)
	}
	return forms
}

// findMistake looks for the mistakes that give a signature.
func (c *call) findMistake(key, secret string, signature variant) (string, bool) {
	secrets := secretVariants(key, secret)
	texts := c.textVariants()
	body := variant{"", c.body}
	try := func(secret, text, body variant) (string, bool) {
		if !hmac.Equal(mac(secret.value, text.value, body.value), signature.value) {
			return "", false
		}
		var found []string
		for _, v := range []variant{signature, secret, text, body} {
			if v.mistake != "" {
				found = append(found, v.mistake)
			}
		}
		return strings.Join(found, "; and "), true
	}
	// One mistake is more likely than two. The first variant of each list is the right
	// value.
	for _, s := range secrets {
		if found, ok := try(s, texts[0], body); ok {
			return found, true
		}
	}
	for _, t := range texts {
		if found, ok := try(secrets[0], t, body); ok {
			return found, true
		}
	}
	for b := range bodyVariants(c.body) {
		if found, ok := try(secrets[0], texts[0], b); ok {
			return found, true
		}
	}
	if len(c.body) > maxPairs {
		return "", false
	}
	for b := range bodyVariants(c.body) {
		for _, t := range texts {
			if found, ok := try(secrets[0], t, b); ok {
				return found, true
			}
		}
		for _, s := range secrets {
			if found, ok := try(s, texts[0], b); ok {
				return found, true
			}
		}
	}
	return "", false
}

// secretVariants returns the keys that are used in place of the secret.
func secretVariants(key, secret string) []variant {
	const space = "the secret was used with white space around it: a file's last newline, or a copied blank"
	variants := []variant{{"", []byte(secret)}}
	for _, s := range []string{secret + "\n", secret + "\r\n", secret + " ", " " + secret, "\n" + secret, secret + "\t"} {
		variants = append(variants, variant{space, []byte(s)})
	}
	if trimmed := strings.TrimSpace(secret); trimmed != secret {
		variants = append(variants, variant{"the white space that belongs to the secret was stripped", []byte(trimmed)})
	}
	s1 := sha1.Sum([]byte(secret)) //nolint:gosec // tried out to name a mistake
	s5 := md5.Sum([]byte(secret))  //nolint:gosec // tried out to name a mistake
	s256 := sha256.Sum256([]byte(secret))
	for _, hashed := range []variant{{"SHA-256", s256[:]}, {"SHA-1", s1[:]}, {"MD5", s5[:]}} {
		text := "the secret was hashed by " + hashed.mistake + " first: use its bytes as they are"
		variants = append(variants,
			variant{text, hashed.value},
			variant{text, []byte(hex.EncodeToString(hashed.value))},
			variant{text, []byte(strings.ToUpper(hex.EncodeToString(hashed.value)))},
			variant{text, []byte(base64.StdEncoding.EncodeToString(hashed.value))})
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if decoded, err := encoding.DecodeString(secret); err == nil {
			variants = append(variants, variant{"the secret was base64-decoded first: use its bytes as they are", decoded})
		}
	}
	if decoded, err := hex.DecodeString(secret); err == nil {
		variants = append(variants, variant{"the secret was hex-decoded first: use its bytes as they are", decoded})
	}
	for _, form := range narrowed([]byte(secret)) {
		variants = append(variants, variant{"the secret was used as Latin-1, one byte a character: use its UTF-8 bytes", form})
	}
	return append(variants,
		variant{"the secret was base64-encoded first: use its bytes as they are", []byte(base64.StdEncoding.EncodeToString([]byte(secret)))},
		variant{"the API key was used as the secret", []byte(key)})
}

// textVariants returns the texts that are signed before the body in place of the
// method and the endpoint.
func (c *call) textVariants() []variant {
	const post = http.MethodPost
	var variants []variant
	add := func(mistake, text string) { variants = append(variants, variant{mistake, []byte(text)}) }
	add("", post+"\n"+c.endpoint.Path+"\n")
	for _, method := range []string{"post", "Post"} {
		add("the method was not signed in upper case", method+"\n"+c.endpoint.Path+"\n")
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead, http.MethodOptions} {
		for _, written := range []string{method, strings.ToLower(method)} {
			add("another HTTP method was signed, "+method+": sign POST, which was sent", written+"\n"+c.endpoint.Path+"\n")
		}
	}
	u := c.request.URL
	paths := []string{u.Path, u.EscapedPath()}
	if sent, err := url.ParseRequestURI(c.request.RequestURI); err == nil {
		paths = append(paths, sent.Path, sent.EscapedPath()) // with the prefix that http.StripPrefix removed
	}
	slices.Sort(paths)
	for _, path := range slices.Compact(paths) {
		endpoint := path
		if n := len(path) - len(c.endpoint.Path); n >= 0 {
			endpoint = path[n:]
		}
		add("the path was signed in mixed case: sign it in lower case", post+"\n"+endpoint+"\n")
		add("the whole path of the URL was signed: sign the endpoint alone, "+c.endpoint.Path, post+"\n"+path+"\n")
		add("the whole path of the URL was signed: sign the endpoint alone, "+c.endpoint.Path, post+"\n"+strings.ToLower(path)+"\n")
		for _, host := range []string{c.request.Host, "http://" + c.request.Host, "https://" + c.request.Host} {
			add("the host was signed: sign the endpoint alone, "+c.endpoint.Path, post+"\n"+host+path+"\n")
		}
		if u.RawQuery != "" {
			add("the query was signed: sign the endpoint alone, "+c.endpoint.Path, post+"\n"+path+"?"+u.RawQuery+"\n")
			add("the query was signed: sign the endpoint alone, "+c.endpoint.Path, post+"\n"+endpoint+"?"+u.RawQuery+"\n")
		}
	}
	add("the endpoint was signed without its first slash", post+"\n"+c.endpoint.Path[1:]+"\n")
	add("the endpoint was signed with a slash at its end", post+"\n"+c.endpoint.Path+"/\n")
	add("the newlines between method, endpoint and body are missing", post+c.endpoint.Path)
	add("the newline between endpoint and body is missing", post+"\n"+c.endpoint.Path)
	add("the newline between method and endpoint is missing", post+c.endpoint.Path+"\n")
	add("there must be a single newline character between method, endpoint and body: these were CR LF", post+"\r\n"+c.endpoint.Path+"\r\n")
	add(`there must be a newline character between method, endpoint and body: these were a backslash and an n`, post+`\n`+c.endpoint.Path+`\n`)
	add("there must be a newline between method, endpoint and body: these were blanks", post+" "+c.endpoint.Path+" ")
	add("the method was not signed", c.endpoint.Path+"\n")
	add("the body alone was signed: sign METHOD \\n endpoint \\n body", "")
	return variants
}

// bodyVariants returns what is signed in place of the body, beginning with the body
// itself. Each variant is made when it is needed: for a body of 2 MB all of them
// take hundreds of megabytes.
func bodyVariants(body []byte) iter.Seq[variant] {
	return func(yield func(variant) bool) {
		wanted := yield(variant{"", body})
		makeBodyVariants(body, func(mistake string, value []byte) {
			wanted = wanted && yield(variant{mistake, value})
		})
	}
}

func makeBodyVariants(body []byte, add func(mistake string, value []byte)) {
	const again = "the body was marshalled again: sign the bytes that are sent"
	for _, end := range []string{"\n", "\r\n"} {
		add("a newline at the body's end was signed, but not sent: curl's --data @file drops it, send the file by --data-binary", append(bytes.Clone(body), end...))
	}
	for _, file := range undropped(body) {
		add("line breaks in the body were signed, but not sent: curl's --data @file drops them, send the file by --data-binary", file)
	}
	for _, form := range narrowed(body) {
		const narrow = "the body was signed as Latin-1, one byte a character, and sent as UTF-8: sign the bytes that are sent"
		add(narrow, form)
		add(narrow, append(bytes.Clone(form), '\n'))
	}
	if !utf8.Valid(body) {
		add("the body was signed as UTF-8 and sent as Latin-1: send the bytes that were signed", widened(body))
	}
	add("the newline at the body's end was sent, but not signed", bytes.TrimRight(body, "\r\n"))
	add("white space around the body was stripped before it was signed, but sent", bytes.TrimSpace(body))
	add("newlines were stripped from the body before it was signed, but sent", without(body, "\r\n"))
	add("white space was stripped from the body before it was signed, but sent", without(body, " \t\r\n"))
	marshalled(body, func(form []byte) {
		add(again, form)
		add(again, append(bytes.Clone(form), '\n'))
	})
	add("an empty body was signed", nil)
	add("the words null or {} were signed in place of the body", []byte("null"))
	add("the words null or {} were signed in place of the body", []byte("{}"))
}

func without(body []byte, characters string) []byte {
	return bytes.Map(func(r rune) rune {
		if strings.ContainsRune(characters, r) {
			return -1
		}
		return r
	}, body)
}

// undropped returns the files from which a body without line breaks may come, with
// line breaks as people and programs usually write them.
func undropped(body []byte) [][]byte {
	if bytes.ContainsAny(body, "\r\n") {
		return nil
	}
	var files [][]byte
	for _, breaks := range []func(depth int, gap []byte) bool{
		func(int, []byte) bool { return true },
		func(depth int, _ []byte) bool { return depth == 1 },
		func(_ int, gap []byte) bool { return len(gap) > 1 || bytes.ContainsRune(gap, '\t') }, // an indentation
	} {
		for _, end := range []string{"\n", "\r\n"} {
			file := withLines(body, end, breaks)
			files = append(files, file, append(bytes.Clone(file), end...))
		}
	}
	return files
}

// withLines adds line breaks after commas and opening brackets and before closing
// ones where breaks returns true, for the depth and the white space at that place.
// The last bracket of all always gets one.
func withLines(body []byte, end string, breaks func(depth int, gap []byte) bool) []byte {
	out := make([]byte, 0, len(body)+64)
	depth := 0
	for i := 0; i < len(body); i++ {
		b := body[i]
		switch b {
		case '"':
			start := i
			for i++; i < len(body) && body[i] != '"'; i++ {
				if body[i] == '\\' {
					i++
				}
			}
			out = append(out, body[start:min(i+1, len(body))]...)
			continue
		case '}', ']':
			before := bytes.TrimRight(out, " \t")
			gap := bytes.Clone(out[len(before):])
			empty := len(before) > 0 && (before[len(before)-1] == '{' || before[len(before)-1] == '[')
			if !empty && (depth == 1 || breaks(depth, gap)) {
				out = append(append(before, end...), gap...)
			}
			depth--
		}
		out = append(out, b)
		if b == '{' || b == '[' {
			depth++
		}
		if b == '{' || b == '[' || b == ',' {
			rest := bytes.TrimLeft(body[i+1:], " \t")
			gap := body[i+1 : len(body)-len(rest)]
			closed := len(rest) == 0 || rest[0] == '}' || rest[0] == ']'
			if !closed && breaks(depth, gap) {
				out = append(out, end...)
			}
		}
	}
	return out
}

// narrowed returns the forms of a text with one byte for each character: the low
// byte, which JavaScript code takes of each UTF-16 unit, or a question mark for a
// character that Latin-1 does not have. It returns none for a text in ASCII.
func narrowed(text []byte) [][]byte {
	if !utf8.Valid(text) || !bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return nil
	}
	narrow := func(wide func(r rune) []byte) []byte {
		out := make([]byte, 0, len(text))
		for _, r := range string(text) {
			if r < 0x100 {
				out = append(out, byte(r))
			} else {
				out = append(out, wide(r)...)
			}
		}
		return out
	}
	return [][]byte{
		narrow(func(r rune) (low []byte) {
			for _, unit := range utf16.AppendRune(nil, r) {
				low = append(low, byte(unit))
			}
			return low
		}),
		narrow(func(rune) []byte { return []byte("?") }),
		narrow(func(r rune) []byte { return []byte("??"[:utf16.RuneLen(r)]) }),
	}
}

// widened returns a text in Latin-1 as UTF-8.
func widened(text []byte) []byte {
	var out []byte
	for _, b := range text {
		out = utf8.AppendRune(out, rune(b))
	}
	return out
}

// marshalled returns the forms of a body that common JSON writers make.
func marshalled(body []byte, add func(form []byte)) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return
	}
	var compact bytes.Buffer
	if json.Compact(&compact, body) != nil {
		return
	}
	var escaped bytes.Buffer
	json.HTMLEscape(&escaped, compact.Bytes())
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	sorted, err := json.Marshal(value)
	if err != nil || encoder.Encode(value) != nil {
		return
	}
	for _, form := range [][]byte{compact.Bytes(), escaped.Bytes(), sorted, bytes.TrimSuffix(plain.Bytes(), []byte("\n"))} {
		add(form)
		add(spaced(form))
		for _, indent := range []string{"  ", "    ", "\t"} {
			if indentation(form, len(indent)) > 2*len(form)+maxPairs {
				continue // deep nesting takes its square
			}
			var indented bytes.Buffer
			if json.Indent(&indented, form, "", indent) == nil {
				add(indented.Bytes())
			}
		}
	}
}

// indentation returns how many bytes json.Indent adds to compact JSON at most.
func indentation(form []byte, indent int) int {
	added, depth, quoted := 0, 0, false
	for i := 0; i < len(form); i++ {
		switch c := form[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			depth++
			added += 1 + depth*indent
		case c == '}', c == ']':
			depth--
			added += 1 + depth*indent
		case c == ',', c == ':':
			added += 1 + depth*indent
		}
	}
	return added
}

// spaced returns compact JSON with a blank after each comma and colon, as Python
// writes it.
func spaced(compact []byte) []byte {
	var out []byte
	inString := false
	for i := 0; i < len(compact); i++ {
		b := compact[i]
		out = append(out, b)
		switch {
		case b == '\\' && inString:
			i++
			out = append(out, compact[i])
		case b == '"':
			inString = !inString
		case !inString && (b == ',' || b == ':'):
			out = append(out, ' ')
		}
	}
	return out
}
