module github.com/minilm-metal/minilm-metal

go 1.26

require (
	github.com/sugarme/tokenizer v0.3.0
	go4.org/unsafe/assume-no-moving-gc v0.0.0-20231121144256-b99613f794b6
	gorgonia.org/tensor v0.9.24
)
