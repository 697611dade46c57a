package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// healthTimeout is for one probe. A server that is alive answers in milliseconds.
const healthTimeout = 3 * time.Second

// probe asks a server whether it is ready: the one at the address in args, or the one that the
// flags would start. It is for containers, which have no other program to ask with.
func (f *listenFlags) probe(ctx context.Context, args []string) error {
	where, transport := f.own(), &http.Transport{DisableKeepAlives: true}
	if len(args) > 0 {
		where = args[0]
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usageError("--health %q: want http://host:port or https://host:port", where)
	}
	if len(args) == 0 {
		// It is this machine's own, and is sent nothing: whose certificate it shows does not matter.
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true}
		if f.unix != "" {
			transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", f.unix)
			}
		}
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/health"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	reply, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode/100 != 2 {
		return fmt.Errorf("%s: not ready: %s", u, reply.Status)
	}
	return nil
}

// own is the address of the server that the flags would start.
func (f *listenFlags) own() string {
	host := f.host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
		if ip != nil && ip.To4() == nil {
			host = "::1"
		}
	}
	if f.unix != "" {
		host = "unix"
	}
	scheme := "http"
	if f.cert != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(int(f.port)))
}
