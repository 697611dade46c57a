package pull

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minilm-metal/minilm-metal/model/hub"
)

func TestOptionsFromEnv(t *testing.T) {
	env := map[string]string{"HF_HOME": t.TempDir(), "HF_ENDPOINT": "https://mirror.example ", "HF_TOKEN": " hf_x\n"}
	o, err := OptionsFromEnv(func(k string) string { return env[k] }, "")
	if err != nil || o.Endpoint != "https://mirror.example" || o.Token != "hf_x" || o.Cache.Dir == "" || o.Offline {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := OptionsFromEnv(func(string) string { return "" }, ""); err == nil {
		t.Error("no home and no variables give a cache")
	}
	p, err := newPuller(Options{ID: testID, Cache: hub.Cache{Dir: "x"}})
	if err != nil || p.endpoint.String() != DefaultEndpoint {
		t.Errorf("the default endpoint: %v, %v", p, err)
	}
}

// The token that huggingface_hub's get_token would return, by the same
// variables and files.
func TestTokenFromEnv(t *testing.T) {
	home := t.TempDir()
	file := func(content string, parts ...string) string {
		name := filepath.Join(append([]string{home}, parts...)...)
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	mine := file("hf_mine\n", "mine")
	file("hf_expanded\n", "sub", "token")
	hfHome := filepath.Dir(file("\n hf_home \r\n", "hf", "token"))
	xdg := filepath.Dir(filepath.Dir(file("hf_xdg", "xdg", "huggingface", "token")))
	user := filepath.Join(home, "user")
	file("hf_user", "user", ".cache", "huggingface", "token")
	empty := file(" \r\n", "empty")
	split := file("hf_sp\nlit", "split")
	huge := file(strings.Repeat("x", 70_000), "huge")
	for _, c := range []struct {
		name string
		env  map[string]string
		want string // "!" for an error
	}{
		{"variable before files", map[string]string{"HF_TOKEN": "hf_a", "HF_TOKEN_PATH": mine, "HF_HOME": hfHome}, "hf_a"},
		{"variable stripped", map[string]string{"HF_TOKEN": "\t hf_a\r\n"}, "hf_a"},
		{"old variable", map[string]string{"HUGGING_FACE_HUB_TOKEN": "hf_old", "HF_HOME": hfHome}, "hf_old"},
		{"new before old", map[string]string{"HF_TOKEN": "hf_a", "HUGGING_FACE_HUB_TOKEN": "hf_old"}, "hf_a"},
		{"empty variable, then the old one", map[string]string{"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "hf_old"}, "hf_old"},
		{"blank variable, then the file", map[string]string{"HF_TOKEN": " ", "HUGGING_FACE_HUB_TOKEN": "hf_old", "HF_HOME": hfHome}, "hf_home"},
		{"named file before home", map[string]string{"HF_TOKEN_PATH": mine, "HF_HOME": hfHome}, "hf_mine"},
		{"named file with a variable in it", map[string]string{"HF_TOKEN_PATH": "$SUB/token", "SUB": filepath.Join(home, "sub")}, "hf_expanded"},
		{"named file below home", map[string]string{"HF_TOKEN_PATH": "~/.cache/huggingface/token"}, "hf_user"},
		{"named file not there", map[string]string{"HF_TOKEN_PATH": filepath.Join(home, "none"), "HF_HOME": hfHome}, ""},
		{"home", map[string]string{"HF_HOME": hfHome, "XDG_CACHE_HOME": xdg}, "hf_home"},
		{"xdg", map[string]string{"XDG_CACHE_HOME": xdg}, "hf_xdg"},
		{"user's cache", nil, "hf_user"},
		{"the cache is elsewhere", map[string]string{"HF_HUB_CACHE": home}, "hf_user"},
		{"empty file", map[string]string{"HF_TOKEN_PATH": empty}, ""},
		{"file of two lines", map[string]string{"HF_TOKEN_PATH": split}, "hf_split"},
		{"a folder", map[string]string{"HF_TOKEN_PATH": home}, "!"},
		{"a huge file", map[string]string{"HF_TOKEN_PATH": huge}, "!"},
		{"not to be sent", map[string]string{"HF_TOKEN": "hf_a", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}, ""},
		{"to be sent", map[string]string{"HF_TOKEN": "hf_a", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "0"}, "hf_a"},
		{"offline needs none", map[string]string{"HF_TOKEN_PATH": home, "HF_HUB_OFFLINE": "1"}, ""},
	} {
		o, err := OptionsFromEnv(func(k string) string { return c.env[k] }, user)
		if c.want == "!" {
			if err == nil || !strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "xxx") {
				t.Errorf("%s: %q, %v; want an error of the token", c.name, o.Token, err)
			}
		} else if err != nil || o.Token != c.want {
			t.Errorf("%s: %q, %v; want %q", c.name, o.Token, err, c.want)
		}
	}
}

// What huggingface_hub takes for yes.
func TestOfflineFromEnv(t *testing.T) {
	for _, c := range []struct {
		hub, transformers string
		want              bool
	}{
		{"", "", false}, {"1", "", true}, {"true", "", true}, {"True", "", true}, {"YES", "", true}, {"on", "", true},
		{"0", "", false}, {"false", "", false}, {"y", "", false}, {" 1", "", false}, {"2", "", false}, {"off", "", false},
		{"", "1", true}, {"", "yes", true}, {"", "0", false}, {"0", "1", false}, {"1", "0", true},
	} {
		env := map[string]string{"HF_HOME": t.TempDir(), "HF_HUB_OFFLINE": c.hub, "TRANSFORMERS_OFFLINE": c.transformers}
		if o, err := OptionsFromEnv(func(k string) string { return env[k] }, ""); err != nil || o.Offline != c.want {
			t.Errorf("HF_HUB_OFFLINE=%q TRANSFORMERS_OFFLINE=%q: %t, %v", c.hub, c.transformers, o.Offline, err)
		}
	}
}
