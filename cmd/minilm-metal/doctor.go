package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/minilm-metal/minilm-metal/cmd/minilm-metal/internal/doctor"
	"github.com/minilm-metal/minilm-metal/model/hub"
)

func (p *program) doctor() *cobra.Command {
	var (
		model, out string
		part, into string // of the process of one part
	)
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at this machine, and put all of it into one file to send",
		Long: `Look at everything that somebody far away needs to know of this machine, and write
one zip file of a few dozen KB: its processor and GPU, what "info" chooses and why, what
the GPU's compiler makes of the shaders, how far off each kernel is block by block,
"verify", "tune" (nothing is kept of it), "kernels" and a short "bench --stages". It takes
a minute or two.

Each part is a file with its own verdict, and one that fails, crashes or hangs does not
stop the others; the exit code is then 1, and the file is written all the same. What this
machine does not have, such as a Mac's GPU, is no failure. An interrupt ends it early, with
what there is.

The file is plain text and JSON, for you to read before you send it. It has no texts of
yours, no weights and no tokens. The names of the user and the machine, and the home,
working and temporary folders, are replaced in all of it; of environment variables it has
GOMAXPROCS and those that begin with MINILM_, without the value of a key or password.`,
		Example: `  minilm-metal doctor
  minilm-metal doctor --out ./m4.zip
  minilm-metal doctor --model ./my-reranker`,
		Args: arguments(""),
		RunE: func(c *cobra.Command, _ []string) error {
			if part != "" {
				return p.lookAt(c.Context(), part, p.exam(model, into))
			}
			if out == "" {
				out = freshFile("minilm-metal-doctor-" + time.Now().Format("20060102-150405"))
			} else if _, err := os.Lstat(out); err == nil {
				return fmt.Errorf("%s: is there already", out)
			}
			if err := probe(filepath.Dir(out)); err != nil {
				return fmt.Errorf("--out %s: %w", out, err)
			}
			// A model that cannot be opened is worth looking at, but none is a slip of the hand.
			if _, err := p.checkpoint(model, hub.Complete); errors.Is(err, hub.ErrNotFound) {
				return err
			}
			return p.examine(c.Context(), model, out)
		},
	}
	f := c.Flags()
	modelFlag(f, &model)
	f.StringVarP(&out, "out", "o", "", "zip file to write, which must not be there (default: minilm-metal-doctor-TIME.zip here)")
	f.StringVar(&part, "part", "", "run this part alone, in this process")
	f.StringVar(&into, "into", ".", "folder for the files of that part")
	for _, name := range []string{"part", "into"} {
		if err := f.MarkHidden(name); err != nil {
			panic(err) // there are such flags
		}
	}
	return c
}

// freshFile returns the name of a zip file that is not there.
func freshFile(name string) string {
	fresh := name + ".zip"
	for n := 2; ; n++ {
		if _, err := os.Lstat(fresh); err != nil {
			return fresh
		}
		fresh = fmt.Sprintf("%s-%d.zip", name, n)
	}
}

// examine runs all parts and writes the file.
func (p *program) examine(ctx context.Context, model, out string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var parts []doctor.Part
	for _, one := range examParts {
		parts = append(parts, one.Part)
	}
	process := func(ctx context.Context, part doctor.Part, dir string, stdout, stderr io.Writer) error {
		c := exec.CommandContext(ctx, self, "doctor", "--part", part.Name, "--into", dir, "--model="+model)
		c.Stdout, c.Stderr = stdout, stderr
		// A part that hears may still write what it has, and one that does not is ended.
		c.Cancel = func() error {
			if c.Process.Signal(os.Interrupt) == nil {
				return nil
			}
			return c.Process.Kill() // Windows has no interrupts
		}
		c.WaitDelay = 5 * time.Second
		return c.Run()
	}
	return p.write(ctx, out, p.personal(model), doctorIntro, parts, process)
}

// write runs parts by process, tells of each, and writes the file.
func (p *program) write(ctx context.Context, out string, hide *doctor.Scrubber, intro string, parts []doctor.Part, process doctor.Process) error {
	bar := p.streamBar()
	bad, done := 0, 0
	bar.Count(parts[0].Name, 0, len(parts))
	all := doctor.Run(ctx, parts, process, func(r doctor.Result) {
		bar.Close()
		done++
		if r.Status == doctor.Failed {
			bad++
		}
		fmt.Fprintf(p.stdout, "%-18s %-8s %5.1f s  %s\n", r.Name, r.Status, r.Took.Seconds(), hide.Scrub(r.Why))
		if done < len(parts) {
			bar.Count(parts[done].Name, done, len(parts))
		}
	})
	name := filepath.Base(out)
	b := doctor.Bundle{Folder: strings.TrimSuffix(name, filepath.Ext(name)), Made: time.Now(), Intro: intro, Results: all, Hide: hide}
	var file bytes.Buffer
	if err := b.Write(&file); err != nil {
		return err
	}
	if err := writeNew(out, file.Bytes()); err != nil {
		return err
	}
	p.undone = "what there was until then is in " + out
	if _, err := fmt.Fprintf(p.stdout, "\n%s: %d KB, plain text; look at it, and send it all\n", out, (file.Len()+1023)/1024); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d parts failed: %s says how", bad, len(parts), out)
	}
	return nil
}

// writeNew writes a file that is not there yet, or none.
func writeNew(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// personal hides what is of this user and this machine alone.
func (p *program) personal(model string) *doctor.Scrubber {
	s := new(doctor.Scrubber)
	if filepath.IsAbs(model) {
		s.HidePath(filepath.Dir(model), "MODEL-FOLDER")
	}
	if cache, err := hub.DefaultCache(p.getenv, p.home()); err == nil {
		s.HidePath(cache.Dir, "HF-CACHE")
	}
	s.HidePath(os.TempDir(), "TMP")
	if here, err := os.Getwd(); err == nil {
		s.HidePath(here, "HERE")
	}
	s.HidePath(p.home(), "~")
	if home, err := os.UserHomeDir(); err == nil {
		s.HidePath(home, "~")
	}
	for _, variable := range []string{"USER", "LOGNAME", "USERNAME"} {
		s.HideName(p.getenv(variable), "USER")
	}
	s.HideName(filepath.Base(p.home()), "USER")
	if u, err := user.Current(); err == nil {
		_, name, _ := strings.Cut(u.Username, `\`) // of a Windows domain
		for _, name := range []string{u.Username, name, u.Name} {
			s.HideName(name, "USER")
		}
	}
	host, _ := os.Hostname()
	for _, host := range []string{host, p.getenv("HOSTNAME"), p.getenv("COMPUTERNAME")} {
		s.HideName(host, "HOST")
		host, _, _ = strings.Cut(host, ".")
		s.HideName(host, "HOST")
	}
	return s
}

const doctorIntro = `minilm-metal doctor: what one machine is, and how minilm-metal does on it.

Everything here is text, and JSON for programs. Each part has a file, which begins with how
the part ended: "good"; "FAILED", and why; "not here", of what this machine does not have,
which is no failure; or "not done", where somebody interrupted.

What is not here: texts of yours, weights, tokens, environment variables other than
GOMAXPROCS and those that begin with MINILM_; of these it leaves out the value of a key, token
or password, such as MINILM_URL_KEY. USER and HOST stand for the names of the user and the
machine, ~ for the home folder, and HERE, TMP, HF-CACHE and MODEL-FOLDER for the folder in
which the command was run, the one for temporary files, Hugging Face's cache, and the one
that the model lies in. If you named a model with --model, that name is in it.`
