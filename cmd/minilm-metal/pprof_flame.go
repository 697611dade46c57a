package main

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/pprof/profile"
)

// The flame graph of google/pprof sorts by cost, so the layers appear in a random order,
// and there is no option to change that. The bench's profiles are written in the order in
// which the model runs and read best like this. So for them, the comparison function in the
// page is replaced.
const (
	flameGraph  = "/flamegraph"
	byCost      = `return (b.sumpos + b.sumneg) - (a.sumpos + a.sumneg);`
	byExecution = `return a.places[0].Stack - b.places[0].Stack;` // by the first stack that contains it
)

// ofKernels reports whether a profile is one of kernels, written by bench.
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
		w.Write(body) // if the browser is gone, go on
	})
}

// kept holds a page, so that it can be changed before it is sent.
type kept struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (k *kept) WriteHeader(status int)         { k.status = status }
func (k *kept) Write(page []byte) (int, error) { return k.body.Write(page) }
