package engine_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/minilm-metal/minilm-metal/engine"
	"github.com/minilm-metal/minilm-metal/model/modeltest"
	"github.com/minilm-metal/minilm-metal/model/safetensors"
	"github.com/minilm-metal/minilm-metal/testdata"
)

// tinyEntries are the tensors of the tiny checkpoint.
func tinyEntries(t *testing.T) (all []safetensors.Entry) {
	t.Helper()
	file, err := safetensors.OpenCheckpoint(testdata.Tiny())
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, name := range file.Names() {
		w, _ := file.Lookup(name)
		all = append(all, safetensors.Entry{Name: name, DType: w.DType, Shape: w.Shape, Data: slices.Clone(w.Data())})
	}
	return all
}

// savedTensors is a file of safetensors.
func savedTensors(t *testing.T, all []safetensors.Entry) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	if err := safetensors.Write(&b, all, nil); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// pickled is a file as torch.save writes it, of doubles.
func pickled(t *testing.T, all []safetensors.Entry) *fstest.MapFile {
	t.Helper()
	text := func(s string) string {
		return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s
	}
	number := func(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name string, data []byte) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: zip.Store})
		if err == nil {
			_, err = f.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	program := "\x80\x02}("
	for i, e := range all {
		sizes, strides, stride := "(", "", 1
		for _, n := range slices.Backward(e.Shape) {
			strides = number(stride) + strides
			stride *= n
		}
		for _, n := range e.Shape {
			sizes += number(n)
		}
		storage := "(" + text("storage") + "ctorch\nDoubleStorage\n" + text(fmt.Sprint(i)) + text("cpu") + number(len(e.Data)/8) + "tQ"
		program += text(e.Name) + "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + number(0) + sizes + "t(" + strides + "t\x89ccollections\nOrderedDict\n)RtR"
	}
	add("data.pkl", []byte(program+"u."))
	add("byteorder", []byte("little"))
	for i, e := range all {
		add(fmt.Sprint("data/", i), e.Data)
	}
	add("version", []byte("3\n"))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &fstest.MapFile{Data: b.Bytes()}
}

// Doubles are rounded to float32 when they are read: a checkpoint of them, in whatever files,
// scores as one of the float32 nearest to them, bit for bit.
func TestDoubles(t *testing.T) {
	modeltest.OnlyValues(t)
	const factor = 1 + 3*0x1p-26
	exact, near := tinyEntries(t), tinyEntries(t)
	doubled(exact, factor)
	for i := range near {
		for at := 0; at < len(near[i].Data); at += 4 {
			v := float32(math.Float64frombits(binary.LittleEndian.Uint64(exact[i].Data[2*at:])))
			binary.LittleEndian.PutUint32(near[i].Data[at:], math.Float32bits(v))
		}
	}
	half := len(exact) / 2
	index := func(ending string) *fstest.MapFile {
		places := map[string]string{}
		for i, e := range exact {
			places[e.Name] = fmt.Sprintf("%d%s", i/half, ending)
		}
		data, err := json.Marshal(map[string]any{"metadata": map[string]any{}, "weight_map": places})
		if err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: data}
	}
	last := min(2*half, len(exact))
	shards := fstest.MapFS{"model.safetensors.index.json": index(".safetensors"), "0.safetensors": savedTensors(t, exact[:half]), "1.safetensors": savedTensors(t, exact[half:last])}
	bins := fstest.MapFS{"pytorch_model.bin.index.json": index(".bin"), "0.bin": pickled(t, exact[:half]), "1.bin": pickled(t, exact[half:last])}
	if last < len(exact) {
		shards["2.safetensors"], bins["2.bin"] = savedTensors(t, exact[last:]), pickled(t, exact[last:])
	}
	pairs := []engine.Pair{{Query: "how many people live in the city", Passage: "people of the river"}, {Query: "who"}}
	open := func(weights fstest.MapFS, precision string) (*engine.Engine, error) {
		files := embedder(t, nil, nil)
		delete(files, "model.safetensors")
		for name, file := range weights {
			files[name] = file
		}
		return engine.OpenFS(files, engine.Device("cpu"), engine.Precision(precision), engine.NoCalibrationFile())
	}
	for _, precision := range []string{"f32", "int8"} {
		e, err := open(fstest.MapFS{"model.safetensors": savedTensors(t, near)}, precision)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		want := score(t, e, pairs)
		for name, weights := range map[string]fstest.MapFS{
			"safetensors": {"model.safetensors": savedTensors(t, exact)}, "shards": shards,
			"PyTorch": {"pytorch_model.bin": pickled(t, exact)}, "shards of PyTorch": bins,
		} {
			e, err := open(weights, precision)
			if err != nil {
				t.Fatal(name, err)
			}
			defer e.Close()
			if got := score(t, e, pairs); !slices.Equal(got, want) {
				t.Errorf("%s, %s: %g, want %g", name, precision, got, want)
			}
		}
	}
	binary.LittleEndian.PutUint64(exact[3].Data[8:], math.Float64bits(-1e39))
	for name, weights := range map[string]fstest.MapFS{"model.safetensors": {"model.safetensors": savedTensors(t, exact)}, "pytorch_model.bin": {"pytorch_model.bin": pickled(t, exact)}} {
		_, err := open(weights, "f32")
		want := fmt.Sprintf(`%s: tensor %q: beyond float32: element 1 of shape %d is -1e+39`, name, exact[3].Name, exact[3].Shape)
		if inPlainWords(t, err); !errors.Is(err, engine.ErrModel) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A module's doubles are read as the model's are.
func TestDoublesOfAModule(t *testing.T) {
	_, cases := embedderCases(t)
	at := slices.IndexFunc(cases, func(c embedderCase) bool { return c.Name == "dense, tanh" })
	texts := []string{"how many people live in the city", ""}
	const folder = "2_Dense/"
	dense := []safetensors.Entry{
		floats("linear.weight", []int{9, 32}, func(k float64) float64 { return math.Sin(k) / math.Sqrt(32) }),
		floats("linear.bias", []int{9}, math.Cos),
	}
	wide := slices.Clone(dense)
	doubled(wide, 1)
	var want []float32
	for _, weights := range []fstest.MapFS{
		{folder + "model.safetensors": savedTensors(t, dense)},
		{folder + "model.safetensors": savedTensors(t, wide)}, {folder + "pytorch_model.bin": pickled(t, wide)},
	} {
		files := embedder(t, cases[at].Files, nil)
		for name, file := range weights {
			files[name] = file
		}
		e, err := engine.OpenFS(files, engine.Embedder(), engine.Device("cpu"), engine.Precision("f32"), engine.NoCalibrationFile())
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		got, err := e.Embed(t.Context(), nil, texts)
		if err != nil || want != nil && !slices.Equal(got, want) {
			t.Errorf("%g, %v, want %g", got, err, want)
		}
		want = got
	}
}
