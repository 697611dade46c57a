package main

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/pprof/profile"
)

// The flame graph of google/pprof puts what costs most first, so that layers stand in an
// order that is chance, and it has no option. The bench's profiles are written as the model
// runs, and read best so: for them the page gets another comparison.
const (
	flameGraph  = "/flamegraph"
	byCost      = `return (b.sumpos + b.sumneg) - (a.sumpos + a.sumneg);`
	byExecution = `return a.places[0].Stack - b.places[0].Stack;` // of the first stack that it is in
)

// ofKernels says whether a profile is one of the bench's, of kernels.
func ofKernels(p *profile.Profile) bool {
	return slices.ContainsFunc(p.SampleType, func(t *profile.ValueType) bool { return t.Type == "flops" })
}

// inExecutionOrder serves the flame graph with its frames in the order of the profile.
func inExecutionOrder(page http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k := kept{ResponseWriter: w, status: http.StatusOK}
		page.ServeHTTP(&k, r)
		body := bytes.Replace(k.body.Bytes(), []byte(byCost), []byte(byExecution), 1)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(k.status)
		w.Write(body) // a browser that is gone is no reason to end
	})
}

// kept keeps a page, to be changed before it is sent.
type kept struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (k *kept) WriteHeader(status int)         { k.status = status }
func (k *kept) Write(page []byte) (int, error) { return k.body.Write(page) }
