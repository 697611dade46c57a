package main

import (
	"math/bits"
	"math/rand/v2"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// numbers is the numbers that text is full of: small ones, round ones, years,
// and the pieces that longer ones end in.
func numbers() []string {
	var out []string
	for n := range 201 {
		out = append(out, itoa(n))
	}
	for n := 210; n < 1000; n += 10 {
		out = append(out, itoa(n))
	}
	for y := 2030; y >= 1600; y-- {
		out = append(out, itoa(y))
	}
	for n := 1000; n <= 10000; n += 500 {
		out = append(out, itoa(n))
	}
	for n := range 100 {
		out = append(out, "##"+itoa(n), "##"+itoa(n/10)+itoa(n%10))
	}
	for n := 1; n < 10; n++ {
		out = append(out, "##"+itoa(n)+"00", "##"+itoa(n)+"000", itoa(n)+"th", itoa(10+n)+"th")
	}
	return append(out, "##000", "1st", "2nd", "3rd", "20th", "21st", "1980s", "1990s", "2000s")
}

// syllables is the ## pieces that cut words nobody has listed: vowel and
// consonant in their commonest patterns.
func syllables() []string {
	const consonants, ends = "bcdfghjklmnprstvwz", "cdlmnprst"
	var out []string
	for _, v := range "aeiou" {
		for _, e := range ends {
			out = append(out, "##"+string(v)+string(e))
		}
		for _, c := range consonants {
			out = append(out, "##"+string(c)+string(v))
			for _, e := range ends {
				out = append(out, "##"+string(c)+string(v)+string(e))
			}
		}
	}
	return out
}

// coiner makes words up. Only integer arithmetic on PCG's stream decides, so
// every machine and every Go version coins the same words.
type coiner struct{ rng *rand.PCG }

func newCoiner() coiner { return coiner{rand.NewPCG(0x6d696e696c6d, 0x766f636162)} }

// Repeats in these lists are weights: simple syllables are the commonest.
var (
	simple  = strings.Fields("b c d f g h j k l m n p r s t v w l m n r s t")
	onsets  = append(strings.Fields("z bl br ch cl cr dr fl fr gl gr pl pr sc sh sl sp st th tr"), append(simple, simple...)...)
	nuclei  = strings.Fields("a a a a e e e e i i i i o o o o u u u ai ea ee ia io oa ou")
	codas   = append(make([]string, 30), strings.Fields("n n n r r r s s t l l m d c ck ng")...)
	endings = append(make([]string, 4), strings.Fields("n r s t l m d ck nd ng nt rd st us um er en on ia in y el ic al")...)
)

// coin returns a new word of two or three syllables, or a ## piece of one or
// two. It may repeat itself.
func (c coiner) coin(piece bool) string {
	var w strings.Builder
	n := 2 + int(c.below(4))/3
	if piece {
		w.WriteString("##")
		n--
	}
	for i := range n {
		w.WriteString(onsets[c.below(len(onsets))])
		w.WriteString(nuclei[c.below(len(nuclei))])
		if i < n-1 {
			w.WriteString(codas[c.below(len(codas))])
		}
	}
	w.WriteString(endings[c.below(len(endings))])
	return w.String()
}

// below returns a number in [0, n), by multiplication (Lemire 2019).
func (c coiner) below(n int) uint64 {
	hi, _ := bits.Mul64(c.rng.Uint64(), uint64(n))
	return hi
}
