package serve

import "strings"

// oipTensor describes an input or output. A dimension of -1 is any.
type oipTensor struct {
	Name  string `json:"name"`
	Type  string `json:"datatype"`
	Shape []int  `json:"shape"`
}

type oipMetadata struct {
	Name     string            `json:"name"`
	Versions []string          `json:"versions"`
	Platform string            `json:"platform"`
	Inputs   []oipTensor       `json:"inputs"`
	Outputs  []oipTensor       `json:"outputs"`
	About    map[string]string `json:"properties,omitempty"` // the labels, by index
}

const (
	oipBytes = "BYTES"
	oipFP32  = "FP32"
)

// oipModel describes the model's tensors. A reranker takes a query and documents; the others
// take texts, and a classifier a second text for each, where it is asked about pairs.
func (m *served) oipModel() oipMetadata {
	d := oipMetadata{Name: m.Name, Versions: []string{onlyVersion}, Platform: "minilm-metal"}
	texts := func(names ...string) {
		for _, n := range names {
			d.Inputs = append(d.Inputs, oipTensor{n, oipBytes, []int{-1}})
		}
	}
	switch m.does {
	case scoring:
		d.Inputs = []oipTensor{{oipQuery, oipBytes, []int{1}}}
		texts(oipDocuments)
		d.Outputs = []oipTensor{{"scores", oipFP32, []int{-1}}}
	case embedding:
		texts(oipTexts)
		d.Outputs = []oipTensor{{"embeddings", oipFP32, []int{-1, m.info.Dimensions}}}
	case classifying:
		texts(oipTexts, oipSecond)
		d.Outputs = []oipTensor{{"probabilities", oipFP32, []int{-1, len(m.labels())}}}
		d.About = map[string]string{"labels": strings.Join(m.labels(), ",")}
	}
	return d
}
