package main

import (
	"bytes"
	"io"
	"log/slog"

	"github.com/spf13/pflag"
)

// logFlags say how serve logs, to standard error.
type logFlags struct{ format, level string }

var (
	logFormats = []string{"text", "json"}
	logLevels  = []string{"debug", "info", "warn", "error"}
)

func (f *logFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.format, "log-format", "text", "text or json, a line each")
	flags.StringVar(&f.level, "log-level", "info", "the least that is logged: debug (every request), info, warn, error")
}

func (f *logFlags) check() error {
	if err := oneOf("log-format", f.format, logFormats); err != nil {
		return err
	}
	return oneOf("log-level", f.level, logLevels)
}

// logger writes to w what the flags want.
func (f *logFlags) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(f.level)) // check knows them all
	o := &slog.HandlerOptions{Level: level}
	if f.format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// warnings logs what other parts of the program write to standard error, so that every line
// there has the same form.
type warnings struct{ log *slog.Logger }

func (w warnings) Write(b []byte) (int, error) {
	for line := range bytes.Lines(b) {
		w.log.Warn(string(bytes.TrimPrefix(bytes.TrimSpace(line), []byte("minilm-metal: "))))
	}
	return len(b), nil
}
