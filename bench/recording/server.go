package recording

import "fmt"

// Scales of a server's scores.
const (
	ScaleRaw     = "raw"
	ScaleSigmoid = "sigmoid"
	ScaleCosine  = "cosine" // of two embeddings: no cross-encoder's scores
)

// Server is what was measured over HTTP, in the place of an engine. What it does not tell
// of itself is empty.
type Server struct {
	URL     string `json:"url"`     // without a key
	Dialect string `json:"dialect"` // "tei", "cohere" or "openai"
	Path    string `json:"path"`    // of the requests, after the URL
	Probed  bool   `json:"probed"`  // the dialect was found by trying, not named
	Scale   string `json:"scale"`   // of its scores, as the reference's told, or a cosine; "": not compared
	Model   string `json:"model,omitempty"`
	Version string `json:"version,omitempty"`
	DType   string `json:"dtype,omitempty"` // of its weights
}

// Embeds says whether the server made embeddings, whose cosines no reference can judge. nil is
// no server.
func (s *Server) Embeds() bool { return s != nil && s.Scale == ScaleCosine }

// Served is what a run's requests were, besides the batches that brought scores. The sums
// are of bodies, without headers, in bytes, and of all requests, misses included.
type Served struct {
	Requests    int64  `json:"requests"`
	Sent        int64  `json:"sent_bytes"`
	Received    int64  `json:"received_bytes"`
	Connections int64  `json:"connections"`      // opened in the run, or tried
	Missed      []Miss `json:"missed,omitempty"` // batches without scores
}

func (s *Served) validate() error {
	if s == nil {
		return nil
	}
	if s.Requests < 0 || s.Sent < 0 || s.Received < 0 || s.Connections < 0 {
		return fmt.Errorf("%d requests, %d and %d bytes, %d connections: want at least 0", s.Requests, s.Sent, s.Received, s.Connections)
	}
	for i, m := range s.Missed {
		if m.Due < 0 || m.Due > longestRun || m.After < 0 || m.After > longestRun {
			return fmt.Errorf("missed[%d]: due %v, after %v: want at least 0", i, m.Due, m.After)
		}
	}
	return nil
}
