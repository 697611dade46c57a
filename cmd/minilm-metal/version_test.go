package main

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	text := ok(t, "", "version")
	for _, want := range []string{"version ", "commit ", "go        " + runtime.Version(), "platform  " + runtime.GOOS + "/" + runtime.GOARCH} {
		if !strings.Contains(text, want) {
			t.Errorf("version lacks %q:\n%s", want, text)
		}
	}
	for _, test := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "version   unknown\ncommit    unknown\n"},
		{&debug.BuildInfo{}, "version   unknown\ncommit    unknown\n"},
		{&debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-28T12:00:00Z"}, {Key: "vcs.modified", Value: "true"},
			{Key: "-tags", Value: "noasm"}, {Key: "CGO_ENABLED", Value: "0"},
		}}, "version   v1.2.3\ncommit    abc (changed)\ndate      2026-11-28T12:00:00Z\n"},
	} {
		var out strings.Builder
		if err := writeVersion(&out, test.info); err != nil || !strings.HasPrefix(out.String(), test.want) {
			t.Errorf("%v\n%s\nwant %s", err, out.String(), test.want)
		}
		if test.info != nil && len(test.info.Settings) > 0 && !strings.HasSuffix(out.String(), "cgo       no\ntags      noasm\n") {
			t.Errorf("%s", out.String())
		}
	}
}
