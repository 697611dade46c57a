package serve

import (
	"fmt"
	"net/http"
	"time"
)

// failure is why a request has no answer, before a dialect words it. Its message never has any
// of the client's texts.
type failure struct {
	kind    kind
	message string
	field   string        // the field of the body that it is about; "" for none
	retry   time.Duration // after which another attempt makes sense; 0: at once, or never
	cause   error         // for the log; may be nil
	headers http.Header   // that belong to the failure, such as Allow; may be nil
	// Of tooLong: how many tokens there are, and how many there may be; 0 if that is not known.
	tokens, limit int
}

// Error returns the message.
func (f *failure) Error() string { return f.message }

// kind is the cause of a failure. Dialects choose status and words by it.
type kind int

const (
	badJSON      kind = iota // the body is not JSON, not UTF-8, has a key twice, or is not framed as HTTP has it
	missingField             // a field that must be there is not
	wrongType                // a field has another JSON type
	badValue                 // a field has the right type, and a value that is none of those allowed
	unknownField             // a field that no dialect of the path knows, where that is refused
	ambiguous                // the fields belong to none of the path's dialects, or to several
	invalid                  // well-formed, but the model cannot do it
	noItems                  // an empty list of texts
	tooManyItems             // more texts than the limit
	tooLarge                 // more bytes than the limit
	tooLong                  // a text has too many tokens and may not be cut
	mediaType                // a Content-Type that is not read
	unauthorized             // no key, or a wrong one
	notFound                 // no such path
	wrongMethod              // the path has no such method
	noModel                  // none of several models has the name
	wrongModel               // the model is of another kind
	overloaded               // too many wait already
	notReady                 // the model is being loaded, or the server is about to end
	badResult                // the model's output is not a number
	deviceFailed             // the device failed
	cancelled                // the client has gone
	outOfTime                // the program around the handler gives requests a time, which is over
	timedOut                 // the client took too long to send the body
	internal                 // a fault of ours
	kinds                    // how many there are
)

// statuses are the HTTP statuses of failures in dialects that have no other.
var statuses = [kinds]int{
	badJSON:      http.StatusBadRequest,
	missingField: http.StatusUnprocessableEntity,
	wrongType:    http.StatusUnprocessableEntity,
	badValue:     http.StatusUnprocessableEntity,
	unknownField: http.StatusUnprocessableEntity,
	ambiguous:    http.StatusUnprocessableEntity,
	invalid:      http.StatusUnprocessableEntity,
	noItems:      http.StatusBadRequest,
	tooManyItems: http.StatusUnprocessableEntity,
	tooLarge:     http.StatusRequestEntityTooLarge,
	tooLong:      http.StatusUnprocessableEntity,
	mediaType:    http.StatusUnsupportedMediaType,
	unauthorized: http.StatusUnauthorized,
	notFound:     http.StatusNotFound,
	wrongMethod:  http.StatusMethodNotAllowed,
	noModel:      http.StatusNotFound,
	wrongModel:   http.StatusFailedDependency,
	overloaded:   http.StatusTooManyRequests,
	notReady:     http.StatusServiceUnavailable,
	badResult:    http.StatusFailedDependency,
	deviceFailed: http.StatusFailedDependency,
	cancelled:    statusCancelled,
	outOfTime:    http.StatusGatewayTimeout,
	timedOut:     http.StatusRequestTimeout,
	internal:     http.StatusInternalServerError,
}

// statusCancelled is what logs and metrics have for a client that went away; nobody receives it.
const statusCancelled = 499

// names are how logs and metrics call the kinds.
var names = [kinds]string{
	badJSON: "bad_json", missingField: "missing_field", wrongType: "wrong_type", badValue: "bad_value",
	unknownField: "unknown_field", ambiguous: "ambiguous", invalid: "invalid", noItems: "no_items",
	tooManyItems: "too_many_items", tooLarge: "too_large", tooLong: "too_long", mediaType: "media_type",
	unauthorized: "unauthorized", notFound: "not_found", wrongMethod: "wrong_method", noModel: "no_model",
	wrongModel: "wrong_model", overloaded: "overloaded", notReady: "not_ready", badResult: "bad_result",
	deviceFailed: "device_failed", cancelled: "cancelled", outOfTime: "out_of_time", timedOut: "timed_out", internal: "internal",
}

func (k kind) String() string { return names[k] }

// ours reports whether whoever runs the server should hear of it. The status does not say so: it
// is 424 of text-embeddings-inference's that a device failed.
func (k kind) ours() bool { return k == badResult || k == deviceFailed || k == internal }

// failed returns a failure of a kind.
func failed(k kind, format string, args ...any) *failure {
	return &failure{kind: k, message: fmt.Sprintf(format, args...)}
}

// about returns a failure that is about a field of the body.
func about(field string, k kind, format string, args ...any) *failure {
	f := failed(k, format, args...)
	f.field = field
	return f
}
