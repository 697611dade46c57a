package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net/http"
	"strings"
)

// Keys makes every request show one of these keys, except to probes, the page, the API's
// description and metrics. A client sends its key as "Authorization: Bearer KEY", with "bearer"
// in any case or none at all, or in the header that its dialect has for it. Without this option
// no key is needed. A key has visible ASCII characters only, as headers do.
func Keys(keys ...string) Option { return func(o *options) { o.keys = keys } }

// KeyedMetrics makes /metrics need a key as well, where there are any.
func KeyedMetrics() Option { return func(o *options) { o.keyedMetrics = true } }

// checkKeys returns an error, which does not have the key in it, for one that no client can send.
func checkKeys(keys []string) error {
	for i, k := range keys {
		if k == "" {
			return fmt.Errorf("serve: key %d is empty", i)
		}
		for _, c := range []byte(k) {
			if c <= ' ' || c > '~' {
				return fmt.Errorf("serve: key %d has a character that is not visible ASCII", i)
			}
		}
	}
	return nil
}

// keys are compared by their hashes, which are all as long: neither what they have in common
// with a wrong key nor their length shows in the time that it takes.
type keys [][sha256.Size]byte

func hashed(all []string) keys {
	h := make(keys, len(all))
	for i, k := range all {
		h[i] = sha256.Sum256([]byte(k))
	}
	return h
}

// has reports whether a key is one of them. It compares with all, whatever it finds.
func (k keys) has(key string) bool {
	sum, same := sha256.Sum256([]byte(key)), 0
	for i := range k {
		same |= subtle.ConstantTimeCompare(sum[:], k[i][:])
	}
	return same == 1
}

// hasKey lets pass who shows a key.
func (h *Handler) hasKey(x *exchange) *failure {
	if len(h.keys) == 0 || x.facts.open && (x.facts.path != metricsPath || !h.options.keyedMetrics) {
		return nil
	}
	why := "no API key: send it as Authorization: Bearer KEY"
	for _, name := range h.keyHeaders {
		key := withoutScheme(x.r.Header.Get(name))
		if key == "" {
			continue
		}
		if h.keys.has(key) {
			return nil
		}
		why = "the API key is not one of this server's"
	}
	f := failed(unauthorized, "%s", why)
	f.headers = http.Header{"Www-Authenticate": {"Bearer"}}
	return f
}

// withoutScheme is a header's key. Clients send "Bearer", "bearer" or nothing before it.
func withoutScheme(value string) string {
	value = strings.TrimSpace(value)
	const scheme = "bearer "
	if len(value) >= len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):])
	}
	return value
}

// keyHeaders are the headers in which any of the dialects takes a key. All are read on every
// path, because a shared path's dialect is known only when its body has been read.
func keyHeaders(all []*dialect) []string {
	names, seen := []string{"Authorization"}, map[string]bool{"Authorization": true}
	for _, d := range all {
		for _, name := range d.keys {
			if name = http.CanonicalHeaderKey(name); !seen[name] {
				names, seen[name] = append(names, name), true
			}
		}
	}
	return names
}
