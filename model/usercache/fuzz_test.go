package usercache

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// Whatever is in the file, it is read or refused with its name, and an update leaves a
// file that reads back: what was there, if it could be read, with what is new.
func FuzzRead(f *testing.F) {
	for _, text := range []string{"", "null", "{}", "[]", `{"a":{"n":1,"list":["x",null]}}`, `{"a":null}`, `{"a":{"n":1e400}}`, `{"a":{"n":"1"}}`, `{"a":{"N":2,"n":3},"a":{}}`, `{"\ud800":{}}`, `{"a":{}} x`} {
		f.Add([]byte(text))
	}
	type value struct {
		N    float64  `json:"n"`
		List []string `json:"list"`
	}
	path := filepath.Join(f.TempDir(), "file.json")
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 100 { // enough for two values; long ones go test shortens for minutes
			return
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		old, err := Read[value](path)
		if err != nil && (!strings.Contains(err.Error(), path) || old != nil) {
			t.Fatalf("%v, error %q", old, err)
		}
		if err == nil && old == nil {
			t.Fatal("nil, want an object")
		}
		if err := Update(path, func(all map[string]value) { all["new"] = value{N: 0.5} }); err != nil {
			t.Fatal(err)
		}
		got, err := Read[value](path)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if old == nil {
			old = map[string]value{}
		}
		old["new"] = value{N: 0.5}
		if !reflect.DeepEqual(got, old) {
			t.Fatalf("%v, want %v", got, old)
		}
		if left, err := filepath.Glob(path + ".*"); err != nil || len(left) > 0 {
			t.Fatalf("left behind: %q, %v", left, err)
		}
		if text, err := os.ReadFile(path); err != nil || !bytes.HasSuffix(text, []byte("}\n")) {
			t.Fatalf("%q, %v", text, err)
		}
	})
}
