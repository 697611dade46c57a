package main

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/safetensors"
)

// pickleTiny puts the tiny checkpoint's float32 weights into a pytorch_model.bin, as torch.save
// does, in place of its model.safetensors.
func pickleTiny(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "model.safetensors")
	weights, err := safetensors.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(filepath.Join(dir, "pytorch_model.bin"))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	put := func(name string, data []byte) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "pytorch_model/" + name}) // stored
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	number := func(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	text := func(s string) string { return "X" + number(len(s))[1:] + s }
	pickled := "\x80\x02}("
	for i, name := range weights.Names() {
		tensor, _ := weights.Lookup(name)
		class, sizes, strides, stride := "FloatStorage", "", "", tensor.Elements()
		if tensor.DType == safetensors.I64 {
			class = "LongStorage"
		} else if tensor.DType != safetensors.F32 {
			t.Fatalf("%s is of %s", name, tensor.DType)
		}
		for _, n := range tensor.Shape {
			stride /= n
			sizes, strides = sizes+number(n), strides+number(stride)
		}
		key := fmt.Sprint(i)
		pickled += text(name) + "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + class + "\n" +
			text(key) + text("cpu") + number(tensor.Elements()) + "tQK\x00(" + sizes + "t(" + strides + "t\x89ccollections\nOrderedDict\n)RtR"
		put("data/"+key, tensor.Data())
	}
	put("data.pkl", []byte(pickled+"u."))
	for _, err := range []error{w.Close(), out.Close(), weights.Close(), os.Remove(path)} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// filesIn are the names of a folder's files.
func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// A folder with PyTorch's weights alone scores as the original, before and after it is
// converted. What is there is not written over unasked.
func TestConvert(t *testing.T) {
	pair := pairLine(t, "a", "b")
	want := ok(t, pair, "score", "--model", tiny(t))
	dir := tiny(t)
	before := filesIn(t, dir)
	pickleTiny(t, dir)
	if got := ok(t, pair, "score", "--model", dir); got != want {
		t.Errorf("score of PyTorch's weights %s, want %s", got, want)
	}
	if text := ok(t, "", "info", "--model", dir); !strings.Contains(text, "format      PyTorch\n") {
		t.Errorf("info says %s", text)
	}
	path := filepath.Join(dir, "model.safetensors")
	said := regexp.MustCompile(`^` + regexp.QuoteMeta(path) + `: \d+ tensors, (\d+) bytes, \d+\.\d{3} s\n$`)
	text := ok(t, "", "convert", dir)
	if found := said.FindStringSubmatch(text); found == nil {
		t.Errorf("it says %q", text)
	} else if info, err := os.Stat(path); err != nil || found[1] != fmt.Sprint(info.Size()) {
		t.Errorf("it says %s; %v, %v", text, info, err)
	}
	if got := ok(t, pair, "score", "--model", dir); got != want {
		t.Errorf("score %s, want %s", got, want)
	}
	call(t, "", "convert", dir).want(t, failed, path+": file already exists; --force writes over it")
	ok(t, "", "convert", dir, "--force")
	if got := filesIn(t, dir); !slices.Equal(got, slices.Sorted(slices.Values(append(before, "pytorch_model.bin")))) {
		t.Errorf("files %q", got)
	}

	// To elsewhere: a file, or a folder that is made.
	from, to := filepath.Join(dir, "pytorch_model.bin"), t.TempDir()
	ok(t, "", "convert", from, "--out", filepath.Join(to, "x.safetensors"))
	folder := filepath.Join(to, "new", "folder")
	call(t, "", "convert", dir, "--out", folder).want(t, good, folder+" lacks config.json, tokenizer.json or vocab.txt: copy the model's other files there, from "+dir)
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x.safetensors", "new/folder/model.safetensors"} {
		if got, err := os.ReadFile(filepath.Join(to, name)); err != nil || string(got) != string(first) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	// Beside a file that is named alone.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	ok(t, "", "convert", from)
	// Shards in safetensors are the weights already.
	index := path + ".index.json"
	if err := os.Rename(path, index); err != nil {
		t.Fatal(err)
	}
	call(t, "", "convert", dir).want(t, failed, index+": file already exists; --force writes model.safetensors, which comes before it")
	ok(t, "", "convert", dir, "--force")
}

// What cannot be converted, or written, is said in the words of who asked for it.
func TestConvertInVain(t *testing.T) {
	dir := tiny(t)
	call(t, "", "convert", dir).want(t, failed, dir+": there is nothing to convert: its weights are safetensors already")
	spaced := filepath.Join(t.TempDir(), "my reranker")
	if err := os.Rename(dir, spaced); err != nil {
		t.Fatal(err)
	}
	pickleTiny(t, spaced)
	nowhere := filepath.Join(spaced, "nowhere", "x.safetensors")
	call(t, "", "convert", spaced, "--out", nowhere).want(t, failed, "create "+nowhere+": ")
}

// The weights of a cross-encoder of modules are in the folder of the first one.
func TestConvertModule(t *testing.T) {
	dir := tiny(t)
	pickleTiny(t, dir)
	module := filepath.Join(dir, "0_Transformer")
	if err := os.Mkdir(module, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "pytorch_model.bin"), filepath.Join(module, "pytorch_model.bin")); err != nil {
		t.Fatal(err)
	}
	call(t, "", "convert", dir).want(t, failed, "neither pytorch_model.bin nor pytorch_model.bin.index.json")
	for name, content := range map[string]string{
		"modules.json":                      `[{"idx":0,"name":"0","path":"0_Transformer","type":"sentence_transformers.models.Transformer"}]`,
		"config_sentence_transformers.json": `{"model_type":"CrossEncoder"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	ok(t, "", "convert", dir)
	if got := filesIn(t, module); !slices.Equal(got, []string{"model.safetensors", "pytorch_model.bin"}) {
		t.Errorf("files %q", got)
	}
}

// The cache is read, by an id or a path, and never written to.
func TestConvertCached(t *testing.T) {
	const id = "someone/tiny-reranker"
	home, commit := t.TempDir(), strings.Repeat("c0ffee11", 5)
	repo := filepath.Join(home, "hub", "models--someone--tiny-reranker")
	snapshot := filepath.Join(repo, "snapshots", commit)
	for _, dir := range []string{snapshot, filepath.Join(repo, "refs")} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(repo, "refs", "main"), []byte(commit), 0o666); err != nil {
		t.Fatal(err)
	}
	source := tiny(t)
	pickleTiny(t, source)
	if err := os.CopyFS(snapshot, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HF_HOME": home}
	for _, name := range []string{id, snapshot, filepath.Join(snapshot, "pytorch_model.bin")} {
		callIn(t, env, "", "convert", name).want(t, usage, id+"@"+commit+" is in the cache", "say --out FOLDER")
		out := t.TempDir()
		callIn(t, env, "", "convert", name, "--out", out).want(t, good)
		if got := filesIn(t, out); !slices.Equal(got, []string{"model.safetensors"}) {
			t.Errorf("files %q", got)
		}
	}
	if got := filesIn(t, snapshot); !slices.Equal(got, filesIn(t, source)) {
		t.Errorf("the cache has %q", got)
	}
	callIn(t, env, "", "convert", "someone/else").want(t, failed, "model not found", "convert needs a directory with pytorch_model.bin")
}

// What would run is named, did not run, and leaves nothing behind.
func TestConvertHostile(t *testing.T) {
	dir := t.TempDir()
	path, ran := filepath.Join(dir, "pytorch_model.bin"), filepath.Join(dir, "ran")
	command := "touch " + ran
	pickled := "\x80\x02cposix\nsystem\nX" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(command)))) + command + "\x85R."
	if err := os.WriteFile(path, []byte(pickled), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, path} {
		call(t, "", "convert", name).want(t, failed, path+`: byte 2: global "posix.system": weights need no such function or class, and none was called`)
	}
	if got := filesIn(t, dir); !slices.Equal(got, []string{"pytorch_model.bin"}) {
		t.Errorf("files %q", got)
	}
	call(t, "", "convert", filepath.Join(dir, "nothing")).want(t, failed, "model not found")
}

// Whatever libraries saved as pytorch_model.bin scores after it is converted, or is refused
// for what it is.
func TestConvertSaved(t *testing.T) {
	shared := os.Getenv("MINILM_SHARED")
	if shared == "" {
		t.Skip("MINILM_SHARED is not set: the models that real libraries saved are not read")
	}
	files, err := filepath.Glob(filepath.Join(shared, "data", "saved", "st-*", "*", "pytorch_model.bin"))
	if err != nil || len(files) != 8 {
		t.Fatalf("files %q, %v", files, err)
	}
	scored := 0
	for _, name := range files {
		source, dir := filepath.Dir(name), t.TempDir()
		for _, file := range filesIn(t, source) {
			data, err := os.ReadFile(filepath.Join(source, file))
			if err != nil {
				continue // a module's folder, of which an embedder has some
			}
			if err := os.WriteFile(filepath.Join(dir, file), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		ok(t, "", "convert", dir)
		kind := filepath.Base(source)
		if strings.HasPrefix(kind, "emb-") || strings.HasPrefix(kind, "hf-automodel") {
			call(t, pairLine(t, "a", "b"), "score", "--model", dir).want(t, failed, "has no classification head")
			continue
		}
		scored++
		checkSavedScores(t, dir)
	}
	if scored != 5 {
		t.Errorf("%d folders were scored", scored)
	}
}

// checkSavedScores holds the scores of a folder's model to its expected.json.
func checkSavedScores(t *testing.T, dir string) {
	t.Helper()
	var want struct {
		Inputs [][2]string
		Logits []float64
	}
	data, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err == nil {
		err = json.Unmarshal(data, &want)
	}
	if err != nil || len(want.Logits) < 8 || len(want.Logits) != len(want.Inputs) {
		t.Fatalf("%d logits of %d pairs, %v", len(want.Logits), len(want.Inputs), err)
	}
	var input strings.Builder
	for _, pair := range want.Inputs {
		input.WriteString(pairLine(t, pair[0], pair[1]))
	}
	answers := lines(ok(t, input.String(), "score", "--model", dir))
	if len(answers) != len(want.Logits) {
		t.Fatalf("%s: %d answers, want %d", dir, len(answers), len(want.Logits))
	}
	for i, line := range answers {
		var got struct{ Score float64 }
		if err := json.Unmarshal([]byte(line), &got); err != nil || math.Abs(got.Score-want.Logits[i]) > 1e-4 {
			t.Errorf("%s: pair %d: %s, want %g (%v)", dir, i, line, want.Logits[i], err)
		}
	}
}
