package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What no server can be started with is said before anything is loaded, with the flag's name.
func TestServeRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--port", port}, failed, "--port: another program listens on 127.0.0.1:" + port + " already"},
		{[]string{"--host", "192.0.2.1", "--port", "0"}, failed, "--host, --port: listen tcp 192.0.2.1:0"},
		{[]string{"--port", "65536"}, usage, `"65536"`},
		{[]string{"--unix", filepath.Join(dir, "no", "socket")}, failed, "--unix: "},
		{[]string{"--unix", file("plain", "")}, failed, "--unix: another program listens on "},
		{[]string{"--unix", "a", "--port", "1"}, usage, "--unix: cannot be used with --host or --port"},
		{[]string{"--dialect", "greek"}, usage, `--dialect "greek": want one of cohere, `},
		{[]string{"--tls-cert", "a"}, usage, "--tls-cert and --tls-key: want both, or none"},
		{[]string{"--tls-cert", filepath.Join(dir, "none.pem"), "--tls-key", "b"}, failed, "--tls-cert, --tls-key: open "},
		{[]string{"--tls-cert", file("cert", "x"), "--tls-key", file("key", "y")}, failed, "--tls-cert, --tls-key: "},
		{[]string{"--tls-cert", "a", "--tls-key", "b", "--h2c"}, usage, "--h2c: cannot be used with --tls-cert"},
		{[]string{"--api-key-file", filepath.Join(dir, "none")}, failed, "--api-key-file: open "},
		{[]string{"--api-key-file", file("empty", "\n \n")}, failed, "has no key"},
		{[]string{"--api-key-file", file("spaced", "good-key\nsecret key\n")}, failed, "spaced: line 2 has a character that is not visible ASCII"},
		{[]string{"--model", "synthetic", "--model", "late=" + filepath.Join(dir, "none")}, failed, "model late: "},
		{[]string{"--model", filepath.Join(dir, "run=3")}, failed, "model run=3: "},
		{[]string{"--model", "=dir"}, usage, `--model "=dir": want NAME=DIR`},
		{[]string{"--model", "\xff=x"}, usage, "--model \"\\xff=x\": the name is not UTF-8"},
		{[]string{"--model", "a=x", "--model", "a=y"}, usage, `"a" is another model's name already`},
		{[]string{"--max-queue", "-1"}, usage, "--max-queue -1"},
		{[]string{"--max-body", "0"}, usage, "--max-body 0"},
		{[]string{"--max-text", "0"}, usage, "--max-text 0"},
		{[]string{"--max-items", "0"}, usage, "--max-items 0"},
		{[]string{"--max-requests", "0"}, usage, "--max-requests 0"},
		{[]string{"--max-wait", "-1s"}, usage, "--max-wait -1s"},
		{[]string{"--read-timeout", "-1s"}, usage, "--read-timeout -1s"},
		{[]string{"--drain-delay", "-1s"}, usage, "--drain-delay -1s"},
		{[]string{"--max-length", "1"}, usage, "--max-length 1"},
		{[]string{"--device", "abacus"}, usage, `--device "abacus"`},
		{[]string{"--log-format", "xml"}, usage, `--log-format "xml": want one of text, json`},
		{[]string{"--log-level", "loud"}, usage, `--log-level "loud"`},
		{[]string{"--cors-origin", "example.org"}, usage, `--cors-origin "example.org"`},
		{[]string{"--cors-origin", "https://example.org/"}, usage, `--cors-origin "https://example.org/"`},
		{[]string{"--cors-origin", "://"}, usage, `--cors-origin "://"`},
		{[]string{"--metrics-key"}, usage, "--metrics-key: needs a key, of --api-key-file or MINILM_SERVE_KEY"},
		{[]string{"--expvar"}, usage, "--expvar: needs --pprof"},
		{[]string{"--pprof", "127.0.0.1:" + port}, failed, "--pprof: listen tcp"},
		{[]string{"word"}, usage, `serve takes no arguments, and there is "word"`},
		{[]string{"--health", "a", "b"}, usage, "takes no arguments"},
		{[]string{"--health", "ftp://a"}, usage, `--health "ftp://a": want http://host:port`},
		{[]string{"--health", "http://127.0.0.1:" + port + "0"}, failed, "invalid port"},
		{[]string{"--model", "x=" + filepath.Join(dir, "nothing"), "--port", "0"}, failed, "model x: "},
	} {
		o := call(t, "", append([]string{"serve"}, c.args...)...)
		o.want(t, c.code, c.want)
		if strings.Contains(o.stderr, "secret") {
			t.Errorf("%q: a key is told: %s", c.args, o.stderr)
		}
	}
}
