//go:build (darwin && cgo) || fakemetal

package darwinkit

import "github.com/progrium/darwinkit/objc"

// Metal's classes, as far as they are used, so that a compiler tells one object from
// another. darwinkit has them too, in packages that name all protocols of Metal and
// Foundation: a newer SDK without one of those would break the build.
type (
	mtlDevice         struct{ objc.Object }
	mtlQueue          struct{ objc.Object }
	mtlLibrary        struct{ objc.Object }
	mtlFunction       struct{ objc.Object }
	mtlConstants      struct{ objc.Object }
	mtlCompileOptions struct{ objc.Object }
	mtlPipeline       struct{ objc.Object }
	mtlBuffer         struct{ objc.Object }
	mtlCommandBuffer  struct{ objc.Object }
	mtlEncoder        struct{ objc.Object }
	mtlSamples        struct{ objc.Object }
)

// mtlSize is MTLSize, and nsRange NSRange, as C has them.
type (
	mtlSize struct{ Width, Height, Depth uint64 }
	nsRange struct{ Location, Length uint64 }
)

type (
	mtlFamily int64  // MTLGPUFamily
	mtlStatus uint64 // MTLCommandBufferStatus
)

// Constants of Metal's headers.
const (
	familyApple7    mtlFamily = 1007 // M1's
	statusCompleted mtlStatus = 4

	storageShared uint64 = 0 // MTLStorageModeShared, and MTLResourceStorageModeShared

	// MTLDataType
	dataTypeFloat uint64 = 3
	dataTypeUint  uint64 = 33
	dataTypeBool  uint64 = 53

	language3 uint64 = 3 << 16 // MTLLanguageVersion3_0

	samplingAtStages uint64 = 0 // MTLCounterSamplingPointAtStageBoundary
)
