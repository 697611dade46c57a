package report

import (
	"cmp"
	"encoding/csv"
	"io"
	"strconv"

	"github.com/minilm-metal/minilm-metal/bench/internal/figure"
	"github.com/minilm-metal/minilm-metal/bench/internal/file"
)

// WriteJSON writes report.json, whose schema is the type Report.
func (r *Report) WriteJSON(w io.Writer) error {
	return file.WriteJSON(w, r)
}

// WriteCSV writes a row for each configuration: what was run, then every metric, whose unit
// is at the end of its column's name. Figures that were not measured are "n/a".
func (r *Report) WriteCSV(w io.Writer) error {
	list := Metrics()
	header := []string{"name", "model", "synthetic", "backend", "device", "precision", "dataset_sha256",
		"batch", "concurrency", "loop", "offered_pairs_per_second", "pairs", "seconds"}
	for _, m := range list {
		header = append(header, m.Column)
	}
	extra := r.extraColumns()
	for _, c := range extra {
		header = append(header, c.name)
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	dataset := figure.NotMeasured
	if r.Dataset != nil {
		dataset = r.Dataset.SHA256
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		var offered *float64
		if f.Loop == "open" {
			offered = &f.Rate
		}
		row := []string{r.Name, r.Model.ID, strconv.FormatBool(r.Model.Synthetic), r.Backend, r.Device, cmp.Or(f.Precision, r.Precision), dataset,
			strconv.Itoa(f.Batch), strconv.Itoa(f.Concurrency), f.Loop, figure.Shortest(offered), strconv.Itoa(f.Pairs), figure.Shortest(f.Seconds)}
		for _, m := range list {
			row = append(row, figure.Shortest(m.Value(f)))
		}
		for _, c := range extra {
			row = append(row, c.cell(f))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
