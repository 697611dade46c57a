package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/kernels"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// outcome is what one run of the program did.
type outcome struct {
	code           int
	stdout, stderr string
}

// call runs the program in this process, with an empty cache.
func call(t *testing.T, stdin string, args ...string) outcome {
	t.Helper()
	return callIn(t, map[string]string{"HF_HOME": t.TempDir()}, stdin, args...)
}

// callIn is call in another environment. Scores are float32's where args do not say:
// those of "auto" may be of another precision at the next call.
func callIn(t *testing.T, env map[string]string, stdin string, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	getenv := func(name string) string { return env[name] }
	if len(args) > 0 && slices.Contains([]string{"score", "rank", "embed", "similarity", "classify"}, args[0]) && !slices.Contains(args, "--precision") && !slices.Contains(args, "--device") {
		args = append(slices.Clone(args), "--precision", "f32")
	}
	code := run(t.Context(), args, strings.NewReader(stdin), &stdout, &stderr, getenv)
	return outcome{code, stdout.String(), stderr.String()}
}

// ok is call for what must succeed without a word on standard error.
func ok(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	o := call(t, stdin, args...)
	if o.code != good || o.stderr != "" {
		t.Fatalf("%q: code %d, stderr:\n%s", args, o.code, o.stderr)
	}
	return o.stdout
}

// want checks the exit code, and that standard error has every text.
func (o outcome) want(t *testing.T, code int, stderr ...string) {
	t.Helper()
	if o.code != code {
		t.Errorf("exit code %d, want %d; stderr:\n%s", o.code, code, o.stderr)
	}
	for _, text := range stderr {
		if !strings.Contains(o.stderr, text) {
			t.Errorf("stderr lacks %q:\n%s", text, o.stderr)
		}
	}
}

// tiny returns a folder with the tiny checkpoint of package testdata: 64
// positions, 700 ids.
func tiny(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "tiny")
	if err := os.CopyFS(dir, testdata.Tiny()); err != nil {
		t.Fatal(err)
	}
	return dir
}

// changed returns the tiny checkpoint with other values in some tensors: value returns what
// takes the place of each.
func changed(t *testing.T, names []string, value func(old float32) float32) string {
	t.Helper()
	dir := tiny(t)
	path := filepath.Join(dir, "model.safetensors")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header := binary.LittleEndian.Uint64(data)
	var tensors map[string]struct {
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:8+header], &tensors); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		of, found := tensors[name]
		if !found {
			t.Fatalf("no %s", name)
		}
		for body := data[8+header:][of.Offsets[0]:of.Offsets[1]]; len(body) > 0; body = body[4:] {
			old := math.Float32frombits(binary.LittleEndian.Uint32(body))
			binary.LittleEndian.PutUint32(body, math.Float32bits(value(old)))
		}
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

// overflowing returns the tiny checkpoint with a classifier whose every logit
// is infinite, though every weight is a number.
func overflowing(t *testing.T) string {
	t.Helper()
	return changed(t, []string{"classifier.weight", "classifier.bias"},
		func(float32) float32 { return math.MaxFloat32 })
}

