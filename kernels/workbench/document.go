package workbench

// SchemaVersion is the version of Document. It is raised when a field changes its name or
// its meaning, not when a field is added.
const SchemaVersion = 1

// Document is the report as JSON. A figure is null if it needs a ceiling that was not
// measured.
type Document struct {
	Schema int `json:"schema"` // SchemaVersion
	// Environment is what the caller wants to say about the machine and the program.
	Environment any               `json:"environment"`
	Count       int               `json:"count"` // repeats that were asked for
	Time        int64             `json:"time_ns"`
	Levels      []Level           `json:"levels"` // caches and memory, nearest first
	Ceilings    []CeilingDocument `json:"ceilings"`
	Results     []ResultDocument  `json:"results"`
}

// CeilingDocument is the best that a variant can do on this machine.
type CeilingDocument struct {
	ISA    string   `json:"isa"`
	Format string   `json:"format"`
	Peak   *float64 `json:"peak_flops_per_second"`
	// Read has a bandwidth for each level, in the order of Levels.
	Read []*float64 `json:"read_bytes_per_second"`
}

// ResultDocument is the result of one case.
type ResultDocument struct {
	Name   string `json:"name"` // as --list prints it
	Kernel string `json:"kernel"`
	Title  string `json:"title"`
	ISA    string `json:"isa"`
	Format string `json:"format"`
	Shape
	Work
	Intensity float64   `json:"flops_per_byte"`
	Calls     int       `json:"calls"`      // in each repeat
	Samples   []float64 `json:"samples_ns"` // the time of a call, in each repeat

	// The next five are of the samples; what follows them is of their median.
	Min    float64 `json:"min_ns"`
	Q1     float64 `json:"q1_ns"`
	Median float64 `json:"median_ns"`
	Q3     float64 `json:"q3_ns"`
	Max    float64 `json:"max_ns"`

	FLOPS     float64  `json:"flops_per_second"`
	Bandwidth float64  `json:"bytes_per_second"`
	Level     string   `json:"level"` // the nearest memory that holds the operands
	PeakShare *float64 `json:"peak_share"`
	Bound     *string  `json:"bound"` // "peak", or the level
	Roofline  *float64 `json:"roofline_flops_per_second"`
	RoofShare *float64 `json:"roofline_share"`
}

// Document returns the report as JSON has it.
func (p *Report) Document(environment any) Document {
	d := Document{Schema: SchemaVersion, Environment: environment, Count: p.Count, Time: p.Time.Nanoseconds(), Levels: p.Levels, Ceilings: []CeilingDocument{}, Results: []ResultDocument{}}
	for _, c := range p.Ceilings {
		ceiling := CeilingDocument{ISA: c.Variant.ISA.String(), Format: c.Variant.Format.String(), Peak: known(c.Peak)}
		for _, read := range c.Read {
			ceiling.Read = append(ceiling.Read, known(read))
		}
		d.Ceilings = append(d.Ceilings, ceiling)
	}
	for _, r := range p.Measured() {
		s := r.Spread()
		rates := p.Rates(r, s.Median)
		result := ResultDocument{
			Name: r.Name(), Kernel: r.Kernel, Title: r.Title, ISA: r.Variant.ISA.String(), Format: r.Variant.Format.String(),
			Shape: r.Shape, Work: r.Work, Intensity: r.Work.Intensity(), Calls: r.Calls, Samples: r.Samples,
			Min: s.Min, Q1: s.Q1, Median: s.Median, Q3: s.Q3, Max: s.Max,
			FLOPS: rates.FLOPS, Bandwidth: rates.Bandwidth, Level: rates.Level,
		}
		if rates.Bound != "" {
			result.PeakShare, result.Bound, result.Roofline, result.RoofShare = &rates.PeakShare, &rates.Bound, &rates.Roofline, &rates.RoofShare
		}
		d.Results = append(d.Results, result)
	}
	return d
}

// known returns nil for 0, which stands for a figure that was not measured.
func known(x float64) *float64 {
	if x == 0 {
		return nil
	}
	return &x
}
