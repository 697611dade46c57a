package serve

import (
	_ "embed"
	"net/http"
)

// The description of all paths. The JSON is made of the YAML by a test with -update, and held to
// it without.
var (
	//go:embed openapi.yaml
	openapiYAML []byte
	//go:embed openapi.json
	openapiJSON []byte
)

func describeYAML(*Handler, *exchange) (reply, *failure) {
	return reply{status: http.StatusOK, content: "application/yaml", body: openapiYAML}, nil
}

func describeJSON(*Handler, *exchange) (reply, *failure) {
	return reply{status: http.StatusOK, content: jsonType, body: openapiJSON}, nil
}