func lines(s string) []string { return strings.Split(strings.TrimSuffix(s, "\n"), "\n") }

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args string
		want string
	}{
		{"nosuch", `unknown command "nosuch"`},
		{"scor", "score"}, // suggested
		{"--nosuch", "unknown flag: --nosuch"},
		{"score extra", `score takes no arguments, and there is "extra"`},
		{"score --max-length x", "--max-length"},
		{"score --max-length 2", "want at least 3"},
		{"score --max-length -1", "want at least 3"},
		{"score --workers -1", "--workers -1: want 0, for all cores, to 1024"},
		{"rank", "QUERY is missing"},
		{"help nosuch", `unknown command "nosuch"`},
		{"completion", "which shell? bash, fish, powershell or zsh"},
		{"completion nosuch", `unknown command "nosuch"`},
		{"score --workers 100000", "--workers 100000: want 0, for all cores, to 1024"},
		{"rank q --top-k -1", "--top-k -1"},
		{"rank q r", `one query goes in quotes, minilm-metal rank "q r"`},
		{"score pairs.jsonl", `from a file with --input "pairs.jsonl"`},
		{"tokenize pairs.jsonl", `from a file with --input "pairs.jsonl"`},
		{"score how many people", `one query, in quotes, is for minilm-metal rank "how many people"`},
		{"compare", "want two reports"},
		{"compare -- a", "--: want reports of A before it"},
		{"compare --gate speed a b", `--gate "speed": want one of throughput`},
		{"bench ab pairs", "flags of both sides go after --"},
		{"bench verify", "REPORT is missing"},
		{"pull", "ID is missing"},
		{"convert", "MODEL is missing"},
		{"convert a b", "convert takes MODEL, and there are 2 arguments"},
		{"bench --precision fp8", `--precision "fp8": want one of auto, f32, bf16x3, f16, bf16, int8, f64`},
		{"score --precision fp8", `--precision "fp8"`},
		{"info --device tpu", `--device "tpu": want one of auto, cpu, metal, reference`},
		{"verify --isa avx9000", `--isa "avx9000": want one of auto, generic`},
		{"bench --isa avx9000", `--isa "avx9000"`},
		{"rank q --precision f64", "with --device reference alone"},
		{"score --device reference --precision int8", "the device reference has f64 alone"},
		{"score --device reference --isa avx2", "--isa avx2: cannot be used with --device reference"},
		{"score --device metal --precision int8", "the device metal has f16 alone"},
		{"info --device metal --model-chip M1 --calibrate", "--model-chip"},
		{"synth", "--out DIR is missing"},
		{"synth --out x --dtype f8", "--dtype"},
		{"synth --out x --layout odd", `--layout "odd"`},
		{"synth --out x --layers 0", "--layers 0: want at least 1"},
		{"synth --out x --heads 7", "heads"},
		{"synth --out x --kind odd", `--kind: synth: kind "odd"`},
		{"synth --out x --kind embedder --labels 2", "an embedder has none"},
		{"synth --out x --kind labels --labels 1", "at least 2"},
		{"bench --pairs 0", "--pairs 0"},
		{"bench --batch x", "--batch"},
		{"bench --time-bound -1s", "--time-bound -1s"},
		{"bench --mix --overload", "--mix and --overload"},
		{"bench --mix-bulk 8", "--mix-bulk: needs --mix"},
		{"bench --ablate-rounds 8", "--ablate-rounds: needs --ablate"},
		{"bench --ablate --ablate-rounds 0", "--ablate-rounds 0: want at least 1"},
		{"bench --ablate --slo 1s", "--slo: cannot be used with --ablate"},
		{"bench --ablate --batch 1,2", "--batch [1,2]: want one number with --ablate"},
		{"bench --overload --mix-bulk-pairs 8", "--mix-bulk-pairs: needs --mix"},
		{"bench --mix-background", "--mix-background: needs --mix"},
		{"bench --mix-rate 1", "--mix-rate: needs --mix"},
		{"bench --mix --overload-factor 2", "--overload-factor: needs --overload"},
		{"bench --mix --batch 2", "--batch: cannot be used with --mix"},
		{"bench --mix --concurrency 2", "--concurrency: cannot be used with"},
		{"bench --overload --rate 2", "--rate: cannot be used with"},
		{"bench --overload --stages", "--stages: cannot be used with"},
		{"bench --mix --profile x", "--profile: cannot be used with"},
		{"bench --mix --mix-bulk 0", "--mix-bulk 0: want at least 1"},
		{"bench --mix --mix-bulk x", "--mix-bulk"},
		{"bench --mix --mix-bulk-pairs -1", "--mix-bulk-pairs -1: want at least 1"},
		{"bench --mix --mix-rate 0", "--mix-rate 0: want more than 0"},
		{"bench --mix --mix-rate NaN", "--mix-rate NaN"},
		{"bench --mix --mix-rate +Inf", "--mix-rate +Inf"},
		{"bench --overload --overload-factor 0", "--overload-factor 0: want more than 0"},
		{"bench --overload --overload-factor -3", "--overload-factor -3"},
		{"bench --overload --max-queue 0", "--max-queue 0: nothing is refused"},
		{"bench --max-queue -1", "--max-queue -1"},
		{"bench --precision f32,nosuch", `--precision "nosuch"`},
		{"bench --precision f32,", "--precision"},
		{"bench --slo 1s --length 64", "--length: cannot be used with"},
		{"bench --model synthetic --length 4", "lengths [4]"},
		{"bench --scenario nosuch", `--scenario "nosuch": want one of single-stream`},
		{"bench --scenario server", "--scenario server: how many pairs arrive"},
		{"bench --scenario offline --batch 3", "--batch: cannot be used with --scenario offline"},
		{"bench --scenario single-stream --slo 1s", "--slo: cannot be used with --scenario"},
		{"bench --slo 0s", "--slo 0s: want a time above 0"},
		{"bench --slo 1s --mix", "--slo and --ramp: cannot be used with"},
		{"bench --ramp --rate 3", "--rate: cannot be used with"},
		{"bench --slo 1s --concurrency 2", "--concurrency: cannot be used with"},
		{"bench --ramp --batch 1,2", "--batch [1,2]: want one number"},
		{"bench --overload --batch 1,2", "--batch [1,2]: want one number"},
		{"bench --model synthetic --mix --mix-bulk 100000", "100000 bulk callers"},
		{"bench --model synthetic --overload --batch 100000", "calls of 100000 pairs"},
		{"bench --model synthetic --batch 0", "batch"},
		{"bench --model synthetic --rate -1", "rate"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			o := call(t, "", strings.Fields(test.args)...)
			o.want(t, usage, "minilm-metal: ", test.want, `--help".`)
			if n := strings.Count(o.stderr, "minilm-metal: "); n != 1 {
				t.Errorf("the error is there %d times:\n%s", n, o.stderr)
			}
			if o.stdout != "" {
				t.Errorf("stdout: %s", o.stdout)
			}
			if left, _ := filepath.Glob("*"); len(left) > 0 {
				t.Errorf("left behind: %q", left)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	dir := tiny(t)
	for _, test := range []struct {
		args string
		want string
	}{
		{"score --model nosuch/model", `minilm-metal pull nosuch/model`},
		{"score --model " + filepath.Join(dir, "config.json"), "is a file"},
		{"score --model " + dir + " --input " + dir, "is a folder, want a file"},
		{"score --model " + dir + " --max-length 65", "64"},
		{"score --model " + dir + " --input nosuch.jsonl", "nosuch.jsonl"},
		{"rank q --model " + dir + " --input nosuch.txt", "nosuch.txt"},
		{"tokenize --model " + t.TempDir(), "tokenizer.json"},
		{"compare nosuch.md nosuch.md", "nosuch.md"},
		{"verify", "minilm-metal pull cross-encoder/ms-marco-MiniLM-L-6-v2"},
		{"info --model nosuch/model", "nosuch/model"},
	} {
		t.Run(test.args, func(t *testing.T) {
			o := call(t, "", strings.Fields(test.args)...)
			o.want(t, failed, "minilm-metal: ", test.want)
			if o.stdout != "" {
				t.Errorf("stdout: %s", o.stdout)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	p := &program{}
	for _, c := range p.root().Commands() {
		if c.Example == "" || c.Long == "" {
			t.Errorf("%s: no example or no text", c.Name())
		}
		if text := ok(t, "", c.Name(), "--help"); !strings.Contains(text, c.Example) {
			t.Errorf("%s --help lacks the examples", c.Name())
		}
	}
	if text := ok(t, ""); !strings.Contains(text, "rank") {
		t.Errorf("no command: %s", text)
	}
	if text := ok(t, "", "--version"); !strings.HasPrefix(text, "minilm-metal ") || !strings.Contains(text, " go1.") {
		t.Errorf("--version: %s", text)
	}
}

func TestCompletionAndManualPages(t *testing.T) {
	if text := ok(t, "", "completion", "bash"); !strings.Contains(text, "minilm-metal") {
		t.Error("completion bash")
	}
	if o := call(t, "", "__complete", "ra"); o.code != good || !strings.HasPrefix(o.stdout, "rank") {
		t.Errorf("completing ra: %+v", o)
	}
	dir := filepath.Join(t.TempDir(), "man1")
	ok(t, "", "man", dir)
	page, err := os.ReadFile(filepath.Join(dir, "minilm-metal-rank.1"))
	if err != nil || !bytes.Contains(page, []byte("top-k")) {
		t.Errorf("rank's page: %v", err)
	}
}

// The examples in the help texts must be command lines that the program takes.
func TestExamples(t *testing.T) {
	p := &program{}
	for _, c := range append(p.root().Commands(), p.root()) {
		for _, line := range strings.Split(c.Example, "\n") {
			for _, part := range commandLines(line) {
				if err := parses(part); err != nil {
					t.Errorf("%s: %q: %v", c.Name(), part, err)
				}
			}
		}
	}
}

// The same for README.md.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "    ") && !strings.HasPrefix(line, "$ ") {
			continue
		}
		for _, part := range commandLines(line) {
			found++
			if err := parses(part); err != nil {
				t.Errorf("%q: %v", part, err)
			}
		}
	}
	if found < 5 {
		t.Errorf("%d command lines found", found)
	}
}

// commandLines returns the arguments of each call of minilm-metal in a line of
// shell.
func commandLines(line string) (calls [][]string) {
	var words []string
	quoted := false
	word := ""
	flush := func() {
		if word != "" {
			words = append(words, word)
		}
		word = ""
	}
	end := func() {
		flush()
		for i, w := range words {
			if filepath.Base(w) == "minilm-metal" {
				calls = append(calls, words[i+1:])
				break
			}
		}
		words = nil
	}
	for _, r := range line {
		switch {
		case r == '"' || r == '\'':
			quoted = !quoted
		case quoted:
			word += string(r)
		case r == ' ':
			flush()
		case strings.ContainsRune("|&;", r):
			end()
		case r == '<' || r == '>': // a file name follows, then nothing of the program's
			end()
		case r == '#':
			end()
			return calls
		default:
			word += string(r)
		}
	}
	end()
	return calls
}

// parses says what is wrong with a command line, without running it.
func parses(args []string) error {
	p := &program{}
	command, rest, err := p.root().Find(args)
	if err != nil {
		return err
	}
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	return command.ValidateArgs(command.Flags().Args())
}

// whenRead calls a function whenever somebody begins to read.
type whenRead struct {
	io.Reader
	begun func()
}

func (r whenRead) Read(p []byte) (int, error) {
	r.begun()
	return r.Reader.Read(p)
}

func TestInterrupted(t *testing.T) {
	dir := tiny(t)
	for _, args := range [][]string{{"score"}, {"tokenize"}, {"rank", "q"}} {
		undone := "no line was answered yet"
		if args[0] == "rank" {
			undone = "nothing is written, since passages are sorted when all are read"
		}
		ctx, cancel := context.WithCancel(t.Context())
		// A user who neither types nor ends the input, and interrupts once we wait for him.
		silent, user := io.Pipe()
		defer user.Close()
		var stdout, stderr bytes.Buffer
		code := run(ctx, append(args, "--model", dir), whenRead{silent, cancel}, &stdout, &stderr, func(string) string { return "" })
		if code != interrupted || stderr.String() != "minilm-metal: interrupted; "+undone+"\n" {
			t.Errorf("%s: code %d, stderr %q", args[0], code, stderr.String())
		}
	}
}

// Without a checkpoint in the cache, weights are made up, and that is said.
func TestSyntheticDefault(t *testing.T) {
	line := pairLine(t, "a", "b")
	o := call(t, line, "score")
	o.want(t, good, "synthetic weights", "scores mean nothing", "minilm-metal pull")
	if answers(t, o.stdout)[0].Score == nil {
		t.Errorf("no score: %s", o.stdout)
	}
	o = call(t, line, "tokenize")
	o.want(t, good, "synthetic weights")
	if got := ok(t, line, "tokenize", "--model", "synthetic"); got != o.stdout {
		t.Errorf("--model synthetic gives %q, the default %q", got, o.stdout)
	}
}

func TestInfo(t *testing.T) {
	dir := tiny(t)
	text := ok(t, "", "info", "--model", dir, "--device", "cpu")
	for _, want := range []string{dir, "3 layers", "hidden 32", "64 tokens", "cpu", "kernels", "synthetic"} {
		if !strings.Contains(text, want) {
			t.Errorf("info lacks %q:\n%s", want, text)
		}
	}
	var a about
	if err := json.Unmarshal([]byte(ok(t, "", "info", "--model", dir, "--json", "--device", "reference")), &a); err != nil {
		t.Fatal(err)
	}
	if a.Model.Layers != 3 || a.Model.MaxLength != 64 || a.Device != "reference" || a.Precision != "f64" || len(a.Choices) == 0 || a.CPU.Cores < 1 {
		t.Errorf("%+v", a)
	}
	if a.InstructionSet != "" || a.Candidates != nil || a.CalibrationFile != "" {
		t.Errorf("the reference has candidates: %+v", a)
	}
}

// info tells the figures of every precision that there was to choose from, and where
// they come from.
func TestInfoCandidates(t *testing.T) {
	if isa := kernels.Best(); isa == kernels.Generic || len(isa.Formats()) == 1 {
		t.Skipf("%v leaves no choice", isa)
	}
	dir, home := tiny(t), t.TempDir()
	env := map[string]string{"HF_HOME": home, "HOME": home, "USERPROFILE": home, "LocalAppData": home, "XDG_CACHE_HOME": home}
	tell := func(args ...string) (a about) {
		t.Helper()
		o := callIn(t, env, "", append([]string{"info", "--model", dir, "--device", "cpu", "--json"}, args...)...)
		o.want(t, good)
		if err := json.Unmarshal([]byte(o.stdout), &a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	first, then, anew := tell(), tell(), tell("--calibrate")
	if first.CalibrationFile != "" || !strings.HasPrefix(then.CalibrationFile, home) || anew.CalibrationFile != "" {
		t.Errorf("figures from %q, %q, %q", first.CalibrationFile, then.CalibrationFile, anew.CalibrationFile)
	}
	for _, a := range []about{first, then, anew} {
		chosen := 0
		for _, c := range a.Candidates {
			if !(c.TokensPerSecond > 0) || c.Deviation == nil {
				t.Errorf("%+v", c)
			}
			if c.Chosen {
				chosen++
			}
		}
		if chosen != 1 || len(a.Candidates) != len(kernels.Best().Formats()) || a.InstructionSet != kernels.Best().String() {
			t.Errorf("%s: %+v", a.InstructionSet, a.Candidates)
		}
	}
	o := callIn(t, env, "", "info", "--model", dir, "--device", "cpu")
	for _, want := range []string{"candidates", "tokens/s through a layer", "of the scores' standard deviation", "(chosen)", "measured before, from " + home} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("info lacks %q:\n%s", want, o.stdout)
		}
	}
}

func TestInstructionSet(t *testing.T) {
	dir := tiny(t)
	var a about
	if err := json.Unmarshal([]byte(ok(t, "", "info", "--model", dir, "--isa", "generic", "--json")), &a); err != nil {
		t.Fatal(err)
	}
	if a.Device != "cpu" || a.InstructionSet != "generic" || a.Precision != "f32" {
		t.Errorf("%+v", a)
	}
	for _, command := range []string{"score", "info", "bench"} {
		t.Chdir(t.TempDir())
		call(t, "", command, "--model", dir, "--isa", "avx9000").want(t, usage, `"avx9000"`, "generic")
	}
}

func TestSynth(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	args := []string{"synth", "--out", dir, "--layers", "1", "--hidden", "8", "--heads", "2", "--intermediate", "8", "--positions", "32", "--seed", "7"}
	ok(t, "", args...)
	read := func() []byte {
		data, err := fs.ReadFile(os.DirFS(dir), "model.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	before := read()
	ok(t, `{"query":"a","passage":"b"}`, "score", "--model", dir)
	call(t, "", args...).want(t, failed, "--force")
	ok(t, "", append(args, "--force")...)
	if !bytes.Equal(before, read()) {
		t.Error("the same seed, other weights")
	}
	ok(t, "", append(args, "--force", "--dtype", "bf16", "--layout", "published")...)
	if after := read(); len(after) >= len(before) {
		t.Errorf("%d bytes in bf16, %d in f32", len(after), len(before))
	}
	ok(t, `{"query":"a","passage":"b"}`, "score", "--model", dir)
}
