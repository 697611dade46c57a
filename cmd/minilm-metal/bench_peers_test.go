package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/bench/peers"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
)

// Ours is measured in processes of its own. The Python of this test is no Python but this
// program, which refuses its arguments; the others' rows say so, and ours have figures.
func TestBenchPeers(t *testing.T) {
	asCommand(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out, cache := filepath.Join(dir, "out"), filepath.Join(dir, "cache")
	args := []string{"bench", "peers", "--python", program, "--model", tiny(t), "--precision", "f32", "--peers", "openvino-int8,pytorch-padded",
		"--pairs", "12", "--rounds", "2", "--batch", "4", "--threads", "1", "--out", out, "--cache", cache}
	text := ok(t, "", args...)
	for _, want := range []string{"| minilm-metal", "- OpenVINO, int8: **no figure**: it ended (exit status 2) and had not answered \"prepare\"; its last words: See ",
		"- PyTorch, padded as the seed did, float32: **no figure**", "batches of 4 in file order", "2 rounds of all pairs each"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	if page := content(t, filepath.Join(out, peers.MarkdownFile)); !strings.HasPrefix(text, page) {
		t.Errorf("%s\nand the file is\n%s", text, page)
	}
	r, err := peers.Read(filepath.Join(out, peers.File))
	if err != nil {
		t.Fatal(err)
	}
	e := r.Entries[0]
	if len(r.Entries) != 3 || e.Failure != "" || !e.Accuracy.Passed || len(e.Turns) != 2 || len(e.Turns[0].Latencies) != 3 || e.Input != "text" || r.Threads != 1 || r.Pairs != 12 || r.Dataset.Pairs != 12 {
		t.Errorf("%+v", r)
	}
	call(t, "", args...).want(t, failed, peers.File+": is there already")

	// The table can be made again of what was measured.
	again := filepath.Join(dir, "again")
	ok(t, "", "report", "--out", again, out)
	if first, second := content(t, filepath.Join(out, peers.MarkdownFile)), content(t, filepath.Join(again, peers.MarkdownFile)); first != second {
		t.Errorf("made again\n%s\nand at first\n%s", second, first)
	}
	call(t, "", "report", "--as", "html", out).want(t, usage, "there is md alone")

	args[len(args)-3] = filepath.Join(dir, "another")
	var figures struct{ Figures []peers.Figures }
	if err := json.Unmarshal([]byte(ok(t, "", append(args, "--json", "--peers", "ctranslate2-f32")...)), &figures); err != nil || len(figures.Figures) != 4 || figures.Figures[0].PairsPerSecond == nil {
		t.Errorf("%+v, %v", figures, err)
	}
}

// Of an embedder, texts are embedded by ours, and the others are those that embed.
func TestBenchPeersEmbed(t *testing.T) {
	modeltest.OnlyValues(t)
	asCommand(t)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	text := ok(t, "", "bench", "peers", "--python", program, "--model", encoderDir(t), "--precision", "f32", "--peers", "fastembed,sentence-transformers-f32",
		"--pairs", "12", "--rounds", "2", "--batch", "5", "--threads", "1", "--out", out, "--cache", filepath.Join(dir, "cache"), "--also", "Another:f32="+program)
	for _, want := range []string{"| minilm-metal", "Texts/s", "- fastembed, float32: **no figure**", "12 texts of built-in", "Nearest kept", "- Another, float32: **no figure**: its answer to \"open\" is"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q:\n%s", want, text)
		}
	}
	r, err := peers.Read(filepath.Join(out, peers.File))
	if err != nil {
		t.Fatal(err)
	}
	e := r.Entries[0]
	if len(r.Entries) != 4 || e.Failure != "" || !e.Accuracy.Passed || e.Accuracy.Embeddings == nil || len(e.Turns) != 2 || len(e.Turns[0].Latencies) != 3 {
		t.Errorf("%+v", e)
	}
}

func TestBenchPeersUsage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	for want, args := range map[string][]string{
		"want --python PROGRAM":                          nil,
		`--peers: peer "x": want one of sentence`:        {"--python", "p", "--peers", "x"},
		"--rounds 0: want 1 to":                          {"--python", "p", "--rounds", "0"},
		"--pairs 1: want at least 2":                     {"--python", "p", "--pairs", "1"},
		"--batch 0: want":                                {"--python", "p", "--batch", "0"},
		"--threads -1: want":                             {"--python", "p", "--threads", "-1"},
		"--timeout 0s: want a time":                      {"--python", "p", "--timeout", "0"},
		`--precision "f16": want one of f32, bf16, int8`: {"--python", "p", "--precision", "f16"},
		`--also "x": want NAME:PRECISION=PROGRAM`:        {"--python", "p", "--also", "x"},
		`"f64": want one of f32, bf16, int8`:             {"--python", "p", "--also", "x:f64=go"},
	} {
		call(t, "", append([]string{"bench", "peers", "--out", out}, args...)...).want(t, usage, want, `See "minilm-metal bench peers --help"`)
	}
	call(t, "", "bench", "peers", "--python", filepath.Join(out, "gone"), "--out", out, "--model", tiny(t)).want(t, failed, "gone")
	if _, err := os.Stat(out); err == nil {
		t.Error("a folder is left behind")
	}
}
