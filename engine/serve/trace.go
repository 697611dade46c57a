package serve

import "strings"

// traced is what a request's header traceparent says, by W3C's Trace Context: lower-case
// hexadecimal digits, so that it can be logged whoever sent it.
type traced struct{ trace, span string } // 32 and 16 digits; "" for none

// traceOf reads a traceparent. One that is not as the standard has it counts as none.
func traceOf(header string) traced {
	const size = len("00-") + 32 + len("-") + 16 + len("-00")
	if len(header) < size || len(header) > size && header[size] != '-' {
		return traced{}
	}
	version, trace, span, flags := header[:2], header[3:35], header[36:52], header[53:55]
	switch {
	case header[2] != '-' || header[35] != '-' || header[52] != '-':
		return traced{}
	case !isHex(version) || !isHex(trace) || !isHex(span) || !isHex(flags):
		return traced{}
	case version == "ff" || version == "00" && len(header) != size: // another version may have more
		return traced{}
	case strings.Trim(trace, "0") == "" || strings.Trim(span, "0") == "":
		return traced{}
	}
	return traced{trace, span}
}

func isHex(s string) bool {
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
