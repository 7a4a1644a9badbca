package media

import (
	"strings"

	"github.com/aimbrain/aimbrain-go/internal/mediainfo"
)

// A Problem is one rule that a file does not follow.
type Problem struct {
	Rule     Rule
	Severity Severity
	// Message says what is wrong, with its numbers, such as "a video of 6 s is
	// longer than 3 s". It quotes nothing of the file.
	Message string
	// Fix is one sentence for a person: what mends the problem.
	Fix string
	// Command mends this and all other problems of the file that a command can
	// mend, see [Command]. It is nil if no command can.
	Command Command
	// Source is where the rule comes from.
	Source Source
}

// String returns the severity, the message and the fix in one line.
func (p Problem) String() string {
	text := p.Severity.String() + ": " + p.Message
	if p.Fix != "" {
		text += ". " + p.Fix
	}
	return text
}

// A Severity is how likely the API refuses a file for a problem.
type Severity int

// The severities, from the lowest.
const (
	// Advice is for media that the API accepts, and that the vendor advises
	// against, or that holds more about a person than it must.
	Advice = Severity(mediainfo.Advice)
	// MayBeRefused is for media that the documentation excludes, and that the API
	// is not known to refuse.
	MayBeRefused = Severity(mediainfo.MayBeRefused)
	// Refused is for media that the API cannot use.
	Refused = Severity(mediainfo.Refused)
)

// String returns "advice", "may be refused" or "refused".
func (s Severity) String() string {
	switch s {
	case Advice:
		return "advice"
	case MayBeRefused:
		return "may be refused"
	case Refused:
		return "refused"
	}
	return "unknown"
}

// A Command is a program and its arguments. It reads the file [CommandInput] and
// writes the file that its last argument names, which begins with
// [CommandOutput].
type Command []string

// The names of files in a [Command].
const (
	CommandInput  = mediainfo.CommandInput
	CommandOutput = mediainfo.CommandOutput // followed by an extension, such as "OUTPUT.jpg"
)

// For returns the command for two files. A name that begins with a hyphen, or that
// contains a colon, is not taken for an option or a protocol.
func (c Command) For(input, output string) Command {
	if len(c) == 0 {
		return nil
	}
	command := append(Command(nil), c...)
	for i, arg := range command {
		if arg == CommandInput {
			command[i] = path(input)
		}
	}
	command[len(command)-1] = path(output)
	return command
}

func path(name string) string {
	if strings.HasPrefix(name, "-") || strings.Contains(name, ":") && !strings.HasPrefix(name, "/") {
		return "./" + name
	}
	return name
}

// String returns the command for a POSIX shell, with quotes where it needs them.
func (c Command) String() string {
	var b strings.Builder
	for i, arg := range c {
		if i > 0 {
			b.WriteByte(' ')
		}
		if arg != "" && strings.Trim(arg, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=+,%@") == "" {
			b.WriteString(arg)
			continue
		}
		b.WriteString("'" + strings.ReplaceAll(arg, "'", `'\''`) + "'")
	}
	return b.String()
}
