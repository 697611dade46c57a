package serve

import (
	"net/http"
	"net/url"
	"strings"
)

// beforeName are what stands before a model's name in paths.
var beforeName = [...]string{"/v1/models/", "/v2/models/"}

// withName is the request, or a copy whose path has the slash of a model's name written as %2F.
// Names such as cross-encoder/ms-marco-MiniLM-L6-v2 have one, which clients of Triton and older
// ones of OpenAI send as it is, and a part of a path has none.
func (h *Handler) withName(r *http.Request) *http.Request {
	models := h.models.Load()
	if models == nil {
		return r
	}
	for _, before := range beforeName {
		after, has := strings.CutPrefix(r.URL.Path, before)
		if !has {
			continue
		}
		name := "" // the longest that it may be
		for _, m := range *models {
			if strings.HasPrefix(after+"/", m.Name+"/") && len(m.Name) > len(name) {
				name = m.Name
			}
		}
		if strings.Contains(name, "/") {
			u, copied := *r.URL, *r
			u.RawPath = before + url.PathEscape(name) + (&url.URL{Path: after[len(name):]}).EscapedPath()
			copied.URL = &u
			return &copied
		}
	}
	return r
}
