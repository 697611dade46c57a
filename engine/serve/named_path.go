package serve

import (
	"net/http"
	"net/url"
	"path"
	"strings"
)

// withPath is the request, or a copy whose path has no doubled slashes and no dots: clients make
// http://host//rerank of http://host/ and /rerank. ServeMux would send them to the right path, and
// not know of a prefix that http.StripPrefix took.
func withPath(r *http.Request) *http.Request {
	escaped := r.URL.EscapedPath()
	clean := path.Clean("/" + escaped)
	if strings.HasSuffix(escaped, "/") && clean != "/" {
		clean += "/"
	}
	if clean == escaped {
		return r
	}
	unescaped, err := url.PathUnescape(clean)
	if err != nil { // which EscapedPath excludes
		return r
	}
	u, copied := *r.URL, *r
	u.Path, u.RawPath = unescaped, clean
	copied.URL = &u
	return &copied
}

// beforeName are what stands before a model's name in paths.
var beforeName = [...]string{"/v1/models/", "/v2/models/"}

// namesModel reports whether a path is one in which a model's name stands.
func namesModel(path string) bool {
	return strings.HasPrefix(path, beforeName[0]) || strings.HasPrefix(path, beforeName[1])
}

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
