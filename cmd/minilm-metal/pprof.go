package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/google/pprof/driver"
	"github.com/google/pprof/profile"
	"github.com/spf13/cobra"
)

func (p *program) pprof() *cobra.Command {
	var v view
	c := &cobra.Command{
		Use:   "pprof FILE",
		Short: "Look at a profile: flame graph in a browser, or the top of the list",
		Long: `Look at a profile: what the kernels cost ("bench --profile"), or one of Go's own
("bench --cpuprofile", "--memprofile").

On a terminal it serves the views of google/pprof (flame graph, top, graph, peek)
at a local address and opens the browser there, until interrupted. In a pipe, or
with --top, it prints the functions that cost most.

Of the kernels, --sample is time (of all workers), calls, flops or bytes. The
stack is bench > forward > layer > block > kernel, and the labels are device,
precision, shape, batch and concurrency. Go's CPU profile has the labels stage
(tokenize, forward) and phase (load, accuracy, warm-up, measure, stages).

"go tool pprof FILE" reads the same files, and can do more.`,
		Example: `  minilm-metal bench --profile kernels.pprof && minilm-metal pprof kernels.pprof
  minilm-metal pprof --top --sample flops kernels.pprof
  minilm-metal pprof --top --focus "layer 5" kernels.pprof
  minilm-metal pprof --http localhost:8080 --no-browser kernels.pprof
  minilm-metal pprof --top --tagfocus phase=measure cpu.pprof`,
		Args: arguments("", "FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			if err := v.check(c.Flags().Changed("http")); err != nil {
				return err
			}
			v.top = v.top || terminal(p.stdout) == nil && !c.Flags().Changed("http")
			prof, err := readProfile(args[0])
			if err != nil {
				return err
			}
			if err := p.view(c.Context(), prof, &v); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
	f := c.Flags()
	f.BoolVar(&v.top, "top", false, "print the functions that cost most (default in a pipe)")
	f.StringVar(&v.http, "http", "localhost:", "serve the views at this `address`; without a port, at a free one")
	f.BoolVar(&v.noBrowser, "no-browser", false, "serve, but open no browser")
	f.StringVar(&v.sample, "sample", "", "which value to show (default: what the profile says)")
	f.StringVar(&v.focus, "focus", "", "only stacks with a function that this `regexp` matches")
	f.StringVar(&v.tagfocus, "tagfocus", "", "only samples with this label: `regexp or KEY=regexp`")
	return c
}

// view holds the flags that say how to look at a profile.
type view struct {
	top, noBrowser                bool
	http, sample, focus, tagfocus string
}

func (v *view) check(http bool) error {
	if v.top && http {
		return usageError("--top and --http: want one of them")
	}
	if _, _, err := net.SplitHostPort(v.http); err != nil {
		return usageError("--http %q: want HOST:PORT: %w", v.http, err)
	}
	return nil
}

// standardOutput is the name of our output for pprof's driver. Without a name it would
// write to the process's standard output.
const standardOutput = "-"

// args returns the view as pprof's own command line. Symbols are not looked up outside the
// profile: our profiles and Go's contain function names.
func (v *view) args() []string {
	args := []string{"-symbolize=none", "-sample_index=" + v.sample, "-focus=" + v.focus, "-tagfocus=" + v.tagfocus}
	if v.top {
		return append(args, "-top", "-output="+standardOutput)
	}
	return append(args, "-http="+v.http, fmt.Sprintf("-no_browser=%v", v.noBrowser))
}

// view passes a profile to pprof's driver.
func (p *program) view(ctx context.Context, prof *profile.Profile, v *view) error {
	if v.sample != "" {
		if _, err := prof.SampleIndexByName(v.sample); err != nil {
			return err
		}
	}
	if v.top {
		return driver.PProf(p.driverOptions(prof, v, nil))
	}
	listener, err := v.listen()
	if err != nil {
		return err
	}
	defer listener.Close()
	return driver.PProf(p.driverOptions(prof, v, func(args *driver.HTTPServerArgs) error { return servePages(ctx, listener, args) }))
}

// listen opens the address of --http and gives it the port that it has. The driver would look for a
// free port and say so before anybody listens there.
func (v *view) listen() (net.Listener, error) {
	host, port, err := net.SplitHostPort(v.http)
	if err != nil {
		return nil, err
	}
	host = cmp.Or(host, "localhost")
	l, err := net.Listen("tcp", net.JoinHostPort(host, cmp.Or(port, "0")))
	if err != nil {
		return nil, err
	}
	_, port, err = net.SplitHostPort(l.Addr().String())
	v.http = net.JoinHostPort(host, port)
	return l, err
}

// driverOptions returns the driver's options. The driver passes its web pages to serve.
func (p *program) driverOptions(prof *profile.Profile, v *view, serve func(*driver.HTTPServerArgs) error) *driver.Options {
	return &driver.Options{
		Flagset: &pprofFlags{flag.NewFlagSet("pprof", flag.ContinueOnError), append(v.args(), "profile")},
		Fetch:   fetched{prof},
		UI:      pprofUI{p.stderr},
		Writer:  standardWriter{p.stdout},
		HTTPServer: func(args *driver.HTTPServerArgs) error {
			if page, known := args.Handlers[flameGraph]; known && ofKernels(prof) {
				args.Handlers[flameGraph] = inExecutionOrder(page)
			}
			return serve(args)
		},
	}
}

// servePages serves pprof's pages until ctx is done: the user interrupts.
func servePages(ctx context.Context, listener net.Listener, args *driver.HTTPServerArgs) error {
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page, known := args.Handlers[r.URL.Path]
			if !known {
				http.NotFound(w, r)
				return
			}
			page.ServeHTTP(w, r)
		}),
	}
	defer context.AfterFunc(ctx, func() { server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// pprofFlags gives the driver its command line.
type pprofFlags struct {
	*flag.FlagSet
	args []string
}

func (f *pprofFlags) StringList(name, value, usage string) *[]*string {
	return &[]*string{f.String(name, value, usage)}
}

func (f *pprofFlags) Parse(usage func()) []string {
	f.SetOutput(io.Discard)
	if err := f.FlagSet.Parse(f.args); err != nil {
		return nil
	}
	return f.Args()
}

func (f *pprofFlags) ExtraUsage() string   { return "" }
func (f *pprofFlags) AddExtraUsage(string) {}

// fetched is where the driver gets the profile from.
type fetched struct{ *profile.Profile }

func (f fetched) Fetch(string, time.Duration, time.Duration) (*profile.Profile, string, error) {
	return f.Profile, "", nil
}

// pprofUI receives the driver's messages. It is never asked to read.
type pprofUI struct{ w io.Writer }

func (u pprofUI) Print(args ...any) {
	text := strings.TrimSuffix(fmt.Sprint(args...), "\n")
	if text != "Generating report in "+standardOutput {
		fmt.Fprintln(u.w, text)
	}
}

func (u pprofUI) PrintErr(args ...any)                { u.Print(args...) }
func (u pprofUI) ReadLine(string) (string, error)     { return "", io.EOF }
func (u pprofUI) IsTerminal() bool                    { return false }
func (u pprofUI) WantBrowser() bool                   { return true }
func (u pprofUI) SetAutoComplete(func(string) string) {}

// standardWriter opens standardOutput, the only output name that the driver is given.
type standardWriter struct{ io.Writer }

func (w standardWriter) Open(string) (io.WriteCloser, error) { return w, nil }
func (w standardWriter) Close() error                        { return nil }
