package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/bench/peers"
	"github.com/minilm-metal/minilm-metal/bench/recording"
	"github.com/minilm-metal/minilm-metal/bench/report"
	"github.com/minilm-metal/minilm-metal/model/atomicfile"
)

// formats are the forms of a report, by the ending of their file.
var formats = map[string]func(*report.Report, io.Writer) error{
	"html": (*report.Report).WriteHTML,
	"md":   (*report.Report).WriteMarkdown,
	"json": (*report.Report).WriteJSON,
	"csv":  (*report.Report).WriteCSV,
}

func (p *program) report() *cobra.Command {
	var (
		out         string
		as          []string
		force, show bool
	)
	c := &cobra.Command{
		Use:   "report FILE...",
		Short: "Make the page of a bench report again",
		Long: `Make the pages of bench reports again, of what was measured then: report.html, or
with --as Markdown, JSON and CSV too. Nothing is measured.

FILE is recording.json, report.json, report.md, the markdown of another tool in the
same format, or a folder that "bench" wrote. A recording tells most; what a report does
not tell is left out of its page, which says so. Of the peers.json of "bench peers", or its
folder, the table is made again, peers.md.

A page goes beside its file, or into the folder of --out. What is there already is
written over only with --force.`,
		Example: `  minilm-metal report bench-report/today
  minilm-metal report --open recording.json
  minilm-metal report --as html,md,csv --out ./again old/report.json
  minilm-metal report 01_backend_pytorch.md`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError("FILE is missing")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			for _, format := range as {
				if formats[format] == nil {
					return usageError("--as %s: want html, md, json or csv", format)
				}
			}
			if len(as) == 0 {
				return usageError("--as: want html, md, json or csv")
			}
			wanted := as
			if !c.Flags().Changed("as") {
				wanted = nil
			}
			pages, err := renderings(args, out, wanted)
			if err != nil {
				return err
			}
			if !force { // said before anything is written
				for _, page := range pages {
					if _, err := os.Lstat(page.path); err == nil {
						return fmt.Errorf("%s: is there already; --force writes over it", page.path)
					}
				}
			}
			for _, page := range pages {
				if err := page.write(); err != nil {
					return err
				}
				fmt.Fprintln(p.stdout, page.path)
			}
			if show {
				for _, page := range pages {
					if page.format == "html" {
						p.open(page.path)
					}
				}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVarP(&out, "out", "o", "", "folder for what is made (default: that of FILE)")
	f.StringSliceVar(&as, "as", []string{"html"}, "what to make: html, md, json, csv; several with commas (of peers: md)")
	f.BoolVar(&force, "force", false, "write over what is there")
	f.BoolVar(&show, "open", false, "show the page on the desktop")
	return c
}

// rendering is a file to be made.
type rendering struct {
	make   func(io.Writer) error
	format string
	path   string
}

func (r *rendering) write() error {
	if err := os.MkdirAll(filepath.Dir(r.path), 0o777); err != nil {
		return err
	}
	return atomicfile.Write(r.path, 0o644, func(f *os.File) error { return r.make(f) })
}

// renderings reads every file, and names what is to be made of it: nothing twice, and never
// what was read. as are the forms, or nil for the usual one.
func renderings(args []string, out string, as []string) (list []rendering, err error) {
	var read, made []string
	for _, arg := range args {
		source, err := reportFile(arg)
		if err != nil {
			return nil, err
		}
		forms, usual, err := formsOf(source)
		if err != nil {
			return nil, err
		}
		read = append(read, filepath.Clean(source))
		dir, name := filepath.Split(source)
		if name = strings.TrimSuffix(name, filepath.Ext(name)); name == "recording" {
			name = "report"
		}
		if out != "" {
			dir = out
			if name == "report" && len(args) > 1 { // several folders have files of one name
				name = fileName(filepath.Base(filepath.Dir(mustAbs(source))))
			}
		}
		wanted := as
		if wanted == nil {
			wanted = []string{usual}
		}
		for _, format := range wanted {
			if forms[format] == nil {
				return nil, usageError("--as %s: of %s there is %s alone", format, source, usual)
			}
			path := filepath.Join(dir, name+"."+format)
			if slices.Contains(made, path) {
				return nil, fmt.Errorf("%s: would be made twice; want files of different names", path)
			}
			made = append(made, path)
			list = append(list, rendering{forms[format], format, path})
		}
	}
	for _, page := range list {
		if slices.Contains(read, page.path) {
			return nil, fmt.Errorf("%s: is what it would be made of; --out names another folder", page.path)
		}
	}
	return list, nil
}

// formsOf reads a file, and returns what writes each of its forms, and which is the usual one.
func formsOf(path string) (forms map[string]func(io.Writer) error, usual string, err error) {
	if filepath.Base(path) == peers.File {
		r, err := peers.Read(path)
		if err != nil {
			return nil, "", err
		}
		return map[string]func(io.Writer) error{"md": func(w io.Writer) error { return peers.WriteMarkdown(w, r) }}, "md", nil
	}
	r, err := readReport(path)
	if err != nil {
		return nil, "", err
	}
	forms = map[string]func(io.Writer) error{}
	for format, write := range formats {
		forms[format] = func(w io.Writer) error { return write(r, w) }
	}
	return forms, "html", nil
}

// mustAbs is the absolute path, or the path where the folder that we are in is gone.
func mustAbs(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// reportFile is the file that tells most of a folder; a file is itself.
func reportFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, err
	}
	names := []string{recording.File, report.JSONFile, report.MarkdownFile, peers.File}
	for _, name := range names {
		if _, err := os.Stat(filepath.Join(path, name)); err == nil {
			return filepath.Join(path, name), nil
		}
	}
	return "", fmt.Errorf("%s: has none of %s", path, strings.Join(names, ", "))
}
