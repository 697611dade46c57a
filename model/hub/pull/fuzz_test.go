package pull

import (
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

// longestFuzzed bounds the headers together, in bytes: go test makes what reaches
// something new smaller by trying all of its parts, quadratically many.
const longestFuzzed = 250

// Whatever a server's headers say, what is taken from them is a commit, a hash that is
// safe as a file's name and a size that can be; and no server asks for a pause that is
// negative.
func FuzzHeaders(f *testing.F) {
	commit, etag := strings.Repeat("0a", 20), strings.Repeat("0b", 32)
	f.Add(uint16(200), commit, `"`+etag+`"`, "", "12", "", "")
	f.Add(uint16(302), commit, `W/"`+strings.ToUpper(etag)+`"`, "7", "12", "3", "")
	f.Add(uint16(200), commit, "../../x", "-1", "1e3", "", "")
	f.Add(uint16(429), "", "", "", "", "99999999999", "Sun, 06 Nov 1994 08:49:37 GMT")
	f.Add(uint16(503), "", "", "", "", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:07 GMT")
	f.Add(uint16(404), commit, "EntryNotFound", "", "", "", "")
	at := &url.URL{Scheme: "http", Host: "hub", Path: "/x"}
	p := &puller{endpoint: at}
	f.Fuzz(func(t *testing.T, code uint16, commit, etag, linked, length, after, date string) {
		if len(commit)+len(etag)+len(linked)+len(length)+len(after)+len(date) > longestFuzzed {
			return
		}
		header := http.Header{}
		for name, value := range map[string]string{"X-Repo-Commit": commit, "ETag": etag, "X-Linked-Size": linked, "Content-Length": length,
			"Retry-After": after, "Date": date, "X-Error-Code": etag, "X-Error-Message": linked} {
			if value != "" {
				header.Set(name, value)
			}
		}
		if pause := retryAfter(header); pause < 0 {
			t.Errorf("a pause of %v", pause)
		}
		meta, err := p.readHead(&http.Response{StatusCode: int(code), Header: header, Request: &http.Request{Method: http.MethodHead, URL: at}}, header)
		if err != nil {
			if meta != (metadata{}) || len(err.Error()) > 3000 {
				t.Errorf("%+v, error %q", meta, err)
			}
			return
		}
		if code < 200 || code >= 400 || !hub.IsCommit(meta.commit) || !isEtag(meta.etag) || filepath.Base(meta.etag) != meta.etag || meta.size < 0 {
			t.Errorf("status %d: %+v", code, meta)
		}
	})
}
