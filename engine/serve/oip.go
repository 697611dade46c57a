package serve

import "net/http"

// oip is the Open Inference Protocol, version 2, over REST, which KServe and Triton speak. A
// model is tensors in and tensors out; oip_model.go has what they are.
func oip() *dialect {
	d := &dialect{name: "oip", word: oipFailure, routes: []route{
		{method: "GET", path: "/v2", plain: oipServer},
		{method: "GET", path: "/v2/health/live", plain: oipLive, open: true},
		{method: "GET", path: "/v2/health/ready", plain: oipReady, open: true},
	}}
	for _, path := range []string{"/v2/models/{model}", "/v2/models/{model}/versions/{version}"} {
		d.routes = append(d.routes,
			route{method: "GET", path: path, plain: oipDescribe},
			route{method: "GET", path: path + "/ready", plain: oipModelReady, open: true},
			route{method: "POST", path: path + "/infer", ask: oipInfer, prefix: oipPrefix},
		)
	}
	return d
}

// oipFailure is a string under "error". All that is wrong with a request is 400.
func oipFailure(f *failure) reply {
	return asJSON(no422(statuses[f.kind]), errorText{f.message})
}

func oipServer(*Handler, *exchange) (reply, *failure) {
	version, _ := build()
	return asJSON(http.StatusOK, map[string]any{
		"name": "minilm-metal", "version": version, "extensions": []string{"binary_tensor_data"},
	}), nil
}

// oipHealth has both fields: the text of the protocol names one, and its examples the other.
type oipHealth struct {
	Live  bool `json:"live"`
	Ready bool `json:"ready"`
}

func oipLive(h *Handler, x *exchange) (reply, *failure) {
	return asJSON(http.StatusOK, oipHealth{true, h.takesMore() == nil}), nil
}

func oipReady(h *Handler, x *exchange) (reply, *failure) {
	f := h.takesMore()
	if f == nil {
		return asJSON(http.StatusOK, oipHealth{true, true}), nil
	}
	x.facts.failure = f
	x.w.Header().Set("Retry-After", retryAfter(f.retry))
	return asJSON(statuses[f.kind], oipHealth{true, false}), nil
}

// oipModelReady is the probe of one model, KServe's of a container. Where there is none yet, no
// name is wrong.
func oipModelReady(h *Handler, x *exchange) (reply, *failure) {
	if f := h.takesMore(); f != nil {
		return reply{}, f
	}
	m, f := h.inPath(x.r)
	if f != nil && len(h.keys) > 0 { // whoever asks may not know the models' names
		f = about("model", noModel, "no such model, or no such version of it")
	}
	if f != nil {
		return reply{}, f
	}
	return asJSON(http.StatusOK, struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
	}{m.Name, true}), nil
}

func oipDescribe(h *Handler, x *exchange) (reply, *failure) {
	m, f := h.inPath(x.r)
	if f != nil {
		return reply{}, f
	}
	return asJSON(http.StatusOK, m.oipModel()), nil
}
