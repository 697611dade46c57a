package serve

import "net/http"

// ownName is the dialect of what no other system has: it is the server's own.
const ownName = "minilm-metal"

// own are the paths that belong to the server and not to a dialect.
func own() *dialect {
	return &dialect{name: ownName, word: teiFailure, routes: []route{
		{method: "GET", path: "/", plain: showPage, open: true},
		{method: "GET", path: metricsPath, plain: serveMetrics, open: true},
		{method: "GET", path: "/openapi.yaml", plain: describeYAML, open: true},
		{method: "GET", path: "/openapi.json", plain: describeJSON, open: true},
		// Where text-embeddings-inference has its description, and a page of it.
		{method: "GET", path: "/api-doc/openapi.json", plain: describeJSON, open: true},
		{method: "GET", path: "/docs", plain: toDocs, open: true},
	}}
}

// toDocs leads to the description of all paths. The address is relative to that of the request:
// the handler may be mounted below a path.
func toDocs(*Handler, *exchange) (reply, *failure) {
	return reply{status: http.StatusSeeOther, headers: http.Header{"Location": {"openapi.yaml"}}}, nil
}

// showPage is the page for people, which needs no key: it has no secret in it.
func showPage(*Handler, *exchange) (reply, *failure) { return page(), nil }
