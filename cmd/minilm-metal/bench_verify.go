package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
)

func (p *program) benchVerify() *cobra.Command {
	return &cobra.Command{
		Use:   "verify REPORT...",
		Short: "Derive every figure of a report again from its recording",
		Long: `Derive every figure of a report again from the recording.json beside it, and name the
first that differs. REPORT is a folder that "bench" wrote, or one of the files in it.

Every sample is in the recording, and nothing else is needed: any figure of a report can be
worked out from it by other means as well. A report of another version of this program may
tell more or less than this one: then the first such line is what differs, and the error
says which version made it.`,
		Example: `  minilm-metal bench verify bench-report/today
  minilm-metal bench verify ./report/report.md`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("REPORT is missing")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, path := range args {
				dir, names := path, []string(nil)
				info, err := os.Stat(path)
				if err != nil {
					return err
				}
				if !info.IsDir() {
					dir = filepath.Dir(path)
					if name := filepath.Base(path); name != recording.File {
						names = []string{name}
					}
				}
				right, err := report.VerifyFolder(dir, names...)
				for _, name := range right {
					if _, err := fmt.Fprintf(p.stdout, "%s: as %s says\n", filepath.Join(dir, name), recording.File); err != nil {
						return err
					}
				}
				if err != nil {
					return elsewhere(err, dir)
				}
			}
			return nil
		},
	}
}

// elsewhere adds to the error about a file that differs from the recording in the folder dir
// that another version of the program made them, if that is so: it may well tell other things
// of the same run, and nobody has changed anything.
func elsewhere(err error, dir string) error {
	if _, differs := errors.AsType[*report.Mismatch](err); !differs {
		return err
	}
	rec, unread := recording.Read(filepath.Join(dir, recording.File))
	if unread != nil {
		return err
	}
	info, _ := debug.ReadBuildInfo()
	b := buildOf(info)
	e := &rec.Environment
	if e.Commit == b.commit && !e.Dirty && b.changed == "" {
		return err
	}
	perhaps := ""
	if e.Commit == b.commit { // with changes, of which nobody knows whether they are the same
		perhaps = "perhaps "
	}
	of := func(commit string, changed bool) string {
		switch {
		case commit == "":
			return "a commit that it does not know"
		case changed:
			return "commit " + shortHash(commit) + " (changed)"
		}
		return "commit " + shortHash(commit)
	}
	return fmt.Errorf("%w; %smade by another version, of %s, and this one is of %s", err, perhaps, of(e.Commit, e.Dirty), of(b.commit, b.changed != ""))
}
