package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/spf13/pflag"
)

// listenFlags say where serve listens, and how it is spoken to there.
type listenFlags struct {
	host, unix, cert, key string
	port                  uint16
	h2c                   bool
}

func (f *listenFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.host, "host", "127.0.0.1", "address to listen on; 0.0.0.0 or :: is every one of this machine's")
	flags.Uint16Var(&f.port, "port", 8080, "port to listen on; 0: any that is free")
	flags.StringVar(&f.unix, "unix", "", "listen on this Unix socket instead")
	flags.StringVar(&f.cert, "tls-cert", "", "file with the certificate and those that vouch for it, in PEM: speak TLS")
	flags.StringVar(&f.key, "tls-key", "", "file with the certificate's key, in PEM")
	flags.BoolVar(&f.h2c, "h2c", false, "speak HTTP/2 without TLS, too, to clients that begin with it")
}

func (f *listenFlags) check(flags *pflag.FlagSet) error {
	switch {
	case f.unix != "" && (flags.Changed("host") || flags.Changed("port")):
		return usageError("--unix: cannot be used with --host or --port")
	case (f.cert == "") != (f.key == ""):
		return usageError("--tls-cert and --tls-key: want both, or none")
	case f.cert != "" && f.h2c:
		return usageError("--h2c: cannot be used with --tls-cert, which has HTTP/2 by itself")
	}
	return nil
}

// certificate is nil without TLS.
func (f *listenFlags) certificate() (*tls.Certificate, error) {
	if f.cert == "" {
		return nil, nil
	}
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	return &c, nil
}

// protocols are HTTP/1.1, HTTP/2 over TLS, and HTTP/2 without it where that is asked for.
func (f *listenFlags) protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(f.h2c)
	return p
}

// open opens the port or the socket, unless systemd hands over some that are open already.
func (f *listenFlags) open(getenv func(string) string) ([]net.Listener, error) {
	if getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) {
		return fromSystemd()
	}
	network, address, listen := "tcp", net.JoinHostPort(f.host, strconv.Itoa(int(f.port))), net.Listen
	if f.unix != "" {
		network, address, listen = "unix", f.unix, listenUnix
	}
	l, err := listen(network, address)
	switch {
	case inUse(err) && network == "tcp":
		return nil, fmt.Errorf("--port: another program listens on %s already", address)
	case inUse(err):
		return nil, fmt.Errorf("--unix: another program listens on %s already", address)
	case err != nil && network == "tcp":
		return nil, fmt.Errorf("--host, --port: %w", err)
	case err != nil:
		return nil, fmt.Errorf("--unix: %w", err)
	}
	return []net.Listener{l}, nil
}

// Windows has its own numbers for what other systems call EADDRINUSE and ECONNREFUSED.
const (
	windowsInUse   = syscall.Errno(10048)
	windowsRefused = syscall.Errno(10061)
)

// inUse reports whether an address could not be had because somebody has it.
func inUse(err error) bool {
	return errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, windowsInUse)
}

// fromSystemd are the sockets that systemd opened for us (sd_listen_fds).
func fromSystemd() ([]net.Listener, error) {
	all, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("the sockets of systemd: %w", err)
	}
	for i, l := range all {
		if l == nil {
			return nil, fmt.Errorf("the sockets of systemd: number %d is not one to listen on", i)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("the sockets of systemd: it has handed over none")
	}
	return all, nil
}

// address is how a client calls a listener.
func (f *listenFlags) address(l net.Listener) string {
	if l.Addr().Network() == "unix" {
		return "unix:" + l.Addr().String()
	}
	if f.cert != "" {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}
