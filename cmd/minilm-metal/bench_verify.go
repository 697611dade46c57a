package main

import (
	"fmt"
	"os"
	"path/filepath"

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
tell more or less than this one, and then the first such line is what differs.`,
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
					return err
				}
			}
			return nil
		},
	}
}
