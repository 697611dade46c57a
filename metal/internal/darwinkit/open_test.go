//go:build fakemetal

package darwinkit

import (
	"errors"
	"strings"
	"testing"
	"unsafe"

	"github.com/progrium/darwinkit/objc"

	"github.com/minilm-metal/minilm-metal/metal/internal/gpu"
)

// ofFamily makes the stand-in a GPU of Apple's family n, as hosted Macs' virtual GPU is
// of family 5, or of none.
func ofFamily(n int64) {
	replaceMethod(objc.GetClass("FMDevice"), "supportsFamily:", func(_ objc.Object, f int64) bool { return f <= 1000+n })
}

// TestOlderDevice opens a driver for a GPU of a family that is not known to do: what it
// makes of the source is told, and it is taken by request alone.
func TestOlderDevice(t *testing.T) {
	if !alone(t) {
		return
	}
	var wrong *gpu.SourceError
	for _, family := range []int64{0, 5, 6} {
		ofFamily(family)
		before := LiveObjects()
		_, err := Open(source, false)
		if !errors.Is(err, gpu.ErrOlder) || !errors.Is(err, gpu.ErrUnavailable) || errors.As(err, &wrong) || !strings.Contains(err.Error(), "Fake M1 is of family") {
			t.Errorf("family %d: %v, want that it is too old", family, err)
		}
		if got := LiveObjects() - before; family > 0 && got != 0 { // at first, the stand-in's device, for good
			t.Errorf("%d objects are left", got)
		}
		d, err := Open(source, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Info().Family; got != int(family) {
			t.Errorf("family %d, want %d", got, family)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		for _, anyFamily := range []bool{false, true} {
			_, err := Open("kernel void f() { nothing; }\n", anyFamily)
			if !errors.Is(err, gpu.ErrOlder) || !errors.As(err, &wrong) || !strings.Contains(wrong.Log, "nothing") {
				t.Errorf("%v, want that it is too old and what its compiler says", err)
			}
		}
	}
}

// TestLanguage has a compiler refuse Metal 3.0, and then whatever it is asked.
func TestLanguage(t *testing.T) {
	if !alone(t) {
		return
	}
	d := open(t)
	if got := d.Info().Language; got != "Metal 3.0" {
		t.Errorf("compiled as %q", got)
	}
	device, compile, kept := objc.GetClass("FMDevice"), "newLibraryWithSource:options:error:", objc.Sel("keptLibraryWithSource:options:error:")
	if !device.AddMethod(kept, device.MethodImplementation(objc.Sel(compile)), "@@:@@^@") {
		t.Fatal("the method cannot be kept")
	}
	refuse := func(version uint64) bool { return version != 0 }
	var versions []uint64
	replaceMethod(device, compile, func(o, source, options objc.Object, e unsafe.Pointer) objc.Object {
		version := objc.Call[uint64](options, objc.Sel("languageVersion"))
		if versions = append(versions, version); refuse(version) {
			return objc.Object{}
		}
		return objc.Call[objc.Object](o, kept, source, options, e)
	})
	again, err := Open(source, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := again.Info().Language; !strings.Contains(got, "refuses 3.0: nothing was made") {
		t.Errorf("compiled as %q, want why not as 3.0", got)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	if len(versions) != 2 || versions[0] != 3<<16 || versions[1] != 0 {
		t.Errorf("versions %x were asked for", versions)
	}
	refuse = func(uint64) bool { return true }
	var wrong *gpu.SourceError
	if _, err := Open(source, false); !errors.As(err, &wrong) || len(versions) != 4 {
		t.Errorf("%v after %d tries, want a SourceError after one more", err, len(versions)-2)
	}
}
