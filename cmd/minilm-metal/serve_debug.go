package main

import (
	"encoding/json"
	"expvar"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/engine/serve"
)

// debugFlags open a port of its own for who looks into the process. It shows the command line
// and parts of the memory, and needs no key.
type debugFlags struct {
	address string
	vars    bool
}

func (f *debugFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "pprof", "", "serve Go's profiles at /debug/pprof/ of this host:port, to anybody who reaches it")
	flags.BoolVar(&f.vars, "expvar", false, "serve the engines' statistics at /debug/vars of the address of --pprof, too")
}

func (f *debugFlags) check() error {
	if f.vars && f.address == "" {
		return usageError("--expvar: needs --pprof, whose address it is on")
	}
	return nil
}

// open serves profiles, and the statistics of the models as soon as there are some. Without the
// flag it does nothing.
func (f *debugFlags) open(models *atomic.Pointer[[]serve.Model]) (close func(), at string, err error) {
	if f.address == "" {
		return func() {}, "", nil
	}
	l, err := net.Listen("tcp", f.address)
	if err != nil {
		return nil, "", fmt.Errorf("--pprof: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if f.vars {
		mux.HandleFunc("GET /debug/vars", func(w http.ResponseWriter, _ *http.Request) { writeVars(w, models) })
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // until close
	return func() { _ = s.Close() }, "http://" + l.Addr().String() + "/debug/pprof/", nil
}

// writeVars writes what expvar publishes in every program, and each engine's statistics under
// "engines". It is not published by expvar itself, whose variables are the process's for ever.
func writeVars(w http.ResponseWriter, models *atomic.Pointer[[]serve.Model]) {
	all, engines := map[string]any{}, map[string]engine.Stats{}
	expvar.Do(func(v expvar.KeyValue) { all[v.Key] = json.RawMessage(v.Value.String()) })
	if opened := models.Load(); opened != nil {
		for _, m := range *opened {
			engines[m.Name] = m.Engine.Stats()
		}
	}
	all["engines"] = engines
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(all) // the client has gone
}
