package bench

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"
)

// WriteJSON writes report.json, whose schema is the type Report.
func (r *Report) WriteJSON(w io.Writer) error {
	return writeJSON(w, r)
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	return e.Encode(v)
}

// WriteCSV writes a row for each configuration: what was run, then every
// metric, with the unit as the last words of its column's name. Figures that
// were not measured are "n/a".
func (r *Report) WriteCSV(w io.Writer) error {
	list := metrics()
	header := []string{"name", "model", "synthetic", "backend", "device", "precision", "dataset_sha256",
		"batch", "concurrency", "loop", "offered_pairs_per_second", "pairs", "seconds"}
	for _, m := range list {
		header = append(header, m.column)
	}
	out := csv.NewWriter(w)
	if err := out.Write(header); err != nil {
		return err
	}
	dataset := notMeasured
	if r.Dataset != nil {
		dataset = r.Dataset.SHA256
	}
	for i := range r.Configs {
		f := &r.Configs[i]
		var offered *float64
		if f.Loop == "open" {
			offered = &f.Rate
		}
		row := []string{r.Name, r.Model.ID, strconv.FormatBool(r.Model.Synthetic), r.Backend, r.Device, r.Precision, dataset,
			strconv.Itoa(f.Batch), strconv.Itoa(f.Concurrency), f.Loop, shortest(offered), strconv.Itoa(f.Pairs), shortest(f.Seconds)}
		for _, m := range list {
			row = append(row, shortest(m.value(f)))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// notMeasured is printed for a figure that was not measured.
const notMeasured = "n/a"

// shortest is the shortest decimal that reads back equal.
func shortest(v *float64) string {
	if v == nil {
		return notMeasured
	}
	return strconv.FormatFloat(*v, 'f', -1, 64)
}

// fixed is v with that many digits after the point.
func fixed(v *float64, digits int) string {
	if v == nil {
		return notMeasured
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// withUnit is fixed with a unit behind the number, and none behind n/a.
func withUnit(v *float64, digits int, unit string) string {
	if v == nil {
		return notMeasured
	}
	return fixed(v, digits) + unit
}
