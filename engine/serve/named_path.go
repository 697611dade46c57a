package serve

import (
	"net/http"
	"net/url"
	"path"
	"slices"
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
	return at(r, unescaped, clean)
}

// at is the request with another path.
func at(r *http.Request, path, escaped string) *http.Request {
	u, copied := *r.URL, *r
	u.Path, u.RawPath = path, escaped
	copied.URL = &u
	return &copied
}

// beforeName are what stands before a model's name in paths.
var beforeName = [...]string{"/v1/models/", "/v2/models/"}

// namesModel reports whether a path is one in which a model's name stands.
func namesModel(path string) bool {
	return slices.ContainsFunc(beforeName[:], func(before string) bool { return strings.HasPrefix(path, before) })
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
			return at(r, r.URL.Path, before+url.PathEscape(name)+(&url.URL{Path: after[len(name):]}).EscapedPath())
		}
	}
	return r
}
