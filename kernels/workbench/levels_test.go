package workbench

import (
	"slices"
	"testing"
	"testing/fstest"
)

func TestLevels(t *testing.T) {
	const kib, mib = 1 << 10, 1 << 20
	dram := func(read int64) Level { return Level{Name: "DRAM", Read: read} }
	for _, test := range []struct {
		name  string
		sizes [3]int64
		want  []Level
	}{
		{"Zen 5", [3]int64{48 * kib, mib, 32 * mib}, []Level{{"L1", 48 * kib, 24 * kib, false}, {"L2", mib, mib / 2, false}, {"L3", 32 * mib, 4 * mib, false}, dram(128 * mib)}},
		{"no L3", [3]int64{128 * kib, 16 * mib, -1}, []Level{{"L1", 128 * kib, 64 * kib, false}, {"L2", 16 * mib, 8 * mib, false}, dram(64 * mib)}},
		{"nothing known", [3]int64{-1, 0, 0}, []Level{{"L1", 32 * kib, 16 * kib, true}, {"L2", 512 * kib, 256 * kib, true}, dram(64 * mib)}},
		{"an L3 larger than is allocated", [3]int64{32 * kib, mib, 1 << 30}, []Level{{"L1", 32 * kib, 16 * kib, false}, {"L2", mib, mib / 2, false}, {"L3", 1 << 30, 4 * mib, false}, dram(256 * mib)}},
		{"odd sizes", [3]int64{1500, 1400, 3001}, []Level{{"L1", 1500, 512, false}, {"L3", 3001, 1024, false}, dram(64 * mib)}},
	} {
		got := levels(test.sizes)
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
	// Of this machine: each holds more than the one before, and its working set
	// is in whole blocks.
	all := Levels()
	for i, l := range all {
		if l.Read < readUnit || l.Read%readUnit != 0 || i > 0 && l.Read <= all[i-1].Read {
			t.Errorf("%+v", all)
		}
	}
}

func TestLinuxCaches(t *testing.T) {
	system := fstest.MapFS{}
	cache := func(index, level, kind, size string) {
		dir := "sys/devices/system/cpu/cpu0/cache/index" + index + "/"
		for name, text := range map[string]string{"level": level, "type": kind, "size": size} {
			system[dir+name] = &fstest.MapFile{Data: []byte(text + "\n")}
		}
	}
	cache("0", "1", "Data", "48K")
	cache("1", "1", "Instruction", "32K")
	cache("2", "2", "Unified", "1024K")
	cache("3", "3", "Unified", "32M")
	cache("4", "4", "Unified", "64M")
	if got, want := linuxCaches(system), [3]int64{48 << 10, 1 << 20, 32 << 20}; got != want {
		t.Errorf("%v, want %v", got, want)
	}
	cache("0", "one", "Data", "48K")
	cache("2", "2", "Unified", "many")
	cache("3", "3", "Unified", "-1K")
	if got := linuxCaches(system); got != [3]int64{} {
		t.Errorf("%v of what cannot be read", got)
	}
	// What Linux tells counts, on Linux.
	cache("0", "1", "Data", "7K")
	if got := cacheSizes(system, "linux"); got[0] != 7<<10 {
		t.Errorf("%v, want 7 KiB of L1", got)
	}
	if got, other := cacheSizes(system, "darwin"), cacheSizes(fstest.MapFS{}, "linux"); got != other {
		t.Errorf("%v off Linux, %v without its files", got, other)
	}
}
