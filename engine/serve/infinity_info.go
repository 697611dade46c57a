package serve

import (
	"net/http"
	"time"
)

func infinityHealth(h *Handler, x *exchange) (reply, *failure) {
	if f := h.takesMore(); f != nil {
		return reply{}, f
	}
	return asJSON(http.StatusOK, struct {
		Unix float64 `json:"unix"`
	}{float64(time.Now().UnixMilli()) / 1e3}), nil
}

type infinityModel struct {
	ID      string        `json:"id"`
	Stats   infinityStats `json:"stats"`
	Object  string        `json:"object"`
	Owner   string        `json:"owned_by"`
	Created int64         `json:"created"`
	Backend string        `json:"backend"`
	Can     []string      `json:"capabilities"`
	Dtype   string        `json:"dtype"`
	Device  string        `json:"device"`
}

// infinityStats has what an engine knows of its queue.
type infinityStats struct {
	Waiting int `json:"queue_absolute"`
	Running int `json:"passes_running"`
}

// infinityModels lists the models. The client takes no other owner than Infinity.
func infinityModels(h *Handler, _ *exchange) (reply, *failure) {
	can := [...]string{scoring: "rerank", embedding: "embed", classifying: "classify"}
	var all []infinityModel
	for _, m := range *h.models.Load() {
		s := m.Engine.Stats()
		all = append(all, infinityModel{
			ID: m.Name, Stats: infinityStats{s.WaitingPairs, s.Running}, Object: "model", Owner: infinityName, Created: m.since,
			Backend: ownName, Can: []string{can[m.does]}, Dtype: dtype(m.info.Precision), Device: m.info.Device,
		})
	}
	return asJSON(http.StatusOK, listOf(all)), nil
}
