package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/pflag"

	"github.com/minilm-metal/minilm-metal/engine/serve"
)

// lifeFlags say how long things may take that are not a request's answer.
type lifeFlags struct{ header, idle, drain, shutdown time.Duration }

func (f *lifeFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&f.header, "read-header-timeout", 10*time.Second, "how long a client may take to send a request's header; 0: for ever")
	flags.DurationVar(&f.idle, "idle-timeout", 2*time.Minute, "how long a connection is kept for the client's next request; 0: for ever")
	flags.DurationVar(&f.drain, "drain-delay", 5*time.Second, "after SIGTERM, how long requests are still taken, while load balancers see that the server is not ready")
	flags.DurationVar(&f.shutdown, "shutdown-timeout", 25*time.Second, "after that, how long requests may take to end")
}

func (f *lifeFlags) check() error {
	return notNegative(map[string]time.Duration{"read-header-timeout": f.header, "idle-timeout": f.idle, "drain-delay": f.drain, "shutdown-timeout": f.shutdown})
}

// serveModels is the life of a server: it listens, opens the models, answers until ctx is over,
// and ends what it has begun.
func (p *program) serveModels(ctx context.Context, f *serveFlags) error {
	all, err := f.sources()
	if err != nil {
		return err
	}
	if err := p.locate(all); err != nil {
		return err
	}
	log := f.log.logger(p.stderr)
	p.stderr = warnings{log}
	s := &service{flags: f, log: log}
	if s.handler, err = f.handler(log); err != nil {
		return err
	}
	closeDebug, at, err := f.debug.open(&s.models)
	if err != nil {
		return err
	}
	defer closeDebug()
	if at != "" {
		log.Info("profiles", "address", at)
	}
	defer s.closePorts()
	if err := s.listen(p); err != nil {
		return err
	}
	models, err := p.openModels(ctx, f, all, s.handler, log)
	if err == nil {
		s.models.Store(&models) // first: what is ready has statistics
		err = s.handler.Use(models...)
	}
	if err != nil {
		_ = s.http.Close()
		if ctx.Err() != nil { // it was told to end before it had begun
			return closeModels(models)
		}
		return errors.Join(err, closeModels(models))
	}
	log.Info("ready", "models", len(models))
	s.tellSystemd(daemon.SdNotifyReady)
	select {
	case err = <-s.failed:
		err = errors.Join(err, s.http.Close())
	case <-ctx.Done():
		err = s.end(ctx, models)
	}
	return errors.Join(err, closeModels(models))
}

// end ends the server gently, after ctx is over: first it is not ready, then it takes no more
// requests, then those are interrupted that have not ended in time.
func (s *service) end(ctx context.Context, models []serve.Model) error {
	s.handler.Drain()
	s.tellSystemd(daemon.SdNotifyStopping)
	delay := s.flags.life.drain
	if byHand(ctx) {
		delay = 0
	}
	s.log.Info("ending: not ready any more; a second signal ends at once", "still_answering_for", delay)
	select {
	case <-time.After(delay):
	case err := <-s.failed:
		return errors.Join(err, s.http.Close())
	}
	timed, cancel := context.WithTimeout(context.Background(), s.flags.life.shutdown)
	defer cancel()
	err := s.http.Shutdown(timed)
	if errors.Is(err, context.DeadlineExceeded) {
		// Those that wait for an engine get an answer, which says so; others are cut off.
		err = fmt.Errorf("requests were interrupted that had not ended within %v, the limit of --shutdown-timeout", s.flags.life.shutdown)
		err = errors.Join(err, closeModels(models))
		last, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if s.http.Shutdown(last) != nil {
			_ = s.http.Close()
		}
	}
	s.log.Info("ended")
	return err
}

// tellSystemd says where the server is in its life, where systemd wants to know.
func (s *service) tellSystemd(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn("systemd cannot be told", "state", state, "error", err)
	}
}
