package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func (p *program) version() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which version this is, and how it was built",
		Long: `Say which version this is, from which commit it was built, by which Go and for what.
A program built outside a checkout, or with -buildvcs=false, does not know its commit.`,
		Example: "  minilm-metal version",
		Args:    arguments(""),
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			return writeVersion(p.stdout, info)
		},
	}
}

// built describes how the program was built.
type built struct{ version, commit, changed, date, tags, cgo string }

func buildOf(info *debug.BuildInfo) (b built) {
	b.version = "unknown"
	if info == nil {
		return b
	}
	b.version = cmp.Or(info.Main.Version, "unknown")
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.time":
			b.date = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				b.changed = " (changed)"
			}
		case "-tags":
			b.tags = s.Value
		case "CGO_ENABLED":
			b.cgo = s.Value
		}
	}
	return b
}

// writeVersion writes what is known about the build, one fact a line.
func writeVersion(w io.Writer, info *debug.BuildInfo) error {
	b := buildOf(info)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "version\t%s\n", b.version)
	fmt.Fprintf(t, "commit\t%s%s\n", cmp.Or(b.commit, "unknown"), b.changed)
	if b.date != "" {
		fmt.Fprintf(t, "date\t%s\n", b.date)
	}
	fmt.Fprintf(t, "go\t%s\n", runtime.Version())
	fmt.Fprintf(t, "platform\t%s/%s\n", runtime.GOOS, runtime.GOARCH)
	if b.cgo != "" {
		fmt.Fprintf(t, "cgo\t%s\n", map[string]string{"0": "no", "1": "yes"}[b.cgo])
	}
	if b.tags != "" {
		fmt.Fprintf(t, "tags\t%s\n", b.tags)
	}
	return t.Flush()
}

// version returns all of it in one line, for --version and for reports.
func version() string {
	info, _ := debug.ReadBuildInfo()
	b := buildOf(info)
	name := b.version
	if name == "(devel)" && b.commit != "" { // a version made from a commit already contains it
		name += " " + b.commit + b.changed
	}
	return fmt.Sprintf("%s %s %s/%s", name, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
