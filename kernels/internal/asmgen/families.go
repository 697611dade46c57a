package asmgen

import "slices"

// kernel is a function that some machines have, and how to emit it.
type kernel struct {
	op     string // the operation; the function's name is op, then the format, then the machine's name
	form   Format // None if it is the same for all formats
	params []string
	doc    string
	body   func(*Func)
}

func (k *kernel) name() string { return nameOf(k.op, k.form) }

// nameOf returns the name of an operation's kernel in a format, without the machine's.
func nameOf(op string, form Format) string {
	if form == None || form == F32 {
		return op
	}
	return op + form.String()
}

// family is the kernels that share a generated file; there is a file for each machine that
// has them.
type family struct {
	name    string
	kernels []kernel
}

// Families that are in several groups.
var (
	quantizes = family{"quantize", []kernel{{"quantize", None, quantizeParams, quantizeDoc, quantize}}}
	peaksBF16 = family{"peak_bf16", []kernel{{"peak", BF16, peakParams, peakDoc, peak(BF16)}}}
	peaksInt8 = family{"peak_int8", []kernel{{"peak", Int8, peakParams, peakDoc, peak(Int8)}}}
)

// Families are in groups; an instruction set has all of a group or nothing of it.
var (
	// vectors are the kernels that every set has, or the set that it extends.
	vectors = []family{
		{"gemm", []kernel{{"gemm", F32, gemmParams, gemmDoc, gemm(F32)}}},
		{"gelu", []kernel{
			{"gelu", None, geluParams, geluDoc, gelu(phiF32)},
			{"geluShort", None, geluParams, geluShortDoc, gelu(phiShort)},
		}},
		{"attention", []kernel{
			{"scores", F32, scoresParams, scoresDoc, scores(F32)},
			{"exponents", F32, exponentsParams, exponentsDoc, exponents},
			{"mix", F32, mixParams, mixDoc, mix(F32)},
			{"transpose", None, transposeParams, transposeDoc, transpose},
		}},
		{"norm", []kernel{{"norm", None, normParams, normDoc, norm}, {"add", None, addParams, addDoc, add}}},
		{"spread", []kernel{
			{"spread8", None, spreadParams, spread8Doc, spread(8, 16, hadamard)},
			{"spread4", None, spreadParams, spread4Doc, spread(4, 128, hadamard)},
			{"spread3", None, spreadParams, spread3Doc, spread(3, 128, reflect)},
		}},
		{"peak", []kernel{{"peak", F32, peakParams, peakDoc, peak(F32)}, {"read", None, readParams, readDoc, read}}},
	}
	// integers are products of int8.
	integers = []family{
		{"gemm_int8", []kernel{{"gemm", Int8, gemmParams, gemmInt8Doc, gemm(Int8)}}},
		quantizes,
		peaksInt8,
	}
	// bfloats are products and attention of bfloat16.
	bfloats = []family{
		{"gemm_bf16", []kernel{{"gemm", BF16, gemmParams, gemmBF16Doc, gemm(BF16)}}},
		{"round", []kernel{{"round", BF16, roundParams, roundDoc, round(BF16)}}},
		{"attention_bf16", []kernel{
			{"scores", BF16, scoresParams, scoresBF16Doc, scores(BF16)},
			{"exponents", BF16, exponentsParams, exponentsBF16Doc, exponentsBF16},
			{"mix", BF16, mixParams, mixBF16Doc, mix(BF16)},
			{"pairRows", None, pairRowsParams, pairRowsDoc, pairRows},
		}},
		peaksBF16,
	}
	// matrices are products of bfloat16 and int8 by instructions that multiply 2×2
	// blocks.
	matrices = []family{
		{"gemm_bf16", []kernel{{"gemm", BF16, gemmParams, gemmMatrixBF16Doc, gemmOf(BF16, gemmRowsMatrix)}}},
		{"round", []kernel{{"round", BF16, roundParams, roundMatrixDoc, round(BF16)}}},
		peaksBF16,
		{"gemm_int8", []kernel{{"gemm", Int8, gemmParams, gemmMatrixInt8Doc, gemmOf(Int8, gemmRowsMatrix)}}},
		{"quantize", []kernel{{"quantize", None, quantizeParams, quantizeMatrixDoc, quantize}}},
		peaksInt8,
	}
	// halves are products of half.
	halves = []family{
		{"gemm_f16", []kernel{{"gemm", F16, gemmParams, gemmF16Doc, gemm(F16)}}},
		{"round_f16", []kernel{{"round", F16, roundParams, roundF16Doc, round(F16)}}},
		{"peak_f16", []kernel{{"peak", F16, peakParams, peakDoc, peak(F16)}}},
	}
)

// tileKernels are products and attention on tiles, and the function that detects tiles.
var tileKernels = append([]family{
	{"xcr0", []kernel{{"xcr0", None, []string{"state *uint64"}, xcr0Doc, xcr0}}},
	{"round_bf16x3", []kernel{{"round", BF16x3, roundParams, roundBF16x3Doc, split}}},
	quantizes,
	{"peak_tiles", []kernel{
		{"peak", BF16, peakParams, peakTilesDoc, peakTiles(BF16)},
		{"peak", Int8, peakParams, peakTilesDoc, peakTiles(Int8)},
		{"peak", BF16x3, peakParams, peakTilesDoc, peakTiles(BF16x3)},
	}},
	{"attention", []kernel{
		{"attend", None, attendAMXParams, attendAMXDoc, attendAMX(false)},
		{"attendNarrow", None, attendAMXParams, attendNarrowAMXDoc, attendAMX(true)},
	}},
}, linears...)

// groups are all groups, in the order of the generated declarations.
var groups = [][]family{vectors, integers, bfloats, matrices, halves, tileKernels}

// ops returns the names of all operations, in order, and each operation's kernels. Of
// kernels with the same name it keeps one, since sets may have their own form of it.
func ops() (names []string, kernels map[string][]kernel) {
	kernels = map[string][]kernel{}
	for _, group := range groups {
		for _, f := range group {
			for _, k := range f.kernels {
				if kernels[k.op] == nil {
					names = append(names, k.op)
				}
				if !slices.ContainsFunc(kernels[k.op], func(o kernel) bool { return o.form == k.form }) {
					kernels[k.op] = append(kernels[k.op], k)
				}
			}
		}
	}
	return names, kernels
}
