package darwinkit

import (
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

func TestFault(t *testing.T) {
	kinds := map[int]error{
		1: gpu.ErrFault, 2: gpu.ErrFault, 3: gpu.ErrFault, 9: gpu.ErrFault, 12: gpu.ErrFault,
		8: gpu.ErrOutOfMemory,
		4: gpu.ErrLost, 7: gpu.ErrLost, 11: gpu.ErrLost,
	}
	for code := range 20 {
		err := fault(code, "the reason")
		if !strings.Contains(err.Error(), "the reason") {
			t.Errorf("code %d: %v", code, err)
		}
		for _, kind := range []error{gpu.ErrFault, gpu.ErrOutOfMemory, gpu.ErrLost} {
			if errors.Is(err, kind) != (kinds[code] == kind) {
				t.Errorf("code %d: %v, want %v", code, err, kinds[code])
			}
		}
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		committed, start, end, returned time.Duration
		want                            gpu.Times
	}{
		{100, 130, 180, 200, gpu.Times{Wait: 30, Busy: 50}},
		{100, 90, 180, 200, gpu.Times{Wait: 0, Busy: 90}}, // a clock read late
		{100, 0, 0, 200, gpu.Times{Busy: 100}},
		{100, 180, 130, 200, gpu.Times{Busy: 100}},
	} {
		if got := times(c.committed, c.start, c.end, c.returned); got != c.want {
			t.Errorf("%v: %v, want %v", c, got, c.want)
		}
	}
	if got := seconds(1.5); got != 1500*time.Millisecond {
		t.Errorf("1.5 s are %v", got)
	}
}

func TestStages(t *testing.T) {
	for _, c := range []struct {
		what   string
		stamps []uint64
		rate   float64
		want   []time.Duration // nil: rejected
	}{
		{"nanoseconds", []uint64{10, 30, 30, 70}, 1, []time.Duration{20, 40}},
		{"ticks of 24 MHz", []uint64{1000, 1024, 1024, 1048}, 1000. / 24, []time.Duration{1000, 1000}},
		{"no begin", []uint64{0, 30, 30, 70}, 1, nil},
		{"an error", []uint64{10, math.MaxUint64, 30, 70}, 1, nil},
		{"two errors", []uint64{math.MaxUint64, math.MaxUint64, 30, 70}, 1, nil},
		{"unordered", []uint64{30, 10, 30, 70}, 1, nil},
		{"longer than the whole", []uint64{10, 30, 30, 1e9}, 1, nil},
		{"too few", []uint64{10, 30, 30}, 1, nil},
		{"a clock that stands", []uint64{10, 30, 30, 70}, 0, nil},
	} {
		var raw []byte
		for _, s := range c.stamps {
			raw = binary.LittleEndian.AppendUint64(raw, s)
		}
		each := make([]time.Duration, 2)
		ok := stages(each, raw, c.rate, time.Microsecond)
		if ok != (c.want != nil) || ok && (each[0] != c.want[0] || each[1] != c.want[1]) {
			t.Errorf("%s: %v, %v, want %v", c.what, each, ok, c.want)
		}
	}
}

func TestTickLength(t *testing.T) {
	for _, c := range []struct {
		before, after uint64
		passed        time.Duration
		want          float64
	}{
		{1000, 2000, 1000, 1},
		{1000, 2000, 1040, 1}, // read a little apart
		{0, 24, 1000, 1000. / 24},
		{1000, 1000, 1000, 0},
		{2000, 1000, 1000, 0},
		{1000, 2000, 0, 0},
	} {
		if got := tickLength(c.before, c.after, c.passed); got != c.want {
			t.Errorf("%v: %v, want %v", c, got, c.want)
		}
	}
}
