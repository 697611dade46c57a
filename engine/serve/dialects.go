package serve

import (
	"slices"
	"strings"
)

// dialect is the wire format of one system.
type dialect struct {
	name   string // as in the option Dialect and the header x-dialect
	routes []route
	// word makes a reply of a failure.
	word func(*failure) reply
	// keys are headers in which a client may send its key, besides Authorization.
	keys []string
}

// route is one method of one path. It either asks the engine something (ask) or answers by
// itself (plain).
type route struct {
	method, path string // path as in http.ServeMux
	// mark is the field of the body that tells this dialect from the others of the same path. A
	// route without a mark, on a path of several dialects, is reached only where Dialect pins it.
	mark string
	// beside is the mark of another dialect that bodies of this one have, too; "" for none.
	beside string
	// ask makes a question of the body, and returns what makes the reply of its answer. It may
	// be asked for any body: where the body lacks something, ask reads on, and the question is
	// not used.
	ask func(*body) (question, encoder)
	// plain answers without the engine.
	plain func(*Handler, *exchange) (reply, *failure)
	// open says that no key is asked for, and that it is answered at any load and before the
	// model is there: probes and metrics.
	open bool
	// prefix is a request header that says how many bytes at the beginning of the body are JSON.
	// What follows them is the body's rest. Without the header, all of the body is JSON.
	prefix string
}

// encoder makes a dialect's reply of an answer.
type encoder func(*answer) reply

// table has a row for each dialect. The order does not matter.
func table() []*dialect {
	return []*dialect{
		own(),
		cohere(),
		infinity(),
		jina(),
		oip(),
		openAI(),
		sglang(),
		tei(),
		vllm(),
		weaviate(),
	}
}

// Dialects returns the names that the option Dialect takes, sorted.
func Dialects() []string {
	var all []string
	for _, d := range table() {
		if d.name != ownName {
			all = append(all, d.name)
		}
	}
	slices.Sort(all)
	return all
}

// bound is a route with its dialect.
type bound struct {
	*route
	dialect *dialect
}

// paths returns the routes of all dialects, by path and method.
func paths(all []*dialect) map[string]map[string][]bound {
	m := map[string]map[string][]bound{}
	for _, d := range all {
		for i := range d.routes {
			r := &d.routes[i]
			if m[r.path] == nil {
				m[r.path] = map[string][]bound{}
			}
			m[r.path][r.method] = append(m[r.path][r.method], bound{r, d})
		}
	}
	return m
}

// allowed lists the methods of a path, for the header Allow.
func allowed(methods map[string][]bound) string {
	all := make([]string, 0, len(methods)+1)
	for m := range methods {
		all = append(all, m)
		if m == "GET" {
			all = append(all, "HEAD")
		}
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}
