package wire

import "fmt"

// Error is an ErrorResponse: the five fields that the proxy sends or looks at,
// and the others as they came.
type Error struct {
	Severity string // ERROR, FATAL, PANIC
	Code     string // SQLSTATE
	Message  string
	Detail   string
	Hint     string
	more     string // the other fields, as they came
}

// Error returns the text as psql prints it.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (SQLSTATE %s)", e.Severity, e.Message, e.Code)
}

// Append appends e as an ErrorResponse frame.
func (e *Error) Append(dst []byte) []byte {
	dst, at := begin(dst, ErrorResponse)
	dst = appendField(dst, 'S', e.Severity)
	dst = appendField(dst, 'V', e.Severity)
	dst = appendField(dst, 'C', e.Code)
	dst = appendField(dst, 'M', e.Message)
	dst = appendField(dst, 'D', e.Detail)
	dst = appendField(dst, 'H', e.Hint)
	dst = append(dst, e.more...)
	return end(append(dst, 0), at)
}

func appendField(dst []byte, code byte, value string) []byte {
	if value == "" {
		return dst
	}
	return appendCString(append(dst, code), value)
}

// ParseError reads the body of an ErrorResponse or NoticeResponse. Fields that
// are not there, or cut off, stay empty.
func ParseError(body []byte) *Error {
	e := &Error{}
	for len(body) > 1 && body[0] != 0 {
		value, rest, ok := CString(body[1:])
		if !ok {
			break
		}
		e.set(body[0], string(value))
		body = rest
	}
	return e
}

func (e *Error) set(code byte, value string) {
	switch code {
	case 'S':
		if e.Severity == "" {
			e.Severity = value
		}
	case 'V': // not translated, so it wins over S
		e.Severity = value
	case 'C':
		e.Code = value
	case 'M':
		e.Message = value
	case 'D':
		e.Detail = value
	case 'H':
		e.Hint = value
	default:
		e.more += string(code) + value + "\x00"
	}
}

// ErrorCode returns the SQLSTATE in the body of an ErrorResponse without
// allocating; empty if there is none.
func ErrorCode(body []byte) []byte {
	for len(body) > 1 && body[0] != 0 {
		value, rest, ok := CString(body[1:])
		if !ok {
			return nil
		}
		if body[0] == 'C' {
			return value
		}
		body = rest
	}
	return nil
}

// ErrorSeverity returns the first letter of the severity in the body of an
// ErrorResponse, which is not translated from PostgreSQL 9.6 on: E, F or P.
// It is 0 if there is none.
func ErrorSeverity(body []byte) byte {
	for len(body) > 1 && body[0] != 0 {
		value, rest, ok := CString(body[1:])
		if !ok {
			return 0
		}
		if body[0] == 'V' && len(value) > 0 {
			return value[0]
		}
		body = rest
	}
	return 0
}
