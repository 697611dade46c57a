package synth

//go:generate go run ./internal/genvocab -o vocab.txt
