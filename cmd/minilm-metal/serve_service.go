package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/rs/cors"

	"github.com/minilm-metal/minilm-metal/engine/serve"
)

// mostHeader limits the bytes of a request's header. net/http's default, a megabyte, is for each
// of the connections that somebody may open.
const mostHeader = 64 << 10

// service is a server that listens.
type service struct {
	flags   *serveFlags
	log     *slog.Logger
	handler *serve.Handler
	http    *http.Server
	ports   []net.Listener
	failed  chan error                    // a listener's, which ends it all
	models  atomic.Pointer[[]serve.Model] // nil until they are open
}

// handler is what answers, as the flags want it.
func (f *serveFlags) handler(log *slog.Logger) (*serve.Handler, error) {
	opts := []serve.Option{
		serve.Dialect(f.dialect), serve.MaxBody(f.body), serve.MaxText(f.text), serve.MaxItems(f.items), serve.MaxRequests(f.requests),
		serve.BodyTimeout(f.bodyTimeout), serve.ReplyTimeout(f.sendTimeout), serve.Keys(f.keys...), serve.Logger(log),
	}
	if f.strict {
		opts = append(opts, serve.Strict())
	}
	if f.keyedMetrics {
		opts = append(opts, serve.KeyedMetrics())
	}
	if !f.truncate {
		opts = append(opts, serve.NoAutoTruncate())
	}
	return serve.New(opts...)
}

// listen opens the port and answers there from now on. The one line of standard output is where.
func (s *service) listen(p *program) error {
	f := s.flags
	certificate, err := f.listen.certificate()
	if err != nil {
		return err
	}
	if s.ports, err = f.listen.open(p.getenv); err != nil {
		return err
	}
	s.http = &http.Server{
		Handler:           s.shared(),
		ReadHeaderTimeout: f.life.header,
		IdleTimeout:       f.life.idle,
		MaxHeaderBytes:    mostHeader,
		Protocols:         f.listen.protocols(),
		HTTP2:             &http.HTTP2Config{WriteByteTimeout: f.sendTimeout}, // a reply's own ends no write that is under way
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if certificate != nil {
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}}
	}
	s.failed = make(chan error, len(s.ports))
	for _, l := range s.ports {
		go func() { s.failed <- s.answer(l) }()
		s.log.Info("listening", "address", f.listen.address(l))
		if host := l.Addr(); len(f.keys) == 0 && reachable(host) {
			s.log.Warn("whoever reaches this address may ask: there is no --api-key-file", "address", host.String())
		}
		if _, err := fmt.Fprintln(p.stdout, f.listen.address(l)); err != nil {
			_ = s.http.Close()
			return err
		}
	}
	return nil
}

// reachable reports whether other machines may reach an address.
func reachable(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && !tcp.IP.IsLoopback()
}

// closePorts closes the ports and removes their sockets. http.Server does so only where its Serve has
// begun, which is on goroutines of their own.
func (s *service) closePorts() {
	for _, l := range s.ports {
		_ = l.Close() // most are closed
	}
}

// answer answers what comes to a listener, until the server is closed.
func (s *service) answer(l net.Listener) error {
	if s.http.TLSConfig != nil {
		return s.http.ServeTLS(l, "", "")
	}
	return s.http.Serve(l)
}

// shared is the handler, with what pages of other origins need to ask it, where they may.
func (s *service) shared() http.Handler {
	if len(s.flags.origins) == 0 {
		return s.handler
	}
	return cors.New(cors.Options{
		AllowedOrigins: s.flags.origins,
		AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: []string{"Retry-After", "X-Dialect", "X-Scores", "X-Compute-Type", "X-Compute-Time", "X-Compute-Tokens", "X-Compute-Characters",
			"X-Total-Time", "X-Tokenization-Time", "X-Queue-Time", "X-Inference-Time", "Inference-Header-Content-Length"},
		MaxAge: 600, // seconds
	}).Handler(s.handler)
}
